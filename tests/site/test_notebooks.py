"""The notebooks that readers download: what a small book becomes, and what the chapters became."""
# ruff: noqa: E501  paragraphs of Markdown, before and after, are one line each

import ast
import base64
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
from importlib.machinery import ModuleSpec
from urllib.parse import urlsplit

import jupytext
import nbformat
import pytest
from bs4 import BeautifulSoup
from built import ROOT, notebook_pages
from markdown_it import MarkdownIt
from nbclient import NotebookClient
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from book.site import notebooks
from book.site.furniture.addresses import short_name

HEADER = """\
---
jupytext:
  text_representation: {format_name: myst, extension: .md}
kernelspec: {name: python3, display_name: Python 3}
---
"""
PAGE = r"""
(start)=
# The *first* page

Costs \$5 to \$6, 2 * 3 * 4 \[not\](a link) \<b>not bold\</b> \`no code\` \# snake_case and \_under\_ &amp;copy; \~\~kept\~\~ a\\b.

1986\. was a year.
\- no list
\# no heading

```{code-cell} python
:tags: [remove-cell]
first = 1
```

```{code-cell} python
:tags: [hide-input, our-own]

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
second = [
    first]
```

```{code-cell} python
---
mystnb:
  figure: {caption: "What a *cell* drew, see {ref}`ex-one`.", name: fig-drawn}
---
display({"image/png": PIXEL, "text/plain": "figure"}, raw=True)
```

+++

## Second part

Inline $a_i < b^*$ here. {numref}`fig-drawn`, {numref}`fig-still`, {numref}`tab-list`, {eq}`eq-one`, {ref}`start`, {prf:ref}`prop-one`.
See {doc}`other`, {doc}`the other one <other>`, {ref}`other-part`, {eq}`eq-other`, [the web](https://example.org/a_(b)), {cite:t}`knuth1984`, and `code` {cite:p}`knuth1984`.

% a comment

```{math}
:label: eq-one
a &= b \\
  &= c % why
```

\begin{align}
x &= 1 \\
y &= 2
\end{align}

$$
p = 1
$$

````{prf:proposition} A *name*
:label: prop-one

For every $x$,

```{math}
:label: eq-two
f(x) =
  x .
```
````

````{prf:definition}
:label: def-one
A thing.
````

````{prf:proof}
By {eq}`eq-two`.
It follows.
````

```{admonition} Mind this
:class: tip
- one
- two

$$
q
$$
```

```{note}
A note.
```

```{figure} picture.svg
:name: fig-still
:alt: Two "lines" & <one> for $5

What *we* drew.
```

```{list-table} Some cells
:header-rows: 1
:name: tab-list

* - A | B
  - $|x|$
* - `a|b`
  - - one
```

- a list

  with two paragraphs
- second
  1. numbered
  2. again

Term
: What it is.

> Quoted.

```python
print("````")
```

```{exercise} Named
:label: ex-one

Do *this*.
```

````{solution-start} ex-one
:class: dropdown
````

So.

```{code-cell} python
:tags: [raises-exception]
third = second
```

````{solution-end}
````
"""
OTHER = r"""
# The other page

(other-part)=
## Its part

```{math}
:label: eq-other
z
```
"""
BIBLIOGRAPHY = """\
@article{knuth1984, author={Knuth, Donald E.}, title={Literate Programming}, journal={The Computer Journal}, year={1984},
  doi={10.1093/comjnl/27.2.97}, url={https://example.org/literate}}
@book{unread2000, author={Nobody, Ann}, title={Never Cited Here}, publisher={P}, year={2000}}
"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0L9 9" stroke="red"/></svg>'


class SmallBook:
    def __init__(self, folder):
        self.source, self.site = folder / "source", folder / "build" / "html"
        self.source.mkdir()
        self.write("page", HEADER + PAGE)
        self.write("other", HEADER + OTHER)
        self.write("index", "# Start\n\n{cite:p}`unread2000`\n\n```{toctree}\npage\nother\n```\n\n```{bibliography}\n```\n")
        (self.source / "picture.svg").write_text(SVG)
        (self.source / "works.bib").write_text(BIBLIOGRAPHY)

    def write(self, name, text):
        (self.source / f"{name}.md").write_text(text)

    def build(self, execute="off", builder="html", **settings):
        """Build what has changed; what the extension warned about."""
        warnings = io.StringIO()
        settings = {
            "extensions": ["myst_nb", "sphinxcontrib.bibtex", "sphinx_proof", "sphinx_exercise", "book.site.notebooks"],
            "myst_enable_extensions": ["amsmath", "deflist", "dollarmath"], "bibtex_bibfiles": ["works.bib"],
            "bibtex_reference_style": "author_year", "html_title": "The Book", "author": "The Authors", "copyright": "2026",
            "nb_execution_mode": execute, "nb_execution_raise_on_error": True, "numfig": True, "html_theme": "basic"} | settings
        with docutils_namespace():
            Sphinx(self.source, None, self.site.with_name(builder), self.site.parent / ".doctrees", builder, settings,
                   status=None, warning=warnings).build()
        return re.findall(r"a notebook cannot hold .*", re.sub(r"\x1b\[[\d;]*m", "", warnings.getvalue()))

    def file(self, name="page"):
        return self.site / "notebooks" / f"{name}.ipynb"

    def notebook(self, name="page"):
        return nbformat.read(self.file(name), as_version=4)


@pytest.fixture
def small_book(tmp_path):
    return SmallBook(tmp_path)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The small book, built once and executed."""
    book = SmallBook(tmp_path_factory.mktemp("book"))
    assert book.build("force") == []
    return book


