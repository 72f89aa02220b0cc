"""Sentences with a human label at every node, as the Stanford Sentiment Treebank keeps them (Socher et al. 2013)."""

import re
from pathlib import Path
from typing import NamedTuple

from ..text import spans
from .files import Place, find
from .splits import Split

NEUTRAL = 2  # labels go from 0, very negative, to 4, very positive
_LEAF = re.compile(r"\(([0-4]) ([^\s()][^()]*)\)")  # a leaf may hold a space: "(2 R  ock)" stands in one copy
_NODE = re.compile(r"\([0-4](?: \*)+\)")  # of nodes that are stars already
_WRITTEN = {"-LRB-": "(", "-RRB-": ")", "``": '"', "''": '"'}


class Tree(NamedTuple):
    """A sentence: its ``label``, its ``words``, and the label of each word."""

    label: int
    words: list[str]
    labels: list[int]

    @property
    def text(self) -> str:
        return " ".join(self.words)


def parse(line: str) -> Tree:
    """The tree of one line such as ``(3 (2 a) (4 gem))``. Raises ``ValueError`` if it is not one."""
    leaves, rest, before = _LEAF.findall(line), _LEAF.sub("*", line), ""
    while rest != before:
        rest, before = _NODE.sub("*", rest), rest
    if rest != "*" or not leaves:
        raise ValueError(f"This is no labelled tree: {line[:60]!r}.")
    words = [_WRITTEN.get(word, " ".join(word.replace("\\/", "/").replace("\\*", "*").split())) for _, word in leaves]
    return Tree(int(line[1]), words, [int(label) for label, _ in leaves])


def read_trees(place: Place, path: Path) -> list[Tree]:
    """All trees of a file, one a line. Raises :class:`lib.data.files.DataError` at the first line that is none."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            found.append(parse(line.strip()))
        except ValueError as error:
            raise place.error(path, f"line {number} is no labelled tree", "a line such as (3 (2 a) (4 gem))") from error
    return found


def word_labels(split: Split) -> list[list[int]]:
    """What people said of each word of the sentences of a split of ``sst``: from 0, very negative, to 4.

    People saw a word alone, without its sentence. A word that the tokeniser cuts from a longer one has the label of
    the whole. Raises ``ValueError`` for documents that are none of the treebank's.
    Source: :cite:t:`socher2013`. Taught in: *Against human judgement*.
    """
    place = find("sst")
    trees = {path.stem: read_trees(place, path) for path in place.files if path.suffix == ".txt"}
    found = []
    for text, name in zip(split.texts, split.ids or [""] * len(split), strict=True):
        part, _, number = name.partition("/")
        tree = trees[part][int(number)] if part in trees and number.isdecimal() else None
        if tree is None or tree.text != text:
            raise ValueError(f"This is no sentence of the treebank: {text[:60]!r}.")
        label_at = [label for word, label in zip(tree.words, tree.labels, strict=True) for _ in f"{word} "]
        found.append([label_at[start] for start, _ in spans(text)])
    return found
