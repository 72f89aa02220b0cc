"""Do two explanations agree? Their correlation over the words of a document."""

import numpy as np
import torch
from scipy import stats
from torch import Tensor

RELATIVE_RANGE = 1e-12  # below this a vector counts as constant: its correlation would be rounding noise


def pearson(a: Tensor, b: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    r"""Pearson correlation of two explanations over the words of each document, and its p-value: [B], [B].

    :math:`\rho = \frac{\sum_i (a_i - \bar a)(b_i - \bar b)}
    {\sqrt{\sum_i (a_i - \bar a)^2} \sqrt{\sum_i (b_i - \bar b)^2}}`,
    two-sided p from Student's t with m - 2 degrees of freedom, in float64. Both are NaN where the correlation is
    not defined: fewer than three words, or one of the explanations constant over the document.

    Raises ``ValueError`` if shapes differ. Source: eq. 9 of :cite:t:`du2021`. Taught in: *Agreement with LOO*.
    """
    _check_shapes(a, b, mask)
    results = []
    rows = (each.detach().cpu().numpy() for each in (a.double(), b.double(), mask))
    for first, second, words in zip(*rows, strict=True):
        first, second = first[words], second[words]
        if len(first) < 3 or _constant(first) or _constant(second):
            results.append((np.nan, np.nan))
        else:
            results.append(stats.pearsonr(first, second))
    rho, p = torch.tensor(np.array(results, dtype=float).reshape(-1, 2), device=a.device).T
    return rho, p


def same_sign(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    r"""Share of the words of each document to which two explanations give the same sign, [B], in [0, 1].

    Counted are the words of ``mask`` [B, W] to which both give one: a score of 0 speaks for neither side. NaN for a
    document without such a word. Raises ``ValueError`` if shapes differ. Taught in: *Agreement with LOO*.
    """
    _check_shapes(a, b, mask)
    counted = mask & (a != 0) & (b != 0)
    return (counted & (a.sign() == b.sign())).sum(dim=1) / counted.sum(dim=1)


def _check_shapes(a: Tensor, b: Tensor, mask: Tensor) -> None:
    if not a.shape == b.shape == mask.shape:
        raise ValueError(f"Shapes differ: {list(a.shape)}, {list(b.shape)}, mask {list(mask.shape)}; "
                         "explain the same batch with both methods.")


def _constant(values: np.ndarray) -> bool:
    return np.ptp(values) <= RELATIVE_RANGE * np.abs(values).max()
