"""How long a page may be, measured on the built site; and the pages still above it, a list that only shrinks."""

import ast
import re

import jupytext
import pytest
from bs4 import BeautifulSoup
from built import ROOT, notebook_pages, pages_of_toc

# What stands on a page without a click: words (a formula is one, code is none), screens of a laptop and of a phone,
# figures, tables, explorers. What its source holds, solutions aside: lines of code that are shown, lines that are
# folded or removed, and functions and classes that are defined in those.
SOURCE = {"hidden": 40, "definitions": 0}  # of every page
CORE = {"words": 2500, "screens": 15, "phone": 20, "figures": 5, "tables": 3, "explorers": 1, "visible": 150} | SOURCE
DEEP = {"words": 1700, "screens": 11} | SOURCE
SCREENS = {"screens": (1280, 900), "phone": (390, 844)}

# Pages above their budget, and what they may have at most until they are edited. Words and screens have a little room,
# because sentences that code writes differ between builds; the rest is what there is.
ABOVE: dict[str, dict[str, float]] = {}

FOLDED = "details, .dropdown, .visually-hidden, .cell_input, .headerlink, .toctree-wrapper, script"
HIDDEN = {"hide-input", "hide-cell", "remove-input", "remove-cell"}


def budget_of(page: str) -> dict[str, int]:
    if page.startswith("chapters/"):
        return DEEP if page.count("/") > 1 else CORE
    return CORE if page in ("book/introduction", "book/believe", "book/run") else SOURCE


def on_the_page(html: str) -> dict[str, int]:
    """What a reader meets on a page who opens nothing that is folded."""
    article = BeautifulSoup(html, "html.parser").find("article")
    explorers = len(article.select('script[type="application/vnd.jupyter.widget-view+json"]'))
    for node in article.select(FOLDED):
        if not node.decomposed:
            node.decompose()
    pictures = [image for image in article.select("img, svg") if not image.find_parent("figure")]
    found = {"explorers": explorers, "figures": len(article.select("figure")) + len(pictures),
             "tables": len(article.select("table"))}
    for formula in article.select(".math"):
        formula.replace_with(" formula ")
    return found | {"words": len(article.get_text(" ").split())}


def in_the_source(markdown: str) -> dict[str, int]:
    """What the code of a page consists of, without that of the solutions, which are folded."""
    visible, hidden, definitions, solution = 0, 0, 0, False
    for cell in jupytext.reads(markdown, fmt="md:myst").cells:
        if cell.cell_type != "code":
            for mark in re.findall(r"\{solution-(start|end)\}", cell.source):
                solution = mark == "start"
        elif HIDDEN & set(cell.metadata.get("tags", [])):
            hidden += lines(cell.source)
            definitions += sum(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
                               for node in ast.walk(ast.parse(cell.source)))
        elif not solution:
            visible += lines(cell.source)
    return {"visible": visible, "hidden": hidden, "definitions": definitions}


def lines(code: str) -> int:
    return sum(bool(line.strip()) for line in code.splitlines())


def judge(page: str, found: dict[str, float]) -> list[str]:
    """What is wrong with a page: above its budget, above what the list allows, or on the list without need."""
    wrong, allowed = [], ABOVE.get(page, {})
    for measure, limit in budget_of(page).items():
        if measure not in found:
            continue
        if found[measure] > allowed.get(measure, limit):
            wrong.append(f"{measure}: {found[measure]:g}, at most {allowed.get(measure, limit)}")
        elif measure in allowed and found[measure] <= limit:
            wrong.append(f"{measure}: {found[measure]:g} is within the budget of {limit}: take it off the list ABOVE")
    return wrong


@pytest.mark.parametrize("page", pages_of_toc())
def test_a_page_keeps_its_budget_of_words_pictures_and_code(page, site):
    found = on_the_page((site / f"{page}.html").read_text(encoding="utf-8"))
    if page in notebook_pages():
        found |= in_the_source((ROOT / f"{page}.md").read_text(encoding="utf-8"))
    assert judge(page, found) == []


