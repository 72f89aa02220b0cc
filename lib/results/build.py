"""The numbers of this build: from values a document, as experiments compute them, to intervals."""

from collections.abc import Mapping

import numpy as np

from ..intervals import Interval, bootstrap, wilson
from .numbers import END, NAN, Number, Panel, Source

ROUNDING = 1e-6  # a probability that rises by less has not risen


def _aopc(run: dict, k: int | None) -> np.ndarray | None:
    curve = _numbers(run["aopc"])
    return curve[:, k] if k is not None and END <= k < curve.shape[1] else None


def _kept_as(what: str):
    return lambda run, k: _numbers(run[what]) if what in run else None


def _rises(run: dict, k: None) -> np.ndarray:
    """AOPC(1) is half the drop of the probability at the first masked word."""
    return (_numbers(run["aopc"])[:, 1] < -ROUNDING).astype(float)


def _rho(run: dict, k: None) -> np.ndarray:
    return _numbers(run["rho"])


def _undefined(run: dict, k: None) -> np.ndarray:
    return np.isnan(_rho(run, k)).astype(float)


def _positive(run: dict, k: None) -> np.ndarray:
    rho = _rho(run, k)
    return np.where(np.isnan(rho), np.nan, rho > 0)


def _significant(run: dict, k: None) -> np.ndarray:
    return np.where(np.isnan(_rho(run, k)), np.nan, _numbers(run["p"]) <= 0.05)


def _numbers(values) -> np.ndarray:
    return values.double().numpy()


# Metric -> values [n] of one method in an experiment, NaN where a document has none.
OF_A_RUN = {"aopc": _aopc, "rho": _rho, "p <= 0.05": _significant, "rho > 0": _positive, "undefined": _undefined,
            "rises": _rises, "comprehensiveness": _kept_as("comprehensiveness"),
            "sufficiency": _kept_as("sufficiency"), "gap": _kept_as("gap")}
# Shares of documents: Wilson's interval.
SHARES = ("p <= 0.05", "rho > 0", "undefined", "rises", "accuracy", "p <= 0.05 by length", "rho in bin")


def interval(number: Number, values) -> Interval:
    """From values [n], one a document, to the interval that suits the metric; NaN if no document has a value."""
    values = np.asarray(values, dtype=float)
    if np.isnan(values).all():
        return NAN
    return wilson(values) if number.metric in SHARES and " - " not in number.method else bootstrap(values)


class Build(Source):
    """What this build has computed, a source as ``lib.results.numbers`` has it: NaN if no document has a value.

    ``runs``: (panel, variant) -> what :func:`lib.experiments.run` gives; ``measured``: (panel, number) -> values [n].
    """

    def __init__(self, runs: Mapping, measured: Mapping | None = None):
        super().__init__()
        self.runs = {(Panel(*panel), variant): run for (panel, variant), run in runs.items()}
        self.measured = {(Panel(*panel), number): values for (panel, number), values in (measured or {}).items()}

    def _interval(self, panel: Panel, number: Number) -> Interval | None:
        values = self.values(panel, number)
        return None if values is None else interval(number, values)

    def values(self, panel: Panel, number: Number) -> np.ndarray | None:
        """The number for each document, [n], NaN where it is undefined; None if it was not computed."""
        if (panel, number) in self.measured:
            return np.asarray(self.measured[panel, number], dtype=float)
        run, methods = self.runs.get((panel, number.variant), {}), number.method.split(" - ")
        if number.metric not in OF_A_RUN or not set(methods) <= set(run):
            return None
        found = [OF_A_RUN[number.metric](run[method], number.k) for method in methods]
        if any(values is None for values in found):
            return None
        return found[0] - found[1] if len(found) == 2 else found[0]
