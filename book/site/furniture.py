"""What stands around the text of a page: buttons, icon, preview, citation; and what can be taken away from the book.

Loaded through `_config.yml`. The address of the repository is written there, and nowhere else. Everything that needs an
address is made from it, and is absent without it.
"""

import csv
import io
import re
import shutil
import textwrap
import unicodedata
import zipfile
from datetime import datetime
from html import escape
from pathlib import Path, PurePosixPath
from urllib.parse import quote
from xml.etree import ElementTree

import yaml
from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

from lib.storage import whole_file

PDF, ZIP = "which-words-matter.pdf", "which-words-matter.zip"
THEME_BUTTONS = ("use_repository_button", "use_edit_page_button", "use_issues_button")
PICTURE = "introduction.png"
PICTURE_ALT = ("A film review, twice. Left: words coloured by sensitivity analysis, which has no sign. "
               "Right: the same words coloured by SignedGI, which tells support from opposition.")

WORDS_A_MINUTE = 200  # read with a pencil in hand

# --- addresses -------------------------------------------------------------------------------------------------------


def github(config) -> tuple[str, str] | None:
    """Owner and name of the repository, or None if it has no address or is not on GitHub."""
    found = re.fullmatch(r"https://github\.com/([^/]+)/([^/]+)", config.html_theme_options.get("repository_url", ""))
    return found and (found[1], found[2])


def settle_addresses(app, config):
    """Derive from the address of the repository the theme's buttons and, unless it is given, the address of the site."""
    config.html_theme_options = options = dict(config.html_theme_options)  # not Sphinx's default, which books would share
    options["repository_url"] = re.sub(r"(\.git)?/*$", "", options.get("repository_url") or "")
    for button in THEME_BUTTONS:
        options[button] = bool(options["repository_url"])
    if github(config) and not config.html_baseurl:
        owner, name = github(config)
        config.html_baseurl = f"https://{owner}.github.io/{name}"
    if config.html_baseurl:
        config.html_baseurl = config.html_baseurl.rstrip("/") + "/"


# --- buttons ---------------------------------------------------------------------------------------------------------


def notebook(env, pagename) -> str | None:
    """Where the site, and the branch `notebooks`, keep the page as a notebook. None for a page without code."""
    if "kernelspec" in env.metadata[pagename]:
        return f"notebooks/{PurePosixPath(pagename).name}.ipynb"


def add_buttons(app, pagename, templatename, context, doctree):
    """Put the notebook among the theme's downloads, and Colab and Binder before them.

    The theme can make such buttons too, but they would open the page's Markdown instead of a notebook.
    """
    if doctree is None:
        return
    path, buttons = notebook(app.env, pagename), context["header_buttons"]
    for group in buttons:
        if group["label"] == "download-buttons":
            group["buttons"] = downloads_of_page(group["buttons"], path and context["pathto"](path, 1))
    if path and github(app.config):
        buttons.insert(0, launch_buttons(*github(app.config), path))


def downloads_of_page(buttons, notebook_url) -> list[dict]:
    """The theme's buttons with names that say what they do, after a button for the notebook if there is one."""
    names = {"download-source-button": "Source (.md)", "download-pdf-button": "Print"}
    ours = [{**button, "text": names[button["label"]]} for button in buttons if button["label"] in names]
    for button in ours:
        if button["text"] == "Print":  # the book as a PDF is another thing: see the page of downloads
            button |= {"tooltip": "Print this page", "icon": "fas fa-print"}
    if notebook_url:
        ours.insert(0, link("Notebook (.ipynb)", notebook_url, "Download this page as a notebook", "fas fa-code",
                            label="download-notebook-button"))
    return ours


def launch_buttons(owner, name, path) -> dict:
    """Colab and Binder, on the branch to which each build of the main branch writes the notebooks."""
    repository = f"{quote(owner)}/{quote(name)}"
    colab = f"https://colab.research.google.com/github/{repository}/blob/notebooks/{quote(path)}"
    binder = f"https://mybinder.org/v2/gh/{repository}/notebooks?urlpath=lab/tree/{quote(path)}"
    return {"type": "group", "tooltip": "Run this page", "icon": "fas fa-rocket", "label": "launch-buttons", "buttons": [
        link("Colab", colab, "Run this page on Colab", "_static/images/logo_colab.png"),
        link("Binder", binder, "Run this page on Binder", "_static/images/logo_binder.svg"),
    ]}


