"""The names of numbers: a panel, and what is asked about it."""

from typing import NamedTuple

import numpy as np

from ..attribution import METHODS
from ..classifiers import CLASSIFIERS
from ..data import TITLES
from ..intervals import Interval

END = -1  # the cut-off at the length of the longest document
NAN = Interval(np.nan, np.nan, np.nan, 0)  # a number that is known not to exist
OTHER_LABELS = {"greedy loo": "LOO asked again", "greedy signed_gi": "SignedGI asked again"}


class Panel(NamedTuple):
    """A corpus and a classifier, by their keys; as text "IMDB, TextCNN"."""

    corpus: str
    classifier: str

    def __str__(self) -> str:
        kind = CLASSIFIERS.get(self.classifier)
        return f"{TITLES.get(self.corpus, self.corpus)}, {kind.label if kind else self.classifier}"


class Number(NamedTuple):
    """What is looked up, named as in the reference results; ``panel`` is None where it is the panel in question."""

    metric: str
    method: str
    k: int | None = None
    variant: str = "main"
    panel: tuple[str, str] | None = None


def parts(method: str) -> list[str]:
    """The methods in an expression: "a - b" (a difference) and "a, b" (a correlation) have two."""
    return [part for pair in method.split(" - ") for part in pair.split(", ")]


def label(method: str) -> str:
    """A method, or two of them, as tables and figures name it: "signed_gi - loo" is "SignedGI − LOO".

    Taught in: *AOPC*.
    """
    for separator, said in ((" - ", " − "), (", ", " and ")):
        if separator in method:
            return said.join(map(label, method.split(separator)))
    return METHODS[method].label if method in METHODS else OTHER_LABELS.get(method, method)
