"""From strings to padded batches: tokeniser, vocabulary and word vectors, all through torchtext.

Everything the project takes from torchtext is used in this module and nowhere else.
"""

from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor
from torchtext.data.functional import custom_replace
from torchtext.vocab import Vocab

from .progress import progress

UNKNOWN, PADDING = "<unk>", "<pad>"
UNKNOWN_ID, PADDING_ID = 0, 1
# torchtext's "basic_english" rules without the lower-casing: a word keeps its spelling for display.
# The two parts must stay in this order: line breaks first, because "<br />" contains a space.
_split_punctuation = custom_replace([
    (r"(?i)<br\s*/?>", " "),
    (r"[\x00-\x1f\x7f-\x9f]", " "),
    (r"([.,()!?'])", r" \1 "),
    (r'[";:]', " "),
])


def tokenise(text: str) -> list[str]:
    """Split a text into words and punctuation marks, spelled as they were written.

    The rules are those of torchtext's ``basic_english``, except that case is kept, a double quote separates
    words, and control characters count as spaces. Lower-casing happens when a word is looked up.

    Raises ``TypeError`` if ``text`` is not a string. Taught in: *Data and classifiers*.
    """
    if not isinstance(text, str):
        raise TypeError(f"A text must be a string, not {type(text).__name__}: pass the document itself, e.g. 'a fine film'.")
    return next(iter(_split_punctuation([text]))).split()


def build_vocabulary(texts: list[str], max_size: int = 50_000) -> Vocab:
    """Number the words of the training texts, most frequent first.

    Index 0 is the unknown word, index 1 is padding. Words beyond the ``max_size`` most frequent are unknown.

    Taught in: *Data and classifiers*.
    """
    counts = Counter(word.lower() for text in progress(texts, "building the vocabulary") for word in tokenise(text))
    return Vocab(counts, max_size=max_size, specials=[UNKNOWN, PADDING])


def vocabulary_from_words(words: list[str]) -> Vocab:
    """Rebuild the vocabulary of a checkpoint from its list of words, in order."""
    vocabulary = Vocab(Counter(), specials=[UNKNOWN, PADDING])
    vocabulary.itos = list(words)
    vocabulary.stoi.update({word: index for index, word in enumerate(words)})
    return vocabulary


@dataclass(frozen=True)
class Batch:
    """Documents as padded tensors.

    ``ids`` [B, T] word indices, ``mask`` [B, T] True at real words, ``labels`` [B] gold classes (None if they
    are not known), ``words`` the words of each document as they were written.
    """

    ids: Tensor
    mask: Tensor
    labels: Tensor | None
    words: list[list[str]]

    def __len__(self) -> int:
        return len(self.words)

    @property
    def lengths(self) -> Tensor:
        """Number of real words of each document, [B]."""
        return self.mask.sum(dim=1)

    def take(self, rows: Tensor | list[int]) -> "Batch":
        """The batch of some of the documents, by their row numbers, no wider than the longest of them."""
        rows = torch.as_tensor(rows, dtype=torch.long)
        mask = self.mask[rows]
        width = max([1, *mask.sum(dim=1).tolist()])
        labels = None if self.labels is None else self.labels[rows]
        words = [self.words[row] for row in rows.tolist()]
        return Batch(self.ids[rows, :width], mask[:, :width], labels, words)


def encode(vocabulary: Vocab, texts: list[str], labels: list[int] | None = None, max_words: int = 256) -> Batch:
    """Turn texts into a padded batch of word indices, cutting each after ``max_words`` words.

    Shapes: ``ids`` and ``mask`` [B, T] with T the longest document (at least 1), ``labels`` [B].
    Raises ``TypeError`` for a bare string and ``ValueError`` for an empty list, a bad ``max_words`` or a wrong
    number of labels. Taught in: *Data and classifiers*.
    """
    if isinstance(texts, str):
        raise TypeError("encode expects a list of texts: write encode([text]) for a single one.")
    if len(texts) == 0:
        raise ValueError("encode was given no texts: pass at least one document.")
    if max_words < 1:
        raise ValueError(f"max_words is {max_words}: it must be at least 1.")
    if labels is not None and len(labels) != len(texts):
        raise ValueError(f"{len(texts)} texts came with {len(labels)} labels: pass one label for each text.")
    words = [tokenise(text)[:max_words] for text in progress(texts, "splitting texts into words")]
    width = max(1, max(len(document) for document in words))
    ids = torch.full((len(texts), width), PADDING_ID)
    for row, document in enumerate(words):
        ids[row, : len(document)] = torch.tensor([_index(vocabulary, word) for word in document], dtype=torch.long)
    lengths = torch.tensor([len(document) for document in words])
    mask = torch.arange(width) < lengths[:, None]
    return Batch(ids, mask, None if labels is None else torch.as_tensor(labels, dtype=torch.long), words)


def _index(vocabulary: Vocab, word: str) -> int:
    """A text that happens to contain '<pad>' must not become padding."""
    index = vocabulary[word.lower()]
    return UNKNOWN_ID if index == PADDING_ID else index