def link(text, url, tooltip, icon, **more) -> dict:
    return {"type": "link", "text": text, "url": url, "tooltip": tooltip, "icon": icon, **more}


# --- what others see of a page ---------------------------------------------------------------------------------------


def add_metadata(app, pagename, templatename, context, doctree):
    """Icons for browsers; title, description and picture for search engines and for links shown elsewhere."""
    icon = context["pathto"]("_static/icon.png", 1)
    tags = [f'<link rel="icon" type="image/png" sizes="180x180" href="{icon}" />',
            f'<link rel="apple-touch-icon" href="{icon}" />']
    if doctree is not None:
        tags += [meta_tag(name, text) for name, text in metadata(app, pagename, doctree).items()]
    context["metatags"] = "\n    ".join([context.get("metatags", ""), *tags])
    if pagename == "search":
        app.add_js_file("search.js")


def metadata(app, pagename, doctree) -> dict[str, str]:
    about = description(doctree) or app.config.furniture_citation["title"]
    tags = {
        "description": about,
        "og:type": "article",
        "og:site_name": app.config.html_title,
        "og:title": app.env.titles[pagename].astext(),
        "og:description": about,
        "twitter:card": "summary",
    }
    if app.config.html_baseurl:  # the protocol knows only absolute addresses
        tags |= {
            "og:url": address(app, pagename),
            "og:image": f"{app.config.html_baseurl}_static/{PICTURE}",
            "og:image:alt": PICTURE_ALT,
            "twitter:image:alt": PICTURE_ALT,
            "twitter:card": "summary_large_image",
        }
    return tags


def meta_tag(name, text) -> str:
    kind = "property" if name.startswith("og:") else "name"
    return f'<meta {kind}="{name}" content="{escape(text)}" />'


def description(doctree) -> str:
    """The first paragraph of prose, without its run-in heading, cut after a word if it is long. Outputs are no prose."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section | nodes.Admonition):
            start = next(part for part in paragraph if part.astext())
            heading = start.astext() if isinstance(start, nodes.strong) else ""
            return textwrap.shorten(paragraph.astext().removeprefix(heading), 200, placeholder=" …")
    return ""


def address(app, pagename) -> str:
    """The page's own address, or "" if that of the site is not known."""
    return app.config.html_baseurl and app.config.html_baseurl + app.builder.get_target_uri(pagename)


# --- how to cite a page ----------------------------------------------------------------------------------------------


def read_citation(app, config):
    """Keep CITATION.cff as a configuration value, so that Sphinx writes all pages again when it changes."""
    config.furniture_citation = yaml.safe_load((Path(app.srcdir) / "CITATION.cff").read_text(encoding="utf-8"))


def add_citation(app, pagename, templatename, context, doctree):
    if doctree is None:
        return
    book, title = app.config.furniture_citation, app.env.titles[pagename].astext()
    year = re.search(r"\d{4}", f"{book.get('date-released', '')} {app.config.copyright}")[0]
    if pagename == app.config.root_doc:
        title = None  # the first page stands for the whole book
    url = address(app, pagename)
    code = app.builder.highlighter.highlight_block(bibtex(book, title, year, url, pagename), "text")
    context["body"] += f"""
<details class="cite-this-page d-print-none">
<summary>Cite this page</summary>
<p>{escape(plain_citation(book, title, year, url))}</p>
<div class="highlight-text notranslate">{code}</div>
</details>
"""


def plain_citation(book, title, year, url) -> str:
    names = "; ".join(person_name(person) for person in book["authors"])
    start = f"{names} ({year}). " + (f"{title}{'' if title[-1] in '.?!' else '.'} In: " if title else "")
    return f"{start}{book['title']}. Version {book['version']}. {url}".strip()


