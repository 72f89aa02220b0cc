"""Compute the reference results: the paper's experiments, what changes when one thing is changed, methods beyond it.

    python -m book.make.reference              # all that is missing; the paper's: five hours, two cores
    python -m book.make.reference imdb-bilstm  # only cells whose name contains this
    python -m book.make.reference --into here  # into another folder, for lib.results.Results(..., reference="here")

Five training seeds explain the same documents, the last ones of the test split; the pages of the book show the first.
A finished cell is a small file in lib/results/tables/, written whole; cells that are there are left alone, so an
interrupt loses one cell at most (and of an experiment only the shards under way). Delete a file to compute it again.
"""

import argparse
import datetime
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import lib
from book.paper import reasons
from book.paper.plan import (
    BEYOND,
    BEYOND_PAIRS,
    CORPORA,
    MODELS,
    PAIRS,
    POINTS,
    SHORT,
    SIGN_PAIRS,
    VARIANTS,
    WALKS,
    live,
)
from lib.agreement import pearson
from lib.attribution import explain_all, registry
from lib.data.files import find
from lib.diagnostics import word_approximation_error
from lib.experiments import Experiment, documents, processes, run
from lib.intervals import Interval, two_level
from lib.results import Number, Panel
from lib.results.build import SHARES, Build, interval
from lib.results.kept import ALL_SEEDS, COLUMNS, FOLDER
from lib.storage import whole_file

SEEDS = (0, 1, 2, 3, 4)
VARIANT_DOCUMENTS, GREEDY_DOCUMENTS = 200, 100
REASON_DOCUMENTS = 300
BEYOND_DOCUMENTS, POINT_DOCUMENTS, BEYOND_SEEDS = 200, 50, SEEDS[:3]
CUTOFFS = (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 70, 100, 150, 200)  # and the length of the longest document
FEW_CUTOFFS = (1, 3, 10, 20, 30, 50, 100)
DIFFERENCES_AT = (1, 3, 10, 20, 30, 50, 100)  # and at the end
SEEDS_AT = (None, 10)  # and at the end: where the rows of single seeds are kept, too
BINS = 40  # of the histogram of correlations, from -1 to 1
ANY = Panel("", "")  # where one experiment is looked at alone

Measured = Iterator[tuple[Number, np.ndarray]]  # a number, and its values [S, n], a row for each seed


@dataclass(frozen=True)
class Cell:
    """One file of results: a classifier on a corpus, trained with every seed, with one thing changed.

    ``rows`` is a function of (cell, executor) that makes its rows: dictionaries with method, metric, k, n, mean, low,
    high, seed and variant. ``model`` is a name of :data:`book.paper.plan.MODELS`.
    """

    corpus: str
    model: str
    variant: str
    rows: Callable
    changes: tuple = ()  # fields of the experiment, as pairs

    @property
    def name(self) -> str:
        return f"{self.corpus}-{self.model}-{self.variant}"

    def experiment(self, documents: int, seed: int) -> Experiment:
        """The last documents of the test split, under the classifier of one training seed."""
        return live(self.corpus, self.model, **dict(self.changes), documents=documents, first=-documents, seed=seed)


def cells() -> list[Cell]:
    """All cells: the main ones first, the reasons, the signs, what is changed for its own sake, methods beyond."""
    grid = [(corpus, model) for corpus in CORPORA for model in MODELS]
    found = [Cell(*panel, "main", main_rows) for panel in grid]
    found += [Cell(*panel, "reasons", reason_rows) for panel in grid]
    for variant, changes in VARIANTS.items():
        found += [Cell(*panel, variant, variant_rows, tuple(changes.items())) for panel in grid
                  if variant == "signs" or panel[1] != "bilstm-last"]
    every = {"methods": (*BEYOND, "sig")}  # whose cost is the square of a document's length: not on whole reviews
    of_reviews = {"beyond": {"K": 30}, "beyond-short": {**SHORT, **every}}
    for panel in grid:
        of_corpus = of_reviews if panel[0] == "imdb" else {"beyond": every}
        found += [Cell(*panel, variant, beyond_rows, tuple(changes.items())) for variant, changes in of_corpus.items()]
        found.append(Cell(*panel, "points", point_rows, tuple(SHORT.items()) if panel[0] == "imdb" else ()))
    return found


def train(experiment: Experiment) -> None:
    """Train one classifier, or find it in the cache; one thread each, so that two do not wait for each other."""
    torch.set_num_threads(1)
    corpus = lib.data.load(experiment.corpus)
    lib.training.fit(experiment.classifier, corpus, experiment.seed, **experiment.recipe)


def documents_of(cell: Cell) -> int:
    """How many test documents a main cell explains: the curves of the BiLSTM on long reviews are the most expensive."""
    return 500 if (cell.corpus, MODELS[cell.model][0]) == ("imdb", "bilstm") else 1000


