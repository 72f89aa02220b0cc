"""The reference results: one schema, every cell, and numbers that the command computes, resumes and writes whole."""

import re
from dataclasses import replace
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
from lib.experiments import documents, run
from lib.intervals import Interval, bootstrap, two_level
from lib.results import Number, kept
from lib.show import prose


@pytest.fixture(scope="module")
def table():
    return reference.results()


# --- what is kept with the book -------------------------------------------------------------------------------------


# While the reference is computed anew, its finished cells stand in a folder of their own, beside those of the first
# edition, which had three seeds for the main cells and one for the others, and none of the signs.
RENEWED = kept.FOLDER / "next"
FIRST_EDITION = RENEWED.is_dir()


def test_every_cell_is_there_and_nothing_else():
    expected = {cell.name for cell in command.cells()}
    if FIRST_EDITION:
        assert {path.stem for path in RENEWED.glob("*.csv")} <= expected
        expected = {name for name in expected if not name.endswith(("-signs", "-beyond", "-beyond-short", "-points"))}
    assert {path.stem for path in kept.FOLDER.glob("*.csv")} == expected


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
        if FIRST_EDITION and name == "bilstm-last":
            assert (rows.n == 200).all() and set(rows.seed) == {"all"}
            continue
        assert (rows.n == (500 if corpus_name == "imdb" and name.startswith("bilstm") else 1000)).all()
        assert set(rows.seed) == {"all", *map(str, command.SEEDS[:3] if FIRST_EDITION else command.SEEDS)}
    panels = table[table.variant == "main"].groupby(["dataset", "classifier"]).ngroups
    assert panels == len(command.CORPORA) * len(command.MODELS)
    assert (table[table.variant.isin(command.VARIANTS) & (table.metric == "aopc")].n >= 200).all()


def test_what_must_be_zero_or_equal_is(table):
    main = table[table.variant == "main"]
    assert (main[(main.metric == "aopc") & (main.k == 0)]["mean"] == 0).all()
    sensitivities = main[(main.classifier == "fasttext") & main.method.isin(["sa_l1", "sa_l2", "sa_linf", "sa_raw"])]
    constant = sensitivities[sensitivities.metric == "undefined"]
    seeds = 3 if FIRST_EDITION else len(command.SEEDS)
    assert len(constant) == 2 * 4 * (1 + seeds)
    assert (constant["mean"] == 1).all(), "SA is constant on FastText (proposition 3)"
    shares = main[main.metric == "rho in bin"].groupby(["dataset", "classifier", "method"])["mean"].sum()
    assert np.allclose(shares, 1, atol=0.03 if FIRST_EDITION else 1e-3)


def test_the_mean_over_the_seeds_is_the_mean_of_theirs(table):
    main = table[(table.variant == "main") & table.metric.isin(["aopc", "accuracy"])].fillna({"k": -1})
    by = ["dataset", "classifier", "metric", "method", "k"]
    of_seeds = main[main.seed != "all"].groupby(by)["mean"].mean()
    pooled = main[main.seed == "all"].set_index(by)["mean"].reindex(of_seeds.index)
    assert len(of_seeds) and np.allclose(of_seeds, pooled, atol=2e-3, rtol=1e-3)


# --- reading it -----------------------------------------------------------------------------------------------------


def rows(*seeds, **columns):
    return pd.DataFrame([{"method": "loo", "seed": seed, "mean": mean, "low": mean - 0.1, "high": mean + 0.2, "n": n}
                         for seed, mean, n in seeds]).assign(**columns)


def test_the_row_for_all_seeds_is_the_value():
    several = rows(("0", 0.3, 100), ("1", 0.5, 90), ("all", 0.41, 100))
    mean, low, high, n, undefined = reference.pooled(several, method="loo")
    assert (mean, low, high, n) == (pytest.approx(0.41), pytest.approx(0.31), pytest.approx(0.61), 100)
    assert reference.pooled(rows(("7", 0.3, 100)), method="loo").mean == pytest.approx(0.3), "a table of one seed"
    assert reference.pooled(several, method="gi") is None
    for unclear in (pd.concat([rows(("0", 0.3, 9), k=1), rows(("0", 0.3, 9), k=2)]), several[several.seed != "all"]):
        with pytest.raises(ValueError, match="does not name one value"):
            reference.pooled(unclear, method="loo")


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
    for name in ("VARIANT_DOCUMENTS", "REASON_DOCUMENTS", "GREEDY_DOCUMENTS"):
        monkeypatch.setattr(command, name, 12)
    monkeypatch.setattr(command, "SEEDS", (0, 1, 2))
    monkeypatch.setattr(command, "documents_of", lambda cell: 12)
    return tmp_path / "results"