@pytest.fixture(scope="module")
def text(built):
    return prose(built.notebook()).replace("\xa0", " ")


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def rendered(markdown):
    return BeautifulSoup(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown), "html.parser")


# --- what each construct becomes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("expected", [
    "# The *first* page\n\n*The Book*\n\nThis notebook is a page of the book *The Book*, made from `page.md`.",
    "The Authors, 2026.",
    "**Fig. 1.** What a *cell* drew, see Exercise 1.",
    "## Second part\n\nInline $a_i < b^*$ here. Fig. 1, Fig. 2, Table 1, (1), The first page, Proposition 1.",
    "See *The other page*, the other one (*The other page*), Its part (*The other page*), (4), [the web](https://example.org/a_%28b%29), "
    "Knuth \\[1984], and `code` \\[Knuth, 1984].",
    "\n\n$$\n\\begin{equation*}\n\\begin{aligned}a &= b \\\\\n  &= c\\end{aligned}\n\\tag{1}\n\\end{equation*}\n$$\n\n",
    "$$\n\\begin{equation*}\n\\begin{aligned}\nx &= 1 \\\\\ny &= 2\n\\end{aligned}\n\\tag{2}\n\\end{equation*}\n$$\n\n",
    "\n\n$$\n\\begin{equation*}\np = 1\n\\end{equation*}\n$$\n\n",
    "> **Proposition 1 (A *name*).**\n>\n> For every $x$,\n>\n> $$ \\begin{equation*} f(x) = x . \\tag{3} \\end{equation*} $$\n\n",
    "> **Definition 1.**\n>\n> A thing.\n\n",
    "\n\n*Proof.* By (3).\nIt follows. ∎\n\n",
    "> **Mind this**\n>\n> - one\n> - two\n>\n> $$ \\begin{equation*} q \\end{equation*} $$\n\n",
    "> **Note**\n>\n> A note.\n\n",
    "**Fig. 2.** What *we* drew.",
    "**Table 1.** Some cells\n\n| A \\| B | $\\vert x\\vert $ |\n| --- | --- |\n| `a\\|b` | - one |\n\n",
    "- a list\n\n  with two paragraphs\n\n- second\n\n  1. numbered\n  2. again\n\n",
    "\n\n**Term**\n\nWhat it is.\n\n",
    "> Quoted.\n\n",
    '`````python\nprint("````")\n`````\n\n',
    "\n\n**Exercise 1 (Named)**\n\nDo *this*.\n\n**Solution to Exercise 1 (Named)**\n\nSo.\n\n",
    "## References\n\n- Donald E. Knuth. Literate programming. *The Computer Journal*, 1984. URL: [https://example.org/literate](https://example.org/literate), "
    "[doi:10.1093/comjnl/27.2.97](https://doi.org/10.1093/comjnl/27.2.97).",
])
def test_a_construct_becomes_plain_markdown(text, expected):
    assert expected in text + "\n\n"


