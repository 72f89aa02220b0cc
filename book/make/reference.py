"""Compute the reference results: every cell of the paper's experiments, and what changes when one thing is changed.

    python -m book.make.reference              # all that is missing; about an hour and a half on two cores
    python -m book.make.reference imdb-bilstm  # only cells whose name contains this

A finished cell is a small file in lib/results/tables/, written whole; cells that are there are left alone, so an
interrupt loses one cell at most (and of an experiment only the shards under way). Delete a file to compute it again.
"""

import argparse
import datetime
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch

import lib
from book.paper import reasons
from book.paper.plan import CLASSIFIERS, CORPORA, METHODS, PAIRS, VARIANTS, precision
from lib.agreement import pearson
from lib.attribution import explain_all
from lib.data.files import find
from lib.experiments import Experiment, processes, run
from lib.intervals import Interval
from lib.results import Number, Panel
from lib.results.build import Build, interval
from lib.results.kept import COLUMNS, FOLDER
from lib.storage import whole_file

SEEDS = (0, 1, 2)
VARIANT_DOCUMENTS = 200
CUTOFFS = (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 70, 100, 150, 200)  # and the length of the longest document
FEW_CUTOFFS = (1, 3, 10, 30, 100)
DIFFERENCES_AT = (10,)  # and at the end
BINS = 40  # of the histogram of correlations, from -1 to 1
ANY = Panel("", "")  # where one experiment is looked at alone


@dataclass(frozen=True)
class Cell:
    """One file of results: a classifier on a corpus, with one thing changed, and the function that makes its rows."""

    corpus: str
    classifier: str
    seed: int
    variant: str
    rows: Callable  # of (cell, executor): dictionaries with method, metric, k, n, mean, low, high and variant
    recipe: tuple = ()  # what is changed in the training of the classifier, as pairs

    @property
    def name(self) -> str:
        return f"{self.corpus}-{self.classifier}-{self.variant}-{self.seed}"


def cells() -> list[Cell]:
    """All cells, the main ones first."""
    grid = [(corpus, name) for corpus in CORPORA for name in CLASSIFIERS]
    main = [Cell(*panel, seed, "main", main_rows) for seed in SEEDS for panel in grid]
    variants = [Cell(*panel, 0, variant, partial(variant_rows, changes=changes), pairs(changes.get("recipe", {})))
                for variant, changes in VARIANTS.items()
                for panel in grid if variant != "readout-last" or panel[1] == "bilstm"]
    of_reasons = [Cell(*panel, seed, "reasons", reason_rows) for seed in SEEDS for panel in grid]
    last = pairs(VARIANTS["readout-last"]["recipe"])
    of_last = [Cell(corpus, "bilstm", 0, "readout-last-reasons", reason_rows, last) for corpus in CORPORA]
    return main + variants + of_reasons + of_last


def pairs(recipe: dict) -> tuple:
    return tuple(recipe.items())


def train(corpus: str, classifier: str, seed: int, recipe: tuple) -> None:
    """Train one classifier, or find it in the cache; one thread each, so that two do not wait for each other."""
    torch.set_num_threads(1)
    lib.training.fit(classifier, lib.data.load(corpus), seed, **dict(recipe))


def experiment_of(cell: Cell, documents: int, **changes) -> Experiment:
    return Experiment(cell.corpus, cell.classifier, documents, METHODS, cell.seed,
                      precision=precision(cell.classifier), **changes)


def documents_of(cell: Cell) -> int:
    """How many test documents a main cell explains: the curves of the BiLSTM on long reviews are the most expensive."""
    return 500 if (cell.corpus, cell.classifier) == ("imdb", "bilstm") else 1000


def main_rows(cell: Cell, executor) -> Iterator[dict]:
    """AOPC, differences, correlations and accuracy on at least 1,000 documents (500 for the BiLSTM on IMDB)."""
    documents = documents_of(cell)
    found = run(experiment_of(cell, documents), executor)
    yield from of_experiment(found, CUTOFFS, FEW_CUTOFFS, histogram=True)
    corpus = lib.data.load(cell.corpus)
    classifier = lib.training.fit(cell.classifier, corpus, cell.seed)
    yield from rows_of([(Number("accuracy", ""), right_ones(classifier, corpus.test))])
    with torch.no_grad():
        batch = classifier.encode(corpus.test.texts[:documents], corpus.test.labels[:documents])
        right = (classifier(batch).argmax(dim=1) == batch.labels).numpy()
    for variant, chosen in (("correct", right), ("misclassified", ~right)):
        if not chosen.any():
            continue
        part = {method: {what: values[chosen] for what, values in numbers.items()} for method, numbers in found.items()}
        yield from ({**row, "variant": variant} for row in of_experiment(part))


def right_ones(classifier, split) -> np.ndarray:
    """A hit for each document that gets its gold class; which one it is does not matter to a share."""
    return np.arange(len(split)) < round(len(split) * lib.training.accuracy(classifier, split))


def variant_rows(cell: Cell, executor, changes: dict) -> Iterator[dict]:
    yield from of_experiment(run(experiment_of(cell, VARIANT_DOCUMENTS, **changes), executor))


