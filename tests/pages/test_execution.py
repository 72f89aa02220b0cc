"""When a chapter runs, how, and the alt text of its figures: seen in a small book that is built for the test."""

import os
import signal
import subprocess
import sys
import time

import pytest
from bs4 import BeautifulSoup
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.util.docutils import docutils_namespace

import lib.data
from book.site import execution, runs

ALT = 'A "curve" that <b>rises</b> & it\'s $5'
PAGE = """\
---
jupytext:
  text_representation: {format_name: myst, extension: .md}
kernelspec: {name: python3, display_name: Python 3}
---
# Page

A sentence.

```{code-cell} ipython3
with open(RUNS, "a") as log:
    log.write("run\\n")
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
def show(alt):
    display({"image/png": PIXEL, "text/plain": "figure"}, raw=True, metadata={"image/png": {"alt": alt}})
show(ALT)
```

```{code-cell} ipython3
---
mystnb:
  figure: {caption: A caption., name: fig-one}
---
show(ALT)
```
""".replace("ALT", repr(ALT), 1).replace("show(ALT)", f"show({ALT!r})")


SETTINGS = {"extensions": ["myst_nb", "book.site.execution", "book.site.runs"], "root_doc": "page",
            "html_theme": "basic",
            "nb_execution_mode": "cache", "nb_execution_raise_on_error": True}


@pytest.fixture
def small_book(tmp_path, monkeypatch):
    """A book of one page beside its own small `lib`; calling it builds the page and returns how often it has run."""
    project = tmp_path / "project"
    (project / "lib" / "results" / "tables").mkdir(parents=True)
    (project / "book" / "paper").mkdir(parents=True)
    (project / "lib" / "code.py").write_text("x = 1\n")
    (project / "requirements.lock").write_text("torch==1\n")
    source = tmp_path / "source"
    source.mkdir()
    (source / "page.md").write_text(PAGE.replace("RUNS", repr(str(source / "runs.txt"))))
    monkeypatch.setattr(execution, "ROOT", project)
    monkeypatch.setattr(lib.data, "inventory", lambda: {"imdb": "a package"})
    monkeypatch.setenv("TQDM_DISABLE", "1")

    class SmallBook:
        project_folder, page, site = project, source / "page.md", tmp_path / "build" / "html"

        def build(self):
            with docutils_namespace():
                Sphinx(source, None, self.site, tmp_path / "build" / ".doctrees", "html", SETTINGS,
                       status=None, warning=None, warningiserror=True).build()
            return (source / "runs.txt").read_text().count("run")

        def code(self, name, code):
            """Write a page of one cell."""
            head = PAGE.partition("A sentence.")[0].replace("kernelspec", "orphan: true\nkernelspec")
            (source / f"{name}.md").write_text(f"{head}```{{code-cell}}\n{code}\n```\n")

    return SmallBook()


def test_a_page_runs_again_when_its_results_may_change_and_only_then(small_book, monkeypatch):
    assert small_book.build() == 1
    assert small_book.build() == 1, "nothing changed"

    text = small_book.page.read_text()
    small_book.page.write_text(text.replace("A sentence.", "Another sentence."))
    assert small_book.build() == 1, "a sentence changed"
    assert "Another sentence." in (small_book.site / "page.html").read_text()

    code = small_book.project_folder / "lib" / "code.py"
    code.write_text("x = 2\n")
    assert small_book.build() == 2, "the library changed"
    code.write_text("x = 1\n")
    assert small_book.build() == 2, "the library changed back: the old results are still known"

    for number, path in enumerate(["requirements.lock", "lib/results/tables/cell.csv", "book/paper/rules.py"], start=3):
        (small_book.project_folder / path).write_text("torch==2\n")
        assert small_book.build() == number, f"{path} changed"

    monkeypatch.setattr(lib.data, "inventory", lambda: {"imdb": "a package", "ag_news": "a folder"})
    assert small_book.build() == 6, "more data can be had"

    small_book.page.write_text(text.replace("PIXEL =", "unused = 0; PIXEL ="))
    assert small_book.build() == 7, "a cell changed"


@pytest.mark.parametrize("damage", [lambda file: file.write_text(file.read_text()[:200]), lambda file: file.unlink()],
                         ids=["half a file", "no file"])
def test_an_interrupt_while_results_are_written_costs_one_run(small_book, damage):
    small_book.build()
    (file,) = (small_book.site.parent / ".jupyter_cache").rglob("base.ipynb")
    damage(file)
    small_book.page.write_text(small_book.page.read_text().replace("A sentence.", "Another sentence."))
    assert small_book.build() == 2
    assert small_book.build() == 2


def test_the_alt_text_of_a_figure_reaches_the_page(small_book):
    small_book.build()
    page = BeautifulSoup((small_book.site / "page.html").read_text(), "html.parser")
    images = page.find_all("img")
    assert [image["alt"] for image in images] == [ALT, ALT]
    assert images[1].find_parent("figure")["id"] == "fig-one"
    assert page.find("b") is None, "the alt text was taken for HTML"


# --- how pages run ---------------------------------------------------------------------------------------------------

MEET = """
import os, pathlib, time
assert os.environ["OMP_NUM_THREADS"] == "1" and not os.listdir(), "one thread, an empty folder"
pathlib.Path(FOLDER, OWN).touch()
while not pathlib.Path(FOLDER, OTHER).exists() and time.monotonic() < ENDS:
    time.sleep(0.1)
assert pathlib.Path(FOLDER, OTHER).exists(), "the other page did not run meanwhile"
"""


def test_pages_run_side_by_side_with_one_thread_in_empty_folders(small_book, tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "AT_ONCE", 2)
    for name, own, other in (("page", "a", "b"), ("second", "b", "a")):
        values = f"{str(tmp_path)!r}, {own!r}, {other!r}, {time.monotonic() + 60}"
        small_book.code(name, f"FOLDER, OWN, OTHER, ENDS = {values}{MEET}")
    (tmp_path / "source" / "runs.txt").touch()
    small_book.build()


def test_every_page_that_fails_is_named_and_the_others_are_kept(small_book):
    small_book.code("second", "1 / 0")
    small_book.code("third", "undefined")
    with pytest.raises(SphinxError) as told:
        small_book.build()
    said = str(told.value)
    assert "second.md did not run to its end" in said and "ZeroDivisionError" in said
    assert "third.md did not run to its end" in said and "NameError" in said
    assert (small_book.page.parent / "runs.txt").read_text() == "run\n"
    small_book.code("second", "1")
    small_book.code("third", "2")
    assert small_book.build() == 1, "the page that ran is kept"


def test_an_interrupt_ends_the_build_and_its_kernels(small_book, tmp_path):
    kernel = tmp_path / "kernel"
    small_book.code("page", "import os, pathlib, time\n"
                            f"pathlib.Path({str(kernel)!r}).write_text(str(os.getpid()))\ntime.sleep(600)")
    folders = [str(folder) for folder in (tmp_path / "source", small_book.site, tmp_path / "trees")]
    command = f"source, site, trees = {folders}\nSphinx(source, None, site, trees, 'html', {SETTINGS!r}).build()"
    command = f"from sphinx.application import Sphinx\n{command}"
    build = subprocess.Popen([sys.executable, "-c", command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            if kernel.exists() and kernel.read_text():
                break
            time.sleep(0.1)
        build.send_signal(signal.SIGINT)
        assert build.wait(timeout=30) != 0
    finally:
        build.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(int(kernel.read_text()), 0)
