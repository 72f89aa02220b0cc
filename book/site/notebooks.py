"""A small Sphinx extension of this book: every page with code is offered as a Jupyter notebook without MyST.

While the site is built, `<site>/notebooks/<page>.ipynb` is written for each such page: its prose as plain Markdown,
with the numbers, citations and references that Sphinx has resolved, and its code cells as they stand in the source.
"""

import base64
import html
import mimetypes
import posixpath
import re
from pathlib import Path
from textwrap import indent
from urllib.parse import urljoin, urlsplit

import nbformat
from docutils import nodes
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from myst_nb.sphinx_ import NbMetadataCollector
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from pybtex_docutils import Backend
from sphinx.util import logging
from sphinx_proof.nodes import NODE_TYPES

from lib.storage import whole_file

from .furniture.addresses import short_name
from .unfold import CHECK

logger = logging.getLogger(__name__)

NEW_CELL = None  # among the blocks of a page: here a new Markdown cell begins
HIDDEN = {"hide-input", "hide-cell", "remove-input", "remove-cell"}  # tags: Jupyter folds the code
TAGS = HIDDEN | {"raises-exception"}  # the tags that say something to Jupyter and its tools
LANGUAGES = {"ipython3": "python", "default": "", "none": ""}

# What Markdown would take for markup. An underscore within a word is none, nor is a lone `]`.
SPECIAL = re.compile(r"[\\`*<\[~]|_(?![^\W_])|(?<![^\W_])_|&(?=#?\w+;)")
# A line of a paragraph that would begin a heading, a quote or a list; a backslash goes behind the number, or in front.
LINE_START = re.compile(r"^(\d+(?=[.)](?:\s|$))|(?=[-+>#=]))", re.MULTILINE)
NO_REPOSITORY = "https://github.com/executablebooks/jupyter-book"  # what Jupyter Book says where _config.yml names none
TEX_COMMENT = re.compile(r"(?<!\\)%.*")
# Environments that stand alone in LaTeX, and what takes their place within `$$`.
ENVIRONMENTS = {"align": "aligned", "flalign": "aligned", "alignat": "alignedat", "gather": "gathered",
                "multline": "gathered"}

INSTALL = """\
# Gets the book and its library where they are missing, on Colab for example; elsewhere this cell does nothing.
import importlib.util
import subprocess
import sys
from pathlib import Path

found = importlib.util.find_spec("lib")
if found is None or found.origin is None:  # nowhere, or some folder of this name
    book = Path("{folder}").resolve()
    if not book.exists():
        subprocess.run(["git", "clone", "--depth", "1", "{repository}", str(book)], check=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "-e", str(book)], check=True)
    sys.path.insert(0, str(book))
"""


