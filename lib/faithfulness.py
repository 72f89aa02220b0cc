"""Does an explanation point at the words the decision rests on? Mask them and watch the probability."""

import torch
from torch import Tensor

from .masking import check_operator, documents, logits_without
from .seeding import document_generator
from .targets import quantity, target_classes
from .text import Batch


def ranks(batch: Batch, scores: Tensor, seed: int = 0) -> Tensor:
    """Rank of each word, 0 for the highest score, [B, T]; padding comes after all words.

    Ties are broken at random, seeded per document: a fixed order among equals would leak the order of the words.
    Raises ``ValueError`` if scores are not finite or have another shape than the batch. Taught in: *AOPC*.
    """
    if scores.shape != batch.mask.shape:
        raise ValueError(f"Scores have shape {list(scores.shape)}, the batch {list(batch.mask.shape)}: explain this very batch.")
    if not torch.isfinite(scores[batch.mask]).all():
        raise ValueError("Some scores are not finite numbers: words cannot be ranked by them.")
    positions = torch.arange(batch.mask.shape[1]).repeat(len(batch), 1)
    for row, words in enumerate(batch.words):
        m = len(words)
        shuffled = torch.randperm(m, generator=document_generator(words, seed, "ties"))
        order = shuffled[torch.argsort(scores[row, :m][shuffled], descending=True, stable=True)]
        positions[row, order] = torch.arange(m)
    return positions


@torch.no_grad()
def deletion_curve(classifier, batch: Batch, scores: Tensor, K: int | None = None, operator: str = "zero",
                   target: str | int = "gold", seed: int = 0) -> Tensor:
    """Probability of the target class with the k highest-scored words masked, k = 0..K: [B, K + 1].

    ``K`` defaults to the length of the longest document. A document with fewer than k words stays where it was when
    its last word was masked. ``operator`` is "zero", "delete" or "mask" (:func:`lib.masking.remove`).

    Raises ``ValueError`` for a negative ``K``, an unknown operator, scores that do not fit the batch, or a classifier
    whose probabilities are not finite.
    Taught in: *AOPC*.
    """
    check_operator(operator)
    K = int(batch.lengths.max()) if K is None else K
    if K < 0:
        raise ValueError(f"K is {K}: the number of masked words cannot be negative.")
    order = ranks(batch, scores, seed)
    classes = target_classes(classifier, batch, target)
    whole = quantity(classifier(batch), classes, "probability")
    curve = whole[:, None].repeat(1, K + 1)
    for row, embeddings in documents(classifier, batch, "masking words"):
        m = len(embeddings)
        steps = min(m, K)
        removed = order[row, :m] < torch.arange(steps + 1)[:, None]
        values = quantity(logits_without(classifier, embeddings, removed, operator), classes[row].expand(steps + 1), "probability")
        curve[row, : steps + 1] = values
        curve[row, steps + 1:] = values[-1]
    bad = (~torch.isfinite(curve)).any(dim=1).nonzero().flatten().tolist()
    if bad:
        raise ValueError(f"The probabilities are not finite numbers for document {bad[0]} (of {len(bad)} such): "
                         "look for NaN or infinite values in the classifier's embeddings and weights.")
    return curve


def aopc(classifier, batch: Batch, scores: Tensor, K: int | None = None, operator: str = "zero",
         target: str | int = "gold", seed: int = 0) -> Tensor:
    r"""Area over the perturbation curve of each document for every cut-off 0..K: [B, K + 1], in probability.

    :math:`\mathrm{AOPC}(K) = \frac{1}{K+1} \sum_{k=0}^{K} [p_y(x) - p_y(x^{(k)})]`, with :math:`x^{(k)}` the document
    without its k highest-scored words. Larger means the method found words the decision rests on; the value lies
    in [-1, 1] and is 0 at K = 0. Options and errors are those of :func:`deletion_curve`.

    Source: eq. 8 of :cite:t:`du2021`, after :cite:t:`samek2017`. Taught in: *AOPC*.
    """
    curve = deletion_curve(classifier, batch, scores, K, operator, target, seed)
    drops = curve[:, :1] - curve
    return drops.cumsum(dim=1) / torch.arange(1, drops.shape[1] + 1)
