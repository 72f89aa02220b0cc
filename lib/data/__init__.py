"""Labelled documents: five corpora, each cut once and for all into a train, a dev and a test split."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property, lru_cache

from ..checks import check_class, in_order, whole_number
from .corpora import CLASSES, READERS
from .files import DataError, Place, find
from .splits import Parts, Split, as_split, balanced_sample

__all__ = ["NAMES", "Corpus", "DataError", "Split", "available", "inventory", "load"]

NAMES = tuple(CLASSES)
TITLES = {"imdb": "IMDB", "rotten_tomatoes": "Rotten Tomatoes", "sst": "SST-2", "bbc_news": "BBC News",
          "ag_news": "AG's News"}
MAX_WORDS = {"imdb": 256}  # where documents are cut; 64 for news and sentences
MAX_TRAIN = 20_000  # training documents of the book's own classifiers at most: the full AG's News has 120,000


@dataclass(frozen=True)
class Corpus:
    """A data set for classification; ``source`` says in one sentence where it came from.

    ``max_words`` is where classifiers cut its documents unless told otherwise. One of your own is made of three
    :class:`lib.data.splits.Split` and the names of its classes, in the order of the labels.

    Raises ``TypeError`` for a part that is no ``Split``, ``ValueError`` for a label that no class has and for a
    ``max_words`` that is no whole number from 1. Taught in: *Data and classifiers*.
    """

    name: str
    train: Split
    dev: Split
    test: Split
    classes: list[str]
    source: str
    max_words: int = 64

    def __post_init__(self):
        object.__setattr__(self, "classes", [str(name) for name in in_order(self.classes, "classes")])
        object.__setattr__(self, "max_words", whole_number(self.max_words, "max_words", least=1))
        for name in ("train", "dev", "test"):
            split = getattr(self, name)
            if not isinstance(split, Split):
                raise TypeError(f"The {name} split is a {type(split).__name__}: "
                                "make it a lib.data.Split(texts, labels).")
            for label in set(split.labels):
                check_class(label, self.classes, "Label")

    @property
    def title(self) -> str:
        """The name of the corpus as it stands in figures and tables."""
        return TITLES.get(self.name, self.name)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all texts, labels and classes: whatever of the data decides a trained model."""
        contents = hashlib.sha256(json.dumps(self.classes).encode())
        for split in (self.train, self.dev, self.test):
            contents.update(json.dumps([split.texts, split.labels]).encode())
        return contents.hexdigest()


def load(name: str, max_train: int | None = MAX_TRAIN, seed: int = 0) -> Corpus:
    """The corpus ``name`` (one of ``NAMES``), from the first place that has it: ``LIB_DATA_DIR``, user cache, package.

    The splits are fixed; no text of dev or test stands in another split. A train split of more than ``max_train``
    documents is cut to a class-balanced sample of that size, drawn with ``seed``; None keeps all. The result is shared
    by all callers in a process: read it, do not change it.

    Raises ``ValueError`` for an unknown name or a ``max_train`` below 1, ``FileNotFoundError`` (what was tried, what to
    do) if no place has the corpus, :class:`lib.data.files.DataError` if a file is damaged,
    :class:`lib.storage.FolderError` if ``LIB_DATA_DIR`` names no folder. Taught in: *Data and classifiers*.
    """
    _check_name(name)
    max_train = None if max_train is None else whole_number(max_train, "max_train", least=1)
    place = find(name)
    return _load(name, max_train, whole_number(seed, "seed"), place, place.describe())


def available(name: str) -> bool:
    """Whether all files of a corpus are on this machine; they are not opened.

    Raises ``ValueError`` for an unknown name, :class:`lib.storage.FolderError` if ``LIB_DATA_DIR`` names no folder.
    """
    _check_name(name)
    return _describe(name) is not None


def inventory() -> dict[str, str | None]:
    """For each corpus where it would come from, with the sizes and times of its files, or None; no file is opened.

    It changes when the files change, so it can be part of the key under which an executed notebook is kept.
    """
    return {name: _describe(name) for name in NAMES}


def _describe(name: str) -> str | None:
    try:
        return find(name).describe()
    except (FileNotFoundError, DataError):
        return None


def _check_name(name: str) -> None:
    if name not in NAMES:
        raise ValueError(f"There is no data set {name!r}: the data sets are {', '.join(NAMES)}.")


@lru_cache(maxsize=8)
def _load(name: str, max_train: int | None, seed: int, place: Place, state: str) -> Corpus:
    train, dev, test, origin = _read(name, place, state)
    sampled = ""
    if max_train is not None and max_train < len(train):
        sampled = f" (a class-balanced sample of {len(train):,}, seed {seed})"
        train = balanced_sample(train, max_train, seed)
    source = f"{origin}; used here: {len(train):,} train{sampled}, {len(dev):,} dev and {len(test):,} test documents."
    splits = [as_split(documents) for documents in (train, dev, test)]
    return Corpus(name, *splits, list(CLASSES[name]), source, MAX_WORDS.get(name, 64))


@lru_cache(maxsize=len(NAMES))
def _read(name: str, place: Place, state: str) -> Parts:
    """Read files once in a process; ``state``, their description, makes changed files be read again."""
    return READERS[name](place)
