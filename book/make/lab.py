"""Let a double-click in JupyterLab open a Markdown chapter as a notebook: `python -m book.make.lab`.

The setting goes into the environment that runs this (`make lab`, Binder), not into the user's own settings.
"""

import sys
from pathlib import Path

from jupytext_config.labconfig import LabConfig


def settings_file() -> Path:
    """Where JupyterLab looks for the defaults of an environment."""
    return Path(sys.prefix) / "share" / "jupyter" / "lab" / "settings" / "overrides.json"


def main():
    LabConfig(settings_file=settings_file()).read().set_default_viewers(["markdown", "myst"]).write()


if __name__ == "__main__":
    main()
