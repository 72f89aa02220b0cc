"""How to cite a page: a sentence and BibTeX at its end, made from CITATION.cff."""

import re
from html import escape
from pathlib import Path

import yaml

from .addresses import address, short_name


def read_citation(app, config):
    """Keep CITATION.cff as a configuration value, so that Sphinx writes all pages again when it changes.

    Authors and DOI stand there and nowhere else; the foot of a page names the same authors.
    """
    config.furniture_citation = yaml.safe_load((Path(app.srcdir) / "CITATION.cff").read_text(encoding="utf-8"))
    config.author = "; ".join(map(person_name, config.furniture_citation["authors"]))


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
    where = f"https://doi.org/{book['doi']}" if "doi" in book else url
    return f"{start}{book['title']}. Version {book['version']}. {where}".strip()


def bibtex(book, title, year, url, pagename) -> str:
    names = " and ".join(bibtex_name(person) for person in book["authors"])
    titles = {"title": title, "booktitle": book["title"]} if title else {"title": book["title"]}
    fields = {"author": names} | {name: f"{{{bibtex_text(text)}}}" for name, text in titles.items()}
    fields |= {"year": year, "note": f"Version {bibtex_text(str(book['version']))}"}
    if "doi" in book:
        fields["doi"] = book["doi"]
    if url:
        fields["url"] = url
    key = f"which-words-matter-{short_name(pagename)}" if title else "which-words-matter"
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


def setup(app):
    app.add_config_value("furniture_citation", {}, "html")
    app.connect("config-inited", read_citation)
    app.connect("html-page-context", add_citation)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
