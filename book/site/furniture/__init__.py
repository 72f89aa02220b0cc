"""What stands around the text of a page, and what can be taken away from the book; one idea a file.

Loaded through `_config.yml`. The address of the repository is written there, and nowhere else. Everything that needs an
address is made from it, and is absent without it.
"""

PARTS = ("addresses", "buttons", "previews", "citation", "search", "tables", "downloads")


def setup(app):
    for part in PARTS:
        app.setup_extension(f"{__name__}.{part}")
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
