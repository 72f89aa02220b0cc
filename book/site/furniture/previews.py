"""What others see of a page: icons for browsers; title, description and picture where a link to it is shown.

sphinxext-opengraph writes such tags too, but also a relative `og:url` where the site has no address, and descriptions
that begin with a run-in heading or with what code printed.
"""

import textwrap
from html import escape

from docutils import nodes

from .addresses import address

PICTURE = "introduction.png"
PICTURE_ALT = ("A film review, twice. Left: words coloured by sensitivity analysis, which has no sign. "
               "Right: the same words coloured by SignedGI, which tells support from opposition.")


def add_metadata(app, pagename, templatename, context, doctree):
    icon = context["pathto"]("_static/icon.png", 1)
    tags = [f'<link rel="icon" type="image/png" sizes="180x180" href="{icon}" />',
            f'<link rel="apple-touch-icon" href="{icon}" />']
    if doctree is not None:
        tags += [meta_tag(name, text) for name, text in metadata(app, pagename, doctree).items()]
    context["metatags"] = "\n    ".join([context.get("metatags", ""), *tags])


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
    """The first paragraph of prose (no output), without its run-in heading, cut after a word if it is long."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section | nodes.Admonition):
            start = next(part for part in paragraph if part.astext())
            heading = start.astext() if isinstance(start, nodes.strong) else ""
            return textwrap.shorten(paragraph.astext().removeprefix(heading), 200, placeholder=" …")
    return ""


def setup(app):
    app.connect("html-page-context", add_metadata)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