def test_plain_text_stays_plain_text(text):
    (paragraph,) = [block for block in text.split("\n\n") if block.startswith("Costs")]
    page = rendered(paragraph)
    assert page.get_text().strip() == ("Costs $5 to $6, 2 * 3 * 4 [not](a link) <b>not bold</b> `no code` # snake_case and _under_ "
                                       "&copy; ~~kept~~ a\\b.")
    assert [tag.name for tag in page.find_all(True)] == ["p", "span", "span"]
    assert [tag.get_text() for tag in page.find_all("span")] == ["$", "$"] and "$" not in paragraph, "Jupyter would see a formula"
    assert re.findall(r"(?<!\\)~", paragraph) == [], "Jupyter would strike it out"
    assert "snake_case" in paragraph, "it can be read"

    (paragraph,) = [block for block in text.split("\n\n") if "was a year" in block]
    assert [tag.name for tag in rendered(paragraph).find_all(True)] == ["p"]
    assert rendered(paragraph).get_text().strip() == "1986. was a year.\n- no list\n# no heading"


def test_no_comment_and_nothing_of_works_that_are_not_cited(text):
    assert "a comment" not in text and "why" not in text and "Never Cited" not in text


def test_a_picture_is_in_the_notebook(text):
    (image,) = rendered(text).find_all("img")
    assert image["alt"] == 'Two "lines" & <one> for $5'
    kind, _, data = image["src"].partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(data).decode() == SVG
    assert "for $5" not in text, "Jupyter would take it for a formula"


def test_the_code_is_that_of_the_page_and_in_its_places(built):
    notebook = built.notebook()
    nbformat.validate(notebook)
    assert [cell.source for cell in code(notebook)] == [cell.source for cell in jupytext.read(built.source / "page.md").cells
                                                        if cell.cell_type == "code"]
    assert [cell.metadata for cell in code(notebook)] == [
        {"tags": ["remove-cell"], "jupyter": {"source_hidden": True}}, {"tags": ["hide-input"], "jupyter": {"source_hidden": True}},
        {}, {"tags": ["raises-exception"]}]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code(notebook))
    sources = [cell.source for cell in notebook.cells]
    drawn = next(number for number, source in enumerate(sources) if source.startswith("display("))
    assert sources[drawn + 1].startswith("**Fig. 1.**")
    assert sources[-3:-1] == ["**Solution to Exercise 1 (Named)**\n\nSo.", "third = second"]


def test_the_metadata_say_nothing_of_the_machine(built):
    notebook = built.notebook()
    assert notebook.metadata == {"title": "The first page", "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
                                 "language_info": {"name": "python"}}
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert str(built.source.parent) not in built.file().read_text()


@pytest.mark.parametrize("page, name", [("index", "index"), ("chapters/aopc", "aopc"), ("book/report", "report"),
                                        ("chapters/aopc/orders", "aopc-orders")])
def test_a_notebook_is_called_after_its_page(page, name):
    assert short_name(page) == name


def test_no_two_pages_share_a_notebook():
    assert len({short_name(page) for page in notebook_pages()}) == len(notebook_pages())


