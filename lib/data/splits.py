"""How documents are divided into train, dev and test: by hashing, so that neither order nor version of Python matters.

A document's number is the SHA-256 of the seed and its text, and the smallest numbers are taken.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ..checks import as_labels, as_texts, in_order

SPLIT_SEED = 0
RUN, APART = 500, 30  # neighbours that stay together; how near two documents may be about the same thing


class Document(NamedTuple):
    """One text, its class as a number, and where it stands in its source (such as ``test/pos/2221_8``)."""

    text: str
    label: int
    id: str


@dataclass(frozen=True)
class Split:
    """Documents and their classes, in an order that is random and always the same; to be read, not changed.

    Texts, labels and ids may come in any container that has an order: list, tuple, array, Series, generator.
    Raises ``TypeError`` for a table, a set or one bare string, ``ValueError`` for labels that do not fit.
    """

    texts: list[str]
    labels: list[int]
    ids: list[str] = field(default_factory=list)

    def __post_init__(self):
        texts = in_order(self.texts, "texts")
        object.__setattr__(self, "texts", as_texts(texts) if texts else [])
        object.__setattr__(self, "labels", as_labels(self.labels, len(texts)))
        object.__setattr__(self, "ids", [str(each) for each in in_order(self.ids, "ids")])
        if len(self.ids) not in (0, len(texts)):
            raise ValueError(f"{len(texts)} texts came with {len(self.ids)} ids: pass one id for each text, or none.")

    def __len__(self) -> int:
        return len(self.texts)


Parts = tuple[list[Document], list[Document], list[Document], str]


def same_text(text: str) -> str:
    """What two texts have in common if they count as the same text: all but capitals."""
    return text.casefold()


def draw(seed: int, document: Document) -> tuple[bytes, int]:
    return hashlib.sha256(f"{seed} {document.text}".encode()).digest(), document.label


def shuffled(documents: Iterable[Document], seed: int) -> list[Document]:
    return sorted(documents, key=lambda document: draw(seed, document))


def split_off(documents: list[Document], share: float) -> tuple[list[Document], list[Document]]:
    """The rest, and a share of every class drawn from the documents whose text occurs only once."""
    times = Counter(same_text(document.text) for document in documents)
    left = {label: round(share * count) for label, count in Counter(document.label for document in documents).items()}
    rest, chosen = [], []
    for document in shuffled(documents, SPLIT_SEED):
        if left[document.label] and times[same_text(document.text)] == 1:
            left[document.label] -= 1
            chosen.append(document)
        else:
            rest.append(document)
    return rest, chosen


def split_off_runs(documents: list[Document], test: float, dev: float) -> tuple[list[Document], ...]:
    """Train, dev and test of documents whose neighbours are about the same thing, as reviews in the order of films are.

    Of every class whole runs of ``RUN`` neighbours are drawn: a share of them for test, a share for dev, the rest for
    train. What stands within ``APART`` of a document of test is left out of dev and train, what stands so near to dev
    out of train; and dev and test lose the texts that occur elsewhere.
    """
    parts: tuple[list[Document], ...] = [], [], []
    for label in sorted({document.label for document in documents}):
        own = [document for document in documents if document.label == label]
        part = _parts_by_runs(label, len(own), test, dev)
        for place, document in enumerate(own):
            if part[place] == max(part[max(0, place - APART):place + APART + 1]):
                parts[part[place]].append(document)
    times = Counter(same_text(document.text) for part in parts for document in part)
    new = ([document for document in part if times[same_text(document.text)] == 1] for part in parts[1:])
    return tuple(shuffled(part, SPLIT_SEED) for part in (parts[0], *new))


def _parts_by_runs(label: int, size: int, test: float, dev: float) -> list[int]:
    """For each place in a class the number of its part: 0 train, 1 dev, 2 test."""
    runs = math.ceil(size / RUN)
    drawn = sorted(range(runs), key=lambda run: hashlib.sha256(f"{SPLIT_SEED} {label} {run}".encode()).digest())
    tested, all_drawn = round(test * runs), round((test + dev) * runs)
    part_of = {run: 2 if turn < tested else 1 if turn < all_drawn else 0 for turn, run in enumerate(drawn)}
    return [part_of[place // RUN] for place in range(size)]


def keep_test(train: list[Document], test: list[Document], origin: str) -> Parts:
    """The test split as it is, train without the texts that also stand in it, and a tenth of train as dev."""
    tested = {same_text(document.text) for document in test}
    new = [document for document in train if same_text(document.text) not in tested]
    if len(new) < len(train):
        origin += f", without {len(train) - len(new)} train documents that also stand in the test file"
    train, dev = split_off(new, 0.1)
    return train, dev, shuffled(test, SPLIT_SEED), origin


def balanced_sample(documents: list[Document], size: int, seed: int) -> list[Document]:
    """``size`` documents, class by class in turn; when a class is used up, the others go on."""
    by_class: dict[int, list[Document]] = defaultdict(list)
    for document in shuffled(documents, seed):
        by_class[document.label].append(document)
    turns = sorted((turn, label) for label in by_class for turn in range(len(by_class[label])))
    return shuffled((by_class[label][turn] for turn, label in turns[:size]), seed)


def as_split(documents: list[Document]) -> Split:
    return Split(*([document[column] for document in documents] for column in range(3)))