def bibtex(book, title, year, url, pagename) -> str:
    names = " and ".join(bibtex_name(person) for person in book["authors"])
    titles = {"title": title, "booktitle": book["title"]} if title else {"title": book["title"]}
    fields = {"author": names} | {name: f"{{{bibtex_text(text)}}}" for name, text in titles.items()}
    fields |= {"year": year, "note": f"Version {bibtex_text(str(book['version']))}"}
    if url:
        fields["url"] = url
    key = f"which-words-matter-{PurePosixPath(pagename).name}" if title else "which-words-matter"
    lines = [f"  {name:9} = {{{text}}}" for name, text in fields.items()]
    return f"@{'incollection' if title else 'book'}{{{key},\n" + ",\n".join(lines) + "\n}"


def person_name(person) -> str:
    """A person as "Family, Given"; a group as it is called."""
    return person.get("name") or ", ".join(filter(None, [person.get("family-names"), person.get("given-names")]))


def bibtex_name(person) -> str:
    name = bibtex_text(person_name(person))
    return f"{{{name}}}" if "name" in person else name  # braces: a group has no first name


def bibtex_text(text) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return re.sub(r"[\\~^&%$#_{}]", lambda found: special.get(found[0], f"\\{found[0]}"), text)


# --- search ----------------------------------------------------------------------------------------------------------


def add_greek_letters(app, doctree):
    """Make a page with \\rho in a formula one that the search finds under ρ: Sphinx indexes keywords with the text."""
    formulas = " ".join(node.astext() for node in doctree.findall() if isinstance(node, nodes.math | nodes.math_block))
    letters = sorted(set(filter(None, map(greek_letter, re.findall(r"\\([A-Za-z]+)", formulas)))))
    if letters:
        doctree.append(nodes.meta(name="keywords", content=", ".join(letters)))


def greek_letter(command) -> str | None:
    """The letter that a command of LaTeX stands for: "rho" and "varrho" are ρ, "Delta" is Δ, "frac" is none."""
    name = command.removeprefix("var").replace("lambda", "lamda").replace("Lambda", "Lamda")  # as Unicode spells it
    try:
        return unicodedata.lookup(f"GREEK {'CAPITAL' if name[:1].isupper() else 'SMALL'} LETTER {name}")
    except KeyError:
        return None


# --- tables of what the build made -----------------------------------------------------------------------------------


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
    paragraphs = [paragraph for paragraph in doctree.findall(nodes.paragraph) if not isinstance(paragraph.parent, nodes.entry)]
    words = sum(len(paragraph.astext().split()) for paragraph in paragraphs)  # a table is looked at, not read
    text = f" About {max(1, round(words / WORDS_A_MINUTE))} minutes to read."
    if run := NbMetadataCollector.get_exec_data(app.env, docname):
        text += f" Its code took {run['runtime']:.0f} seconds when this page was made."
    return nodes.paragraph("", "", nodes.strong("", "Time."), nodes.Text(text))


def run_table(app, here):
    """When each page with code ran, for how long, and how it ended: what MyST-NB knows, in words."""
    rows = []
    for page in app.env.collect_relations():  # in reading order
        if run := NbMetadataCollector.get_exec_data(app.env, page):
            rows.append([page_node(app, here, page), f"{datetime.fromtimestamp(run['mtime']):%Y-%m-%d}", f"{run['runtime']:.1f}",
                         "ran to the end" if run["succeeded"] else "failed"])
    return table_node(["Page", "Date", "Seconds", "Status"], rows)


def book_table(app, here):
    rows = [[file_node(here, f"downloads/{ZIP}"), "All pages. Unpack it and open index.html: no server is needed."]]
    if pdf(app).is_file():
        rows.append([file_node(here, f"downloads/{PDF}"), f"All chapters for paper ({size(pdf(app).stat().st_size)})."])
    return table_node(["File", "What it is"], rows)


def notebook_table(app, here):
    found = ((page, notebook(app.env, page)) for page in app.env.collect_relations())
    return table_node(["Page", "Notebook"], [[page_node(app, here, page), file_node(here, path)] for page, path in found if path])


