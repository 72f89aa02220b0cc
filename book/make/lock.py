"""Write the versions installed in this environment as a lock file: `python -m book.make.lock requirements.lock`."""

import re
import sys
from importlib.metadata import distributions
from pathlib import Path

HEADER = """\
# The one set of versions that the book is built and tested with. Written by `make lock`; do not edit.
# GPU packages are left out: pip adds those that the torch of a platform asks for.
"""
PROJECT = "which-words-matter"
LEFT_OUT = re.compile(rf"{PROJECT}$|pip$|nvidia-|cuda-|triton$")


def pins() -> dict[str, str]:
    """Version of every installed package but pip, this project and GPU packages; no build label such as `+cpu`."""
    found = {}
    for distribution in distributions():
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        if not LEFT_OUT.match(name):
            found[name] = distribution.version.split("+")[0]
    return found


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.version_info[:2] != (3, 11):
        sys.exit("Lock with Python 3.11, the oldest one that the project promises: make lock PYTHON=python3.11")
    lines = [f"{name}=={version}\n" for name, version in sorted(pins().items())]
    Path(sys.argv[1]).write_text(HEADER + "".join(lines), encoding="utf-8")
    print(f"{sys.argv[1]}: {len(lines)} packages")


if __name__ == "__main__":
    main()
