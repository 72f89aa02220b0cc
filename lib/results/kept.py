"""The reference results: the book's experiments on many more documents and several seeds, as they are kept with it."""

from pathlib import Path

import numpy as np
import pandas as pd

from ..intervals import Interval

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "tables"
COLUMNS = ["dataset", "source", "classifier", "method", "metric", "k", "n", "mean", "low", "high", "seed", "variant", "lib_version", "date"]


def table() -> pd.DataFrame:
    """All rows of the reference results: each a mean over n documents with its 95 % interval: bootstrap, Wilson's for shares.

    ``method`` is a key, or "A - B" for a paired difference; ``metric`` says what was averaged, ``k`` at which cut-off (or
    in which bin), ``variant`` which one thing was changed: "main" for nothing. ``make reference`` writes them.
    Raises ``FileNotFoundError`` if there are none. Taught in: *AOPC*.
    """
    files = sorted(FOLDER.glob("*.csv"))
    if not files:
        raise FileNotFoundError(f"There are no reference results in {FOLDER}: they are written by `make reference`.")
    table = pd.concat([pd.read_csv(path, dtype={"k": "Int64", "method": str}) for path in files], ignore_index=True)[COLUMNS]
    return table.fillna({"method": ""})


def pooled(table: pd.DataFrame, **wanted) -> Interval | None:
    """One value with its interval over the training seeds, or None where the reference has nothing.

    The mean is the mean over the seeds; the interval reaches from the lowest low to the highest high end among them, so
    it holds the chance in the documents and the chance in training. ``n`` is the number of documents of a seed,
    ``undefined`` is not known here and 0. Raises ``ValueError`` if the rows wanted are not one value a seed.
    Taught in: *AOPC*.
    """
    chosen = np.logical_and.reduce([table[column] == value for column, value in wanted.items()])
    rows = table[chosen].dropna(subset=["mean"])
    if rows.empty:
        return None
    if rows.seed.duplicated().any():
        raise ValueError(f"{wanted} does not name one value: say dataset, classifier, method, metric, k and variant.")
    return Interval(rows["mean"].mean(), rows["low"].min(), rows["high"].max(), int(rows.n.min()), 0)


def timings(name: str) -> pd.DataFrame:
    """A table of timings that is kept with the library, ``lib/results/timings/<name>.csv``.

    Raises ``FileNotFoundError`` if it is not there. Taught in: *What an explanation costs*.
    """
    path = HERE / "timings" / f"{name}.csv"
    if not path.is_file():
        raise FileNotFoundError(f"There is no {path}: the tables of timings are written by `make bench`.")
    return pd.read_csv(path)