def main_rows(cell: Cell, executor) -> Iterator[dict]:
    """AOPC, differences, correlations and accuracy on 1,000 documents (500 for a BiLSTM on IMDB)."""
    experiments = [cell.experiment(documents_of(cell), seed) for seed in SEEDS]
    found = [run(experiment, executor) for experiment in experiments]
    yield from rows_of(of_experiments(found, PAIRS, CUTOFFS), of_seeds=True)
    for method in ("signed_gi", "sa_l1"):
        yield from rows_of(of_bins(method, np.stack([one[method]["rho"].numpy() for one in found])))
    right = np.stack([of_test(experiment) for experiment in experiments]).astype(float)
    yield from rows_of([(Number("accuracy", ""), right)], of_seeds=True)
    explained = right[:, -documents_of(cell):] == 1
    for variant, chosen in (("correct", explained), ("misclassified", ~explained)):
        numbers = [(number, np.where(chosen, values, np.nan))
                   for number, values in of_experiments(found, PAIRS, (10,), (10,))]
        yield from ({**row, "variant": variant} for row in rows_of(numbers))


def of_test(experiment: Experiment) -> np.ndarray:
    """Whether each document of the whole test split gets its gold class."""
    corpus = lib.data.load(experiment.corpus)
    classifier = lib.training.fit(experiment.classifier, corpus, experiment.seed, **experiment.recipe)
    return reasons.hits(classifier, classifier.encode(corpus.test.texts, corpus.test.labels)).numpy()


def variant_rows(cell: Cell, executor) -> Iterator[dict]:
    found = [run(cell.experiment(VARIANT_DOCUMENTS, seed), executor) for seed in SEEDS]
    yield from rows_of(of_experiments(found, SIGN_PAIRS if cell.variant == "signs" else PAIRS))


def beyond_rows(cell: Cell, executor) -> Iterator[dict]:
    """What the paper measures, for methods beyond it, and what these promise: completeness, and to be near words."""
    experiments = [beyond(cell, seed) for seed in BEYOND_SEEDS]
    found = [run(experiment, executor) for experiment in experiments]
    if "sig" not in found[0]:
        yield from rows_of(of_experiments(found, BEYOND_PAIRS))
        return
    of_sig = [("sig", other) for other in ("loo", "signed_gi", "ig")]
    yield from rows_of(of_experiments(found, (*BEYOND_PAIRS, *of_sig)))
    mapped = map if executor is None else executor.map
    for method in ("ig", *WALKS):
        errors = list(mapped(partial(of_words, method=method), experiments))
        yield from rows_of([(Number("word approximation error", method), np.stack(errors))])


def beyond(cell: Cell, seed: int) -> Experiment:
    usual = {"methods": BEYOND, "documents": BEYOND_DOCUMENTS, "first": -BEYOND_DOCUMENTS}
    return live(cell.corpus, cell.model, **{**usual, **dict(cell.changes)}, seed=seed)


def of_words(experiment: Experiment, method: str) -> np.ndarray:
    """The word approximation error of each document, [n], under the paths of one method."""
    torch.set_num_threads(1)
    corpus = lib.data.load(experiment.corpus)
    classifier = lib.training.fit(experiment.classifier, corpus, experiment.seed, **experiment.recipe)
    return word_approximation_error(classifier, classifier.encode(*documents(experiment, corpus)), method).numpy()


def point_rows(cell: Cell, executor) -> Iterator[dict]:
    """How the gap and the agreement with LOO depend on the number of points: of IG, and of one word at a time."""
    methods = tuple(registry.variant(key, points=n) for key in ("ig", "sig") for n in POINTS)
    changes = {"first": -POINT_DOCUMENTS} | dict(cell.changes)
    changes |= {"methods": methods, "documents": POINT_DOCUMENTS, "K": 10}
    found = [run(live(cell.corpus, cell.model, **changes, seed=seed), executor) for seed in BEYOND_SEEDS]
    yield from rows_of(of_experiments(found, ()))


def of_experiments(found: Sequence[dict], pairs, cutoffs: tuple[int, ...] = FEW_CUTOFFS,
                   differences_at: tuple[int, ...] = DIFFERENCES_AT) -> Measured:
    """AOPC at the cut-offs and at the end, the shares of words, differences, and what became of correlations."""
    longest = next(iter(found[0].values()))["aopc"].shape[1] - 1
    cutoffs, differences_at = ([k for k in wanted if k < longest] + [longest] for wanted in (cutoffs, differences_at))
    of_shares = ("comprehensiveness", "sufficiency")
    numbers = [Number("aopc", method, k) for method in found[0] for k in cutoffs]
    numbers += [Number("aopc", f"{first} - {second}", k) for first, second in pairs for k in differences_at]
    numbers += [Number(metric, method) for metric in of_shares for method in found[0]]
    numbers += [Number(metric, f"{first} - {second}") for metric in of_shares for first, second in pairs]
    numbers += [Number(metric, method) for method in found[0] if method != "loo"
                for metric in ("undefined", "rho", "rho > 0", "p <= 0.05", "rises")]
    numbers += [Number("gap", method) for method in found[0] if "gap" in found[0][method]]
    numbers += [Number("rho", "signed_gi - sa_l1")] if {"signed_gi", "sa_l1"} <= set(found[0]) else []
    builds = [Build({(ANY, "main"): one}) for one in found]
    for number in numbers:
        yield number, np.stack([build.values(ANY, number) for build in builds])


