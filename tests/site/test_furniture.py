"""Buttons, citations, previews, sitemap, downloads: in small books, with and without an address, and on the site."""

import csv
import json
import os
import re
import zipfile
from collections import Counter
from datetime import datetime
from types import SimpleNamespace
from xml.etree import ElementTree

import pybtex.database
import pytest
import yaml
from bs4 import BeautifulSoup
from built import ROOT, notebook_pages, pages_of_toc
from docutils import nodes
from jupyter_cache import get_cache
from myst_nb.core.read import read_myst_markdown_notebook
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from book.site.execution import execution_cache
from book.site.furniture import addresses, downloads, previews, search, tables
from lib.results import kept

NASTY = 'A <b>"title"</b> & 100 % of {it}, $5 #1 a_b ~ ^ \\x'
CITATION = {"title": NASTY, "version": "1.2.0",
            "authors": [{"name": "The <i> & co group"}, {"family-names": "Du", "given-names": "Q."}]}
PAGES = {
    "index": '# First page\n\nThe *first* sentence has <, & and "quotes". \n\n'
             "```{toctree}\nchapters/one\ndownloads\n```\n",
    "chapters/one": "---\njupytext:\n  text_representation: {format_name: myst, extension: .md}\n"
                    "kernelspec: {name: python3, display_name: Python 3}\n---\n# One: `a_b` & <c>\n\n"
                    "```{tip}\n**Question.** What is $\\varrho$?\n```\n",
    "downloads": "# Downloads\n\n```{book-table} book\n```\n\n```{book-table} notebooks\n```\n\n"
                 "```{book-table} results\n```\n",
}
ADDRESS = "https://github.com/someone/words"


class SmallBook:
    """A book of three pages in a folder of its own."""

    def __init__(self, folder):
        self.source, self.site = folder / "source", folder / "build" / "html"
        for name, text in PAGES.items():
            path = self.source / f"{name}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.results = self.source / "lib" / "results"
        for folder in ("timings", "tables"):
            (self.results / folder).mkdir(parents=True)
        (self.results / "timings" / "times.csv").write_text('work,seconds\n"a, b",1\nc,2\n')
        self.cite(CITATION)

    def cite(self, citation):
        (self.source / "CITATION.cff").write_text(yaml.safe_dump(citation), encoding="utf-8")

    def build(self, url="", **settings):
        # Lists of its own where the themes would change those of Sphinx, and with them the next book's.
        settings = {"templates_path": [], "html_context": {}, "html_theme": "sphinx_book_theme",
                    "html_static_path": [str(ROOT / "book" / "static")],
                    "extensions": ["myst_nb", "sphinx_book_theme", "book.site.furniture"],
                    "nb_execution_mode": "off", "html_title": "A book", "copyright": "2031, they",
                    "exclude_patterns": ["lib"],
                    "myst_enable_extensions": ["dollarmath"], "html_theme_options": {"repository_url": url}} | settings
        with docutils_namespace():
            Sphinx(self.source, None, self.site, self.site.parent / ".doctrees", "html", settings,
                   status=None, warning=None, warningiserror=True).build()
        return self

    def page(self, name):
        return soup(self.site / f"{name}.html")


