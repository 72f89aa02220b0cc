"""The names of numbers: a panel, and what is asked about it."""

from typing import NamedTuple

import numpy as np

from ..attribution import lookup
from ..classifiers import CLASSIFIERS
from ..data import TITLES
from ..intervals import Interval

END = -1  # the cut-off at the length of the longest document
NAN = Interval(np.nan, np.nan, np.nan, 0)  # a number that is known not to exist
CHANGED = {"bilstm-last": "BiLSTM (last)"}  # a classifier with another recipe, under a name of its own
OTHER_LABELS = {"greedy loo": "LOO asked again", "greedy signed_gi": "SignedGI asked again"}


class Panel(NamedTuple):
    """A corpus and a classifier, by their keys; as text "IMDB, TextCNN"."""

    corpus: str
    classifier: str

    def __str__(self) -> str:
        kind = CLASSIFIERS.get(self.classifier)
        name = kind.label if kind else CHANGED.get(self.classifier, self.classifier)
        return f"{TITLES.get(self.corpus, self.corpus)}, {name}"

    @classmethod
    def of(cls, experiment) -> "Panel":
        """That of an experiment: a BiLSTM that reads out its last states is another classifier."""
        changed = f"{experiment.classifier}-{experiment.recipe.get('readout', 'max')}"
        return cls(experiment.corpus, changed if changed in CHANGED else experiment.classifier)


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
    if method in OTHER_LABELS or not method:
        return OTHER_LABELS.get(method, method)
    try:
        return lookup(method).label
    except ValueError:  # not a method, but what was measured: "gradient"
        return method


class Source:
    """Something that knows numbers: a call with a panel and a number gives its interval, and remembers it.

    It is NaN where no document can have such a number, None where it is not known.
    """

    def __init__(self):
        self.found: dict[tuple, Interval | None] = {}

    def __call__(self, panel, number: Number) -> Interval | None:
        place = Panel(*(number.panel or panel)), number._replace(panel=None)
        if place not in self.found:
            self.found[place] = self._interval(*place)
        return self.found[place]

    def _interval(self, panel: Panel, number: Number) -> Interval | None:
        raise TypeError(f"A {type(self).__name__} does not say where its numbers come from: write _interval.")
