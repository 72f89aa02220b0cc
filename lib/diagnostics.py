"""Why do explanations differ? Gradients taken apart by dimension and by position, and deletion that looks again."""

from dataclasses import replace

import torch
from torch import Tensor

from .attribution import explain
from .text import PADDING_ID, Batch


def greedy(classifier, batch: Batch, steps: int, method: str = "loo", **options) -> Tensor:
    """Scores [B, T] of a deletion that looks again: mask the word with the highest score, score the rest anew, ``steps`` times.

    The word masked first has the score ``steps``, the next one less, words that were never masked 0; a document with
    fewer words runs out of them. A method that scores words one at a time cannot see what they do together; asked
    again after each masked word, it can. Costs ``steps`` times the method. ``options`` are those of the method.

    Raises ``ValueError`` if ``steps`` is less than 1. Taught in: *What decides the outcome?*
    """
    if steps < 1:
        raise ValueError(f"The number of steps is {steps}: at least one word must be masked.")
    scores = torch.zeros(batch.mask.shape, dtype=classifier.embedding.weight.dtype)
    left, ids = batch.mask.clone(), batch.ids.clone()
    for step in range(steps):
        # The vector of padding is zero: with its number in a word's place the word is masked, and keeps its position.
        found = explain(classifier, replace(batch, ids=ids), method, **options)
        best = found.masked_fill(~left, -torch.inf).argmax(dim=1, keepdim=True)
        masks = left.gather(1, best)  # False where no word is left
        scores.scatter_add_(1, best, masks * scores.new_tensor(float(steps - step)))
        ids.scatter_(1, best, torch.where(masks, PADDING_ID, ids.gather(1, best)))
        left.scatter_(1, best, False)
    return scores


def largest_share(gradient: Tensor, mask: Tensor) -> Tensor:
    r"""Share of the largest dimension in the L1 norm, mean over the words of each document: [B], from gradient [B, T, D].

    :math:`\lVert g_i \rVert_\infty / \lVert g_i \rVert_1`, between 1 / D (all dimensions alike) and 1 (one dimension has
    it all). NaN for a document whose gradient is zero at every word. Taught in: *What decides the outcome?*
    """
    sizes = gradient.abs()
    total = sizes.sum(dim=2)
    counted = mask & (total > 0)
    shares = torch.where(counted, sizes.amax(dim=2) / total.clamp(min=torch.finfo(total.dtype).tiny), 0.0)
    return shares.sum(dim=1) / counted.sum(dim=1)


def norms_by_position(gradient: Tensor, mask: Tensor, bins: int = 10) -> Tensor:
    r"""How large the gradient is from the first to the last tenth of each document: [B, bins], from gradient [B, T, D].

    The mean of :math:`\lVert g_i \rVert_2` over the words of a bin, divided by the mean over the document: 1 everywhere
    if the norm does not depend on the position. NaN for documents with fewer words than bins, or with no gradient at all.
    Taught in: *What decides the outcome?*
    """
    norms = gradient.norm(dim=2).masked_fill(~mask, 0.0)
    lengths = mask.sum(dim=1, keepdim=True)
    place = (torch.arange(mask.shape[1]) * bins // lengths.clamp(min=1)).clamp(max=bins - 1)
    sums = norms.new_zeros(len(mask), bins).scatter_add_(1, place, norms)
    counts = norms.new_zeros(len(mask), bins).scatter_add_(1, place, mask.to(norms.dtype))
    relative = sums / counts / (norms.sum(dim=1, keepdim=True) / lengths)
    return relative.masked_fill(lengths < bins, torch.nan)
