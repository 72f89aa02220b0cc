"""The printed book, compared with the site it was printed from; and when the printing refuses."""

import os
import re
import unicodedata
from functools import lru_cache

import pytest
from bs4 import BeautifulSoup
from built import pages_of_toc
from pypdf import PdfReader
from pypdf.generic import ArrayObject

from book.site import pdf
from book.site.pdf import PDF


@pytest.fixture(scope="module")
def book() -> PdfReader:
    if not PDF.is_file():
        reason = "There is no printed book: run `make pdf`."
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return PdfReader(PDF)


@pytest.fixture(scope="module")
def texts(book) -> list[str]:
    """The text of each page, for comparison."""
    return [squeeze(page.extract_text()) for page in book.pages]


def squeeze(text: str) -> str:
    """Text without spaces, of which paper has more and fewer, and with ligatures taken apart."""
    one_apostrophe = text.replace("\u02bc", "\u2019")  # a glyph of the sans serif stands for both
    return re.sub(r"\s|\u200b", "", unicodedata.normalize("NFKC", one_apostrophe))


@lru_cache
def site_page(site, page: str) -> BeautifulSoup:
    """The article of a page without its formulas, whose letters have no text on paper."""
    article = BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8"), "html.parser").find("article")
    for node in article.select(".headerlink"):
        node.decompose()
    for node in article.select("span.math"):
        node.replace_with("\0")
    return article


def bookmarks(outline) -> list:
    """All items of an outline, in reading order."""
    return [found for item in outline for found in (bookmarks(item) if isinstance(item, list) else [item])]


def headings(site) -> list[str]:
    articles = [site_page(site, page) for page in pages_of_toc()]
    return [squeeze(node.get_text()) for article in articles for node in article.find_all(re.compile("^h[1-6]$"))]


def test_every_heading_is_in_the_outline_in_order(book, site):
    assert [squeeze(mark.title) for mark in bookmarks(book.outline)] == ["Contents", *headings(site)]


def test_every_heading_stands_on_the_page_that_its_bookmark_names(book, texts):
    for mark in bookmarks(book.outline):
        assert squeeze(mark.title) in texts[book.get_destination_page_number(mark)], mark.title


def test_every_chapter_begins_a_page(book, site):
    chapters = [mark for mark in book.outline if not isinstance(mark, list)]
    titles = [squeeze(site_page(site, page).h1.get_text()) for page in pages_of_toc()]
    assert [squeeze(mark.title) for mark in chapters] == ["Contents", *titles]
    starts = [book.get_destination_page_number(mark) for mark in chapters]
    assert starts == sorted(set(starts))


@pytest.mark.parametrize("page", pages_of_toc())
def test_captions_and_titles_have_the_numbers_of_the_site(page, site, texts):
    """As often as there: the number of an exercise stands in the title of its solution too."""
    whole, article = "".join(texts), site_page(site, page)
    for caption in article.select("figcaption, caption, .exercise .admonition-title, .proof .admonition-title"):
        for piece in squeeze(caption.get_text()).split("\0"):
            assert whole.count(piece) >= squeeze(article.get_text()).count(piece), caption


@pytest.mark.parametrize("page", pages_of_toc())
def test_equations_have_the_numbers_of_the_site(page, site, book, texts):
    """As often as there, on the pages of the chapter: a number may also stand where the equation is referred to."""
    article = site_page(site, page)
    starts = [book.get_destination_page_number(mark) for mark in book.outline if not isinstance(mark, list)] + [None]
    chapter = pages_of_toc().index(page) + 1  # the contents come first
    printed = "".join(texts[starts[chapter]:starts[chapter + 1]])
    for number in [squeeze(node.get_text()) for node in article.select(".eqno")]:
        assert printed.count(number) >= squeeze(article.get_text()).count(number), f"{number} is missing in {page}"


def is_printed(line, whole) -> bool:
    """In one piece, or in two: a long line of code may end on the next page."""
    return line in whole or any(line[:cut] in whole and line[cut:] in whole for cut in range(1, len(line)))


