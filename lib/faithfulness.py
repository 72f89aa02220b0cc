"""Does an explanation point at the words the decision rests on? Mask them and watch the probability."""

import torch
from torch import Tensor

from .masking import check_operator, logits_in_order
from .passes import passes
from .seeding import document_generator
from .targets import quantity, target_classes
from .text import Batch

TIES = ("random", "first")


def ranks(batch: Batch, scores: Tensor, seed: int = 0, ties: str = "random") -> Tensor:
    """Rank of each word, 0 for the highest score, [B, T]; padding comes after all words.

    Ties are broken at random, seeded per document: a fixed order among equals would leak the order of the words.
    ``ties="first"`` does just that, and puts the earlier word first, to show what it costs.
    Raises ``ValueError`` if scores are not finite or have another shape than the batch, or for other ``ties``.
    Taught in: *AOPC*, *What decides the outcome?*
    """
    if ties not in TIES:
        raise ValueError(f"Unknown way to break ties {ties!r}: choose one of {', '.join(TIES)}.")
    if scores.shape != batch.mask.shape:
        raise ValueError(f"Scores have shape {list(scores.shape)}, the batch {list(batch.mask.shape)}: explain this very batch.")
    if not torch.isfinite(scores[batch.mask]).all():
        raise ValueError("Some scores are not finite numbers: words cannot be ranked by them.")
    positions = torch.arange(batch.mask.shape[1]).repeat(len(batch), 1)
    shuffled = positions.clone()
    for row, words in enumerate(batch.words if ties == "random" else []):
        shuffled[row, : len(words)] = torch.randperm(len(words), generator=document_generator(words, seed, "ties"))
    values = scores.masked_fill(~batch.mask, -torch.inf).gather(1, shuffled)
    order = shuffled.gather(1, values.argsort(dim=1, descending=True, stable=True))
    return torch.empty_like(order).scatter_(1, order, positions)


@torch.no_grad()
def deletion_curve(classifier, batch: Batch, scores: Tensor, K: int | None = None, operator: str = "zero",
                   target: str | int = "gold", seed: int = 0, words_per_pass: int | None = None, shortcut: bool = True,
                   ties: str = "random") -> Tensor:
    """Probability of the target class with the k highest-scored words masked, k = 0..K: [B, K + 1].

    ``K`` defaults to the length of the longest document. A document with fewer than k words stays where it was when
    its last word was masked. ``operator`` is "zero", "delete" or "mask" (:func:`lib.masking.remove`).
    ``words_per_pass`` bounds the memory; ``shortcut=False`` computes every version of a document anew; ``seed`` and
    ``ties`` are those of :func:`ranks`.

    Raises ``ValueError`` for a negative ``K``, an unknown operator, scores that do not fit the batch, a document too
    long for the classifier, or a classifier whose probabilities are not finite.
    Taught in: *AOPC*.
    """
    check_operator(operator)
    K = int(batch.lengths.max()) if K is None else K
    if K < 0:
        raise ValueError(f"K is {K}: the number of masked words cannot be negative.")
    rank = ranks(batch, scores, seed, ties)
    curve = scores.new_empty(len(batch), K + 1, dtype=classifier.embedding.weight.dtype)
    for rows, part in passes(classifier, batch, "masking words", words_per_pass):
        words = part.mask.shape[1]
        classes = target_classes(classifier, part, target)
        logits = logits_in_order(classifier, part, rank[rows, :words], min(K, words), operator, words_per_pass, shortcut)
        values = quantity(logits, classes[:, None].expand(logits.shape[:2]), "probability")
        curve[rows, : values.shape[1]] = values
        curve[rows, values.shape[1]:] = values[:, -1:]
    bad = (~torch.isfinite(curve)).any(dim=1).nonzero().flatten().tolist()
    if bad:
        raise ValueError(f"The probabilities are not finite numbers for document {bad[0]} (of {len(bad)} such): "
                         "look for NaN or infinite values in the classifier's embeddings and weights.")
    return curve


def aopc(classifier, batch: Batch, scores: Tensor, K: int | None = None, operator: str = "zero",
         target: str | int = "gold", seed: int = 0, words_per_pass: int | None = None, shortcut: bool = True,
         ties: str = "random") -> Tensor:
    r"""Area over the perturbation curve of each document for every cut-off 0..K: [B, K + 1], in probability.

    :math:`\mathrm{AOPC}(K) = \frac{1}{K+1} \sum_{k=0}^{K} [p_y(x) - p_y(x^{(k)})]`, with :math:`x^{(k)}` the document
    without its k highest-scored words. Larger means the method found words the decision rests on; the value lies
    in [-1, 1] and is 0 at K = 0. Options and errors are those of :func:`deletion_curve`.

    Source: eq. 8 of :cite:t:`du2021`, after :cite:t:`samek2017`. Taught in: *AOPC*.
    """
    curve = deletion_curve(classifier, batch, scores, K, operator, target, seed, words_per_pass, shortcut, ties)
    drops = curve[:, :1] - curve
    return drops.cumsum(dim=1) / torch.arange(1, drops.shape[1] + 1)
