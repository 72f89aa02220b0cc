"""A classifier of the reader's own: no torch module, sub-words, special tokens, and scores that a pencil can check.

A word is cut into pieces of two letters; "~" has none. A document is read as ``[CLS] pieces [SEP]``. With u = (2, 1),
:math:`S = \\sum_i u \\cdot e_i` over all tokens, special ones included, and the logits are :math:`(0, S^2 / 4)`.
"""

import torch

from lib.classifiers.base import WordTable
from lib.text import Batch

U = (2.0, 1.0)
CLS, SEP, PAD = "[CLS]", "[SEP]", "[PAD]"
VECTORS = {
    CLS: (0.25, 0.0), SEP: (0.0, 0.5), PAD: (9.0, 9.0),
    "go": (0.5, 0.5), "od": (0.25, -0.5), "ba": (-0.5, 0.25), "d": (-0.25, 0.0),
    "fi": (0.0, 0.25), "lm": (0.125, 0.0), "a": (0.0, 0.0625),
}
SUBSTITUTES = {"zero": (0.0, 0.0), "mask": (0.125, 0.25), "pad": (9.0, 9.0)}


class Pieces:
    classes = ["no", "yes"]
    training = False

    def __init__(self):
        self.device = torch.device("cpu")

    def to(self, device):
        self.device = torch.device(device)
        return self

    def encode(self, texts, labels=None, max_words=None):
        words = [text.split() for text in texts]
        tokens, word_of = [], []
        for document in words:
            pieces = [(word[i: i + 2], row) for row, word in enumerate(document) if word != "~"
                      for i in range(0, len(word), 2)]
            tokens.append([CLS, *(piece for piece, _ in pieces), SEP])
            word_of.append([-1, *(row for _, row in pieces), -1])
        length, width = max(map(len, tokens)), max(1, max(map(len, words)))
        ids = [[list(VECTORS).index(token) for token in row] + [2] * (length - len(row)) for row in tokens]
        mask = [[i < len(row) for i in range(length)] for row in tokens]
        padded = [row + [-1] * (length - len(row)) for row in word_of]
        scored = [[word in row for word in range(width)] for row in word_of]
        ids, mask, padded, scored = (torch.tensor(each, device=self.device) for each in (ids, mask, padded, scored))
        labels = None if labels is None else torch.tensor(labels, device=self.device)
        return Batch(ids, mask, labels, words, padded, scored)

    def embed(self, batch):
        vectors = self._vector(list(VECTORS.values()))
        return vectors[batch.ids]

    def logits(self, embeddings, mask):
        S = (embeddings @ self._vector(U) * mask).sum(dim=1)
        return torch.stack([0 * S, S**2 / 4], dim=1)

    def substitute(self, operator):
        return self._vector(SUBSTITUTES[operator])

    def word_table(self):
        is_word = torch.tensor([name not in (CLS, SEP, PAD) for name in VECTORS], device=self.device)
        return WordTable(self._vector(list(VECTORS.values())), list(VECTORS), is_word)

    def _vector(self, numbers):
        return torch.tensor(numbers, dtype=torch.float64, device=self.device)


def dot(vector) -> float:
    return sum(a * b for a, b in zip(U, vector, strict=True))


def parts(document: list[str]) -> list[list[float]]:
    """What each piece of each word adds to S."""
    return [[dot(VECTORS[word[i: i + 2]]) for i in range(0, len(word), 2)] if word != "~" else [] for word in document]


SPECIAL = dot(VECTORS[CLS]) + dot(VECTORS[SEP])