def soup(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def meta(page):
    tags = [(tag.get("name") or tag.get("property"), tag.get("content")) for tag in page.head.find_all("meta")]
    own = [tag for tag in tags if re.match(r"og:|twitter:|description$|keywords$", tag[0] or "")]
    assert max(Counter(name for name, _ in own).values()) == 1, "said twice"
    return dict(own)


def buttons(page):
    """Where each link among the buttons of the header leads, by its text."""
    return {link.get_text(strip=True): link["href"] for link in page.select(".article-header-buttons a")}


@pytest.fixture(scope="module")
def without_address(tmp_path_factory):
    return SmallBook(tmp_path_factory.mktemp("without")).build()


@pytest.fixture(scope="module")
def with_address(tmp_path_factory):
    return SmallBook(tmp_path_factory.mktemp("with")).build(f"{ADDRESS}.git")


# --- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url, baseurl, expected", [
    ("", "", ""),
    (None, "", ""),
    (ADDRESS, "", "https://someone.github.io/words/"),
    (f"{ADDRESS}/", "", "https://someone.github.io/words/"),
    (f"{ADDRESS}.git", "", "https://someone.github.io/words/"),
    (ADDRESS, "https://words.example", "https://words.example/"),
    ("", "https://words.example/a/", "https://words.example/a/"),
    ("https://gitlab.com/someone/words", "", ""),
])
def test_the_address_of_the_site_follows_from_the_repository_unless_given(url, baseurl, expected):
    config = SimpleNamespace(html_theme_options={"repository_url": url}, html_baseurl=baseurl)
    addresses.settle_addresses(None, config)
    assert config.html_baseurl == expected
    assert {config.html_theme_options[button] for button in addresses.THEME_BUTTONS} == {bool(url)}


def test_without_an_address_nothing_pretends_to_have_one(without_address):
    for name in PAGES:
        page = without_address.page(name)
        assert [url for url in buttons(page).values() if "://" in url] == []
        assert page.select(".dropdown-launch-buttons, .dropdown-source-buttons, link[rel=canonical]") == []
        assert {"og:url", "og:image"} & set(meta(page)) == set()
        assert not re.search(r"localhost|127\.0\.0\.1|github\.com/someone", page.decode())
    assert not (without_address.site / "sitemap.xml").exists()
    assert not (without_address.site / "robots.txt").exists()


def test_the_plain_notebook_is_offered_before_the_source(without_address):
    found = buttons(without_address.page("chapters/one"))
    assert list(found.items()) == [("Notebook (.ipynb)", "../notebooks/one.ipynb"),
                                   ("Source (.md)", "../_sources/chapters/one.md")]


def test_with_an_address_the_buttons_lead_there(with_address):
    found = buttons(with_address.page("chapters/one"))
    assert found["Repository"] == ADDRESS
    assert found["Suggest edit"] == f"{ADDRESS}/edit/main/chapters/one.md"
    assert found["Open issue"].startswith(f"{ADDRESS}/issues/new?")
    assert found["Colab"] == "https://colab.research.google.com/github/someone/words/blob/notebooks/notebooks/one.ipynb"
    assert found["Binder"] == "https://mybinder.org/v2/gh/someone/words/notebooks?urlpath=lab/tree/notebooks/one.ipynb"
    assert {"Colab", "Binder",
            "Notebook (.ipynb)"} & set(buttons(with_address.page("index"))) == set(), "a page without code"


def test_colab_and_binder_are_not_offered_where_the_notebooks_are_not_on_github(tmp_path):
    found = buttons(SmallBook(tmp_path).build("https://gitlab.com/someone/words").page("chapters/one"))
    assert found["Repository"] == "https://gitlab.com/someone/words"
    assert {"Colab", "Binder"} & set(found) == set()


def test_the_sitemap_lists_every_page_by_its_address_and_goes_with_the_address(tmp_path):
    book = SmallBook(tmp_path).build(ADDRESS)
    root = ElementTree.parse(book.site / "sitemap.xml").getroot()
    name = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    assert root.tag == f"{name}urlset" and {url.tag for url in root} == {f"{name}url"}
    base = "https://someone.github.io/words/"
    assert [url.find(f"{name}loc").text for url in root] == [f"{base}{page}.html" for page in PAGES]
    assert f"Sitemap: {base}sitemap.xml\n" in (book.site / "robots.txt").read_text()

    book.build("")
    assert not (book.site / "sitemap.xml").exists() and not (book.site / "robots.txt").exists()


# --- what others see of a page ---------------------------------------------------------------------------------------


