"""How documents are divided into train, dev and test: by hashing, so that neither order nor version of Python matters.

A document's number is the SHA-256 of the seed and its text, and the smallest numbers are taken.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ..checks import as_labels, as_texts, in_order

SPLIT_SEED = 0


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
