"""Where files are kept, and how they are written: whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs


def cache_folder(kind: str) -> Path:
    """The folder of the user cache for one kind of file ("data", "models"); ``LIB_CACHE_DIR`` moves the cache."""
    root = os.environ.get("LIB_CACHE_DIR") or platformdirs.user_cache_dir("which-words-matter")
    return Path(root) / kind


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary file beside ``path`` that takes its name if the block ends well, and is removed if it does not.

    An interrupt at any moment therefore leaves the old file, or the new one, and never half of one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)  # mkstemp makes files that only their owner can read
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
