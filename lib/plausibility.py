"""Would people have marked the same words? Scores beside what people say of words."""

import torch
from torch import Tensor

from .agreement import pearson


def plausibility(scores: Tensor, valence: Tensor, mask: Tensor) -> Tensor:
    r"""Are the words with large scores those that people feel strongly about? Pearson of the sizes, [B], in [-1, 1].

    :math:`\rho(|s|, |v|)` over the words of each document, from scores and ``valence`` [B, W]: negative for bad, 0 for
    neutral, in any unit. Blind to the sign of both. NaN where the correlation is not defined: fewer than three words,
    or all alike, as in a sentence of neutral words.

    Raises ``ValueError`` if shapes differ. Source: :cite:t:`zhang2022`. Taught in: *Against human judgement*.
    """
    return pearson(scores.abs(), valence.abs(), mask)[0]


def signed_plausibility(support: Tensor, valence: Tensor, mask: Tensor, positive: Tensor) -> Tensor:
    r"""Do the words that support a class have the sign that people give them? Pearson of the signed values, [B].

    :math:`\rho(d\, s, v)` with d = 1 for documents that are explained for the ``positive`` class (True in [B]) and
    -1 for the negative one; ``support`` [B, W] is positive where it supports the class explained. NaN as for
    :func:`plausibility`. Raises ``ValueError`` if shapes differ. Taught in: *Against human judgement*.
    """
    direction = torch.where(positive, 1.0, -1.0).to(support)[:, None]
    return pearson(direction * support, valence, mask)[0]