@pytest.mark.browser
@pytest.mark.parametrize("page", [page for page in pages_of_toc() if "screens" in budget_of(page)])
def test_a_page_keeps_its_budget_of_screens(page, browser, served):
    tab = browser.new_page()
    try:
        tab.goto(f"{served}/{page}.html", wait_until="load")
        tab.evaluate("() => Promise.all([window.MathJax?.startup?.promise, document.fonts.ready])")
        found = {}
        for measure, (width, height) in SCREENS.items():
            tab.set_viewport_size({"width": width, "height": height})
            found[measure] = round(tab.evaluate("document.querySelector('article').scrollHeight") / height, 1)
    finally:
        tab.close()
    assert judge(page, found) == []


WAY = re.compile(r"\*\*Read \(60 minutes\)\.\*\*.*?\n\n", re.DOTALL)
AN_HOUR = 9000  # words of main text, at 150 a minute


def test_the_way_through_the_book_takes_an_hour(site):
    """The pages that home names under "Read (60 minutes)", without exercises and quiz."""
    way = WAY.search((ROOT / "book" / "introduction.md").read_text(encoding="utf-8"))[0]
    pages = re.findall(r"\{doc\}`/([a-z_/]+)`", way)
    assert len(pages) >= 5
    assert sum(main_text(site / f"{page}.html") for page in pages) <= AN_HOUR


def main_text(path) -> int:
    article = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").find("article")
    for node in article.select("#exercises, #quiz"):
        node.decompose()
    return on_the_page(str(article))["words"]


def test_the_list_names_only_pages_and_measures_that_there_are():
    assert set(ABOVE) <= set(pages_of_toc())
    assert all(value > budget_of(page)[measure] for page, values in ABOVE.items() for measure, value in values.items())


# --- the measures ----------------------------------------------------------------------------------------------------

HTML = """<article><h1>One two<a class="headerlink">#</a></h1><p>three <span class="math">\\(a + b\\)</span> five</p>
<div class="cell"><div class="cell_input">x = 1</div><div class="cell_output">six <img src="a.png"></div></div>
<figure><img src="b.png"><figcaption>seven</figcaption></figure><table><tr><td>eight</td></tr></table>
<div class="admonition dropdown"><p>folded <img src="c.png"></p><table></table></div>
<details><summary>Cite this page</summary></details>
<script type="application/vnd.jupyter.widget-view+json">{}</script></article>"""
MARKDOWN = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {name: python3, display_name: Python 3}
---
# Page

```{code-cell} ipython3
one = 1

def two(): return 2
```

```{code-cell} ipython3
:tags: [hide-input]
class Three:
    four = lambda self: 4
def five(): pass
```

````{solution-start} ex
````

```{code-cell} ipython3
six = 6
```

````{solution-end}
````

```{code-cell} ipython3
seven = 7
```
"""


def test_what_is_counted():
    assert on_the_page(HTML) == {"words": 8, "figures": 2, "tables": 1, "explorers": 1}
    assert in_the_source(MARKDOWN) == {"visible": 3, "hidden": 3, "definitions": 3}


def test_how_a_page_is_judged(monkeypatch):
    monkeypatch.setitem(ABOVE, "chapters/long", {"words": 3000})
    assert judge("chapters/short", {"words": 2500, "hidden": 40}) == []
    assert judge("chapters/short", {"words": 2501, "hidden": 41}) == ["words: 2501, at most 2500",
                                                                      "hidden: 41, at most 40"]
    assert judge("chapters/short/deep", {"words": 1701}) == ["words: 1701, at most 1700"]
    assert judge("book/report", {"words": 9999, "definitions": 1}) == ["definitions: 1, at most 0"]
    assert judge("chapters/long", {"words": 3000}) == []
    assert judge("chapters/long", {"words": 3001}) == ["words: 3001, at most 3000"]
    assert judge("chapters/long",
                 {"words": 2500}) == ["words: 2500 is within the budget of 2500: take it off the list ABOVE"]
