"""When a chapter runs again, and the alt text of its figures: seen in a small book that is built for the test."""

import pytest
from bs4 import BeautifulSoup
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

import lib.data
from book.site import execution as sphinx_ext

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
with open("runs.txt", "a") as log:
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
    (source / "page.md").write_text(PAGE)
    monkeypatch.setattr(sphinx_ext, "ROOT", project)
    monkeypatch.setattr(lib.data, "inventory", lambda: {"imdb": "a package"})
    monkeypatch.setenv("TQDM_DISABLE", "1")

    class SmallBook:
        project_folder, page, site = project, source / "page.md", tmp_path / "build" / "html"

        def build(self):
            settings = {"extensions": ["myst_nb", "book.site.execution"], "root_doc": "page",
                        "nb_execution_mode": "cache", "nb_execution_raise_on_error": True, "html_theme": "basic"}
            with docutils_namespace():
                Sphinx(source, None, self.site, tmp_path / "build" / ".doctrees", "html", settings,
                       status=None, warning=None, warningiserror=True).build()
            return (source / "runs.txt").read_text().count("run")

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

    for runs, path in enumerate(["requirements.lock", "lib/results/tables/cell.csv", "book/paper/rules.py"], start=3):
        (small_book.project_folder / path).write_text("torch==2\n")
        assert small_book.build() == runs, f"{path} changed"

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


def test_a_cell_that_fails_stops_the_build(small_book):
    small_book.page.write_text(PAGE.replace("PIXEL =", "1 / 0; PIXEL ="))
    with pytest.raises(Exception, match="page.md"):
        small_book.build()
