"""Let a double-click in JupyterLab open a Markdown chapter as a notebook: `python -m book.make.lab`.

The settings go into the environment that runs this (`make lab`, Binder), not into the user's own settings.
"""

import json
import os
import sys
from pathlib import Path

from jupytext_config.labconfig import LabConfig

from lib.storage import anchor_folders


def settings_file() -> Path:
    """Where JupyterLab looks for the defaults of an environment."""
    return Path(sys.prefix) / "share" / "jupyter" / "lab" / "settings" / "overrides.json"


def server_file() -> Path:
    """Where the server behind JupyterLab looks for its settings in an environment."""
    return Path(sys.prefix) / "etc" / "jupyter" / "jupyter_server_config.d" / "which-words-matter.json"


def main() -> None:
    # A finding is shown as its sentence and a line that checks it: see book/site/unfold.py.
    settings = {"ServerApp": {"contents_manager_class": "book.site.unfold.Chapters"}}
    server_file().parent.mkdir(parents=True, exist_ok=True)
    server_file().write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    LabConfig(settings_file=settings_file()).read().set_default_viewers(["markdown", "myst"]).write()
    if sys.argv[1:] == ["start"]:
        anchor_folders()  # a notebook runs in its own folder: LIB_CACHE_DIR=mine would be another one there
        os.execv(sys.executable, [sys.executable, "-m", "jupyterlab"])


if __name__ == "__main__":
    main()
