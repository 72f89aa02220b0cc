"""How sure are we of a mean? Intervals over documents: the one place that makes or writes them."""

from typing import NamedTuple

import numpy as np
from scipy import stats


class Interval(NamedTuple):
    """A mean over n documents with its 95 % interval; ``undefined`` counts the documents that were left out.

    ``f"{interval:.2f}"`` writes ``0.51 [0.48, 0.54]``, ``f"{difference:+.3f}"`` every number with its sign. Of one
    document no interval is known: ``low`` and ``high`` are NaN, and ``0.51 [undefined: 1 document]`` is written. A
    curve has arrays for its numbers; it is drawn, not written. Taught in: *AOPC*.
    """

    mean: float
    low: float
    high: float
    n: int
    undefined: int = 0

    @property
    def side(self) -> str:
        """Where the whole interval lies: "above" 0, "below" it, or "undecided" if it holds 0 or is undefined."""
        return "above" if self.low > 0 else "below" if self.high < 0 else "undecided"

    def __neg__(self) -> "Interval":
        """The interval of b - a from that of a - b."""
        return Interval(-self.mean, -self.high, -self.low, self.n, self.undefined)

    def __format__(self, form: str) -> str:
        if np.ndim(self.mean):
            raise ValueError("This interval is a whole curve, which cannot be written as a number: take one place.")
        if np.isnan(self.mean):
            return "undefined"
        form = form or ".3f"
        if np.isnan(self.low) or np.isnan(self.high):
            return f"{self.mean:{form}} [undefined: {self.n:,} document{'' if self.n == 1 else 's'}]"
        return f"{self.mean:{form}} [{self.low:{form}}, {self.high:{form}}]"



def bootstrap(values, seed: int = 0, resamples: int = 2000) -> Interval:
    """Mean over documents and its 95 % percentile bootstrap interval: values [n] or [n, K] -> numbers or [K].

    Documents are drawn with replacement. Documents with a NaN are left out, and counted in ``undefined``. All
    columns of a curve share the same draws, so the band of a curve is drawn from whole curves. Drawn from one document,
    every mean would be the same, so its ``low`` and ``high`` are NaN.

    Raises ``ValueError`` if no document is left. Source: :cite:t:`efron1993`. Taught in: *AOPC*.
    """
    kept, undefined = _defined(values)
    # scipy.stats.bootstrap draws anew for every column; counting how often each document is drawn needs one
    # matrix product for a whole curve.
    n, mean = len(kept), kept.mean(axis=0)
    if n == 1:
        return Interval(mean, mean * np.nan, mean * np.nan, n, undefined)
    draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)
    low, high = np.quantile(draws @ kept / n, [0.025, 0.975], axis=0)
    return Interval(mean, low, high, n, undefined)


def paired_bootstrap(a, b, seed: int = 0, resamples: int = 2000) -> Interval:
    """Mean of a - b over the same documents with its 95 % interval; "A beats B" if the interval lies above 0.

    Raises ``ValueError`` if the shapes differ. Taught in: *AOPC*.
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError(f"Shapes differ, {a.shape} and {b.shape}: a paired comparison needs the same documents in the "
                         "same order.")
    return bootstrap(a - b, seed, resamples)


def wilson(hits) -> Interval:
    """Share of the documents that are hits, with Wilson's 95 % interval: hits [n] of True or False, 1 or 0.

    A bootstrap of 200 hits in 200 documents would say that the share is exactly 1, because a miss that was not drawn
    cannot be drawn again; Wilson's interval does not. NaN is left out, and counted in ``undefined``.

    Raises ``ValueError`` for other values, and if no document is left. Source: :cite:t:`wilson1927`.
    Taught in: *Agreement with LOO*.
    """
    kept, undefined = _defined(hits)
    if kept.ndim != 1 or not np.isin(kept, (0, 1)).all():
        raise ValueError("A share is counted from one True or False, 1 or 0, for each document.")
    n, count = len(kept), int(kept.sum())
    found = stats.binomtest(count, n).proportion_ci(method="wilson")
    return Interval(count / n, found.low, found.high, n, undefined)


def two_level(values, share: bool = False) -> Interval:
    r"""Mean over training seeds and documents with its 95 % interval: values [S, n], the same documents for each seed.

    :math:`\bar x \pm \sqrt{t^2 s^2 / S + 1.96^2 v / n}`: the mean of the seeds' means; s their standard deviation, t
    the 97.5 % point of Student's distribution with S - 1 degrees of freedom; v the variance over documents of a
    document's mean over the seeds. The first term is the chance in training, the second that in drawing documents. For
    a ``share`` (values 0 and 1) the second is the arm of Wilson's interval, and the whole stays in [0, 1].

    A NaN is left out where it stands; a document that is NaN for every seed is counted in ``undefined``. Of one seed,
    or of one document, no interval is known: its ends are NaN. Raises ``ValueError`` for another shape, for a seed
    without a value, and for other values of a share. Source: the squares of the arms of two intervals add up,
    :cite:t:`zou2008`. Taught in: *AOPC*.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 2:
        raise ValueError(f"The values have shape {list(values.shape)}: pass a row for each training seed, [S, n].")
    if share and not np.isin(values[~np.isnan(values)], (0, 1)).all():
        raise ValueError("A share is counted from True or False, 1 or 0, for each seed and document.")
    if np.isnan(values).all(axis=1).any():
        raise ValueError("A training seed has no defined value: there is nothing to average.")
    of_seeds = np.nanmean(values, axis=1)
    kept, undefined = _defined([np.nan if np.isnan(one).all() else np.nanmean(one) for one in values.T])
    seeds, n, mean = len(values), len(kept), of_seeds.mean()
    if seeds == 1 or n == 1:
        return Interval(mean, np.nan, np.nan, n, undefined)
    training = stats.t.ppf(0.975, seeds - 1) * of_seeds.std(ddof=1) / np.sqrt(seeds)
    if not share:
        arm = np.hypot(training, 1.96 * kept.std(ddof=1) / np.sqrt(n))
        return Interval(mean, mean - arm, mean + arm, n, undefined)
    ends = stats.binomtest(round(mean * n), n).proportion_ci(method="wilson")
    low, high = (np.hypot(training, end - round(mean * n) / n) for end in (ends.low, ends.high))
    return Interval(mean, max(0.0, mean - low), min(1.0, mean + high), n, undefined)


def _defined(values) -> tuple[np.ndarray, int]:
    """The documents without a NaN, and the number of the others."""
    values = np.asarray(values, dtype=float)
    if values.ndim == 0:
        raise ValueError("One number is no sample: pass a value for each document.")
    defined = ~np.isnan(values).any(axis=tuple(range(1, values.ndim)))
    if not defined.any():
        raise ValueError("No document has a defined value: there is nothing to average.")
    return values[defined], int((~defined).sum())