def test_only_pages_with_code_become_notebooks(built):
    assert sorted(path.name for path in (built.site / "notebooks").iterdir()) == ["other.ipynb", "page.ipynb"]


# --- what a notebook cannot hold --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("markup, told", [
    ("```{versionadded} 2\nx\n```", "node of the kind versionmodified"), ("Text[^1].\n\n[^1]: Foot.", "kind footnote_reference"),
    ("```{container} boxed\nx\n```", "container of the class boxed"),
    ("```{eval-rst}\n+---+---+\n| a     |\n+---+---+\n| b | c |\n+---+---+\n```", "table with merged cells")])
def test_nothing_is_dropped_in_silence(small_book, markup, told):
    small_book.write("page", HEADER + "# Page\n\n" + markup)
    warnings = small_book.build()
    assert any(told in warning for warning in warnings), warnings


# --- the addresses of the site and of the repository ------------------------------------------------------------------------


def test_links_to_the_site_when_its_address_is_known(small_book):
    small_book.build(html_baseurl="https://example.org/book")
    text = prose(small_book.notebook())
    assert "a page of the book [The Book](https://example.org/book/page.html), made from" in text
    assert "See [The other page](https://example.org/book/other.html)," in text
    assert "[Its part](https://example.org/book/other.html#other-part), [(4)](https://example.org/book/other.html#equation-eq-other)," in text
    assert "Table 1, (1), The first page," in text and "and `code` \\[Knuth, 1984]." in text, "places on this page are no links"


def test_no_install_cell_without_a_repository(small_book):
    for options in ({}, {"repository_url": ""}, {"repository_url": notebooks.NO_REPOSITORY}):
        small_book.build(html_theme_options=options)
        assert "clone" not in small_book.file().read_text()
        assert "repository" not in small_book.file().read_text()


def test_the_install_cell_gets_the_book_where_it_is_missing_and_only_there(small_book, monkeypatch, tmp_path):
    address = "https://example.org/we/the-book.git"
    small_book.build(html_theme_options={"repository_url": address})
    first, install = small_book.notebook().cells[:2]
    assert f"made from `page.md` in [its repository]({address})." in first.source
    assert install.metadata == {"tags": ["install"]}
    ast.parse(install.source)

    calls = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(subprocess, "run", lambda command, check: calls.append(command) or (tmp_path / "the-book").mkdir(exist_ok=True))
    exec(install.source, {})
    assert calls == [], "lib is here"

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: ModuleSpec(name, None))  # a folder without a module
    exec(install.source, {})
    folder = str(tmp_path / "the-book")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "-e", folder]
    assert calls == [["git", "clone", "--depth", "1", address, folder], pip]
    assert sys.path[0] == folder
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    exec(install.source, {})
    assert calls[2:] == [pip], "what was fetched is not fetched again"


# --- builds ---------------------------------------------------------------------------------------------------------------


def test_a_page_that_has_not_changed_keeps_its_notebook(small_book, monkeypatch):
    small_book.build()
    before, untouched = small_book.file().read_bytes(), small_book.file("other").stat().st_mtime_ns
    small_book.write("page", HEADER + PAGE.replace("Do *this*", "Do that"))
    small_book.build()
    assert small_book.file().read_bytes() == before.replace(b"Do *this*", b"Do that")
    assert small_book.file("other").stat().st_mtime_ns == untouched

    small_book.write("page", HEADER + PAGE)
    small_book.build()
    assert small_book.file().read_bytes() == before, "the same page gives the same bytes"

    small_book.file("other").unlink()
    small_book.build()
    assert small_book.file("other").is_file(), "a notebook that was lost is written again"

    os.utime(small_book.file("other"), (0, 0))
    small_book.build()
    assert small_book.file("other").stat().st_mtime > 0, "it was older than the code that writes it"


