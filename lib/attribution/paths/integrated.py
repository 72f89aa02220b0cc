"""Integrated Gradients: the gradient averaged along the straight line from a baseline to the document."""

import numpy as np
import torch
from torch import Tensor

from ...checks import whole_number
from ...passes import by_length, words_at_once
from ...targets import target_classes
from ...text import Batch
from ..baselines import baseline_embeddings
from ..gradients import gradient_at
from ..registry import method

RULES = ("midpoint", "gauss-legendre", "left", "right", "trapezoid")


@method("ig", "Integrated Gradients", sign="quantity", cost="n forward, n backward", citation="sundararajan2017",
        completeness="document")
def ig(classifier, batch: Batch, of: str = "probability", target: str | int | Tensor = "gold", baseline: str = "zero",
       points: int = 30, rule: str = "midpoint", words_per_pass: int | None = None) -> Tensor:
    r"""Integrated Gradients :math:`s_i = (e_i - e'_i) \cdot \int_0^1 g_i(e' + t (e - e'))\, dt`, [B, W], in units of F.

    F is the quantity ``of`` of one class, e' the document with every word at its ``baseline``, and the integral is a
    sum over n ``points`` by a ``rule`` (:func:`nodes`). The scores add up to F(x) - F(x'), but for the rule's error
    (:func:`lib.attribution.baselines.completeness_gap`). Positive raises F: it supports the class if F is a probability
    or a logit, and speaks against it if F is a loss.

    Raises ``ValueError`` for an unknown rule or baseline, or too few points.
    Source: :cite:t:`sundararajan2017`. Taught in: *Integrated gradients and its axioms*.
    """
    classes = target_classes(classifier, batch, target)
    with torch.no_grad():
        end = classifier.embed(batch)
    start = baseline_embeddings(classifier, batch, end, baseline)
    mean = mean_gradient(classifier, start, end, batch.mask, classes, of, points, rule, words_per_pass)
    return batch.by_word(((end - start) * mean).sum(dim=2))


def mean_gradient(classifier, start: Tensor, end: Tensor, mask: Tensor, classes: Tensor, of: str, points: int,
                  rule: str, words_per_pass: int | None = None) -> Tensor:
    """The gradient averaged over the straight line from ``start`` to ``end``, all [B, T, D].

    As many points as fit go through the classifier together, of few documents rather than of many: so there is little
    padding. Taught in: *Integrated gradients and its axioms*.
    """
    places, weights = (each.to(end) for each in nodes(points, rule))
    most, mean = words_at_once(classifier, words_per_pass), torch.zeros_like(end)
    for rows in by_length(mask.sum(dim=1), most // points):
        wide = max(1, int(mask[rows].sum(dim=1).max()))
        first, way, read = start[rows, :wide], (end - start)[rows, :wide], mask[rows, :wide]
        together = max(1, most // max(1, read.numel()))
        for some, weight in zip(places.split(together), weights.split(together), strict=True):
            line = first + some.view(-1, 1, 1, 1) * way
            _, gradient = gradient_at(classifier, line.flatten(0, 1), read.repeat(len(some), 1),
                                      classes[rows].repeat(len(some)), of, words_per_pass)
            mean[rows, :wide] += torch.einsum("n,nbtd->btd", weight, gradient.view_as(line))
    return mean


def nodes(points: int, rule: str = "midpoint") -> tuple[Tensor, Tensor]:
    r"""Where on [0, 1] a rule takes its n points, and their weights, which add up to 1: [n], [n], in float64.

    ``"left"``, ``"midpoint"`` and ``"right"`` cut the line into n pieces; ``"trapezoid"`` takes :math:`i / (n - 1)`,
    half at the ends, n >= 2; ``"gauss-legendre"`` is exact for polynomials of degree 2 n - 1.
    Raises ``ValueError`` for another rule or too few points. Taught in: *Integrated gradients and its axioms*.
    """
    if rule not in RULES:
        raise ValueError(f"Unknown rule {rule!r}: choose one of {', '.join(RULES)}.")
    n = whole_number(points, "points", least=2 if rule == "trapezoid" else 1)
    places, weights = np.arange(n) / n, np.full(n, 1 / n)
    if rule == "gauss-legendre":
        places, weights = np.polynomial.legendre.leggauss(n)
        places, weights = (places + 1) / 2, weights / 2
    elif rule == "trapezoid":
        places, weights = np.linspace(0, 1, n), np.full(n, 1 / (n - 1))
        weights[[0, -1]] /= 2
    else:
        places = places + {"left": 0, "midpoint": 0.5, "right": 1}[rule] / n
    return torch.tensor(places, device="cpu"), torch.tensor(weights, device="cpu")