@pytest.mark.parametrize("name", command.MODELS)
def test_a_main_cell_holds_what_the_library_computes(name, tiny):
    cell = command.Cell("tiny", name, "main", command.main_rows)
    found = command.table_of(cell, None)
    assert list(found.columns) == kept.COLUMNS
    results = [run(cell.experiment(12, seed)) for seed in command.SEEDS]
    aopc = found[(found.metric == "aopc") & (found.variant == "main")].set_index(["method", "seed", "k"])
    longest = results[0]["loo"]["aopc"].shape[1] - 1
    for method in PAPER:
        for k in (3, longest):
            mean, low, high, n, _ = two_level([one[method]["aopc"][:, k] for one in results])
            row = aopc.loc[method, "all", k]
            assert (row["mean"], row.low, row.high, row.n) == (pytest.approx(mean), low, high, 12)
        mean, low, high, n, _ = bootstrap(results[1][method]["aopc"][:, longest])
        row = aopc.loc[method, 1, longest]
        assert (row["mean"], row.low, row.high, row.n) == (float(mean), float(low), float(high), 12)
    assert set(found.variant) <= {"main", "correct", "misclassified"}


def test_the_last_documents_are_explained_and_the_book_shows_the_first(tiny):
    cell = command.Cell("tiny", "fasttext", "main", command.main_rows)
    experiment = cell.experiment(5, 0)
    assert documents(experiment) == (corpus().test.texts[-5:], corpus().test.labels[-5:])
    assert all(each.first == 0 for each in shared())


def test_the_right_and_the_wrong_are_those_of_each_seed(tiny):
    cell = command.Cell("tiny", "textcnn", "main", command.main_rows)
    found = command.table_of(cell, None)
    several = [run(cell.experiment(12, seed)) for seed in command.SEEDS]
    right = np.stack([command.of_test(cell.experiment(12, seed))[-12:] for seed in command.SEEDS])
    for variant, chosen in (("correct", right), ("misclassified", ~right)):
        rows = found[(found.variant == variant) & (found.metric == "aopc") & (found.method == "loo")]
        if chosen.any(axis=1).all():
            values = np.stack([one["loo"]["aopc"][:, -1].numpy() for one in several])
            expected = np.mean([one[where].mean() for one, where in zip(values, chosen, strict=True)])
            assert rows[rows.k == rows.k.max()]["mean"].item() == pytest.approx(expected)
        else:
            assert rows.empty


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_reasons_are_measured_on_every_classifier(name, tiny):
    found = command.table_of(command.Cell("tiny", name, "reasons", command.reason_rows), None)
    assert {"largest share", "aopc greedy", "same sign", "same sign by size"} <= set(found.metric)
    difference = found[(found.method == "greedy loo - loo") & (found.metric == "aopc greedy")].iloc[0]
    parts = found[found.metric == "aopc greedy"].set_index("method")["mean"]
    assert difference["mean"] == pytest.approx(parts["greedy loo"] - parts["loo"], abs=1e-9)


def test_a_variant_changes_one_thing_and_that_of_signs_compares_its_own_pairs(tiny):
    cells = {cell.variant: cell for cell in command.cells() if (cell.corpus, cell.model) == ("imdb", "textcnn")}
    signs = command.table_of(replace(cells["signs"], corpus="tiny"), None)
    assert {"|signed_gi|", "sa_l2 signed as signed_gi", "signed_gi - |signed_gi|"} <= set(signs.method)
    assert dict(cells["aopc-mask"].changes) == {"measure": {"operator": "mask"}}
    assert len({cell.name for cell in command.cells()}) == len(command.cells())


def test_finished_cells_are_left_alone_and_an_error_leaves_no_half_file(tiny, monkeypatch):
    made = []

    def some(cell, executor):
        made.append(cell.name)
        if cell.model == "bilstm":
            raise OSError("The lights went out.")
        return [command.row(Number("aopc", "loo", 1), bootstrap([0.1, 0.2]), "all")]

    monkeypatch.setattr(command, "cells", lambda: [command.Cell("tiny", name, "main", some) for name in CLASSIFIERS])
    monkeypatch.setattr(command, "CORPORA", ())
    monkeypatch.setattr(command, "train", lambda experiment: None)
    monkeypatch.setattr(command, "processes", Inline)
    monkeypatch.setattr("sys.argv", ["reference", "--into", str(tiny)])
    threads = torch.get_num_threads()
    try:
        for _ in range(2):
            with pytest.raises(OSError, match="lights"):
                command.main()
    finally:
        torch.set_num_threads(threads)
    assert made == ["tiny-fasttext-main", "tiny-textcnn-main", "tiny-bilstm-main", "tiny-bilstm-main"]
    assert sorted(path.name for path in tiny.iterdir()) == ["tiny-fasttext-main.csv", "tiny-textcnn-main.csv"]


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
