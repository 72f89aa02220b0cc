"""The reference results: one schema, every cell, and numbers that the command computes, resumes and writes whole."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from oracles import is_one_sentence
from small import RECIPES, corpus

from book.make import reference as command
from book.paper.plan import PAPER, shared
from lib import reference
from lib.classifiers import CLASSIFIERS
from lib.intervals import Interval, bootstrap
from lib.results import kept
from lib.show import prose


@pytest.fixture(scope="module")
def table():
    return reference.results()


# --- what is kept with the book -------------------------------------------------------------------------------------


def test_every_cell_is_there_and_nothing_else():
    assert {path.stem for path in kept.FOLDER.glob("*.csv")} == {cell.name for cell in command.cells()}


def test_the_schema_is_that_of_the_design(table):
    columns = "dataset source classifier method metric k n mean low high seed variant lib_version date"
    assert list(table.columns) == columns.split()
    assert table.drop(columns=["k", "mean", "low", "high"]).notna().all().all()
    assert not table.duplicated(["dataset", "classifier", "method", "metric", "k", "seed", "variant"]).any()
    assert table.date.map(lambda date: bool(re.fullmatch(r"\d{4}-\d\d-\d\d", date))).all()


def test_means_lie_in_their_intervals_and_shares_between_0_and_1(table):
    slack = 1e-3 * table[["mean", "low", "high"]].abs().max(axis=1) + 1e-12  # four digits are written
    assert (table.low <= table["mean"] + slack).all() and (table["mean"] <= table.high + slack).all()
    shares = table[table.metric.isin(["rho > 0", "p <= 0.05", "undefined", "accuracy", "rho in bin", "largest share"])]
    assert shares["mean"].between(0, 1).all()
    rho = table[(table.metric == "rho") & table.method.isin(PAPER)]
    assert rho["mean"].between(-1, 1).all()


def test_documents_and_seeds_are_as_many_as_promised(table):
    curves = table[(table.variant == "main") & (table.metric == "aopc")]
    for (corpus_name, name), rows in curves.groupby(["dataset", "classifier"]):
        assert (rows.n == (500 if (corpus_name, name) == ("imdb", "bilstm") else 1000)).all()
        assert set(rows.seed) == {0, 1, 2}
    panels = table[table.variant == "main"].groupby(["dataset", "classifier"]).ngroups
    assert panels == len(command.CORPORA) * len(CLASSIFIERS)
    assert (table[table.variant.isin(command.VARIANTS) & (table.metric == "aopc")].n >= 200).all()


def test_what_must_be_zero_or_equal_is(table):
    main = table[table.variant == "main"]
    assert (main[(main.metric == "aopc") & (main.k == 0)]["mean"] == 0).all()
    sensitivities = main[(main.classifier == "fasttext") & main.method.isin(["sa_l1", "sa_l2", "sa_linf", "sa_raw"])]
    constant = sensitivities[sensitivities.metric == "undefined"]
    assert len(constant) == 24 and (constant["mean"] == 1).all(), "SA is constant on FastText (proposition 3)"
    shares = main[main.metric == "rho in bin"].groupby(["dataset", "classifier", "seed", "method"])["mean"].sum()
    assert np.allclose(shares, 1, atol=1e-3)


def test_the_correct_and_the_misclassified_are_all(table):
    counted = table[(table.method == "loo") & (table.metric == "aopc") & (table.k == 10)]
    sizes = counted.pivot_table(index=["dataset", "classifier", "seed"], columns="variant", values="n")
    assert (sizes.correct + sizes.misclassified == sizes.main).dropna().all()


# --- reading it -----------------------------------------------------------------------------------------------------


def rows(**columns):
    return pd.DataFrame([{"method": "loo", "seed": seed, "mean": mean, "low": mean - 0.1, "high": mean + 0.2, "n": n}
                         for seed, mean, n in ((0, 0.3, 100), (1, 0.5, 90), (2, 0.4, 100))]).assign(**columns)


def test_seeds_are_pooled_to_the_mean_and_the_widest_interval():
    mean, low, high, n, undefined = reference.pooled(rows(), method="loo")
    assert (mean, low, high, n) == (pytest.approx(0.4), pytest.approx(0.2), pytest.approx(0.7), 90)
    assert reference.pooled(rows(), method="gi") is None
    with pytest.raises(ValueError, match="does not name one value"):
        reference.pooled(pd.concat([rows(k=1), rows(k=2)]), method="loo")


def test_without_results_one_sentence_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match="make reference") as caught:
        reference.results()
    assert is_one_sentence(caught.value)


def test_a_value_is_set_beside_the_reference():
    here = bootstrap([0.2, 0.4])
    assert prose.beside(here, None).endswith("not in the reference")
    said = prose.beside(here, Interval(0.5, 0.4, 0.6, 1000, 0))
    assert "0.300 [0.200, 0.400] here (n = 2)" in said
    assert "0.500 [0.400, 0.600] in the reference (n = 1,000 a seed), 0.200 apart" in said


# --- computing it ---------------------------------------------------------------------------------------------------


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """The command on a made-up corpus, with small recipes and few documents, writing to an empty folder."""
    import lib

    monkeypatch.setenv("LIB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("LIB_MODEL_DIR", raising=False)
    monkeypatch.setattr(lib.data, "load", lambda name: corpus())
    fit = lib.training.fit

    def small_fit(name, data, seed=0, **recipe):
        return fit(name, data, seed, **(RECIPES[name] | recipe))

    monkeypatch.setattr(lib.training, "fit", small_fit)
    monkeypatch.setattr(command, "find", lambda name: SimpleNamespace(label="the test"))
    monkeypatch.setattr(command, "FOLDER", tmp_path / "results")
    monkeypatch.setattr(command, "VARIANT_DOCUMENTS", 12)
    monkeypatch.setattr(command, "documents_of", lambda cell: 12)
    return tmp_path / "results"


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_main_cell_holds_what_the_library_computes(name, tiny):
    from lib.experiments import run

    cell = command.Cell("tiny", name, 0, "main", command.main_rows)
    found = command.table_of(cell, None)
    assert list(found.columns) == kept.COLUMNS
    results = run(command.experiment_of(cell, 12))
    for method in PAPER:
        mean, low, high, n, _ = bootstrap(results[method]["aopc"][:, 3])
        aopc = found[(found.method == method) & (found.metric == "aopc") & (found.variant == "main")]
        row = aopc[aopc.k == 3].iloc[0]
        assert (row["mean"], row.low, row.high, row.n) == (float(mean), float(low), float(high), 12)
    assert set(found.variant) <= {"main", "correct", "misclassified"}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_reasons_are_measured_on_every_classifier(name, tiny):
    found = command.table_of(command.Cell("tiny", name, 0, "reasons", command.reason_rows), None)
    assert {"largest share", "aopc greedy"} <= set(found.metric)
    difference = found[(found.method == "greedy loo - loo") & (found.metric == "aopc greedy")].iloc[0]
    parts = found[found.metric == "aopc greedy"].set_index("method")["mean"]
    assert difference["mean"] == pytest.approx(parts["greedy loo"] - parts["loo"], abs=1e-9)


def test_finished_cells_are_left_alone_and_an_error_leaves_no_half_file(tiny, monkeypatch, capsys):
    made = []

    def some(cell, executor):
        made.append(cell.name)
        if cell.classifier == "bilstm":
            raise OSError("The lights went out.")
        return [command.row("loo", "aopc", bootstrap([0.1, 0.2]), 1)]

    monkeypatch.setattr(command, "cells", lambda: [command.Cell("tiny", name, 0, "main", some) for name in CLASSIFIERS])
    monkeypatch.setattr(command, "CORPORA", ())
    monkeypatch.setattr(command, "train", lambda *classifier: None)
    monkeypatch.setattr(command, "processes", Inline)
    monkeypatch.setattr("sys.argv", ["reference"])
    threads = torch.get_num_threads()
    try:
        for _ in range(2):
            with pytest.raises(OSError, match="lights"):
                command.main()
    finally:
        torch.set_num_threads(threads)
    assert made == ["tiny-fasttext-main-0", "tiny-textcnn-main-0", "tiny-bilstm-main-0", "tiny-bilstm-main-0"]
    assert sorted(path.name for path in tiny.iterdir()) == ["tiny-fasttext-main-0.csv", "tiny-textcnn-main-0.csv"]


class Inline:
    """An executor that computes at once, in this process."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def submit(self, function, *arguments):
        return SimpleNamespace(result=lambda: function(*arguments))


def test_the_chapters_experiments_are_many_enough():
    whole = [experiment for experiment in shared() if experiment.K is None]
    for experiment in whole:
        panel = experiment.corpus, experiment.classifier
        assert experiment.documents == (100 if panel == ("imdb", "bilstm") else 200)
    plain = [experiment for experiment in whole if not (experiment.explain or experiment.measure or experiment.recipe)]
    panels = {(experiment.corpus, experiment.classifier) for experiment in plain}
    assert len(panels) == 6
    double = {(experiment.corpus, experiment.classifier) for experiment in plain if experiment.precision == "float64"}
    assert double == {panel for panel in panels if panel[1] == "fasttext"}
