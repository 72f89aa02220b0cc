"""The chapters as files, as executed notebooks and as pages of the built site."""

import os
import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import jupytext
import nbformat
import pytest
from bs4 import BeautifulSoup
from built import ROOT, notebook_pages, pages_of_toc

from lib.data import inventory

CHAPTERS = sorted((ROOT / "chapters").rglob("*.md"))
CORE = [path for path in CHAPTERS if path.parent.name == "chapters"]
DEEP = [path for path in CHAPTERS if path not in CORE]
# What a book says that was built where AG's News cannot be had.
SAYS_WITHOUT_AG_NEWS = re.compile(r"AG.s News (is|was) not (available|found|here|on this machine)", re.IGNORECASE)


def page_of(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").as_posix()


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@lru_cache
def anchors(path: Path) -> set[str]:
    return {node["id"] for node in soup(path).find_all(id=True)}


def rendered_text(page: BeautifulSoup) -> str:
    """The text of a page without its code: prose and outputs."""
    article = page.find("article")
    for code in article.select(".cell_input"):
        code.decompose()
    return " ".join(article.get_text().split())


# --- the sources -----------------------------------------------------------------------------------------------------


def test_no_notebook_with_outputs_is_kept():
    kept = [path for folder in ("book", "chapters", "lib", "tests") for path in (ROOT / folder).rglob("*.ipynb")
            if ".ipynb_checkpoints" not in path.parts]
    assert kept == []


def test_every_chapter_is_in_the_book():
    assert CHAPTERS, "no chapters"
    assert {page_of(path) for path in CHAPTERS} <= set(pages_of_toc())


@pytest.mark.parametrize("path", [*CHAPTERS, ROOT / "book/introduction.md"], ids=page_of)
def test_visible_code_fits_the_page(path):
    """79 characters: a reader should not have to scroll a line of code sideways."""
    cells = [cell for cell in jupytext.read(path).cells if cell.cell_type == "code"]
    shown = [cell for cell in cells if not {"hide-input", "remove-input"} & set(cell.metadata.get("tags", []))]
    assert [line for cell in shown for line in cell.source.splitlines() if len(line) > 79] == []


@pytest.mark.parametrize("path", CHAPTERS, ids=page_of)
def test_chapter_is_a_notebook_that_uses_the_library(path):
    notebook = jupytext.read(path)
    nbformat.validate(notebook)
    assert notebook.metadata["jupytext"]["text_representation"]["format_name"] == "myst"
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert re.search(r"^\s*(import lib\b|from lib\b)", code, re.MULTILINE), "it does not import lib"


ROLE = re.compile(r"\{\{?(eq|cite(:[tp])?|doc|ref|numref|prf:ref|term)\}?\}`")


@pytest.mark.parametrize("page", notebook_pages())
def test_what_code_prints_holds_no_roles(page):
    """On the page they would be resolved; in a notebook that a reader runs they would stand there as they are."""
    code = [cell.source for cell in jupytext.read(ROOT / f"{page}.md").cells if cell.cell_type == "code"]
    assert [line for source in code for line in source.splitlines() if ROLE.search(line)] == []


TAUGHT = re.compile(r"Taught in:\s+((?:\*[^*]+\*(?:,\s+)?)+)")


def test_docstrings_name_chapters_that_exist():
    titles = [re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)[1] for path in CHAPTERS]
    named = {" ".join(title.split()) for path in (ROOT / "lib").rglob("*.py")
             for found in TAUGHT.findall(path.read_text(encoding="utf-8"))
             for title in re.findall(r"\*([^*]+)\*", found)}
    assert len(named) > 5
    assert {name for name in named if not any(title.startswith(name) for title in titles)} == set()


# Named on the API page with their package, or another name for a module that is.
SHOWN_ELSEWHERE = {"lib", "lib.reference", "lib.results.answers", "lib.results.asked", "lib.results.numbers"}


def test_every_module_of_the_library_is_on_the_api_page():
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
               for path in (ROOT / "lib").rglob("*.py")}
    page = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    named = re.findall(r"^\.\. automodule:: (\S+)$", page, re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) == modules - SHOWN_ELSEWHERE


SHAPE = ["What this does not show", "Exercises", "Quiz", "Summary", "Further reading"]


def exercises_of(text: str) -> list[str]:
    """The labels of the exercises of a page; each must have a solution, which is folded."""
    found = re.findall(r"^`+\{exercise(?:-start)?\}.*\n:label: (\S+)", text, re.MULTILINE)
    assert re.findall(r"\{solution(?:-start)?\} (\S+)\n:class: dropdown", text) == found
    return found


