"""A small Sphinx extension of this book: findings, which a person wrote and code asserts.

    ```{finding} sa-raw-below-random
    Where its scores are not constant, SA raw falls below Random, by up to 0.18.
    ```

The sentence is about the reference; its predicate stands under the same name in `book.paper.findings`, and a test
asserts it. The mark behind it says whether this build agrees. It is filled in when Sphinx writes the page, from results
that are in the cache; results that changed write the page anew, without running it.

The links of tables that code writes as HTML (`book.paper.Verdicts`) are corrected here, too, for the page's own folder.
"""

from functools import cache

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

REPORT = "book/report"
WRITTEN = 'href="../book/report.html#'  # as a page in the folder of the chapters has it

logger = logging.getLogger(__name__)


class PendingMark(nodes.Inline, nodes.Element):
    """Where the mark of a finding will stand; not part of any page that is written."""


class FindingDirective(SphinxDirective):
    """The sentence in the body, and the place of its mark."""

    required_arguments = 1
    has_content = True

    def run(self):
        from book.paper.findings import FINDINGS

        name = self.arguments[0]
        if name not in FINDINGS:
            raise self.error(f"There is no finding {name!r} in book/paper/findings.py.")
        holder = nodes.container(classes=["finding"])
        self.state.nested_parse(self.content, self.content_offset, holder)
        if len(holder) != 1 or not isinstance(holder[0], nodes.paragraph):
            raise self.error(f"The finding {name!r} is {len(holder)} blocks of text: write one paragraph.")
        sentence = holder[0]
        sentence["classes"].append("finding")
        sentence["finding"] = name
        sentence += [nodes.Text(" "), PendingMark(name=name)]
        found_on(self.env).setdefault(self.env.docname, []).append(name)
        return [sentence]


# --- what the environment keeps -------------------------------------------------------------------------------------


def found_on(env) -> dict[str, list[str]]:
    """Page -> names of its findings."""
    return env.__dict__.setdefault("findings_found_on", {})


def marks_on(env) -> dict[str, list[str]]:
    """Page -> the marks that it was last written with."""
    return env.__dict__.setdefault("findings_marks_on", {})


def forget_page(app, env, docname):
    found_on(env).pop(docname, None)


def merge(app, env, docnames, other):
    found_on(env).update({name: names for name, names in found_on(other).items() if name in docnames})


# --- marks ----------------------------------------------------------------------------------------------------------


@cache
def build():
    """The results of this build that are in the cache, read once."""
    from book.paper.findings import of_this_build

    return of_this_build()


def mark(name: str) -> str:
    from book.paper import findings

    return findings.mark(name, build())


def pages_with_other_marks(app, env):
    """Pages that Sphinx must write although they have not changed: a mark on them has."""
    build.cache_clear()  # pages that ran just now may have computed more
    marks = {page: [mark(name) for name in names] for page, names in found_on(env).items()}
    changed = [page for page, several in marks.items() if marks_on(env).get(page) != several]
    env.findings_marks_on = marks
    return changed


def fill_marks(app, doctree, docname):
    from book.paper.findings import FINDINGS

    for pending in list(doctree.findall(PendingMark)):
        name = pending["name"]
        shown = nodes.inline("", f"({mark(name)}", classes=["finding-mark"])
        if REPORT in app.env.found_docs:
            address = f"{app.builder.get_relative_uri(docname, REPORT)}#{FINDINGS[name].numbers}"
            shown += [nodes.Text("; "), nodes.reference("", "numbers", internal=True, refuri=address)]
        shown += nodes.Text(")")
        pending.replace_self(shown)


def correct_links(app, doctree, docname):
    """From HTML that knows no page to the address that leads from this page to the report."""
    if app.builder.format != "html":
        return
    for node in list(doctree.findall(nodes.raw)):
        if WRITTEN in node.astext():
            report = app.builder.get_relative_uri(docname, REPORT)
            text = node.astext().replace(WRITTEN, f'href="{report}#')
            node.replace_self(nodes.raw(text, text, format=node["format"]))


def setup(app):
    app.add_node(PendingMark)
    app.add_directive("finding", FindingDirective)
    app.connect("env-purge-doc", forget_page)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", pages_with_other_marks)
    app.connect("doctree-resolved", fill_marks)
    app.connect("doctree-resolved", correct_links)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