def result_table(app, here):
    rows = []
    for name, text in reference_tables(app).items():
        head, *body = csv.reader(io.StringIO(text, newline=""))
        rows.append([file_node(here, f"downloads/{name}"), f"{len(body):,}", size(len(text.encode())), ", ".join(head)])
    return table_node(["Table", "Rows", "Size", "Columns"], rows)


TABLES = {"runs": run_table, "book": book_table, "notebooks": notebook_table, "results": result_table}


def reference_tables(app) -> dict[str, str]:
    """The tables by file name. The results, kept a file a cell, are one table: the first head, and all that is below."""
    folder = Path(app.srcdir) / "lib" / "results"
    tables = {path.name: read(path) for path in sorted((folder / "timings").glob("*.csv"))}
    cells = [read(path).splitlines(keepends=True) for path in sorted((folder / "tables").glob("*.csv"))]
    if cells:
        tables["results.csv"] = "".join(cells[0][:1] + [line for lines in cells for line in lines[1:]])
    return tables


def read(path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def pdf(app) -> Path:
    """Where `make pdf` writes the book. It is part of the site if it is there when the site is built."""
    return Path(app.outdir).parent / PDF


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


# --- when all pages are written --------------------------------------------------------------------------------------


def finish(app, exception):
    """Write what is made from the whole site. Runs last, because the zip contains what others write."""
    if exception is None and app.builder.name == "html":
        site = Path(app.outdir)
        write_sitemap(app, site)
        copy_downloads(app, site / "downloads")
        write_zip(site, site / "downloads" / ZIP)


def write_sitemap(app, site):
    """The pages for search engines, if the address of the site is known."""
    sitemap, robots, base = site / "sitemap.xml", site / "robots.txt", app.config.html_baseurl
    if not base:
        sitemap.unlink(missing_ok=True)
        robots.unlink(missing_ok=True)
        return
    urlset = ElementTree.Element("urlset", xmlns="http://www.sitemaps.org/schemas/sitemap/0.9")
    for page in app.env.collect_relations():
        ElementTree.SubElement(ElementTree.SubElement(urlset, "url"), "loc").text = address(app, page)
    ElementTree.ElementTree(urlset).write(sitemap, encoding="utf-8", xml_declaration=True)
    robots.write_text(f"User-agent: *\nAllow: /\n\nSitemap: {base}sitemap.xml\n", encoding="utf-8")


def copy_downloads(app, folder):
    """Copy the tables and, if there is one, the PDF; remove those of earlier builds."""
    tables, printed = reference_tables(app), list(filter(Path.is_file, [pdf(app)]))
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        if old.name not in {ZIP, *tables, *(source.name for source in printed)}:
            old.unlink()
    for name, text in tables.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    for source in printed:
        shutil.copyfile(source, folder / source.name)


def write_zip(site, target):
    """Pack the site below one folder, without hidden files. The same site gives the same bytes."""
    paths = sorted(path.relative_to(site) for path in site.rglob("*") if path.is_file() and path != target)
    with whole_file(target) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for path in paths:
            if any(part.startswith(".") or part == "__pycache__" for part in path.parts):
                continue
            entry = zipfile.ZipInfo(f"{target.stem}/{path.as_posix()}")  # its date is 1 January 1980
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, (site / path).read_bytes())


def setup(app):
    app.add_config_value("furniture_citation", {}, "html")
    app.connect("config-inited", settle_addresses)
    app.connect("config-inited", read_citation)
    app.add_node(PendingTable)
    app.add_directive("book-table", BookTable)
    app.add_directive("reading-time", ReadingTime)
    app.connect("doctree-read", add_greek_letters)
    app.connect("doctree-resolved", fill_tables)
    app.connect("html-page-context", add_buttons, priority=510)  # after the theme's own, which have 501
    app.connect("html-page-context", add_metadata)
    app.connect("html-page-context", add_citation)
    app.connect("build-finished", finish, priority=900)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
