"""The address of the site and of the repository, and where a page's notebook lies."""

import re
from pathlib import PurePosixPath

THEME_BUTTONS = ("use_repository_button", "use_edit_page_button", "use_issues_button")


def github(config) -> tuple[str, str] | None:
    """Owner and name of the repository, or None if it has no address or is not on GitHub."""
    found = re.fullmatch(r"https://github\.com/([^/]+)/([^/]+)", config.html_theme_options.get("repository_url", ""))
    return found and (found[1], found[2])


def settle_addresses(app, config):
    """Derive from the repository's address the theme's buttons and, unless it is given, the address of the site."""
    config.html_theme_options = options = dict(config.html_theme_options)  # Sphinx's default is shared by all books
    options["repository_url"] = re.sub(r"(\.git)?/*$", "", options.get("repository_url") or "")
    for button in THEME_BUTTONS:
        options[button] = bool(options["repository_url"])
    if github(config) and not config.html_baseurl:
        owner, name = github(config)
        config.html_baseurl = f"https://{owner}.github.io/{name}"
    if config.html_baseurl:
        config.html_baseurl = config.html_baseurl.rstrip("/") + "/"


def address(app, pagename) -> str:
    """The page's own address, or "" if that of the site is not known."""
    return app.config.html_baseurl and app.config.html_baseurl + app.builder.get_target_uri(pagename)


def short_name(pagename) -> str:
    """What a file made from a page is called: "aopc" for chapters/aopc, "aopc-orders" for chapters/aopc/orders."""
    return "-".join(PurePosixPath(pagename).parts[1:]) or pagename


def notebook(env, pagename) -> str | None:
    """Where the site, and the branch `notebooks`, keep the page as a notebook. None for a page without code."""
    if "kernelspec" in env.metadata[pagename]:
        return f"notebooks/{short_name(pagename)}.ipynb"


def setup(app):
    app.connect("config-inited", settle_addresses)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
