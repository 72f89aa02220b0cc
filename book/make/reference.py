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
from scipy import stats

import lib
from book.paper.plan import CLASSIFIERS, CORPORA, METHODS, PAIRS, VARIANTS, precision
from lib.agreement import pearson
from lib.attribution import explain_all, input_gradient
from lib.data.files import find
from lib.diagnostics import greedy, largest_share, norms_by_position
from lib.experiments import Experiment, processes, run
from lib.faithfulness import aopc
from lib.intervals import bootstrap, paired_bootstrap
from lib.results.kept import COLUMNS, FOLDER
from lib.storage import whole_file

SEEDS = (0, 1, 2)
VARIANT_DOCUMENTS = 200
CUTOFFS = (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 70, 100, 150, 200)  # and the length of the longest document
FEW_CUTOFFS = (1, 3, 10, 30, 100)
DIFFERENCES_AT = (10,)  # and at the end
BINS = 40  # of the histogram of correlations, from -1 to 1

@dataclass(frozen=True)
class Cell:
    """One file of results: a classifier on a corpus, with one thing changed, and the function that computes its rows."""

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
    variants = [Cell(*panel, 0, variant, partial(variant_rows, changes=changes), tuple(changes.get("recipe", {}).items()))
                for variant, changes in VARIANTS.items()
                for panel in grid if variant != "readout-last" or panel[1] == "bilstm"]
    reasons = [Cell(*panel, seed, "reasons", reason_rows) for seed in SEEDS for panel in grid]
    return main + variants + reasons + [Cell(corpus, "bilstm", 0, "readout-last-reasons", reason_rows, (("readout", "last"),))
                                        for corpus in CORPORA]


def train(corpus: str, classifier: str, seed: int, recipe: tuple) -> None:
    """Train one classifier, or find it in the cache; one thread each, so that two side by side do not wait for each other."""
    torch.set_num_threads(1)
    lib.training.fit(classifier, lib.data.load(corpus), seed, **dict(recipe))


def experiment_of(cell: Cell, documents: int, **changes) -> Experiment:
    return Experiment(cell.corpus, cell.classifier, documents, METHODS, cell.seed, precision=precision(cell.classifier), **changes)


def documents_of(cell: Cell) -> int:
    """How many test documents a main cell explains: the curves of the BiLSTM on long reviews are the most expensive."""
    return 500 if (cell.corpus, cell.classifier) == ("imdb", "bilstm") else 1000


def main_rows(cell: Cell, executor) -> Iterator[dict]:
    """AOPC, differences, correlations and accuracy on at least 1,000 documents (500 for the BiLSTM on IMDB)."""
    documents = documents_of(cell)
    found = run(experiment_of(cell, documents), executor)
    yield from of_experiment(found, CUTOFFS, FEW_CUTOFFS, BINS)
    corpus = lib.data.load(cell.corpus)
    classifier = lib.training.fit(cell.classifier, corpus, cell.seed)
    yield accuracy_row(classifier, corpus)
    with torch.no_grad():
        batch = classifier.encode(corpus.test.texts[:documents], corpus.test.labels[:documents])
        right = (classifier(batch).argmax(dim=1) == batch.labels).numpy()
    for variant, chosen in (("correct", right), ("misclassified", ~right)):
        if not chosen.any():
            continue
        part = {method: {what: values[chosen] for what, values in numbers.items()} for method, numbers in found.items()}
        yield from ({**row, "variant": variant} for row in of_experiment(part))


def variant_rows(cell: Cell, executor, changes: dict) -> Iterator[dict]:
    yield from of_experiment(run(experiment_of(cell, VARIANT_DOCUMENTS, **changes), executor))


def of_experiment(found: dict, cutoffs: tuple[int, ...] = FEW_CUTOFFS, differences_at: tuple[int, ...] = DIFFERENCES_AT,
                  bins: int = 0) -> Iterator[dict]:
    """The rows of an experiment: AOPC at the cut-offs and at the end, differences, and what became of the correlations."""
    longest = found["loo"]["aopc"].shape[1] - 1
    cutoffs, differences_at = ([k for k in wanted if k < longest] + [longest] for wanted in (cutoffs, differences_at))
    for method in METHODS:
        for k in cutoffs:
            yield row(method, "aopc", bootstrap(found[method]["aopc"][:, k]), k)
    for first, second in PAIRS:
        for k in differences_at:
            difference = paired_bootstrap(found[first]["aopc"][:, k], found[second]["aopc"][:, k])
            yield row(f"{first} - {second}", "aopc", difference, k)
    for method in METHODS:
        if method == "loo":
            continue
        rho, p = found[method]["rho"].numpy(), found[method]["p"].numpy()
        defined = ~np.isnan(rho)
        yield row(method, "undefined", bootstrap(~defined))
        if not defined.any():
            continue
        yield row(method, "rho", bootstrap(rho))
        yield share_row(method, "rho > 0", rho[defined] > 0)
        yield share_row(method, "p <= 0.05", p[defined] <= 0.05)
        if bins and method in ("signed_gi", "sa_l1"):
            counts, _ = np.histogram(rho[defined], bins=np.linspace(-1, 1, bins + 1))
            for k, count in enumerate(counts):
                yield share_row(method, "rho in bin", np.arange(defined.sum()) < count, k)
    both = {key: found[key]["rho"].numpy() for key in ("signed_gi", "sa_l1")}
    if not np.isnan(both["signed_gi"] - both["sa_l1"]).all():
        yield row("signed_gi - sa_l1", "rho", paired_bootstrap(both["signed_gi"], both["sa_l1"]))