def questions_of(text: str) -> int:
    """How many questions of a quiz stand on a page; each must have an answer, which is folded."""
    questions = re.findall(r"^`+\{admonition\} Question \d\n:class: quiz", text, re.MULTILINE)
    assert len(re.findall(r"^`+\{admonition\} Answer\n:class: dropdown", text, re.MULTILINE)) == len(questions)
    return len(questions)


@pytest.mark.parametrize("path", CORE, ids=page_of)
def test_a_core_page_has_its_fixed_shape(path):
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [heading for heading in headings if heading in SHAPE] == SHAPE
    for goal in ("**Question.**", "**You will**", "**You need**", "{reading-time}", "{index}"):
        assert goal in text, goal
    assert len(exercises_of(text)) >= 2
    assert questions_of(text) == 3


@pytest.mark.parametrize("path", DEEP, ids=page_of)
def test_a_deep_dive_stands_below_its_chapter_which_leads_to_it(path):
    text, chapter = path.read_text(encoding="utf-8"), path.parent.with_suffix(".md")
    assert "{reading-time}" in text and "{index}" in text
    assert 1 <= len(exercises_of(text)) <= 2
    assert questions_of(text) == 0
    pages = pages_of_toc()
    between = pages[pages.index(page_of(chapter)) + 1:pages.index(page_of(path))]
    assert all(page.startswith(f"{page_of(chapter)}/") for page in between), "another page stands between them"
    links = [re.escape(f"{path.parent.name}/{path.stem}"), *re.findall(r"^\(([\w-]+)\)=\n# ", text, re.MULTILINE)]
    assert re.search(rf"\{{(doc|ref)\}}`[^`]*({'|'.join(links)})>?`", chapter.read_text(encoding="utf-8")), "no link"


# --- the executed notebooks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", notebook_pages())
def test_page_was_executed_from_top_to_bottom(page, executed):
    cells = [cell for cell in executed[page].cells if cell.cell_type == "code"]
    assert cells, "no code"
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


@pytest.mark.parametrize("page", notebook_pages())
def test_no_cell_failed_or_warned(page, executed):
    for cell in executed[page].cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error", output.evalue
            assert output.get("name") != "stderr", output.text


# --- the pages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", pages_of_toc())
def test_page_is_built(page, site):
    built = soup(site / f"{page}.html")
    assert built.find("h1"), "no title"
    assert len(built.find("article").get_text().split()) > 5, "empty"


@pytest.mark.parametrize("page", pages_of_toc())
def test_every_image_is_described(page, site):
    for image in soup(site / f"{page}.html").find_all("img"):
        alt = image.get("alt", "").strip()
        assert alt, f"no alt text: {image}"
        assert not re.search(r"\.(png|svg|jpe?g|gif|webp)$|/", alt), f"a file name as alt text: {image}"
        if not urlsplit(image["src"]).scheme:
            assert (site / f"{page}.html").parent.joinpath(unquote(image["src"])).is_file(), f"no such image: {image}"


@pytest.mark.parametrize("page", pages_of_toc())
def test_nothing_on_the_page_is_broken(page, site):
    article = soup(site / f"{page}.html").find("article")
    assert article.select(".problematic, .system-message, .traceback, .stderr") == []
    unresolved = [node for node in article.select(".xref") if node.find_parent("a") is None and node.name != "code"]
    assert unresolved == []
    assert not re.search(r"\{[a-z:]+\}`", rendered_text(soup(site / f"{page}.html"))), "a role that was not understood"


@pytest.mark.parametrize("page", pages_of_toc())
def test_links_within_the_book_lead_somewhere(page, site):
    path = site / f"{page}.html"
    for link in soup(path).find("article").select("a[href]"):
        parts = urlsplit(link["href"])
        if parts.scheme or parts.netloc:
            continue
        target = path.parent.joinpath(unquote(parts.path)) if parts.path else path
        assert target.exists(), link
        if parts.fragment and target.suffix == ".html":
            assert unquote(parts.fragment) in anchors(target.resolve()), link


def test_the_book_says_whether_it_has_ag_news(site):
    says_without = any(SAYS_WITHOUT_AG_NEWS.search(rendered_text(soup(site / f"{page}.html")))
                       for page in pages_of_toc())
    assert says_without == (inventory()["ag_news"] is None)


def test_the_book_built_without_ag_news_says_so():
    """CI builds this second book before the tests, and must; elsewhere there is none."""
    folder = ROOT / "_build" / "without-ag-news" / "_build" / "html"
    if not folder.is_dir() and not os.environ.get("CI"):
        pytest.skip("only CI builds the book a second time, without AG's News")
    pages = [folder / f"{page}.html" for page in pages_of_toc()]
    assert any(SAYS_WITHOUT_AG_NEWS.search(rendered_text(soup(page))) for page in pages)