def test_a_page_says_what_it_is_about(with_address, without_address):
    found = meta(without_address.page("index"))
    assert found["description"] == found["og:description"] == "The first sentence has <, & and “quotes”."
    assert (found["og:title"], found["og:site_name"], found["twitter:card"]) == ("First page", "A book", "summary")
    assert meta(without_address.page("chapters/one"))["og:title"] == "One: a_b & <c>"
    about = meta(without_address.page("chapters/one"))["description"]
    assert about.startswith("What is"), "the run-in heading says nothing"
    assert meta(without_address.page("downloads"))["description"] == NASTY, "a page without prose is a part of the book"

    found = meta(with_address.page("chapters/one"))
    assert found["og:url"] == "https://someone.github.io/words/chapters/one.html"
    assert found["og:image"] == f"https://someone.github.io/words/_static/{previews.PICTURE}"
    assert found["og:image:alt"] and found["twitter:card"] == "summary_large_image"
    assert (with_address.site / "_static" / previews.PICTURE).is_file()


def test_the_picture_is_described_as_in_the_readme():
    assert f"![{previews.PICTURE_ALT}](book/static/{previews.PICTURE})" in (ROOT
                                                                            / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", pages_of_toc())
def test_every_page_has_an_icon_and_one_description(name, site):
    page = soup(site / f"{name}.html")
    icons = page.select("link[rel~=icon], link[rel~=apple-touch-icon]")
    assert {icon["href"].rsplit(".", 1)[1] for icon in icons} == {"svg", "png"}
    for icon in icons:
        assert (site / f"{name}.html").parent.joinpath(icon["href"]).is_file()
    assert 0 < len(meta(page)["description"]) <= 200
    assert meta(page)["og:title"] in page.find("h1").get_text()


def test_chapters_are_described_differently(site):
    found = [meta(soup(site / f"{name}.html"))["description"] for name in notebook_pages()]
    assert len(set(found)) == len(found)


# --- buttons on the real site ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", pages_of_toc())
def test_the_notebook_of_a_page_is_among_its_downloads(name, site):
    found = buttons(soup(site / f"{name}.html"))
    assert ("Notebook (.ipynb)" in found) == (name in notebook_pages())
    for text, url in found.items():
        if "://" not in url:
            assert (site / f"{name}.html").parent.joinpath(url).is_file(), text


@pytest.mark.parametrize("name", pages_of_toc())
def test_every_button_has_a_name(name, site):
    for button in soup(site / f"{name}.html").select(".article-header-buttons :is(a, button)"):
        assert button.get("aria-label") or button.get_text(strip=True) or button.get("title"), button


# --- citations -------------------------------------------------------------------------------------------------------


def cite_block(page):
    (block,) = page.select("article details.cite-this-page")
    return block


def plain(latex):
    """What BibTeX makes of escaped text."""
    for command, character in {r"\textbackslash{}": "\\", r"\textasciitilde{}": "~",
                               r"\textasciicircum{}": "^"}.items():
        latex = latex.replace(command, character)
    return re.sub(r"\\([&%$#_{}])", r"\1", latex)


def test_a_page_is_cited_as_a_part_of_the_book(with_address):
    block = cite_block(with_address.page("chapters/one"))
    url = "https://someone.github.io/words/chapters/one.html"
    assert block.p.get_text() == f"The <i> & co group; Du, Q. (2031). One: a_b & <c>. In: {NASTY}. Version 1.2.0. {url}"
    (entry,) = pybtex.database.parse_string(block.pre.get_text(), "bibtex").entries.values()
    assert entry.type == "incollection"
    assert [str(person) for person in entry.persons["author"]] == [r"{The <i> \& co group}", "Du, Q."]
    assert plain(entry.fields["title"]) == "{One: a_b & <c>}"
    assert plain(entry.fields["booktitle"]) == f"{{{NASTY}}}"
    assert (entry.fields["year"], entry.fields["note"], entry.fields["url"]) == ("2031", "Version 1.2.0", url)


def test_a_doi_stands_in_the_citation_file_and_reaches_every_page(tmp_path):
    book = SmallBook(tmp_path)
    book.cite(CITATION | {"doi": "10.1234/words"})
    block = cite_block(book.build().page("chapters/one"))
    assert block.p.get_text().endswith("Version 1.2.0. https://doi.org/10.1234/words")
    (entry,) = pybtex.database.parse_string(block.pre.get_text(), "bibtex").entries.values()
    assert entry.fields["doi"] == "10.1234/words"


def test_the_first_page_stands_for_the_book_and_may_have_no_address(without_address):
    block = cite_block(without_address.page("index"))
    assert block.p.get_text() == f"The <i> & co group; Du, Q. (2031). {NASTY}. Version 1.2.0."
    (entry,) = pybtex.database.parse_string(block.pre.get_text(), "bibtex").entries.values()
    assert entry.type == "book" and "url" not in entry.fields


def test_another_citation_reaches_pages_that_did_not_change(tmp_path):
    book = SmallBook(tmp_path).build()
    book.cite(CITATION | {"title": "Another title", "date-released": "2032-01-01"})
    assert "(2032). One: a_b & <c>. In: Another title." in cite_block(book.build().page("chapters/one")).p.get_text()


@pytest.mark.parametrize("name", pages_of_toc())
def test_every_page_can_be_cited(name, site):
    page = soup(site / f"{name}.html")
    block, book = cite_block(page), yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert block.find(["h1", "h2", "h3", "h4"]) is None, "a heading would enter the outline of the page"
    assert book["title"] in block.p.get_text() and f"Version {book['version']}." in block.p.get_text()
    assert len(pybtex.database.parse_string(block.pre.get_text(), "bibtex").entries) == 1
    assert page.select_one("article > section:last-of-type ~ details") is block, "it is not at the end"


CONTRAST = """element => {
  const linear = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = text => {
    const [r, g, b] = text.match(/[0-9.]+/g).map(value => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let behind = element;
  while (/, 0\\)|transparent/.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
  const colours = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor];
  const pair = colours.map(light).sort((a, b) => b - a);
  return (pair[0] + 0.05) / (pair[1] + 0.05);
}"""


@pytest.mark.browser
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_citation_opens_by_keyboard_and_can_be_read(mode, browser, site):
    page = browser.new_page(color_scheme=mode, viewport={"width": 360, "height": 800})
    page.goto((site / "book" / "downloads.html").as_uri())
    page.focus(".cite-this-page summary")
    page.keyboard.press("Enter")
    page.wait_for_selector(".cite-this-page pre", state="visible")
    assert page.evaluate("document.documentElement.dataset.theme") == mode
    for part in ("summary", "p", "pre"):
        assert page.eval_on_selector(f".cite-this-page {part}", CONTRAST) >= 4.5, part
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.keyboard.press("Tab")
    copies = "document.activeElement.matches('.cite-this-page .copybtn')"
    assert page.evaluate(copies), "the code cannot be copied by keyboard"
    page.close()


# --- search ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command, letter", [("rho", "ρ"), ("varrho", "ρ"), ("Delta", "Δ"), ("lambda", "λ"),
                                             ("Lambda", "Λ"),
                                             ("frac", None), ("var", None), ("mathbf", None)])
