"""Let a double-click in JupyterLab open a Markdown chapter as a notebook: `python -m book.make.lab`.

The setting goes into the environment that runs this (`make lab`, Binder), not into the user's own settings.
"""

import os
import sys
from pathlib import Path

from jupytext_config.labconfig import LabConfig

from lib.storage import anchor_folders


def settings_file() -> Path:
    """Where JupyterLab looks for the defaults of an environment."""
    return Path(sys.prefix) / "share" / "jupyter" / "lab" / "settings" / "overrides.json"


def main() -> None:
    LabConfig(settings_file=settings_file()).read().set_default_viewers(["markdown", "myst"]).write()
    if sys.argv[1:] == ["start"]:
        anchor_folders()  # a notebook runs in its own folder: LIB_CACHE_DIR=mine would be another one there
        os.execv(sys.executable, [sys.executable, "-m", "jupyterlab"])


if __name__ == "__main__":
    main()