def test_solutions_and_folded_code_are_printed(site, texts):
    pages = [site_page(site, page) for page in pages_of_toc()]
    whole = "".join(texts)
    hidden = [node for page in pages
              for node in page.select("details:not(.cite-this-page) pre, .solution pre, .solution p")]
    assert hidden
    for node in hidden:
        if "\0" not in node.get_text():
            for line in filter(None, map(squeeze, node.get_text().splitlines())):
                assert is_printed(line, whole), line


def test_contents_give_the_page_of_every_chapter(book, texts):
    first = book.get_destination_page_number(book.outline[1])
    front = "".join(texts[:first])
    for mark in bookmarks(book.outline)[1:]:
        if re.match(r"\d+\.\d+\.\d+\.", mark.title):
            continue  # the contents stop above
        assert f"{squeeze(mark.title)}{book.get_destination_page_number(mark) + 1}" in front, mark.title


def test_nothing_is_left_unresolved(texts):
    whole = "".join(texts)
    for sign in (r"\(", r"\[", r"\begin{", "{numref}", "{eq}", "{doc}", "{cite", "??"):
        assert sign not in whole, sign


def test_no_page_is_blank(book, texts):
    for number, (page, text) in enumerate(zip(book.pages, texts, strict=True), start=1):
        assert page.images or len(text) > 60, f"page {number}"


def test_links_lead_somewhere(book):
    links = [note.get_object() for page in book.pages for note in page.get("/Annots", [])]
    links = [link for link in links if link["/Subtype"] == "/Link"]
    inner = [link for link in links if "/A" not in link or link["/A"]["/S"] == "/GoTo"]
    assert len(inner) > 100
    pages = {page.indirect_reference.idnum for page in book.pages}
    for link in inner:
        target = link["/Dest"] if "/Dest" in link else link["/A"]["/D"]
        if not isinstance(target, ArrayObject):
            assert target in book.named_destinations, target
            target = book.named_destinations[target].dest_array
        assert target[0].idnum in pages, link
    for link in links:
        if link not in inner:
            assert re.match("https?://(?!127|localhost)", link["/A"]["/URI"]), link["/A"]


def test_every_link_of_the_site_is_a_link_on_paper(book, site):
    """Counted by the place it leads to: a link that was lost on the way leads nowhere."""
    links = [pdf.inner_link(link["href"], page, pages_of_toc())
             for page in pages_of_toc() for link in site_page(site, page).select("a.reference.internal[href]")]
    wanted = {link.removeprefix("#") for link in links if link}  # to a file for download there is none on paper
    assert wanted
    assert {f"/{name}" for name in wanted} <= set(book.named_destinations)


def test_the_book_says_what_it_is(book):
    assert book.metadata.title == "Which Words Matter?"
    assert book.metadata.author == "The Which Words Matter authors"
    assert book.root_object["/Lang"].startswith("en")
    assert book.root_object["/MarkInfo"]["/Marked"] and "/StructTreeRoot" in book.root_object


# --- the printing ----------------------------------------------------------------------------------------------------


def test_links_become_links_within_the_book():
    pages = ["book/introduction", "chapters/aopc"]
    assert pdf.inner_link("#exercises", "chapters/aopc", pages) == "#chapters/aopc/exercises"
    assert pdf.inner_link("../book/introduction.html", "chapters/aopc", pages) == "#book/introduction"
    assert pdf.inner_link("../chapters/aopc.html#id1", "book/introduction", pages) == "#chapters/aopc/id1"
    assert pdf.inner_link("https://arxiv.org", "chapters/aopc", pages) == "https://arxiv.org"
    assert pdf.inner_link("../_downloads/data.csv", "chapters/aopc", pages) is None


@pytest.mark.browser
@pytest.mark.parametrize("body, reason", [
    ('<img src="https://example.org/picture.png">', "https://example.org/picture.png"),
    ('<img src="lost.png">', "lost.png"),
    (r'<span class="math">\(x^2\)</span>', r"1 formulas were not drawn, the first of them \(x^2\)"),
])
def test_it_refuses_to_print_what_would_be_incomplete(body, reason, browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(f"<h1>Title</h1>{body}")
    with pytest.raises(SystemExit, match=re.escape(reason)):
        pdf.print_page(page, browser)


def test_without_a_browser_it_says_so(monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match="No browser to print with"):
        pdf.main()