def test_commands_of_latex_are_known_as_greek_letters(command, letter):
    assert search.greek_letter(command) == letter


def test_greek_letters_in_formulas_are_keywords(without_address):
    assert meta(without_address.page("chapters/one"))["keywords"] == "ρ"
    assert "keywords" not in meta(without_address.page("index"))
    assert json.dumps("ρ") in (without_address.site / "searchindex.js").read_text(encoding="utf-8")


# --- tables and downloads --------------------------------------------------------------------------------------------


def rows_of(table):
    return [[cell.get_text(" ", strip=True) for cell in row.find_all(["td", "th"])] for row in table.find_all("tr")]


def test_the_tables_show_what_there_is(without_address):
    book, notebooks, results = map(rows_of, without_address.page("downloads").find("article").find_all("table"))
    assert [row[0] for row in book] == ["File", downloads.ZIP]
    assert notebooks == [["Page", "Notebook"], ["One: a_b & <c>", "one.ipynb"]]
    assert results == [["Table", "Rows", "Size", "Columns"], ["times.csv", "2", "0.0 kB", "work, seconds"]]
    links = [link["href"] for link in without_address.page("downloads").select("article td a")]
    assert links == [f"downloads/{downloads.ZIP}", "chapters/one.html", "notebooks/one.ipynb", "downloads/times.csv"]


