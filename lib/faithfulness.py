"""Does an explanation point at the words the decision rests on? Mask them and watch the probability."""

import torch
from torch import Tensor

from .checks import whole_number
from .masking import check_operator, logits_in_order, remove
from .passes import passes
from .seeding import document_generator
from .targets import class_logits, quantity, target_classes, target_of
from .text import Batch

TIES = ("random", "first")
CONVENTIONS = ("words", "published")
SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)  # of a document's words, as DeYoung and others take them
MOST_MASKED = 10_000  # a curve beyond the longest document only repeats its last value


def ranks(batch: Batch, scores: Tensor, seed: int = 0, ties: str = "random") -> Tensor:
    """Rank of each word, 0 for the highest score, [B, W]; what has no score comes after all words.

    Ties are broken at random, seeded per document: a fixed order among equals would leak the order of the words.
    ``ties="first"`` does just that, and puts the earlier word first, to show what it costs.
    Raises ``ValueError`` if scores are not finite or have another shape than the batch, or for other ``ties``.
    Taught in: *AOPC*, *What decides the outcome?*
    """
    if ties not in TIES:
        raise ValueError(f"Unknown way to break ties {ties!r}: choose one of {', '.join(TIES)}.")
    if scores.shape != batch.word_mask.shape:
        raise ValueError(f"Scores have shape {list(scores.shape)}, the batch {list(batch.word_mask.shape)}: "
                         "explain this very batch.")
    if not torch.isfinite(scores[batch.word_mask]).all():
        raise ValueError("Some scores are not finite numbers: words cannot be ranked by them.")
    positions = torch.arange(batch.word_mask.shape[1], device=scores.device).repeat(len(batch), 1)
    shuffled = positions.clone()
    for row, words in enumerate(batch.words if ties == "random" else []):
        order = torch.randperm(len(words), generator=document_generator(words, seed, "ties"), device="cpu")
        shuffled[row, : len(words)] = order.to(scores.device)
    values = scores if scores.is_floating_point() else scores.double()
    values = values.masked_fill(~batch.word_mask, -torch.inf).gather(1, shuffled)
    order = shuffled.gather(1, values.argsort(dim=1, descending=True, stable=True))
    return torch.empty_like(order).scatter_(1, order, positions)


@torch.no_grad()
def deletion_curve(classifier, batch: Batch, scores: Tensor, K: int | None = None, operator: str = "zero",
                   target: str | int | Tensor = "gold", seed: int = 0, words_per_pass: int | None = None,
                   shortcut: bool = True, ties: str = "random") -> Tensor:
    """Probability of the target class with the k highest-scored words masked, k = 0..K: [B, K + 1].

    ``K`` defaults to the length of the longest document of the batch; beyond it, it is at most ``MOST_MASKED``. A
    document with fewer than k words stays where it was when its last word was masked. ``operator`` is "zero",
    "delete" or "mask" (:func:`lib.masking.remove`).
    ``words_per_pass`` bounds the memory; ``shortcut=False`` computes every version of a document anew; ``seed`` and
    ``ties`` are those of :func:`ranks`.

    Raises ``ValueError`` for a ``K`` out of range, an unknown operator, scores that do not fit the batch, a document
    too long for the classifier, or a classifier whose probabilities are not finite.
    Taught in: *AOPC*.
    """
    check_operator(operator)
    K = _cut_off(K, batch)
    rank = ranks(batch, scores, whole_number(seed, "seed"), ties)
    curves, order = [], []
    for rows, part in passes(classifier, batch, "masking words", words_per_pass):
        words = part.word_mask.shape[1]
        classes = target_classes(classifier, part, target_of(classifier, batch, target, rows))
        steps = min(K, words)
        logits = logits_in_order(classifier, part, rank[rows, :words], steps, operator, words_per_pass, shortcut)
        values = quantity(logits, classes[:, None].expand(logits.shape[:2]), "probability")
        curves.append(torch.cat([values, values[:, -1:].expand(-1, K + 1 - values.shape[1])], dim=1))
        order.append(rows)
    curve = torch.cat(curves)[torch.cat(order).argsort()]
    bad = (~torch.isfinite(curve)).any(dim=1).nonzero().flatten().tolist()
    if bad:
        raise ValueError(f"The probabilities are not finite numbers for document {bad[0]} (of {len(bad)} such): "
                         "look for NaN or infinite values in the classifier's embeddings and weights.")
    return curve


def aopc(classifier, batch: Batch, scores: Tensor, K: int | None = None, operator: str = "zero",
         target: str | int | Tensor = "gold", seed: int = 0, words_per_pass: int | None = None, shortcut: bool = True,
         ties: str = "random") -> Tensor:
    r"""Area over the perturbation curve of each document for every cut-off 0..K: [B, K + 1], in probability.

    :math:`\mathrm{AOPC}(K) = \frac{1}{K+1} \sum_{k=0}^{K} [p_y(x) - p_y(x^{(k)})]`, with :math:`x^{(k)}` the document
    without its k highest-scored words. Larger means the method found words the decision rests on; the value lies
    in [-1, 1] and is 0 at K = 0. Options and errors are those of :func:`deletion_curve`.

    Source: eq. 8 of :cite:t:`du2021`, after :cite:t:`samek2017`. Taught in: *AOPC*.
    """
    curve = deletion_curve(classifier, batch, scores, K, operator, target, seed, words_per_pass, shortcut, ties)
    drops = curve[:, :1] - curve
    return drops.cumsum(dim=1) / torch.arange(1, drops.shape[1] + 1, device=drops.device)


