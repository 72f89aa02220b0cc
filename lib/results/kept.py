"""The reference results: the book's experiments on many more documents and several seeds, as they are kept with it."""

from pathlib import Path

import numpy as np
import pandas as pd

from ..intervals import Interval
from .numbers import END, NAN, Number, Panel, Source, parts

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "tables"
ALL_SEEDS = "all"
COLUMNS = ["dataset", "source", "classifier", "method", "metric", "k", "n", "mean", "low", "high", "seed", "variant",
           "lib_version", "date"]


def table(folder: str | Path | None = None) -> pd.DataFrame:
    """All rows of the reference results: each a mean over n documents with its 95 % interval, Wilson's for shares.

    ``method`` is a key, or "A - B" for a paired difference; ``metric`` says what was averaged, ``k`` at which cut-off
    (or in which bin), ``variant`` which one thing was changed: "main" for nothing; ``seed`` is that of the training, or
    "all" for the mean over the seeds. ``make reference`` writes them.
    ``folder`` holds tables of your own. Raises ``FileNotFoundError`` if there are none. Taught in: *AOPC*.
    """
    folder = FOLDER if folder is None else Path(folder).expanduser()
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise FileNotFoundError(f"There are no reference results in {folder}: they are written by `make reference`.")
    tables = [pd.read_csv(path, dtype={"k": "Int64", "method": str, "seed": str}) for path in files]
    return pd.concat(tables, ignore_index=True)[COLUMNS].fillna({"method": ""})


def pooled(table: pd.DataFrame, **wanted) -> Interval | None:
    """One value with its interval over training seeds and documents, or None where the reference has nothing.

    It is that of the row whose seed is "all", :func:`lib.intervals.two_level`; a table of one seed has the interval
    over its documents. ``n`` is the number of documents of a seed, ``undefined`` is not known here and 0. Raises
    ``ValueError`` if the rows wanted are not one value. Taught in: *AOPC*.
    """
    chosen = np.logical_and.reduce([table[column] == value for column, value in wanted.items()])
    rows = table[chosen].dropna(subset=["mean"])
    if rows.empty:
        return None
    if len(rows) > 1:
        rows = rows[rows.seed == ALL_SEEDS]
    if len(rows) != 1:
        raise ValueError(f"{wanted} does not name one value: say dataset, classifier, method, metric, k and variant, "
                         f"and keep several seeds with a row for {ALL_SEEDS!r}.")
    row = rows.iloc[0]
    return Interval(row["mean"], row["low"], row["high"], int(row["n"]))


class Reference(Source):
    """A table of results, a source as ``lib.results.numbers`` has it, with intervals over the seeds."""

    def __init__(self, table: pd.DataFrame):
        super().__init__()
        self.table = table
        columns = ["dataset", "classifier", "metric", "method", "k", "variant"]
        self.rows = table[columns].assign(k=table["k"].fillna(END)).groupby(columns).indices  # END: no cut-off
        self.longest: dict[tuple, int] = {}
        for corpus, classifier, metric, _, k, variant in self.rows:
            if metric == "aopc":
                self.longest[corpus, classifier, variant] = max(k, self.longest.get((corpus, classifier, variant), 0))

    def _interval(self, panel: Panel, number: Number) -> Interval | None:
        there = self._look_up(panel, number)
        if there is None and " - " in number.method:  # kept the other way round, perhaps
            turned = " - ".join(reversed(number.method.split(" - ")))
            there = self._look_up(panel, number._replace(method=turned))
            there = None if there is None else -there
        return self._undefined(panel, number) if there is None else there

    def _look_up(self, panel: Panel, number: Number) -> Interval | None:
        k = self.longest.get((*panel, number.variant)) if number.k == END else END if number.k is None else number.k
        rows = self.rows.get((*panel, number.metric, number.method, k, number.variant))
        return None if rows is None else pooled(self.table.iloc[rows], metric=number.metric)

    def _undefined(self, panel: Panel, number: Number) -> Interval | None:
        """Correlations have no row where no document has one: this is known, and not missing."""
        if not number.metric.startswith(("rho", "p <=")):
            return None
        variant = "main" if number.variant == "reasons" else number.variant
        shares = [self(panel, Number("undefined", method, None, variant)) for method in parts(number.method)]
        return NAN if any(share is not None and share.mean == 1 for share in shares) else None


def timings(name: str) -> pd.DataFrame:
    """A table of timings that is kept with the library, ``lib/results/timings/<name>.csv``.

    Raises ``FileNotFoundError`` if it is not there. Taught in: *What an explanation costs*.
    """
    path = HERE / "timings" / f"{name}.csv"
    if not path.is_file():
        raise FileNotFoundError(f"There is no {path}: the tables of timings are written by `make bench`.")
    return pd.read_csv(path)
