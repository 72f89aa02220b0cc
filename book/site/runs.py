"""A small Sphinx extension of this book: pages whose results are not known yet run side by side, one on each core.

They run before Sphinx reads the first page; MyST-NB, which would run them one after the other, finds their results in
its cache. Each page has a kernel of its own with one thread, in an empty folder: what it shows depends neither on the
pages beside it nor on where the book lies.
"""

import asyncio
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from sphinx.errors import SphinxError
from sphinx.util import logging

AT_ONCE = min(4, os.cpu_count() or 1)  # a page takes about a gigabyte of memory
logger = logging.getLogger(__name__)


def run_pages(app, env, docnames):
    """Run those of the pages about to be read that the cache does not know; a page that fails stops the build."""
    if app.config.nb_execution_mode != "cache":
        return
    cache = get_cache(app.config.nb_execution_cache_path)
    waiting = {}
    for path in (Path(env.doc2path(docname)) for docname in docnames):
        source = path.read_text(encoding="utf-8")
        if is_myst_markdown_notebook(source) and not is_known(cache, notebook := read_myst_markdown_notebook(source)):
            waiting[path] = notebook
    if waiting:
        longest_first = dict(sorted(waiting.items(), key=lambda item: -item[0].stat().st_size))
        asyncio.run(run_all(longest_first, cache, app.config.nb_execution_timeout))


def is_known(cache, notebook) -> bool:
    try:
        return bool(cache.match_cache_notebook(notebook))
    except KeyError:
        return False


async def run_all(notebooks, cache, timeout):
    """Run notebooks, AT_ONCE at a time, and say which failed; an interrupt or a dead kernel stops all kernels."""
    turn, failures = asyncio.Semaphore(AT_ONCE), []
    async with asyncio.TaskGroup() as group:
        for path, notebook in notebooks.items():
            group.create_task(run(path, notebook, cache, timeout, turn, failures))
    if failures:
        raise SphinxError("\n\n".join(failures))


async def run(path, notebook, cache, timeout, turn, failures):
    """Run one notebook in an empty folder, and keep it in the cache with the seconds that it took."""
    async with turn:
        started = time.perf_counter()
        with TemporaryDirectory() as folder:
            client = NotebookClient(notebook, timeout=timeout, record_timing=False,
                                    resources={"metadata": {"path": folder}})
            try:
                await client.async_execute(env=os.environ | {"OMP_NUM_THREADS": "1"})
            except (CellExecutionError, CellTimeoutError) as error:
                failures.append(f"{path} did not run to its end.\n{error}")
                return
        seconds = time.perf_counter() - started
    bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": seconds})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    logger.info("%s ran to its end in %.0f seconds", path.name, seconds)


def setup(app):
    app.connect("env-before-read-docs", run_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