def test_other_builders_write_no_notebooks(small_book):
    small_book.build(builder="dirhtml")
    assert not list(small_book.site.parent.rglob("notebooks"))


# --- the notebooks of the book ----------------------------------------------------------------------------------------------


@pytest.fixture(params=notebook_pages())
def page(request):
    return request.param


@pytest.fixture
def notebook(site, page):
    path = site / "notebooks" / f"{short_name(page)}.ipynb"
    assert path.is_file(), "run `make book` again"
    return nbformat.read(path, as_version=4)


RAW_MYST = {"directive": r"^[> ]*(```+|~~~+|:::+) *\{", "colon fence": r"^[> ]*:::", "role": r"\{[\w:.+-]+\}`", "label": r"^[> ]*\([\w-]+\)=",
            "comment": r"^[> ]*%", "cell break": r"^\+\+\+", "attributes": r"[\])`]\{[.#]"}


def test_it_is_valid_and_holds_no_myst(notebook):
    nbformat.validate(notebook)
    for kind, pattern in RAW_MYST.items():
        assert re.findall(pattern, prose(notebook), re.MULTILINE) == [], kind


def test_the_code_is_what_ran_when_the_page_was_made(notebook, page, executed):
    """Each page ran to its end, from top to bottom, in an empty folder (tests/pages/test_execution.py): so would this."""
    added = {"install", "finding"}  # the book's own lines: tests/pages/test_findings_lab.py runs that of a finding
    own = [cell for cell in code(notebook) if not added & set(cell.metadata.get("tags", []))]
    assert [cell.source for cell in own] == [cell.source for cell in code(executed[page])]
    assert notebook.metadata.kernelspec.name == executed[page].metadata.kernelspec.name
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code(notebook))
    assert "mystnb" not in json.dumps(notebook.metadata) + json.dumps([cell.metadata for cell in notebook.cells])


def test_it_has_the_title_and_the_numbers_of_the_page(notebook, page, site):
    article = BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8"), "html.parser").find("article")
    text, shown = prose(notebook), rendered(prose(notebook)).get_text()
    for link in article.select(".headerlink"):
        link.decompose()
    for heading in article.select("h1, h2, h3"):
        assert f"# {heading.get_text()}" in text.replace("*", "")
    assert re.findall(r"\\tag\{(.*?)\}", text) == [number.get_text().strip("()") for number in article.select(".eqno")]
    for number in article.select(".caption-number"):
        name = " ".join(number.get_text().split())
        assert re.search(rf"^(> )?\*\*{re.escape(name)}\b", text, re.MULTILINE), name
    for reference in article.select("a.reference.internal"):
        if reference.find_parent(class_=["cell_output", "finding-mark"]):
            continue  # what code prints is not in the notebook until it runs, nor what this build says of a finding
        assert " ".join(reference.get_text().split()) in " ".join(shown.split()), reference


def test_it_says_first_what_it_needs_and_how_long_it_runs(notebook):
    assert re.search(r"It fetches nothing\. Its code took \d+ seconds .* it trains and runs first", notebook.cells[0].source)


def test_it_links_to_nothing_that_is_not_in_it(notebook, site):
    page = rendered(prose(notebook))
    addresses = [link["href"] for link in page.find_all("a")] + [image["src"] for image in page.find_all("img")]
    assert [address for address in addresses if urlsplit(address).scheme not in ("http", "https", "data")] == []
    assert "attachment:" not in prose(notebook)
    assert str(ROOT) not in json.dumps(notebook)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["book/introduction", "chapters/word_gradients"], indirect=True)
def test_it_runs_in_an_empty_folder(notebook, tmp_path, monkeypatch):
    """Two of them, as they are downloaded: the others hold the code that ran, too, and differ in nothing else."""
    monkeypatch.setenv("TQDM_DISABLE", "1")
    NotebookClient(notebook, timeout=1200, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in code(notebook) for output in cell.outputs]
    assert outputs
    assert [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"] == []