def test_the_pdf_is_part_of_the_site_while_there_is_one(tmp_path):
    book = SmallBook(tmp_path).build()
    pdf, copy = book.site.parent / downloads.PDF, book.site / "downloads" / downloads.PDF

    def offered():
        return [row for row in rows_of(book.page("downloads").table) if row[0] == downloads.PDF]

    assert offered() == [] and not copy.exists()
    pdf.write_bytes(b"%" * 1_230_000)
    book.build()
    assert offered() == [[downloads.PDF, "All chapters for paper (1.2 MB)."]] and copy.read_bytes() == pdf.read_bytes()
    pdf.unlink()
    (book.results / "timings" / "more.csv").write_text("a\n")
    book.build()
    assert offered() == [] and not copy.exists()
    assert (book.site / "downloads" / "more.csv").is_file()
    assert ["more.csv", "0", "0.0 kB", "a"] in rows_of(book.page("downloads").find_all("table")[-1])


def test_the_results_of_all_cells_are_offered_as_one_table(tmp_path):
    small = SmallBook(tmp_path)
    for name in ("b", "a"):
        (small.results / "tables" / f"{name}.csv").write_text(f"name,value\n{name},1\n{name},2\n")
    book = small.build()
    assert (book.site / "downloads" / "results.csv").read_text() == "name,value\na,1\na,2\nb,1\nb,2\n"
    assert ["results.csv", "4", "0.0 kB", "name, value"] in rows_of(book.page("downloads").find_all("table")[-1])


def test_a_page_says_how_long_it_takes(tmp_path):
    small = SmallBook(tmp_path)
    page = small.source / "chapters" / "one.md"
    page.write_text(PAGES["chapters/one"] + "\n" + "word " * 600 + "\n\n```{reading-time}\n```\n", encoding="utf-8")
    text = small.build().page("chapters/one").get_text()
    assert "Time. About 3 minutes to read." in text


def test_code_that_is_shown_takes_time_as_well():
    def cell(classes):
        block = nodes.literal_block("", "\n".join(["x = 1"] * 60))
        shown = nodes.container("", block, classes=["cell_input"])
        return nodes.container("", shown, classes=["cell", *classes]), block

    for classes, counted in (([], True), (["tag_hide-input"], False)):
        whole, block = cell(classes)
        assert tables.is_code(block) == counted, whole
    printed = nodes.literal_block("", "x")
    nodes.container("", printed, classes=["cell_output"])
    assert not tables.is_code(printed)


@pytest.mark.parametrize("page", [page for page in notebook_pages() if page.startswith("chapters/")])
def test_every_chapter_says_how_long_it_takes(page, site):
    text = " ".join(soup(site / f"{page}.html").find("article").get_text().split())
    assert re.search(r"Time\. About \d+ minutes to read\. Its code took \d+ seconds when this page was made\.", text)


def test_an_unknown_table_is_an_error(tmp_path):
    book = SmallBook(tmp_path)
    (book.source / "downloads.md").write_text("# Downloads\n\n```{book-table} nothing\n```\n")
    with pytest.raises(Exception, match="There is no book-table nothing, only runs, book"):
        book.build()