def of_bins(method: str, rho: np.ndarray) -> Measured:
    """Whether a correlation [S, n] lies in the bin, for each bin from -1 to 1: a histogram of shares."""
    edges = np.linspace(-1, 1, BINS + 1)
    bin_of = np.clip(np.digitize(rho, edges) - 1, 0, BINS - 1)  # the last one holds 1 itself
    for k in range(BINS):
        yield Number("rho in bin", method, k), np.where(np.isnan(rho), np.nan, bin_of == k)


def reason_rows(cell: Cell, executor) -> Iterator[dict]:
    """The paper's reasons, measured: dominant dimensions, gradients by position, signs, deletion that looks again."""
    mapped = map if executor is None else executor.map
    measured = list(mapped(partial(of_reasons, cell), SEEDS))
    for numbers in zip(*measured, strict=True):
        yield from rows_of([(numbers[0][0], np.stack([values for _, values in numbers]))])


def of_reasons(cell: Cell, seed: int, steps: int = 10) -> list[tuple[Number, np.ndarray]]:
    """All numbers behind the paper's reasons under the classifier of one seed, each with a value a document."""
    torch.set_num_threads(1)
    experiment = cell.experiment(REASON_DOCUMENTS, seed)
    corpus = lib.data.load(cell.corpus)
    classifier = lib.training.fit(experiment.classifier, corpus, seed, **experiment.recipe)
    classifier.to(getattr(torch, experiment.precision))
    batch = classifier.encode(*documents(experiment, corpus))
    scores = explain_all(classifier, batch, ["loo", "signed_gi"])
    few = batch.take(range(len(batch))[-GREEDY_DOCUMENTS:])
    found = [*reasons.of_gradients(classifier, batch),
             *reasons.of_lengths(*pearson(scores["signed_gi"], scores["loo"], batch.word_mask), batch.lengths),
             *reasons.of_signs(scores["signed_gi"], scores["loo"], batch.word_mask),
             *reasons.of_greedy(classifier, few, steps, ("loo", "signed_gi"))]
    return [(number, np.asarray(values, dtype=float)) for number, values in found]


def rows_of(measured: Iterable[tuple[Number, np.ndarray]], of_seeds: bool = False) -> Iterator[dict]:
    """A row over all seeds for each number that every seed has for some document; with ``of_seeds`` their own, too."""
    for number, values in measured:
        values = np.asarray(values, dtype=float)
        if np.isnan(values).all(axis=1).any():
            continue
        is_share = number.metric in SHARES and " - " not in number.method
        yield row(number, two_level(values, is_share), ALL_SEEDS)
        if of_seeds and (number.k in SEEDS_AT or number.k not in CUTOFFS):
            yield from (row(number, interval(number, one), seed) for seed, one in zip(SEEDS, values, strict=True))


def row(number: Number, interval: Interval, seed: int | str) -> dict:
    return {"method": number.method, "metric": number.metric, "k": number.k, "n": interval.n, "seed": seed,
            **{part: float(getattr(interval, part)) for part in ("mean", "low", "high")}}


def table_of(cell: Cell, executor) -> pd.DataFrame:
    corpus = lib.data.load(cell.corpus)
    place = find(cell.corpus).label.removeprefix("the folder ").removeprefix("the package ")
    about = {"dataset": cell.corpus, "source": f"{place}; {len(corpus.train)} train", "classifier": cell.model,
             "variant": cell.variant, "lib_version": lib.__version__, "date": datetime.date.today().isoformat()}
    table = pd.DataFrame([about | found for found in cell.rows(cell, executor)])[COLUMNS]
    table["k"] = table["k"].astype("Int64")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("wanted", nargs="?", default="", help="compute only cells whose name contains this")
    parser.add_argument("--into", type=Path, default=FOLDER, help="the folder of the tables")
    wanted, folder = parser.parse_args().wanted, parser.parse_args().into
    torch.set_num_threads(1)  # as in the processes; with more, they would wait for each other
    for name in CORPORA:
        lib.data.load(name)  # says what to do if it is not here
    missing = [cell for cell in cells() if wanted in cell.name and not (folder / f"{cell.name}.csv").is_file()]
    print(f"{len(missing)} cells to compute.", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    with processes() as executor:
        for number, cell in enumerate(missing, 1):
            started = time.perf_counter()
            for trained in [executor.submit(train, cell.experiment(1, seed)) for seed in SEEDS]:
                trained.result()
            table = table_of(cell, executor)
            with whole_file(folder / f"{cell.name}.csv") as temporary:
                table.to_csv(temporary, index=False, float_format="%.4g", lineterminator="\n")
            took = time.perf_counter() - started
            print(f"{number}/{len(missing)} {cell.name}: {len(table)} rows, {took:.0f} s", flush=True)


if __name__ == "__main__":
    main()
