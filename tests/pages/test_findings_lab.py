"""In JupyterLab a finding is a sentence and a line that checks it, and the file stays as it was."""

import asyncio
import json
import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from book.make import lab
from book.site import unfold

CHAPTER = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
    format_version: 0.13
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A chapter

Before.

```{finding} norms-overlap
The norms *overlap*, as 2 < 3.
```

Between.

:::{finding} agreement-strong
They agree,
in two lines.
:::

```{code-cell} ipython3
1 + 1
```

```{finding} sa-raw-below-random
First in its cell.
```

The end.
"""


class Chapter:
    """A file with one chapter, opened and saved as JupyterLab does."""

    def __init__(self, folder):
        self.file = folder / "one.md"
        self.file.write_text(CHAPTER, encoding="utf-8")
        self.manager = unfold.Chapters(root_dir=str(folder))

    def open(self, **options):
        return asyncio.run(self.manager.get("one.md", **({"type": "notebook"} | options)))

    def write(self, model):
        asyncio.run(self.manager.save(model, "one.md"))


@pytest.fixture
def chapter(tmp_path):
    return Chapter(tmp_path)


def sources(model):
    return [(cell["cell_type"], cell["source"]) for cell in model["content"]["cells"]]


def check(name):
    return "code", f'from book.paper import finding; finding("{name}")'


def test_a_finding_is_a_sentence_and_a_line(chapter):
    assert sources(chapter.open()) == [
        ("markdown", "# A chapter\n\nBefore."), ("markdown", "The norms *overlap*, as 2 < 3."), check("norms-overlap"),
        ("markdown", "Between."), ("markdown", "They agree,\nin two lines."), check("agreement-strong"),
        ("code", "1 + 1"), ("markdown", "First in its cell."), check("sa-raw-below-random"), ("markdown", "The end.")]


def test_what_is_opened_and_saved_stays_the_same_file(chapter):
    model = chapter.open()
    for cell in model["content"]["cells"]:
        if cell["cell_type"] == "code":  # run, and with an output
            cell["execution_count"] = 3
    sent = {"type": "notebook", "format": "json", "content": json.loads(json.dumps(model["content"]))}
    chapter.write(sent)
    saved = re.sub(r" *jupytext_version: .*\n", "", chapter.file.read_text(encoding="utf-8"))  # Jupytext adds its own
    assert saved == CHAPTER
    assert "checks_finding" in json.dumps(sent), "what JupyterLab holds is left alone"


def test_an_edited_sentence_is_written_and_a_deleted_one_is_gone(chapter):
    model = chapter.open()
    cells = model["content"]["cells"]
    cells[1]["source"] = "They overlap."
    del cells[4:6]
    chapter.write({"type": "notebook", "format": "json", "content": model["content"]})
    text = chapter.file.read_text(encoding="utf-8")
    assert "```{finding} norms-overlap\nThey overlap.\n```\n" in text and "agreement-strong" not in text
    assert "{finding} sa-raw-below-random" in text


def test_a_cell_put_between_does_not_glue_what_it_parts():
    opened = list(unfold.unfolded([new_markdown_cell("A.\n\n```{finding} norms-overlap\nB.\n```\n\nC.")]))
    opened.insert(3, new_code_cell("2"))
    assert [cell.source for cell in unfold.folded(opened)] == ["A.\n\n```{finding} norms-overlap\nB.\n```", "2", "C."]


def test_other_cells_and_other_models_are_left_alone(chapter):
    plain = [new_markdown_cell("A {finding} in words."), new_code_cell("x = '```{finding} a'")]
    assert list(unfold.unfolded(plain)) == plain and unfold.folded(plain) == plain
    assert chapter.open(content=False)["content"] is None
    assert chapter.open(type="file")["content"] == CHAPTER


def test_the_lab_opens_chapters_this_way(tmp_path, monkeypatch):
    monkeypatch.setattr(lab.sys, "prefix", str(tmp_path))
    monkeypatch.setattr(lab.sys, "argv", ["lab"])
    lab.main()
    assert lab.server_file().is_relative_to(tmp_path)
    settings = json.loads(lab.server_file().read_text(encoding="utf-8"))
    module, _, name = settings["ServerApp"]["contents_manager_class"].rpartition(".")
    assert module == unfold.__name__ and getattr(unfold, name) is unfold.Chapters
