"""Tables of what the build made, and how long a page takes: filled in when all pages have been read."""

import csv
import io
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import quote

from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

from .addresses import notebook
from .downloads import PDF, ZIP, pdf, reference_tables

WORDS_A_MINUTE, LINES_A_MINUTE = 200, 20  # read with a pencil in hand


class PendingTable(nodes.General, nodes.Element):
    """Stands where a table will be, until all pages have been read."""


class ReadingTime(SphinxDirective):
    """How long the page takes to read and to run: ``{reading-time}``."""

    def run(self):
        self.env.note_reread()  # the time to run is known when the page has been read
        return [PendingTable(kind="time")]


class BookTable(SphinxDirective):
    """One of the tables below: ``{book-table} runs``, ``book``, ``notebooks`` or ``results``."""

    required_arguments = 1

    def run(self):
        if self.arguments[0] not in TABLES:
            raise self.error(f"There is no book-table {self.arguments[0]}, only {', '.join(TABLES)}.")
        self.env.note_reread()  # what the table shows may change though the page does not
        return [PendingTable(kind=self.arguments[0])]


def fill_tables(app, doctree, docname):
    here = app.builder.get_target_uri(docname)
    for node in list(doctree.findall(PendingTable)):
        node.replace_self(times(app, doctree, docname) if node["kind"] == "time" else TABLES[node["kind"]](app, here))


def times(app, doctree, docname):
    """About how long the prose takes, and what the last run of the code took."""
    paragraphs = [paragraph for paragraph in doctree.findall(nodes.paragraph)
                  if not isinstance(paragraph.parent, nodes.entry)]
    words = sum(len(paragraph.astext().split()) for paragraph in paragraphs)  # a table is looked at, not read
    lines = sum(len(block.astext().splitlines()) for block in doctree.findall(nodes.literal_block) if is_code(block))
    text = f" About {max(1, round(words / WORDS_A_MINUTE + lines / LINES_A_MINUTE))} minutes to read."
    if run := NbMetadataCollector.get_exec_data(app.env, docname):
        text += f" Its code took {run['runtime']:.0f} seconds when this page was made."
    return nodes.paragraph("", "", nodes.strong("", "Time."), nodes.Text(text))


def is_code(block) -> bool:
    """Whether a block is code that is shown: not what it printed, and not folded away."""
    parents = []
    while (block := block.parent) is not None:
        parents += block.get("classes", []) if isinstance(block, nodes.Element) else []
    return "cell_input" in parents and not {"tag_hide-input", "tag_hide-cell"} & set(parents)


def run_table(app, here):
    """When each page with code ran, for how long, and how it ended: what MyST-NB knows, in words."""
    rows = []
    for page in app.env.collect_relations():  # in reading order
        if run := NbMetadataCollector.get_exec_data(app.env, page):
            rows.append([page_node(app, here, page), f"{datetime.fromtimestamp(run['mtime']):%Y-%m-%d}",
                         f"{run['runtime']:.1f}",
                         "ran to the end" if run["succeeded"] else "failed"])
    return table_node(["Page", "Date", "Seconds", "Status"], rows)


def book_table(app, here):
    rows = [[file_node(here, f"downloads/{ZIP}"), "All pages. Unpack it and open index.html: no server is needed."]]
    if pdf(app).is_file():
        rows.append([file_node(here, f"downloads/{PDF}"), f"All chapters for paper ({size(pdf(app).stat().st_size)})."])
    return table_node(["File", "What it is"], rows)


def notebook_table(app, here):
    found = ((page, notebook(app.env, page)) for page in app.env.collect_relations())
    return table_node(["Page", "Notebook"], [[page_node(app, here, page), file_node(here, path)] for page, path in found
                                             if path])


def result_table(app, here):
    rows = []
    for name, text in reference_tables(app).items():
        head, *body = csv.reader(io.StringIO(text, newline=""))
        rows.append([file_node(here, f"downloads/{name}"), f"{len(body):,}", size(len(text.encode())), ", ".join(head)])
    return table_node(["Table", "Rows", "Size", "Columns"], rows)


TABLES = {"runs": run_table, "book": book_table, "notebooks": notebook_table, "results": result_table}


def size(in_bytes) -> str:
    kilobytes = in_bytes / 1000
    return f"{kilobytes / 1000:.1f} MB" if kilobytes >= 1000 else f"{kilobytes:.1f} kB"


def table_node(head, rows):
    """A docutils table. A cell is a text or a node."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in head), cols=len(head))
    group += [nodes.thead("", row_node(head)), nodes.tbody("", *map(row_node, rows))]
    return nodes.table("", group, classes=["colwidths-auto"])


def row_node(cells):
    cells = (nodes.Text(cell) if isinstance(cell, str) else cell for cell in cells)
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))


def page_node(app, here, page):
    """A link to a page, which is named by its title."""
    return link_node(app.env.titles[page].astext(), relative_uri(here, app.builder.get_target_uri(page)))


def file_node(here, path):
    """A link to a file of the site, which is named by its file name."""
    return link_node(PurePosixPath(path).name, relative_uri(here, quote(path)))


def link_node(text, uri):
    return nodes.reference("", "", nodes.Text(text), refuri=uri, internal=True)


def setup(app):
    app.add_node(PendingTable)
    app.add_directive("book-table", BookTable)
    app.add_directive("reading-time", ReadingTime)
    app.connect("doctree-resolved", fill_tables)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
