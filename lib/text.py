"""From strings to padded batches: words, vocabulary, and the map between words and tokens."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor
from torchtext.vocab import Vocab

from .checks import as_labels, as_texts, whole_number
from .progress import progress

UNKNOWN, PADDING = "<unk>", "<pad>"
UNKNOWN_ID, PADDING_ID = 0, 1
# The rules of torchtext's "basic_english", and what people's keyboards make of its quotes, dots and dashes.
_APART = r".,()!?'\u2018\u2019\u201a\u2026\u2013\u2014"  # a word each: ' and its curly forms, the ellipsis, long dashes
_DROPPED = re.compile("(?i)<br\\s*/?>|[\x00-\x1f\x7f-\x9f\";:\u201c\u201d\u201e\u00ab\u00bb\u200b\ufeff]")
_WORD = re.compile(rf"[{_APART}]|[^\s{_APART}]+")
_PLAIN = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201a": "'", "\u2026": ".", "\u2013": "-", "\u2014": "-",
                        "\u00ad": None, "\u200c": None, "\u200d": None, "\u2060": None})


def tokenise(text: str) -> list[str]:
    """Split a text into words and punctuation marks, spelled as they were written.

    The rules are those of torchtext's ``basic_english``, except that case is kept, a double quote separates words, and
    control characters count as spaces; curly quotes, long dashes, an ellipsis and a byte-order mark are treated as
    their plain forms. What a word is looked up as, :func:`plain` says.

    Raises ``TypeError`` if ``text`` is not a string. Taught in: *Data and classifiers*.
    """
    return [text[start:end] for start, end in spans(text)]


def spans(text: str) -> list[tuple[int, int]]:
    """Where the words of :func:`tokenise` start and end in the text. Taught in: *Data and classifiers*."""
    if not isinstance(text, str):
        raise TypeError(f"A text must be a string, not {type(text).__name__}: pass the document itself, "
                        "e.g. 'a fine film'.")
    blanked = _DROPPED.sub(lambda found: " " * len(found[0]), text)
    return [found.span() for found in _WORD.finditer(blanked)]


def plain(word: str) -> str:
    """A word as the vocabulary spells it: lower case, accents composed, straight quotes, no invisible characters."""
    if word.isascii():
        return word.lower()
    return unicodedata.normalize("NFC", word.translate(_PLAIN).lower())


def build_vocabulary(texts: list[str], max_size: int = 50_000) -> Vocab:
    """Number the words of the training texts, most frequent first.

    Index 0 is the unknown word, index 1 is padding. Words beyond the ``max_size`` most frequent are unknown.

    Taught in: *Data and classifiers*.
    """
    counts = Counter(plain(word) for text in progress(texts, "building the vocabulary") for word in tokenise(text))
    return Vocab(counts, max_size=max_size, specials=[UNKNOWN, PADDING])


def vocabulary_from_words(words: list[str]) -> Vocab:
    """Rebuild the vocabulary of a checkpoint from its list of words, in order."""
    vocabulary = Vocab(Counter(), specials=[UNKNOWN, PADDING])
    vocabulary.itos = list(words)
    vocabulary.stoi.update({word: index for index, word in enumerate(words)})
    return vocabulary


@dataclass(frozen=True)
class Batch:
    """Documents as padded tensors. A *token* is what a classifier reads, a *word* what a person reads and scores.

    ``ids`` [B, T] token numbers, ``mask`` [B, T] True at tokens, special ones included; ``labels`` [B] gold classes
    (None if they are not known); ``words`` the words of each document as they were written. ``word_of`` [B, T] is the
    number of the token's word, -1 on special tokens and padding; ``word_mask`` [B, W] is True at words that have a
    token. Left out, they say that each token is a word: ``T = W``, and ``word_mask`` is ``mask`` itself.

    ``cut`` [B] counts the words that were cut off at the end, ``unknown`` [B, W] is True at words that the classifier
    does not know, ``vocabulary`` is what the words were looked up in. Taught in: *Data and classifiers*.
    """

    ids: Tensor
    mask: Tensor
    labels: Tensor | None
    words: list[list[str]]
    word_of: Tensor | None = None
    word_mask: Tensor | None = None
    cut: Tensor | None = None
    unknown: Tensor | None = None
    vocabulary: object = None

    def __post_init__(self):
        if self.word_of is None:
            positions = torch.arange(self.mask.shape[1], device=self.mask.device)
            object.__setattr__(self, "word_of", torch.where(self.mask, positions, -1))
            object.__setattr__(self, "word_mask", self.mask)

    def __len__(self) -> int:
        return len(self.words)

    @property
    def tokens_are_words(self) -> bool:
        return self.word_mask is self.mask

    @property
    def lengths(self) -> Tensor:
        """Number of words of each document, [B]: those that have a score."""
        return self.word_mask.sum(dim=1)

    def by_word(self, values: Tensor) -> Tensor:
        """Sums over the tokens of each word: [B, T, ...] -> [B, W, ...], zero beyond the words."""
        beyond = (self.word_of < 0).view(*self.word_of.shape, *[1] * (values.dim() - 2))
        values = values.masked_fill(beyond, 0)
        if self.tokens_are_words:
            return values
        sums = values.new_zeros(len(self), self.word_mask.shape[1] + 1, *values.shape[2:])
        place = self.word_of.masked_fill(self.word_of < 0, self.word_mask.shape[1])  # a column that is thrown away
        return sums.scatter_add_(1, place.view(beyond.shape).expand_as(values), values)[:, :-1]

    def by_token(self, chosen: Tensor) -> Tensor:
        """Words spread onto their tokens: [B, ..., W] -> [B, ..., T]; False, or zero, on special tokens and padding."""
        between = [1] * (chosen.dim() - 2)
        inside = (self.word_of >= 0).view(len(self), *between, -1)
        if not self.tokens_are_words:
            place = self.word_of.clamp(min=0).view(len(self), *between, -1)
            chosen = chosen.gather(-1, place.expand(*chosen.shape[:-1], -1))
        return chosen & inside if chosen.dtype == torch.bool else chosen * inside

    def take(self, rows: Tensor | list[int] | list[bool]) -> "Batch":
        """The batch of some of the documents, no wider than the longest of them.

        ``rows`` are numbers, in any order, or one True or False for each document; none at all give an empty batch.
        Raises ``IndexError`` for a number that no document has, or another number of True and False.
        """
        rows = self._numbers(rows)
        mask = self.mask[rows]
        width = max([1, *mask.sum(dim=1).tolist()])
        mask = mask[:, :width]
        words = [self.words[row] for row in rows.tolist()]
        word_mask, wide = mask, width
        if not self.tokens_are_words:
            wide = max([1, *(len(document) for document in words)])
            word_mask = self.word_mask[rows, :wide]
        return replace(
            self, ids=self.ids[rows, :width], mask=mask, words=words, word_of=self.word_of[rows, :width],
            word_mask=word_mask, labels=None if self.labels is None else self.labels[rows],
            cut=None if self.cut is None else self.cut[rows],
            unknown=None if self.unknown is None else self.unknown[rows, :wide])

    def _numbers(self, rows) -> Tensor:
        rows = torch.as_tensor(rows, device=self.mask.device)
        if rows.dtype == torch.bool:
            if rows.shape != (len(self),):
                raise IndexError(f"{rows.numel()} times True or False for {len(self)} documents: pass one for each.")
            return rows.nonzero().flatten()
        if rows.numel() == 0:
            return rows.flatten().long()
        if rows.dim() != 1 or rows.is_floating_point():
            raise IndexError(f"Rows of shape {list(rows.shape)} and type {rows.dtype}: pass a list of whole numbers.")
        if not -len(self) <= int(rows.min()) <= int(rows.max()) < len(self):
            raise IndexError(f"Rows go from {int(rows.min())} to {int(rows.max())}: "
                             f"the batch has documents 0 to {len(self) - 1}.")
        return rows.long()

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on another device."""
        moved = {field.name: getattr(self, field.name) for field in fields(self)}
        moved = {name: value.to(device) if isinstance(value, Tensor) else value for name, value in moved.items()}
        if self.tokens_are_words:
            moved["word_mask"] = moved["mask"]
        return Batch(**moved)