class Page:
    """One page of the book as the cells of a notebook.

    There is a method for each kind of node, named like its class. It returns the Markdown of a node within a line, or
    yields the blocks of one that stands alone: paragraphs, code cells, and NEW_CELL. A kind without a method is a
    warning.
    """

    def __init__(self, app, docname, source):
        self.config, self.env, self.docname = app.config, app.env, docname
        self.srcdir = Path(app.srcdir)
        self.base = app.config.html_baseurl and app.config.html_baseurl.rstrip("/") + "/"
        self.repository = app.config.html_theme_options.get("repository_url", "").replace(NO_REPOSITORY, "")
        cells = enumerate(read_myst_markdown_notebook(source).cells)
        self.code = {index: cell for index, cell in cells if cell.cell_type == "code"}

    def notebook(self, doctree):
        """The whole page; the same page always gives the same bytes."""
        blocks = [*self.blocks(doctree), *self.code_up_to(max(self.code, default=0)), *self.references()]
        cells, prose = [], []
        for block in [*blocks, NEW_CELL]:
            if isinstance(block, str):
                prose.append(block)
                continue
            if prose:
                cells.append(new_markdown_cell("\n\n".join(prose)))
                prose = []
            if block is not NEW_CELL:
                cells.append(block)
        for number, cell in enumerate(cells, 1):
            cell["id"] = f"cell-{number}"
        return new_notebook(cells=cells, metadata={
            "title": self.env.titles[self.docname].astext(),
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"}})

    # --- nodes and what is in them -----------------------------------------------------------------------------------

    def write(self, node):
        method = getattr(self, "write_" + type(node).__name__, None)
        if method is None:
            logger.warning("a notebook cannot hold a node of the kind %s", type(node).__name__, location=node)
            return ""
        return method(node)

    def blocks(self, node):
        for child in node.children:
            written = self.write(child)
            yield from ([written] if written else []) if isinstance(written, str) else written

    def inline(self, node):
        return "".join(map(self.write, node.children))

    def number(self, kind, node):
        """The number of an equation, figure, proposition ... on the page, such as "2.1"; empty if it has none."""
        numbers = self.env.toc_fignumbers.get(self.docname, {}).get(kind, {})
        return next((".".join(map(str, numbers[name])) for name in node["ids"] if name in numbers), "")

    def label(self, kind, node):
        """"Fig. 2.1", as the page says it."""
        number = self.number(kind, node)
        return self.config.numfig_format[kind] % number if number else ""

    # --- text --------------------------------------------------------------------------------------------------------

    def write_Text(self, node):
        return escaped(node.astext())

    def write_inline(self, node):
        return "" if "finding-mark" in node["classes"] else self.inline(node)  # here the reader's own build is asked

    def write_emphasis(self, node):
        return f"*{self.inline(node)}*"

    def write_strong(self, node):
        return f"**{self.inline(node)}**"

    def write_subscript(self, node):
        return f"<sub>{self.inline(node)}</sub>"

    def write_superscript(self, node):
        return f"<sup>{self.inline(node)}</sup>"

    def write_literal(self, node):
        code = " ".join(node.astext().split("\n"))
        fence = fence_around(code, 1)
        space = " " if code.startswith("`") or code.endswith("`") else ""
        return fence + space + code + space + fence

    def write_math(self, node):
        tex = " ".join(TEX_COMMENT.sub("", node.astext()).split("\n")).strip()
        # a bar would end the cell of a table
        if any(isinstance(ancestor, nodes.entry) for ancestor in ancestors(node)):
            tex = tex.replace(r"\|", r"\Vert ").replace("|", r"\vert ")
        return f"${tex}$"

    def write_raw(self, node):
        return node.astext() if "html" in node["format"].split() else ""  # the site shows no other kind either

    def write_image(self, node):
        """As HTML with the picture inside: JupyterLab shows no attachment that is an SVG."""
        source = node["uri"]
        if not urlsplit(source).scheme:
            data = base64.b64encode((self.srcdir / source).read_bytes()).decode()
            source = f"data:{mimetypes.guess_type(source)[0]};base64,{data}"
        alt = html.escape(" ".join(node.get("alt", "").split())).replace("$", "&#36;")
        return f'<img alt="{alt}" src="{source}">'

    # --- references --------------------------------------------------------------------------------------------------

    def write_reference(self, node):
        """A link to the web, or plain text: there is no other page beside a notebook."""
        text = self.inline(node)
        address = node.get("refuri", "")
        if urlsplit(address).scheme:
            return link(text, address)
        page, _, _ = address.partition("#")
        if not page or "bibtex-citation" in node.parent["classes"]:  # on this page, or in the list at its end
            return text
        if self.base:
            return link(text, urljoin(f"{self.base}{self.docname}.html", address))
        if not any({"doc", "std-ref"} & set(child.get("classes", [])) for child in node.findall(nodes.inline)):
            return text  # "Fig. 2.1" and "(2.1)" say themselves where they are
        other = posixpath.normpath(posixpath.join(posixpath.dirname(self.docname), page)).removesuffix(".html")
        title = self.inline(self.env.titles[other])
        return f"*{title}*" if text == title else f"{text} (*{title}*)"

    write_number_reference = write_reference

    def write_target(self, node):
        return self.inline(node)  # the place that a label names: nothing to see

    def references(self):
        """The works that the page cites, in the order of the bibliography."""
        domain = self.env.get_domain("cite")
        cited = {target.key for ref in domain.citation_refs if ref.docname == self.docname for target in ref.targets}
        entries = {citation.key: citation.formatted_entry for citation in domain.citations if citation.key in cited}
        if entries:
            yield from (NEW_CELL, "## References")
            yield "\n".join("- " + self.inline(Backend().paragraph(entry)) for entry in entries.values())

    # --- blocks ------------------------------------------------------------------------------------------------------

    def write_section(self, node):
        level = sum(isinstance(ancestor, nodes.section) for ancestor in ancestors(node)) + 1
        numbers = self.env.toc_secnumbers.get(self.docname, {})
        number = ".".join(map(str, numbers.get(f"#{node['ids'][0]}") or (numbers.get("") if level == 1 else None)
                              or ()))
        title = self.inline(node[node.first_child_matching_class(nodes.title)])
        heading = f"{'#' * level} {number and number + '. '}{title}"
        yield NEW_CELL
        yield from self.header(heading) if level == 1 else [heading]
        yield from self.blocks(node)

    def header(self, heading):
        """The first cell, and where the book can be fetched from also the cell that fetches it."""
        title = escaped(self.config.html_title)
        page, source = f"{self.base}{self.docname}.html", f"`{self.env.doc2path(self.docname, base=False)}`"
        yield heading  # first: jupyterlab-myst repeats a title that is not
        yield f"*{title}*"
        book = link(title, page) if self.base else f"*{title}*"
        yield (f"This notebook is a page of the book {book}, made from {source}"
               + (f" in {link('its repository', self.repository)}" if self.repository else "")
               + ". It needs the book's environment: the README says how to make it, and `make lab` opens all chapters "
                 "there.")
        if run := NbMetadataCollector.get_exec_data(self.env, self.docname):
            yield (f"It fetches nothing. Its code took {run['runtime']:.0f} seconds on two cores with "
                   "classifiers and experiments at hand. Those that are not in your cache it trains and runs first, "
                   "one to five minutes each; a progress bar says which. *Run it* says how to bring ready ones.")
        yield escaped(f"{self.config.author}, {self.config.copyright}.")
        yield NEW_CELL
        if self.repository:
            folder = self.repository.rstrip("/").rpartition("/")[2].removesuffix(".git")
            yield new_code_cell(INSTALL.format(repository=self.repository, folder=folder).rstrip(),
                                metadata={"tags": ["install"]})

    def write_title(self, node):
        return ""  # written with what it is the title of

    def write_paragraph(self, node):
        text = LINE_START.sub(r"\1\\", self.inline(node))
        if "finding" not in node:
            yield text
        elif isinstance(node.parent, nodes.section):
            check = new_code_cell(CHECK.format(name=node["finding"]), metadata={"tags": ["finding"]})
            yield from (text.rstrip(), check)
        else:  # a list or a quote holds no cell
            yield f"{text.rstrip()} (`{CHECK.format(name=node['finding'])}`)"

    def write_bullet_list(self, node):
        yield from items(("- ", self.blocks(item)) for item in node.children)

    def write_enumerated_list(self, node):
        numbered = enumerate(node.children, node.get("start", 1))
        yield from items((f"{number}. ", self.blocks(item)) for number, item in numbered)

    def write_definition_list(self, node):
        for *terms, definition in node.children:
            yield f"**{', '.join(map(self.inline, terms))}**"
            yield from self.blocks(definition)

    def write_block_quote(self, node):
        yield quoted(self.blocks(node))

    def write_transition(self, node):
        yield "---"

    def write_literal_block(self, node):
        code, language = node.astext().rstrip("\n"), node.get("language", "")
        fence = fence_around(code, 3)
        yield f"{fence}{LANGUAGES.get(language, language)}\n{code}\n{fence}"

    def write_math_block(self, node):
        tex = TEX_COMMENT.sub("", node.astext())
        for outer, inner in ENVIRONMENTS.items():
            tex = re.sub(rf"\\(begin|end)\{{{outer}\*?\}}", rf"\\\1{{{inner}}}", tex)
        tex = re.sub(r"\\(begin|end)\{equation\*?\}", "", tex)
        # as Sphinx: equations below each other
        parts = [part.strip() for part in re.split(r"\n\s*\n", tex) if part.strip()]
        if not node["nowrap"]:
            parts = [rf"\begin{{aligned}}{part}\end{{aligned}}" if r"\\" in part else part for part in parts]
        tex = parts[0] if len(parts) == 1 else r"\begin{aligned}" + "\n\\\\\n".join(parts) + r"\end{aligned}"
        number = self.number("displaymath", node)
        tag = [rf"\tag{{{number}}}"] if number else []
        # The environment changes nothing but this: jupyterlab-myst, which is in the book's environment, adds no number
        # of its own.
        lines = ["$$", r"\begin{equation*}", *tex.split("\n"), *tag, r"\end{equation*}", "$$"]
        # In a quote every line begins with ">", which Jupyter would take for a part of the formula: there it gets one
        # line.
        in_quote = any(isinstance(ancestor, (nodes.Admonition, nodes.block_quote)) for ancestor in ancestors(node))
        yield " ".join(map(str.strip, lines)) if in_quote else "\n".join(lines)

    def write_figure(self, node):
        yield from (NEW_CELL, *self.blocks(node), NEW_CELL)

    def write_caption(self, node):
        kind = {nodes.figure: "figure", nodes.table: "table"}.get(type(node.parent), "code-block")
        label = self.label(kind, node.parent)
        yield (f"**{label}.** " if label else "") + self.inline(node)

    def write_legend(self, node):
        yield from self.blocks(node)

    def write_table(self, node):
        for title in node.findall(nodes.title):
            yield from self.write_caption(title)
        heads = [row for thead in node.findall(nodes.thead) for row in thead]
        body = [row for tbody in node.findall(nodes.tbody) for row in tbody]
        rows = [[self.cell(entry) for entry in row] for row in [*heads, *body]]
        if not heads:
            rows.insert(0, [""] * len(rows[0]))  # Markdown knows no table without a head
        rows.insert(1, [alignment(entry) for entry in body[0]])
        yield "\n".join(f"| {' | '.join(row)} |" for row in rows)

    def cell(self, entry):
        if "morecols" in entry or "morerows" in entry:
            logger.warning("a notebook cannot hold a table with merged cells", location=entry)
        return "<br>".join(" ".join(block.split("\n")) for block in self.blocks(entry)).replace("|", r"\|")

    # --- code --------------------------------------------------------------------------------------------------------

    def write_container(self, node):
        if node.get("nb_element") == "cell_code":
            yield from self.code_up_to(node["cell_index"])
            for caption in node.findall(nodes.caption):  # the page has the figure above it; here the cell makes it
                yield from (NEW_CELL, *self.write_caption(caption), NEW_CELL)
        elif "literal-block-wrapper" in node["classes"]:
            yield from self.blocks(node)
        else:
            logger.warning("a notebook cannot hold a container of the class %s", " ".join(node["classes"]),
                           location=node)

    def code_up_to(self, index):
        """The code cells of the source to this one; a cell that the page leaves out has no node, but it must run."""
        for position in [position for position in self.code if position <= index]:
            cell = self.code.pop(position)
            tags = [tag for tag in cell.metadata.get("tags", []) if tag in TAGS]
            metadata = {"tags": tags} if tags else {}
            if HIDDEN & set(tags):
                metadata["jupyter"] = {"source_hidden": True}
            yield new_code_cell(cell.source, metadata=metadata)

    # --- admonitions, propositions, exercises ------------------------------------------------------------------------

    def write_admonition(self, node):
        first = node[0]
        heading = self.inline(first) if isinstance(first, nodes.title) else type(node).__name__.capitalize()
        yield quoted([f"**{heading}**", *self.blocks(node)])

    write_note = write_tip = write_hint = write_important = write_warning = write_caution = write_admonition
    write_attention = write_danger = write_error = write_seealso = write_admonition

    def write_proposition_node(self, node):
        """A proposition, definition, example ...; "**Proposition 2.1 (Its title).**", then what it says."""
        title, body = node.children
        name = f"{node['realtype'].title()} {self.number(node['countertype'], node)}".strip()
        yield quoted([f"**{' '.join([name, self.inline(title).strip()]).strip()}.**", *self.blocks(body)])

    write_unenumerable_node = write_proposition_node

    def write_proof_node(self, node):
        """sphinx-proof has written "Proof. " before the first sentence already."""
        first, *others = self.blocks(node[0])
        *blocks, last = [first.replace("Proof.", "*Proof.*", 1), *others]
        yield from [*blocks, f"{last} ∎"] if isinstance(node[0][-1], nodes.paragraph) else [*blocks, last, "∎"]

    def write_exercise_enumerable_node(self, node):
        title, body = node.children
        heading = f"{self.label('exercise', node)}{self.inline(title)}"
        yield from (NEW_CELL, f"**{heading}**", *self.blocks(body), NEW_CELL)

    write_exercise_node = write_solution_node = write_exercise_enumerable_node

    # --- nothing to see ----------------------------------------------------------------------------------------------

    def write_compound(self, node):
        yield from self.blocks(node)  # around a table of contents

    def nothing(self, node):
        return ""

    write_comment = write_index = write_meta = write_substitution_definition = write_toctree = nothing


for kind in NODE_TYPES.values():
    setattr(Page, f"write_{kind.__name__}", Page.write_proposition_node)


# --- pieces of Markdown ----------------------------------------------------------------------------------------------


def ancestors(node):
    while node.parent is not None:
        node = node.parent
        yield node


def escaped(text):
    """A dollar needs a tag of its own: JupyterLab looks for formulas again when Markdown has taken backslashes away."""
    return SPECIAL.sub(r"\\\g<0>", text).replace("$", "<span>&#36;</span>")


def link(text, address):
    return f"[{text}]({address.replace('(', '%28').replace(')', '%29')})"


def fence_around(code, least):
    """Backticks, more of them than the code has in a row."""
    return "`" * max([least, *(len(run) + 1 for run in re.findall("`+", code) if len(run) >= least)])


def quoted(blocks):
    lines = "\n\n".join(filter(None, blocks)).split("\n")
    return "\n".join(f"> {line}".rstrip() for line in lines)


def items(found):
    """A list, of pairs of a mark and the blocks that follow it; its blank lines are those that its blocks need."""
    pairs = [(mark, [*filter(None, blocks)]) for mark, blocks in found]
    texts = [mark + indent("\n\n".join(blocks), " " * len(mark)).lstrip() for mark, blocks in pairs]
    yield ("\n\n" if any(len(blocks) > 1 for _, blocks in pairs) else "\n").join(texts)


def alignment(entry):
    return "--:" if "text-right" in entry["classes"] else ":-:" if "text-center" in entry["classes"] else "---"


# --- the extension ---------------------------------------------------------------------------------------------------


def source_of(env, docname):
    return Path(env.doc2path(docname)).read_text(encoding="utf-8")


def file_of(app, docname):
    return Path(app.outdir) / "notebooks" / f"{short_name(docname)}.ipynb"


def write_notebook(app, doctree, docname):
    """Sphinx calls this for each page that it writes: a page that has not changed keeps its notebook."""
    source = source_of(app.env, docname)
    if app.builder.name == "html" and is_myst_markdown_notebook(source):
        notebook = Page(app, docname, source).notebook(doctree)
        with whole_file(file_of(app, docname)) as temporary:
            temporary.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def pages_without_notebook(app, env):
    """Pages to be written although they have not changed: their notebook is missing, or older than this file."""
    if app.builder.name != "html":
        return []
    pages = [page for page in sorted(env.found_docs) if is_myst_markdown_notebook(source_of(env, page))]
    written = Path(__file__).stat().st_mtime
    return [page for page in pages if not file_of(app, page).is_file() or file_of(app, page).stat().st_mtime < written]


def setup(app):
    app.connect("env-updated", pages_without_notebook)
    app.connect("doctree-resolved", write_notebook, priority=900)  # when the other extensions have done their part
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
