"""The whole book as one PDF, `_build/which-words-matter.pdf`: `make pdf`, or `python -m book.site.pdf` after a build.

The articles of the site's pages are put one after the other into one page, `_build/print.html`, and Chromium prints it.
So every number, citation and result is the site's own, and nothing is built or executed a second time. How it looks on
paper is said in book/static/print.css.
"""

import html
import io
import json
import logging
import os
import posixpath
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, TextStringObject
from sphinx_external_toc.parsing import parse_toc_yaml

from lib.storage import whole_file

from .furniture.citation import person_name

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "_build"
PDF = BUILD / "which-words-matter.pdf"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# Of the site's scripts only these draw something on the page; the others open menus, search, or copy code.
DRAWS = re.compile("mathjax|require|widget", re.IGNORECASE)
UNDRAWN_FORMULAS = """() => [...document.querySelectorAll(".math")]
    .filter(math => !math.querySelector("mjx-container") || math.querySelector("mjx-merror, [data-mjx-error]"))
    .map(math => math.textContent.trim())"""
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
    .map(heading => heading.innerText.replace(/\\s+/g, " ").trim())"""
HEADING = re.compile("^h[1-6]$")
WRITE_PAGE_NUMBERS = """pages => document.querySelectorAll(".book-contents a")
    .forEach(link => link.dataset.page = pages[decodeURIComponent(link.hash.slice(1))])"""

BOOK = """<!DOCTYPE html>
<html lang="en" data-theme="light" data-mode="light">
<head>
<meta charset="utf-8">
<title>{title}</title>
{head}
</head>
<body>
<section class="title-page">
<p class="book-title">{title}</p>
<p class="book-subtitle">{subtitle}</p>
<p class="book-author">{author}</p>
<p class="book-copyright">© {copyright}</p>
</section>
{contents}
<main class="bd-content">
{articles}
</main>
</body>
</html>
"""

logging.getLogger("pypdf").setLevel(logging.ERROR)  # Chromium counts its objects wrongly, and pypdf says so each time


# --- one page out of many --------------------------------------------------------------------------------------------


def address(link: str, page: str) -> str:
    """Where a link on a page leads, as a path from the folder of the site; a web address stays what it is."""
    if urlsplit(link).scheme:
        return link
    path, mark, fragment = link.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else f"{page}.html"
    return path + mark + fragment


def from_build(file: str, page: str) -> str:
    """A file that a page uses, such as a picture, as a path from the folder above the site."""
    return file if urlsplit(file).scheme else f"html/{address(file, page)}"


def inner_link(link: str, page: str, pages: list[str]) -> str | None:
    """The same link within the book: an id is written `page/id`. None where it leads to a file that is not printed."""
    link = address(link, page)
    path, _, fragment = link.partition("#")
    target = path.removesuffix(".html")
    if target in pages:
        return f"#{target}/{fragment}" if fragment else f"#{target}"
    return link if urlsplit(link).scheme else None


def printed_article(site_page: BeautifulSoup, page: str, pages: list[str]) -> BeautifulSoup:
    """The article of a page, for a document that holds all pages: ids are unique, links lead within it."""
    article = site_page.find("article")
    for node in article.select(".headerlink, .toctree-wrapper"):
        node.decompose()
    for node in article.find_all(id=True):
        node["id"] = f"{page}/{node['id']}"  # every chapter has its #exercises
    for heading in article.find_all(HEADING):  # a section may begin on a page that its heading no longer fits on
        if heading.parent.get("id"):
            heading["id"] = heading.parent.attrs.pop("id")
    for node in article.find_all("a", href=True):
        node["href"] = inner_link(node["href"], page, pages) or ""
        if not node["href"]:
            node.unwrap()
    for node in article.find_all(src=True):
        node["src"] = from_build(node["src"], page)
    for node in article.find_all("details"):
        node["open"] = ""
    article["id"] = page
    return article


def head(site_pages: dict[str, BeautifulSoup]) -> list[str]:
    """The style sheets of all pages, and the scripts that draw formulas and widgets, each once."""
    found = []
    for page, site_page in site_pages.items():
        scripts = [node for node in site_page.find_all("script") if node.find_parent("article") is None]
        for node in [*site_page.select("link[rel=stylesheet]"), *scripts]:
            for name in {"href", "src"} & set(node.attrs):
                node[name] = from_build(node[name], page)
            if node.name == "link" or DRAWS.search(node.get("src") or node.get("type") or node.text):
                found.append(str(node))
    return list(dict.fromkeys(found))


def running_title(article: BeautifulSoup, number: int) -> str:
    """The style that writes the title of a chapter at the foot of its pages."""
    article["style"] = f"page: chapter-{number}"
    title = json.dumps(" ".join(article.h1.get_text().split()), ensure_ascii=False)
    return f"<style>@page chapter-{number} {{ @bottom-left {{ content: {title} }} }}</style>"


def contents(articles: dict[str, BeautifulSoup], captions: dict[str, str]) -> str:
    """The table of contents. Its page numbers are not known yet."""
    lines = ['<nav class="book-contents" id="contents"><h1>Contents</h1>', "<ul>"]
    for page, article in articles.items():
        if page in captions:
            lines.append(f'<li class="part">{html.escape(captions[page])}</li>')
        for heading in article.find_all(["h1", "h2"]):
            level = {"h1": "chapter", "h2": "section"}[heading.name]
            text = heading.decode_contents()
            lines.append(f'<li class="{level}"><a href="#{heading["id"]}"><span>{text}</span></a></li>')
    return "\n".join([*lines, "</ul>", "</nav>"])


def whole_book(site: Path) -> str:
    """The site as one HTML page, for the folder above the site."""
    toc = parse_toc_yaml(ROOT / "book" / "_toc.yml")
    captions = {part.items[0]: part.caption for part in toc.root.subtrees if part.caption}
    site_pages = {page: BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
                  for page in toc}
    articles = {page: printed_article(site_page, page, list(toc)) for page, site_page in site_pages.items()}
    titles = [running_title(article, number) for number, article in enumerate(articles.values())]
    about = {name: html.escape(text) for name, text in about_the_book().items()}
    return BOOK.format(**about, head="\n".join(head(site_pages) + titles), contents=contents(articles, captions),
                       articles="\n".join(map(str, articles.values())))


def about_the_book() -> dict[str, str]:
    """What the configuration of the site and CITATION.cff say about the book."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    return {"title": config["title"], "author": "; ".join(map(person_name, citation["authors"])),
            "copyright": config["copyright"],
            "subtitle": config["html"]["extra_footer"]}