def encode(vocabulary: Vocab, texts: Iterable[str], labels: Iterable[int] | None = None, max_words: int = 256,
           device: torch.device | str = "cpu") -> Batch:
    """Turn texts into a padded batch of word numbers, cutting each after ``max_words`` words.

    Shapes: ``ids`` and ``mask`` [B, T] with T the longest document (at least 1), ``labels`` [B]. Texts and labels may
    be lists, tuples, arrays, Series or generators. Raises ``TypeError`` for a bare string or a table and ``ValueError``
    for an empty list, a bad ``max_words``, or labels that do not fit. Taught in: *Data and classifiers*.
    """
    texts, max_words = as_texts(texts), whole_number(max_words, "max_words", least=1)
    labels = None if labels is None else as_labels(labels, len(texts))
    whole = [tokenise(text) for text in progress(texts, "splitting texts into words")]
    words = [document[:max_words] for document in whole]
    width = max(1, max(len(document) for document in words))
    ids = torch.full((len(texts), width), PADDING_ID, device=device)
    for row, document in enumerate(words):
        numbers = [_index(vocabulary, word) for word in document]
        ids[row, : len(document)] = torch.tensor(numbers, dtype=torch.long, device=device)
    lengths = torch.tensor([len(document) for document in words], device=device)
    mask = torch.arange(width, device=device) < lengths[:, None]
    cut = torch.tensor([len(document) for document in whole], device=device) - lengths
    labels = None if labels is None else torch.tensor(labels, dtype=torch.long, device=device)
    return Batch(ids, mask, labels, words, cut=cut, unknown=ids == UNKNOWN_ID, vocabulary=vocabulary)


def _index(vocabulary: Vocab, word: str) -> int:
    """A text that happens to contain '<pad>' must not become padding."""
    index = vocabulary[plain(word)]
    return UNKNOWN_ID if index == PADDING_ID else index
