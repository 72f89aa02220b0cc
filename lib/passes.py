"""How documents go through a classifier: sorted by length, a bounded number of words at a time."""

from collections.abc import Iterator

import torch
from torch import Tensor

from .checks import whole_number
from .progress import progress
from .text import Batch

WORDS_PER_PASS = 8_192  # word positions that go through a classifier at once: some 20 MB of TextCNN's responses


def words_at_once(classifier, wanted: int | None = None) -> int:
    """How many word positions go through a classifier in one pass: ``wanted``, or by default what suits it.

    Raises ``ValueError`` if ``wanted`` is less than 1. Taught in: *What an explanation costs*.
    """
    if wanted is None:
        return getattr(classifier, "words_per_pass", WORDS_PER_PASS)
    return whole_number(wanted, "words_per_pass", least=1)


def passes(classifier, batch: Batch, what: str, words_per_pass: int | None = None) -> Iterator[tuple[Tensor, Batch]]:
    """Parts of a batch with their row numbers: neighbours in length, so that little of a part is padding.

    A part holds at most :func:`words_at_once` word positions, but always one document. What a pass needs of memory
    therefore depends on this number and on the longest document, not on how many documents there are. ``what`` names
    the progress bar.
    Taught in: *What an explanation costs*.
    """
    most = words_at_once(classifier, words_per_pass)
    if batch.mask.numel() <= most:
        yield torch.arange(len(batch), device=batch.mask.device), batch
        return
    for rows in progress(by_length(batch.mask.sum(dim=1), most), what):
        yield rows, batch.take(rows)


def by_length(lengths: Tensor, most: int) -> list[Tensor]:
    """Row numbers by falling length in tokens, cut into groups whose padded size is ``most`` or less; one row at least.

    Taught in: *What an explanation costs*.
    """
    order = torch.argsort(lengths, descending=True, stable=True)
    groups, start = [], 0
    while start < len(order):
        longest = max(1, int(lengths[order[start]]))
        size = max(1, most // longest)
        groups.append(order[start:start + size])
        start += size
    return groups