def of_experiment(found: dict, cutoffs: tuple[int, ...] = FEW_CUTOFFS, differences_at: tuple[int, ...] = DIFFERENCES_AT,
                  histogram: bool = False) -> Iterator[dict]:
    """The rows of an experiment: AOPC at the cut-offs and at the end, differences, and what became of correlations."""
    longest = found["loo"]["aopc"].shape[1] - 1
    cutoffs, differences_at = ([k for k in wanted if k < longest] + [longest] for wanted in (cutoffs, differences_at))
    numbers = [Number("aopc", method, k) for method in METHODS for k in cutoffs]
    numbers += [Number("aopc", f"{first} - {second}", k) for first, second in PAIRS for k in differences_at]
    numbers += [Number(metric, method) for method in METHODS if method != "loo"
                for metric in ("undefined", "rho", "rho > 0", "p <= 0.05", "rises")]
    numbers.append(Number("rho", "signed_gi - sa_l1"))
    build = Build({(ANY, "main"): found})
    yield from rows_of((number, build.values(ANY, number)) for number in numbers)
    if histogram:
        for method in ("signed_gi", "sa_l1"):
            yield from rows_of(of_bins(method, found[method]["rho"].numpy()))


def of_bins(method: str, rho: np.ndarray) -> Iterator[tuple[Number, np.ndarray]]:
    """Whether a correlation lies in the bin, for each bin from -1 to 1: a histogram of shares."""
    edges = np.linspace(-1, 1, BINS + 1)
    bin_of = np.clip(np.digitize(rho, edges) - 1, 0, BINS - 1)  # the last one holds 1 itself
    for k in range(BINS):
        yield Number("rho in bin", method, k), np.where(np.isnan(rho), np.nan, bin_of == k)


def reason_rows(cell: Cell, executor, steps: int = 10) -> Iterator[dict]:
    """The paper's reasons, measured: dominant dimensions, deletion that looks again, gradients by position, length."""
    corpus = lib.data.load(cell.corpus)
    classifier = lib.training.fit(cell.classifier, corpus, cell.seed, **dict(cell.recipe))
    if cell.classifier == "fasttext":
        classifier.double()
    batch = classifier.encode(corpus.test.texts[:VARIANT_DOCUMENTS], corpus.test.labels[:VARIANT_DOCUMENTS])
    yield from rows_of(reasons.of_gradients(classifier, batch))
    yield from rows_of(reasons.of_greedy(classifier, batch, steps, ("loo", "signed_gi")))
    scores = explain_all(classifier, batch, ["loo", "signed_gi"])
    rho, p = pearson(scores["signed_gi"], scores["loo"], batch.mask)
    yield from rows_of(reasons.of_lengths(rho, p, batch.lengths))


def rows_of(measured) -> Iterator[dict]:
    """A row for each number that some document has."""
    for number, values in measured:
        found = interval(number, values)
        if found.n:
            yield row(number.method, number.metric, found, number.k)


def row(method: str, metric: str, interval: Interval, k: int | None = None) -> dict:
    return {"method": method, "metric": metric, "k": k, "n": interval.n,
            **{part: float(getattr(interval, part)) for part in ("mean", "low", "high")}}


def table_of(cell: Cell, executor) -> pd.DataFrame:
    corpus = lib.data.load(cell.corpus)
    place = find(cell.corpus).label.removeprefix("the folder ").removeprefix("the package ")
    about = {"dataset": cell.corpus, "source": f"{place}; {len(corpus.train)} train", "classifier": cell.classifier,
             "seed": cell.seed, "variant": cell.variant, "lib_version": lib.__version__,
             "date": datetime.date.today().isoformat()}
    table = pd.DataFrame([about | found for found in cell.rows(cell, executor)])[COLUMNS]
    table["k"] = table["k"].astype("Int64")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("wanted", nargs="?", default="", help="compute only cells whose name contains this")
    wanted = parser.parse_args().wanted
    torch.set_num_threads(1)  # as in the processes; with more, they would wait for each other
    for name in CORPORA:
        lib.data.load(name)  # says what to do if it is not here
    missing = [cell for cell in cells() if wanted in cell.name and not (FOLDER / f"{cell.name}.csv").is_file()]
    print(f"{len(missing)} cells to compute.", flush=True)
    with processes() as executor:
        needed = dict.fromkeys((cell.corpus, cell.classifier, cell.seed, cell.recipe) for cell in missing)
        for trained in [executor.submit(train, *classifier) for classifier in needed]:
            trained.result()
        print(f"{len(needed)} classifiers are trained.", flush=True)
        for number, cell in enumerate(missing, 1):
            started = time.perf_counter()
            table = table_of(cell, executor)
            with whole_file(FOLDER / f"{cell.name}.csv") as temporary:
                table.to_csv(temporary, index=False, float_format="%.4g", lineterminator="\n")
            took = time.perf_counter() - started
            print(f"{number}/{len(missing)} {cell.name}: {len(table)} rows, {took:.0f} s", flush=True)


if __name__ == "__main__":
    main()
