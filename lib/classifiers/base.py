"""What a method needs of a classifier, and what our own three have in common.

A method needs ``classes``, ``encode``, ``embed``, ``logits``, ``substitute``, ``device`` and ``training``, and nothing
else: a plain class with these is enough. Paths through words need ``word_table``, too; LAFA looks for neighbours in the
layers of ``hidden``, and CA-LIG goes from block to block (``inside``, ``from_block``), where a classifier has them.
:class:`TextClassifier` offers the first ones on top of an embedding matrix.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torchtext.vocab import Vocab

from ..checks import as_labels, as_texts
from ..text import PADDING_ID, UNKNOWN_ID, Batch, encode

SUBSTITUTES = ("zero", "mask", "pad")


class WordTable(NamedTuple):
    """The rows that a classifier's tokens are taken from: ``vectors`` [V, D], the ``names`` of the rows, and
    ``is_word`` [V], True where a row stands for a word or a piece of one, not for padding or another special token.
    """

    vectors: Tensor
    names: list[str]
    is_word: Tensor


class TextClassifier(nn.Module, ABC):
    """A text classifier split where explanations need it: at the embeddings.

    ``embed`` gives one vector a word, ``logits`` computes everything after them. A method that explains the
    classifier uses these two and nothing else.

    Attributes: ``vocabulary``, ``classes`` (names), ``max_words`` (longer documents are cut), ``name`` and
    ``label`` (its name in code and in figures), and after training ``key`` (of its checkpoint), ``report`` (dev
    accuracy, epochs, seconds) and ``source`` (the sentence that says which data).
    Taught in: *Data and classifiers*.
    """

    name: str
    label: str

    def __init__(self, vocabulary: Vocab, classes: list[str], max_words: int, dimensions: int):
        super().__init__()
        self.vocabulary = vocabulary
        self.classes = list(classes)
        self.max_words = max_words
        self.key = ""
        self.report: dict = {}
        self.source = ""
        self.embedding = nn.Embedding(len(vocabulary.itos), dimensions, padding_idx=PADDING_ID)

    @classmethod
    def architecture(cls) -> dict:
        """The options of the constructor and their defaults, e.g. ``{"dimensions": 50, "filters": 100}``."""
        parameters = inspect.signature(cls).parameters.values()
        return {option.name: option.default for option in parameters if option.default is not inspect.Parameter.empty}

    @property
    def device(self) -> torch.device:
        """Where the classifier computes, and where its batches must be."""
        return self.embedding.weight.device

    def encode(self, texts: Iterable[str], labels: Iterable[int] | None = None, max_words: int | None = None) -> Batch:
        """Turn texts into a padded batch on the classifier's device; ``max_words`` defaults to that of its training.

        Raises ``ValueError`` if a label is not one of the classes; see also :func:`lib.text.encode`.
        """
        texts = as_texts(texts)
        labels = None if labels is None else as_labels(labels, len(texts), self.classes)
        return encode(self.vocabulary, texts, labels, self.max_words if max_words is None else max_words, self.device)

    def embed(self, batch: Batch) -> Tensor:
        """Word vectors of a batch, [B, T, D]; zero on padding.

        Raises ``ValueError`` for a batch that was encoded for another vocabulary, or lies on another device.
        """
        check_encoded(batch, self)
        return self.embedding(batch.ids)

    @abstractmethod
    def logits(self, embeddings: Tensor, mask: Tensor) -> Tensor:
        """Class scores before the softmax, [B, C], from embeddings [B, T, D] and mask [B, T]."""

    def forward(self, batch: Batch) -> Tensor:
        return self.logits(self.embed(batch), batch.mask)

    def substitute(self, operator: str) -> Tensor:
        """The vector that stands where a word was, [D]: zero, that of the unknown word (mask), or of padding (pad).

        Raises ``ValueError`` for another operator. Taught in: *AOPC*.
        """
        table = self.embedding.weight.detach()
        rows = {"zero": torch.zeros_like(table[0]), "mask": table[UNKNOWN_ID], "pad": table[PADDING_ID]}
        if operator not in rows:
            raise ValueError(f"Unknown substitute {operator!r}: choose one of {', '.join(SUBSTITUTES)}.")
        return rows[operator]

    def word_table(self) -> WordTable:
        """The embedding matrix; its rows of the unknown word and of padding are no words.

        Taught in: *Walking through words*.
        """
        is_word = torch.ones(len(self.vocabulary.itos), dtype=torch.bool, device=self.device)
        is_word[[UNKNOWN_ID, PADDING_ID]] = False
        return WordTable(self.embedding.weight.detach(), self.vocabulary.itos, is_word)


def check_encoded(batch: Batch, classifier) -> None:
    """Raises ``ValueError`` unless a batch was encoded with a classifier's vocabulary and lies on its device.

    Two classifiers that were trained on the same texts share their numbers, and may share a batch.
    """
    theirs, ours = batch.vocabulary, classifier.vocabulary
    if theirs is not None and theirs is not ours and getattr(theirs, "itos", theirs) != getattr(ours, "itos", ours):
        raise ValueError("This batch was encoded by another classifier, whose words have other numbers: "
                         "encode the texts with the classifier that is explained.")
    if batch.ids.device != classifier.device:
        raise ValueError(f"The batch is on {batch.ids.device}, the classifier on {classifier.device}: "
                         "move one of them, e.g. batch.to(classifier.device).")


def label_of(classifier) -> str:
    """The name of a classifier in figures and messages; that of its class if it has none."""
    return getattr(classifier, "label", type(classifier).__name__)


def max_over_words(values: Tensor, mask: Tensor) -> Tensor:
    """Maximum over the positions where ``mask`` is True: values [B, T, H], mask [B, T] -> [B, H].

    A row without any position gives zeros. Where two positions tie, the gradient is shared between them, so that
    no explanation depends on which comes first.
    """
    pooled = values.masked_fill(~mask[..., None], -torch.inf).amax(dim=1)
    return torch.where(mask.any(dim=1)[:, None], pooled, torch.zeros_like(pooled))
