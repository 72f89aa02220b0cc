"""What the tests of pages and of the site share: the built site, the notebooks it was made from, and a browser."""

import functools
import http.server
import os
import threading
from pathlib import Path

import nbformat
import pytest
import yaml

from book.site.execution import execution_cache
from book.site.pdf import BROWSERS, browser_path

ROOT = Path(__file__).resolve().parents[1]
BROWSER_ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync"]


def pages_of_toc() -> list[str]:
    """Every page of the book, as a path without suffix, in reading order."""
    def files(entry):
        if isinstance(entry, dict):
            for key, value in entry.items():
                yield from [value] if key in ("root", "file") else files(value)
        elif isinstance(entry, list):
            for part in entry:
                yield from files(part)

    return list(files(yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf-8"))))


def notebook_pages() -> list[str]:
    """The pages that hold code: those with a jupytext header."""
    return [page for page in pages_of_toc() if "jupytext:" in (ROOT / f"{page}.md").read_text(encoding="utf-8")[:200]]


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built site."""
    folder = ROOT / "_build" / "html"
    if not (folder / "index.html").is_file():
        pytest.fail("There is no book in _build/html: run `make book` first.")
    return folder


@pytest.fixture(scope="session")
def executed(site) -> dict[str, nbformat.NotebookNode]:
    """The executed notebook behind each page with code, as the build left it; nothing is executed again.

    It is looked up by the code the page has now, in the cache for the library and the data there are now: a page that
    changed since the build is not found.
    """
    from jupyter_cache import get_cache
    from myst_nb.core.read import read_myst_markdown_notebook

    folder = execution_cache(site.parent)
    if not folder.is_dir():
        pytest.fail("The book was built from another lib, lock or data: run `make book` again.")
    cache = get_cache(folder)
    notebooks = {}
    for page in notebook_pages():
        source = read_myst_markdown_notebook((ROOT / f"{page}.md").read_text(encoding="utf-8"))
        try:
            record = cache.match_cache_notebook(source)
        except KeyError:
            pytest.fail(f"{page} is not in the book as it stands: run `make book` again.")
        notebooks[page] = cache.get_cache_bundle(record.pk).nb
    return notebooks


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def served(site, tmp_path_factory):
    """The address of the site on a server of its own, below a path, as on GitHub Pages."""
    root = tmp_path_factory.mktemp("server")
    (root / "which-words-matter").symlink_to(site, target_is_directory=True)
    handler = functools.partial(QuietHandler, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/which-words-matter"
        server.shutdown()


@pytest.fixture(scope="module")  # as long as it runs, nothing else in the process can use asyncio
def browser():
    """A headless Chromium. Without one the test is skipped; in CI (environment variable CI set) it fails."""
    from playwright.sync_api import sync_playwright

    path = browser_path()
    if path is None:
        reason = f"No browser: install one of {', '.join(BROWSERS)}, or let CHROMIUM name one."
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=BROWSER_ARGS)
        yield chromium
        chromium.close()