# --- printing --------------------------------------------------------------------------------------------------------


def print_page(path: Path, browser) -> tuple[bytes, list[str]]:
    """The PDF of a page that needs nothing but files beside it, and the page's headings."""
    missing = []
    page = browser.new_page()
    page.route(re.compile("^(?!file:|data:|blob:)"), lambda route: route.abort())
    page.on("requestfailed", lambda request: missing.append(request.url))
    page.emulate_media(media="print", color_scheme="light")
    page.goto(path.as_uri(), wait_until="networkidle")
    page.evaluate("() => Promise.all([window.MathJax?.startup?.promise, document.fonts.ready])")
    undrawn = page.evaluate(UNDRAWN_FORMULAS)
    if missing:
        sys.exit(f"The book was not printed, because the page asks for what is not among the site's files: "
                 f"{missing[0]}")
    if undrawn:
        sys.exit(f"The book was not printed, because {len(undrawn)} formulas were not drawn, the first of them "
                 f"{undrawn[0]}")
    # The page numbers of the contents are known after a first printing, which has the same page breaks as the second.
    page.evaluate(WRITE_PAGE_NUMBERS, page_numbers(as_pdf(page)))
    return as_pdf(page), page.evaluate(HEADINGS)


def as_pdf(page) -> bytes:
    return page.pdf(prefer_css_page_size=True, print_background=True, outline=True, tagged=True)


def page_numbers(pdf: bytes) -> dict[str, int]:
    """The page on which each id stands that a link leads to."""
    reader = PdfReader(io.BytesIO(pdf))
    places = reader.named_destinations.items()
    return {name.removeprefix("/"): reader.get_destination_page_number(place) + 1 for name, place in places}


def bookmarks(item):
    """Every item of an outline, in reading order."""
    child = item.get("/First")
    while child is not None:
        yield child.get_object()
        yield from bookmarks(child.get_object())
        child = child.get_object().get("/Next")


def write(pdf: bytes, headings: list[str], path: Path):
    """Write the PDF whole, or not at all, with the author, whom Chromium leaves out, and with clean bookmarks."""
    about = about_the_book()
    writer = PdfWriter(clone_from=io.BytesIO(pdf))
    writer.add_metadata({"/Title": about["title"], "/Author": about["author"], "/Subject": about["subtitle"]})
    # In Chromium's outline a heading moved to the next page says everything twice, and one of two lines lacks a space.
    for bookmark, heading in zip(bookmarks(writer.root_object["/Outlines"]), headings, strict=True):
        bookmark[NameObject("/Title")] = TextStringObject(heading)
    with whole_file(path) as temporary:
        writer.write(temporary)


def browser_path() -> str | None:
    """The browser that the environment names, or one that is installed, or None."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


def main():
    executable = browser_path()
    if executable is None:
        sys.exit(f"No browser to print with: install one of {', '.join(BROWSERS)}, or let CHROMIUM name one.")
    if not (BUILD / "html" / "index.html").is_file():
        sys.exit("There is no book in _build/html to print: run `make book` first.")
    path = BUILD / "print.html"
    path.write_text(whole_book(BUILD / "html"), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        write(*print_page(path, browser), PDF)
        browser.close()
    print(f"The book is in {PDF.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
