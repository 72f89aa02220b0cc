"""Do two explanations agree, and how sure are we of a mean? Correlation and bootstrap."""

from typing import NamedTuple

import numpy as np
import torch
from scipy import stats
from torch import Tensor

RELATIVE_RANGE = 1e-12  # below this a vector counts as constant: its correlation would be rounding noise


def pearson(a: Tensor, b: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    r"""Pearson correlation of two explanations over the words of each document, and its p-value: [B], [B].

    :math:`\rho = \frac{\sum_i (a_i - \bar a)(b_i - \bar b)}{\sqrt{\sum_i (a_i - \bar a)^2} \sqrt{\sum_i (b_i - \bar b)^2}}`,
    two-sided p from Student's t with m - 2 degrees of freedom, in float64. Both are NaN where the correlation is
    not defined: fewer than three words, or one of the explanations constant over the document.

    Raises ``ValueError`` if shapes differ. Source: eq. 9 of :cite:t:`du2021`. Taught in: *Agreement with LOO*.
    """
    if not a.shape == b.shape == mask.shape:
        raise ValueError(f"Shapes differ: {list(a.shape)}, {list(b.shape)}, mask {list(mask.shape)}; explain the same batch with both methods.")
    results = []
    for first, second, words in zip(a.double().numpy(), b.double().numpy(), mask.numpy()):
        first, second = first[words], second[words]
        if len(first) < 3 or _constant(first) or _constant(second):
            results.append((np.nan, np.nan))
        else:
            results.append(stats.pearsonr(first, second))
    rho, p = torch.tensor(np.array(results, dtype=float)).T
    return rho, p


def _constant(values: np.ndarray) -> bool:
    return np.ptp(values) <= RELATIVE_RANGE * np.abs(values).max()


class Interval(NamedTuple):
    """A mean over documents with its 95 % bootstrap interval, the number of documents, and of those left out."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: int
    undefined: int


def bootstrap(values, seed: int = 0, resamples: int = 2000) -> Interval:
    """Mean over documents and its 95 % percentile bootstrap interval: values [n] or [n, K] -> numbers or [K].

    Documents are drawn with replacement. Documents with a NaN are left out, and counted in ``undefined``. All
    columns of a curve share the same draws, so the band of a curve is drawn from whole curves.

    Raises ``ValueError`` if no document is left. Source: :cite:t:`efron1993`. Taught in: *AOPC*.
    """
    values = np.asarray(values, dtype=float)
    defined = ~np.isnan(values).any(axis=tuple(range(1, values.ndim)))
    kept = values[defined]
    if len(kept) == 0:
        raise ValueError("No document has a defined value: there is nothing to average.")
    # scipy.stats.bootstrap draws anew for every column; counting how often each document is drawn needs one
    # matrix product for a whole curve.
    n = len(kept)
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)
    low, high = np.quantile(draws @ kept / n, [0.025, 0.975], axis=0)
    return Interval(kept.mean(axis=0), low, high, n, int((~defined).sum()))


def paired_bootstrap(a, b, seed: int = 0, resamples: int = 2000) -> Interval:
    """Mean of a - b over the same documents with its 95 % interval; "A beats B" if the interval lies above 0.

    Raises ``ValueError`` if the shapes differ. Taught in: *AOPC*.
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError(f"Shapes differ, {a.shape} and {b.shape}: a paired comparison needs the same documents in the same order.")
    return bootstrap(a - b, seed, resamples)