def accuracy_row(classifier, corpus) -> dict:
    n = len(corpus.test)
    return share_row("", "accuracy", np.arange(n) < round(n * lib.training.accuracy(classifier, corpus.test)))


def reason_rows(cell: Cell, executor, steps: int = 10) -> Iterator[dict]:
    """The paper's reasons, measured: dominant dimensions, deletion that looks again, gradients by position, length."""
    corpus = lib.data.load(cell.corpus)
    classifier = lib.training.fit(cell.classifier, corpus, cell.seed, **dict(cell.recipe))
    if cell.classifier == "fasttext":
        classifier.double()
    batch = classifier.encode(corpus.test.texts[:VARIANT_DOCUMENTS], corpus.test.labels[:VARIANT_DOCUMENTS])
    # One dominant dimension?
    shares, positions = [], []
    for rows in torch.arange(len(batch)).split(25):
        part = batch.take(rows)
        gradient = input_gradient(classifier, part).values
        shares.append(largest_share(gradient, part.mask))
        positions.append(norms_by_position(gradient, part.mask))
    yield row("gradient", "largest share", bootstrap(torch.cat(shares)))
    where = torch.cat(positions)
    if not torch.isnan(where).all():
        for k in range(where.shape[1]):
            yield row("gradient", "relative norm", bootstrap(where[:, k]), k)
    scores = explain_all(classifier, batch, list(METHODS))
    for first, second in (("sa_l1", "sa_l2"), ("sa_l2", "sa_linf"), ("sa_l1", "sa_linf")):
        rho, _ = pearson(scores[first], scores[second], batch.mask)
        if not torch.isnan(rho).all():
            yield row(f"{first}, {second}", "rho between", bootstrap(rho))
    # Mutual effects? Ask again after each masked word.
    curves = {key: aopc(classifier, batch, scores[key], K=steps)[:, steps] for key in ("loo", "signed_gi")}
    for key in ("loo", "signed_gi"):
        curves[f"greedy {key}"] = aopc(classifier, batch, greedy(classifier, batch, steps, key), K=steps)[:, steps]
    for key, values in curves.items():
        yield row(key, "aopc greedy", bootstrap(values), steps)
    for first, second in (("greedy loo", "loo"), ("greedy loo", "signed_gi"), ("greedy signed_gi", "signed_gi"), ("signed_gi", "loo")):
        yield row(f"{first} - {second}", "aopc greedy", paired_bootstrap(curves[first], curves[second]), steps)
    # Does the agreement with LOO fall with the length?
    rho, p = pearson(scores["signed_gi"], scores["loo"], batch.mask)
    order = torch.argsort(batch.lengths, stable=True)
    for k, rows in enumerate(order.tensor_split(4)):  # quarters of the documents, the shortest first
        if not rho[rows].isnan().all():
            yield row("signed_gi", "rho by length", bootstrap(rho[rows]), k)
            yield share_row("signed_gi", "p <= 0.05 by length", (p[rows] <= 0.05)[~rho[rows].isnan()].numpy(), k)


def row(method: str, metric: str, interval, k: int | None = None) -> dict:
    mean, low, high, n, _ = interval
    return {"method": method, "metric": metric, "k": k, "n": n, "mean": float(mean), "low": float(low), "high": float(high)}


def share_row(method: str, metric: str, hits: np.ndarray, k: int | None = None) -> dict:
    """A share with Wilson's interval: a bootstrap of hits alone would say that a miss is impossible."""
    n, count = len(hits), int(hits.sum())
    interval = stats.binomtest(count, n).proportion_ci(method="wilson")
    return {"method": method, "metric": metric, "k": k, "n": n, "mean": count / n, "low": interval.low, "high": interval.high}


def table_of(cell: Cell, executor) -> pd.DataFrame:
    corpus = lib.data.load(cell.corpus)
    about = {"dataset": cell.corpus, "source": f"{find(cell.corpus).label.removeprefix('the folder ').removeprefix('the package ')}; {len(corpus.train)} train",
             "classifier": cell.classifier, "seed": cell.seed, "variant": cell.variant, "lib_version": lib.__version__,
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
            print(f"{number}/{len(missing)} {cell.name}: {len(table)} rows, {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
