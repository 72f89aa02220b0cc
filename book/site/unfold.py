"""A finding in a notebook is its sentence, and one line that checks it: in downloads, and in JupyterLab.

JupyterLab opens a chapter by way of :class:`Chapters`, which `book.make.lab` names in the server's settings: a finding
is unfolded into two cells when a chapter is opened, and folded back when it is saved, so the file stays what it was.
"""

import re
from collections.abc import Iterable, Iterator

from jupytext.async_contentsmanager import AsyncTextFileContentsManager
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

CHECK = 'from book.paper import finding; finding("{name}")'
FINDING = re.compile(r"^(?P<fence>`{3,}|:{3,})\{finding\}[ \t]*(?P<name>\S+)[ \t]*\n(?P<body>.*?)\n?^(?P=fence)[ \t]*$",
                     re.MULTILINE | re.DOTALL)


def unfolded(cells: Iterable[NotebookNode]) -> Iterator[NotebookNode]:
    """The cells of a chapter, with each finding in its Markdown as two cells of its own."""
    for number, cell in enumerate(cells):
        if cell.cell_type == "markdown" and FINDING.search(cell.source):
            yield from _pieces(cell, number)
        else:
            yield cell


def _pieces(cell: NotebookNode, number: int) -> Iterator[NotebookNode]:
    """Text, sentence, check, text ...; each knows which cell it is a piece of."""
    end = 0
    for found in [*FINDING.finditer(cell.source), None]:
        text = cell.source[end:found.start() if found else None].strip("\n")
        if text:
            yield new_markdown_cell(text, metadata={**cell.metadata, "piece_of": number})
        if found:
            about = {"finding": found["name"], "fence": found["fence"], "piece_of": number}
            yield new_markdown_cell(found["body"], metadata={**cell.metadata, **about})
            yield new_code_cell(CHECK.format(name=found["name"]), metadata={"checks_finding": found["name"]})
            end = found.end()


def folded(cells: Iterable[NotebookNode]) -> list[NotebookNode]:
    """The cells as the chapter has them: checks are gone, and what was one cell is one again."""
    whole: list[NotebookNode] = []
    before = None  # the cell that the last one is a piece of
    for cell in cells:
        metadata = {**cell["metadata"]}
        if "checks_finding" in metadata:
            continue
        number, name, fence = (metadata.pop(key, None) for key in ("piece_of", "finding", "fence"))
        text = f"{fence}{{finding}} {name}\n{cell['source']}\n{fence}" if name else cell["source"]
        if number is None:
            whole.append(cell)
        elif number == before:
            whole[-1]["source"] += f"\n\n{text}"
        else:
            whole.append(NotebookNode(cell, source=text, metadata=NotebookNode(metadata)))
        before = number
    return whole


class Chapters(AsyncTextFileContentsManager):
    """Jupytext's way of opening Markdown as notebooks, in which findings can be read and checked."""

    async def get(self, path, *args, **options):
        model = await super().get(path, *args, **options)
        if model["type"] == "notebook" and model["content"] is not None and path.endswith(".md"):
            model["content"].cells = list(unfolded(model["content"].cells))
        return model

    async def save(self, model, path=""):
        if model["type"] == "notebook" and model.get("content") and path.endswith(".md"):
            content = {**model["content"], "cells": folded(model["content"]["cells"])}
            model = {**model, "content": content}
        return await super().save(model, path)
