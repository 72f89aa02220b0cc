"""How sure are we of a mean? Intervals over documents: the one place that makes or writes them."""

from typing import NamedTuple

import numpy as np


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