def test_the_zip_is_the_same_for_the_same_site_and_leaves_out_what_is_hidden(tmp_path):
    site = tmp_path / "site"
    for name in ("index.html", "a/b.html", ".buildinfo", ".doctrees/a.doctree", "a/__pycache__/b.pyc",
                 "downloads/times.csv"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(name)
    target = site / "downloads" / "words.zip"
    downloads.write_zip(site, target)
    first = target.read_bytes()
    assert zipfile.ZipFile(target).namelist() == ["words/a/b.html", "words/downloads/times.csv", "words/index.html"]
    assert zipfile.ZipFile(target).read("words/a/b.html") == b"a/b.html"
    os.utime(site / "index.html", (2e9, 2e9))
    downloads.write_zip(site, target)
    assert target.read_bytes() == first


def test_an_interrupt_leaves_the_old_zip(tmp_path, monkeypatch):
    (tmp_path / "index.html").write_text("old")
    target = tmp_path / "words.zip"
    downloads.write_zip(tmp_path, target)
    old = target.read_bytes()

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(zipfile.ZipFile, "writestr", interrupted)
    with pytest.raises(KeyboardInterrupt):
        downloads.write_zip(tmp_path, target)
    assert target.read_bytes() == old
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "words.zip"]


def test_the_zip_holds_the_whole_site(site):
    target = site / "downloads" / downloads.ZIP
    with zipfile.ZipFile(target) as archive:
        packed = {name.removeprefix("which-words-matter/"): archive.read(name) for name in archive.namelist()}
    there = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file() and path != target}
    assert set(packed) == {name for name in there if not re.search(r"(^|/)(\.|__pycache__/)", name)}
    assert [name for name, content in packed.items() if there[name].read_bytes() != content] == []
    assert {"index.html", "searchindex.js", *(f"{page}.html" for page in pages_of_toc())} <= set(packed)


def test_the_tables_of_results_are_offered_as_they_are(site):
    offered = rows_of(soup(site / "book" / "downloads.html").find("article").find_all("table")[-1])[1:]
    paths = sorted((ROOT / "lib" / "results" / "timings").glob("*.csv"))
    *single, cells = offered
    assert [row[0] for row in single] == [path.name for path in paths]
    for row, path in zip(single, paths, strict=True):
        assert (site / "downloads" / path.name).read_bytes() == path.read_bytes()
        with path.open(encoding="utf-8", newline="") as file:
            table = list(csv.DictReader(file))
        assert row[1] == f"{len(table):,}" and row[3] == ", ".join(table[0])
    with (site / "downloads" / "results.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [cells[0], cells[1], cells[3]] == ["results.csv", f"{len(table):,}", ", ".join(kept.COLUMNS)]
    assert len(table) == len(kept.table()), "the cells' files as one table"


def test_every_notebook_is_offered(site):
    links = [link["href"] for link in soup(site / "book" / "downloads.html").select("article td a")]
    expected = [f"../notebooks/{addresses.short_name(page)}.ipynb" for page in notebook_pages()]
    assert [link for link in links if link.endswith(".ipynb")] == expected


# --- how the book ran ------------------------------------------------------------------------------------------------


def test_the_times_are_those_of_the_runs_whose_results_are_shown(site):
    """Also where all results come from earlier builds: the cache keeps the time of the run with its results."""
    cache = get_cache(execution_cache(site.parent))
    _, *rows = rows_of(soup(site / "book" / "status.html").find("table"))
    assert len(rows) == len(notebook_pages())
    for (title, date, seconds, status), page in zip(rows, notebook_pages(), strict=True):
        notebook = read_myst_markdown_notebook((ROOT / f"{page}.md").read_text(encoding="utf-8"))
        record = cache.match_cache_notebook(notebook)
        assert title in soup(site / f"{page}.html").find("h1").get_text()
        assert seconds == f"{record.data['execution_seconds']:.1f}" and float(seconds) > 0
        assert abs((datetime.fromisoformat(date) - record.created).days) <= 1, "the cache knows the date in UTC"
        assert status == "ran to the end"
