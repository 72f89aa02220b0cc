"""What the search finds beside words: a page with \\rho in a formula is found under ρ."""

import re
import unicodedata

from docutils import nodes


def add_greek_letters(app, doctree):
    """Give a page the Greek letters of its formulas as keywords, which Sphinx indexes with the text."""
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


def add_script(app, pagename, templatename, context, doctree):
    if pagename == "search":
        app.add_js_file("search.js")


def setup(app):
    app.connect("doctree-read", add_greek_letters)
    app.connect("html-page-context", add_script)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
