"""The buttons in the header of a page: the notebook among the theme's downloads, and Colab and Binder before them.

The theme can make such buttons too, but they would open the page's Markdown instead of a notebook.
"""

from urllib.parse import quote

from .addresses import github, notebook


def add_buttons(app, pagename, templatename, context, doctree):
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
    buttons = [link("Colab", colab, "Run this page on Colab", "_static/images/logo_colab.png"),
               link("Binder", binder, "Run this page on Binder", "_static/images/logo_binder.svg")]
    return {"type": "group", "tooltip": "Run this page", "icon": "fas fa-rocket", "label": "launch-buttons",
            "buttons": buttons}


def link(text, url, tooltip, icon, **more) -> dict:
    return {"type": "link", "text": text, "url": url, "tooltip": tooltip, "icon": icon, **more}


def setup(app):
    app.connect("html-page-context", add_buttons, priority=510)  # after the theme's own, which have 501
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
