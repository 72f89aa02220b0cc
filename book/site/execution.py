"""A small Sphinx extension of this book: when a chapter runs again, and the alt text of its figures.

Loaded through `_config.yml`, so that plain `jupyter-book build .` behaves like `make book`.
"""

import hashlib
import os
import platform
import shutil
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.cache.db import NbCacheRecord
from nbformat.reader import NotJSONError

ROOT = Path(__file__).resolve().parents[2]
IMPORTED = ("lib", "book/paper")  # what a page may import of this project


def fingerprint() -> str:
    """Digest of everything beside its own cells that a chapter's results depend on.

    That is the source of `lib` and `book.paper` with their tables of results, the locked packages, Python, and which
    data can be had. A trained classifier needs no mention: it is a function of these.
    """
    from lib.data import inventory

    digest = hashlib.sha256()
    files = [path for folder in IMPORTED for suffix in ("*.py", "*.csv") for path in (ROOT / folder).rglob(suffix)]
    for path in [*sorted(files), ROOT / "requirements.lock"]:
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    digest.update(platform.python_version().encode())
    digest.update(repr(sorted(inventory().items())).encode())
    return digest.hexdigest()[:16]


def execution_cache(build) -> Path:
    """Folder of executed notebooks that belongs to the present code and data, below the folder `build`."""
    return Path(build) / ".jupyter_cache" / fingerprint()


def set_execution_cache(app, config):
    """Give jupyter-cache, which compares only the cells of a notebook, one folder for each state of code and data.

    MyST-NB registers this value as part of the environment: Sphinx reads all pages again when it changes, and not
    otherwise.
    """
    folder = execution_cache(Path(app.outdir).parent)
    config.nb_execution_cache_path = str(folder)
    if folder.is_dir():
        forget_half_written(folder)


def forget_half_written(folder):
    """Remove what an interrupt left in the cache: jupyter-cache lists a notebook before it writes the file."""
    cache = get_cache(folder)
    for record in cache.list_cache_records():
        try:
            cache.get_cache_bundle(record.pk)
        except (KeyError, NotJSONError):  # no file, half a file
            NbCacheRecord.remove_record(record.pk, cache.db)
            shutil.rmtree(folder / "executed" / record.hashkey, ignore_errors=True)


def quieten_kernels(app, config):
    """Keep progress bars and first-use messages out of the pages. Kernels inherit the environment of this process."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    import matplotlib.font_manager  # noqa: F401  builds the font cache, which otherwise a chapter reports as a warning


class AltText:
    """MyST-NB renderer: an image that carries its description gets it as alt text.

    A figure is shown by `display(figure, metadata={"image/png": {"alt": "..."}})`; Jupyter keeps the text with the
    output, so it can be written by the code that knows the numbers. Registered in pyproject.toml.
    """

    mime_priority_overrides = ()

    @staticmethod
    def handle_mime(renderer, data, inline):
        alt = data.output_metadata.get(data.mime_type, {}).get("alt")
        if not alt or not data.mime_type.startswith("image/"):
            return None  # MyST-NB goes on as usual
        images = renderer.render_image_inline(data) if inline else renderer.render_image(data)
        for image in images:
            image["alt"] = alt
        return images


def setup(app):
    app.connect("config-inited", set_execution_cache)
    app.connect("config-inited", quieten_kernels)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