def comprehensiveness(classifier, batch: Batch, scores: Tensor, shares: tuple[float, ...] = SHARES,
                      operator: str = "zero", target: str | int | Tensor = "gold", seed: int = 0,
                      words_per_pass: int | None = None, ties: str = "random", convention: str = "words") -> Tensor:
    r"""How far the probability falls without a share of the words, the highest-scored ones: [B, shares].

    :math:`p_y(x) - p_y(x \text{ without its first } k)` with :math:`k = \max(1, \lfloor q m \rfloor)` for the share
    q of m words, in [-1, 1]: higher is better. Of the shares, the mean is usually reported. Options are those of
    :func:`deletion_curve`. With ``convention="published"`` words are counted and taken away as in the code of
    :cite:t:`sanyal2021` and :cite:t:`enguehard2023`: :math:`k = \lfloor q T \rfloor` of all T tokens, special ones
    included, and words are deleted, whatever the ``operator``. (They rank word pieces, where here words are ranked.)

    Raises ``ValueError`` for a share that is not between 0 and 1, another convention, and as :func:`deletion_curve`.
    Source: :cite:t:`deyoung2020`. Taught in: *AOPC*.
    """
    return _drops(classifier, batch, scores, shares, operator, target, seed, words_per_pass, ties, convention)


def log_odds(classifier, batch: Batch, scores: Tensor, shares: tuple[float, ...] = (0.2,), operator: str = "mask",
             target: str | int | Tensor = "gold", seed: int = 0, words_per_pass: int | None = None,
             ties: str = "random", convention: str = "words") -> Tensor:
    r"""How far the logarithm of the probability falls without a share of the words: [B, shares], in nats.

    :math:`\log p_y(x \text{ without its first } k) - \log p_y(x)`: lower is better. The published ``convention`` counts
    tokens, and keeps the ``operator``. The rest as for :func:`comprehensiveness`.

    Source: :cite:t:`sanyal2021`. Taught in: *AOPC*.
    """
    return _drops(classifier, batch, scores, shares, operator, target, seed, words_per_pass, ties, convention,
                  of="loss")


def sufficiency(classifier, batch: Batch, scores: Tensor, shares: tuple[float, ...] = SHARES,
                operator: str = "zero", target: str | int | Tensor = "gold", seed: int = 0,
                words_per_pass: int | None = None, ties: str = "random", convention: str = "words") -> Tensor:
    r"""How far the probability falls if only a share of the words is left, the highest-scored ones: [B, shares].

    :math:`p_y(x) - p_y(\text{only the first } k \text{ of } x)`, in [-1, 1]: lower is better, and below 0 the few
    words say more than all. By the published ``convention`` special tokens go as well, and where no word is left at
    all, with k = 0, the value is 0. The rest as for :func:`comprehensiveness`.

    Source: :cite:t:`deyoung2020`. Taught in: *AOPC*.
    """
    return _drops(classifier, batch, scores, shares, operator, target, seed, words_per_pass, ties, convention,
                  keep=True)


@torch.no_grad()
def _drops(classifier, batch: Batch, scores: Tensor, shares: tuple[float, ...], operator: str, target, seed: int,
           words_per_pass: int | None, ties: str, convention: str, of: str = "probability",
           keep: bool = False) -> Tensor:
    """Probability, or loss, of the whole document minus that of what is left, for each share of its words."""
    if convention not in CONVENTIONS:
        raise ValueError(f"Unknown convention {convention!r}: choose one of {', '.join(CONVENTIONS)}.")
    published = convention == "published"
    operator = "delete" if published and of == "probability" else operator
    if not all(0 < share <= 1 for share in shares):
        raise ValueError(f"The shares are {shares}: each must be above 0 and at most 1.")
    check_operator(operator)
    rank = ranks(batch, scores, whole_number(seed, "seed"), ties)
    found, order = [], []
    for rows, part in passes(classifier, batch, "masking words", words_per_pass):
        classes = target_classes(classifier, part, target_of(classifier, batch, target, rows))
        embeddings, lengths = classifier.embed(part), part.lengths

        def value(embeddings, mask, classes=classes):
            return quantity(class_logits(classifier, embeddings, mask), classes, of)

        whole, counted = value(embeddings, part.mask), part.mask.sum(dim=1) if published else lengths
        drops = []
        for share in shares:
            k = (share * counted).long().clamp(min=0 if published else 1)
            first = part.by_token((rank[rows, :part.word_mask.shape[1]] < k[:, None]) & part.word_mask)
            gone = first if not keep else part.mask & ~first if published else part.by_token(part.word_mask) & ~first
            drop = whole - value(*remove(classifier, embeddings, part.mask, gone, operator))
            drops.append(drop.masked_fill(k == 0, 0))
        found.append(torch.stack(drops, dim=1))
        order.append(rows)
    return torch.cat(found)[torch.cat(order).argsort()]


def _cut_off(K: int | None, batch: Batch) -> int:
    if K is None:
        return int(batch.lengths.max())
    if whole_number(K, "K") < 0:
        raise ValueError(f"K is {K}: the number of masked words cannot be negative.")
    longest = int(batch.lengths.max())
    if K > max(MOST_MASKED, longest):
        raise ValueError(f"K is {K:,}, the longest document has {longest} words, and a curve that stays where it is "
                         f"goes to {MOST_MASKED:,} at most: choose a smaller K.")
    return int(K)
