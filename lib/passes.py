"""How documents go through a classifier: sorted by length, a bounded number of words at a time."""

from collections.abc import Iterator

import torch
from torch import Tensor

from .progress import progress
from .text import Batch

WORDS_PER_PASS = 16_384  # word positions that go through a classifier at once


def passes(batch: Batch, what: str, words_per_pass: int = WORDS_PER_PASS) -> Iterator[tuple[Tensor, Batch]]:
    """Parts of a batch with their row numbers: neighbours in length, so that little of a part is padding.

    A part holds at most ``words_per_pass`` word positions, but always one document. Memory therefore depends on this
    number and on the longest document, not on how many documents there are. ``what`` names the progress bar.

    Raises ``ValueError`` if ``words_per_pass`` is less than 1. Taught in: *What an explanation costs*.
    """
    if words_per_pass < 1:
        raise ValueError(f"The option words_per_pass is {words_per_pass}: at least one word must go through the classifier at a time.")
    if batch.mask.numel() <= words_per_pass:
        yield torch.arange(len(batch)), batch
        return
    for rows in progress(_neighbours(batch.lengths, words_per_pass), what):
        yield rows, batch.take(rows)


def _neighbours(lengths: Tensor, words_per_pass: int) -> list[Tensor]:
    """Row numbers by falling length, cut into groups whose padded size stays within ``words_per_pass``."""
    order = torch.argsort(lengths, descending=True, stable=True)
    groups, start = [], 0
    while start < len(order):
        longest = max(1, int(lengths[order[start]]))
        size = max(1, words_per_pass // longest)
        groups.append(order[start:start + size])
        start += size
    return groups
