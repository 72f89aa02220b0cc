"""Results: one question to this build and to the reference, and answers that a table, a chart and a rule can take."""

import html.parser
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from oracles import is_one_sentence
from small import RECIPES, corpus

from lib import data, experiments, training
from lib.attribution import METHODS
from lib.intervals import Interval, bootstrap, paired_bootstrap, wilson
from lib.results import END, Number, Panel, Results, kept
from lib.results.answers import Answers
from lib.results.build import Build
from lib.show import charts

HERE = Panel("imdb", "textcnn")


def row(mean, **about):
    """A row of a table of results."""
    return {"dataset": "imdb", "source": "s", "classifier": "textcnn", "method": "loo", "metric": "aopc", "k": 10,
            "n": 50, "mean": mean,
            "low": mean - 0.1, "high": mean + 0.1, "seed": 0, "variant": "main", "lib_version": "0",
            "date": "2031-01-01"} | about


@pytest.fixture
def tables(tmp_path):
    """A folder with a small reference."""
    rows = [row(0.3), row(0.5, seed=1), row(0.4, seed="all"), row(0.6, k=200), row(0.2, method="signed_gi - loo"),
            row(0.4, variant="readout-last"),
            row(0.7, metric="rho", method="signed_gi", k=None), row(1.0, metric="undefined", method="sa_l1", k=None),
            row(0.1, dataset="ag_news", classifier="bilstm")]
    pd.DataFrame(rows)[kept.COLUMNS].to_csv(tmp_path / "some.csv", index=False)
    return tmp_path


def numbers(seed=0, n=20, K=12):
    """What :func:`lib.experiments.run` gives, made up."""
    draw = torch.Generator().manual_seed(seed)
    found = {method: {"aopc": torch.randn(n, K + 1, generator=draw), "rho": 2 * torch.rand(n, generator=draw) - 1,
                      "p": torch.rand(n, generator=draw)} for method in ("signed_gi", "loo", "sa_l1")}
    found["sa_l1"]["rho"][:] = found["sa_l1"]["p"][:] = torch.nan
    found["signed_gi"]["rho"][0] = found["signed_gi"]["p"][0] = torch.nan
    return found


def experiment(corpus="imdb", classifier="textcnn", seed=0, **recipe):
    return SimpleNamespace(corpus=corpus, classifier=classifier, seed=seed, recipe=recipe)


def results(tables, *experiments, **more):
    return Results(experiments or [experiment()], reference=tables, run=lambda one: numbers(one.seed), **more)


# --- asking ---------------------------------------------------------------------------------------------------------


def test_one_question_is_answered_by_this_build_and_by_the_reference(tables):
    found = results(tables).ask("aopc", "loo", "signed_gi - loo", k=10)
    curves = {method: values["aopc"].double().numpy()[:, 10] for method, values in numbers().items()}
    assert list(found) == ["IMDB, TextCNN", "AG's News, BiLSTM"]
    assert found["IMDB, TextCNN"]["LOO"] == {"this build": bootstrap(curves["loo"]),
                                             "reference": pytest.approx((0.4, 0.3, 0.5, 50, 0))}
    difference = found["IMDB, TextCNN"]["SignedGI − LOO"]
    assert difference["this build"] == paired_bootstrap(curves["signed_gi"], curves["loo"])
    assert difference["reference"][:3] == pytest.approx((0.2, 0.1, 0.3))
    assert found["AG's News, BiLSTM"]["LOO"] == {"this build": None, "reference": pytest.approx((0.1, 0.0, 0.2, 50, 0))}
    assert found["AG's News, BiLSTM"]["SignedGI − LOO"] == {"this build": None, "reference": None}


def test_without_k_aopc_is_that_of_the_longest_document(tables):
    pair = results(tables).ask("aopc", "loo", panels=[HERE])["IMDB, TextCNN"]["LOO"]
    assert pair["this build"].mean == pytest.approx(numbers()["loo"]["aopc"][:, -1].double().mean().item())
    assert pair["reference"].mean == pytest.approx(0.6)


def test_a_difference_may_be_asked_either_way_round(tables):
    asked = results(tables).ask("aopc", "signed_gi - loo", "loo - signed_gi", k=10, panels="imdb")
    there, back = asked["IMDB, TextCNN"].values()
    for series in ("this build", "reference"):
        assert back[series][:3] == pytest.approx((-there[series])[:3], abs=1e-12)


def test_agreement_and_shares_are_asked_by_plain_names(tables):
    asked = results(tables)
    rho = numbers()["signed_gi"]["rho"].double().numpy()
    agreement = asked.ask("agreement", "signed_gi", "sa_l1", panels=[HERE])["IMDB, TextCNN"]
    assert agreement == asked.ask("rho", "signed_gi", "sa_l1", panels=[HERE])["IMDB, TextCNN"]
    assert agreement["SignedGI"]["this build"] == bootstrap(rho) and agreement["SignedGI"]["this build"].undefined == 1
    assert agreement["SignedGI"]["reference"].mean == pytest.approx(0.7)
    assert all(math.isnan(value.mean) for value in agreement["SA L1"].values()), "no document has one: it is known"
    significant = asked.ask("significant", "signed_gi", panels=[HERE])["IMDB, TextCNN"]["SignedGI"]
    p = numbers()["signed_gi"]["p"].numpy()[1:]
    assert significant["this build"] == wilson(p <= 0.05)._replace(undefined=1)
    assert significant["reference"] is None
    positive = asked.ask("rho > 0", "signed_gi", panels=[HERE])["IMDB, TextCNN"]["SignedGI"]["this build"]
    assert positive == wilson(rho[1:] > 0)._replace(undefined=1)


def test_a_probability_that_rises_by_a_rounding_error_has_not_risen(tables):
    curve = torch.zeros(4, 3, dtype=torch.float64)
    curve[:, 1] = torch.tensor([-1e-7, -1e-5, 0.1, -0.2])
    run = {"loo": {"aopc": curve, "rho": torch.zeros(4), "p": torch.zeros(4)}}
    assert Build({(HERE, "main"): run})(HERE, Number("rises", "loo")) == wilson([False, True, False, True])


def test_a_variant_has_experiments_of_its_own(tables):
    asked = results(tables, experiment(seed=0), variants={"readout-last": [experiment(seed=5)],
                                                          "tried": [experiment(seed=6)]})
    for variant, seed, there in (("main", 0, 0.4), ("readout-last", 5, 0.4), ("tried", 6, None)):
        pair = asked.ask("aopc", "loo", k=10, panels=[HERE], variant=variant)["IMDB, TextCNN"]["LOO"]
        assert pair["this build"].mean == pytest.approx(numbers(seed)["loo"]["aopc"][:, 10].double().mean().item())
        assert there is None or pair["reference"].mean == pytest.approx(there)
    assert pair["reference"] is None
    with pytest.raises(ValueError, match="two experiments on IMDB, TextCNN") as caught:
        results(tables, experiment(seed=0), experiment(seed=1))
    assert is_one_sentence(caught.value)


def test_corpora_and_classifiers_are_the_readers_choice(tables):
    asked = results(tables, experiment("mine", "perceptron"), experiment("imdb", "bilstm"))
    assert asked.panels == [("mine", "perceptron"), ("imdb", "bilstm"), ("ag_news", "bilstm"), ("imdb", "textcnn")]
    assert list(asked.ask("aopc", "loo", panels=["mine"])) == ["mine, perceptron"]
    assert list(asked.ask("aopc", "loo", panels=("imdb", "bilstm"))) == ["IMDB, BiLSTM"]
    assert list(asked.ask("aopc", "loo", panels=["imdb", ("imdb", "bilstm")])) == ["IMDB, BiLSTM", "IMDB, TextCNN"]


def test_measured_values_stand_beside_the_experiments(tables):
    number = Number("largest share", "gradient", None, "reasons")
    asked = results(tables, measured={(tuple(HERE), number): [0.1, 0.3, math.nan]})
    found = asked.ask("largest share", "gradient", variant="reasons", panels=[HERE])
    assert found["IMDB, TextCNN"]["gradient"]["this build"] == bootstrap([0.1, 0.3, math.nan])


def test_nothing_is_computed_silently(tables):
    def refuse(one):
        raise AssertionError("computed")

    asked = Results(reference=tables, run=refuse)
    assert [value for _, _, value in asked.ask("aopc", "loo", k=10).of("this build")] == [None, None]
    kept_only = Results([experiment()], reference=tables, run=lambda one: None)
    assert kept_only.ask("aopc", "loo", k=10, panels=[HERE])["IMDB, TextCNN"]["LOO"]["this build"] is None
    assert results(tables).ask("aopc", "loo", k=11, panels=[HERE])["IMDB, TextCNN"]["LOO"]["reference"] is None
    far = results(tables).ask("aopc", "loo", k=10**6, panels=[HERE])
    assert far["IMDB, TextCNN"]["LOO"] == {"this build": None, "reference": None}


@pytest.mark.parametrize("metric, methods, more, said", [
    ("apoc", ["loo"], {}, "Unknown metric 'apoc'"), ("aopc", ["los"], {}, "Unknown method 'los'"),
    ("aopc", [], {}, "No method was named"),
    ("aopc", ["loo - signed_gi - sa_l1"], {}, "Unknown method"), ("aopc", ["loo"], {"k": -2}, "cannot be negative"),
    ("rho", ["signed_gi"], {"k": 3}, "'rho' has no cut-off"),
    ("aopc", ["loo"], {"variant": "upside-down"}, "Unknown variant"),
    ("aopc", ["loo"], {"panels": ["imbd"]}, "has a panel 'imbd'"),
    ("aopc", ["loo"], {"panels": [("imdb", "gpt")]}, "has a panel"),
])
def test_what_cannot_be_asked_gets_one_clear_sentence(tables, metric, methods, more, said):
    with pytest.raises(ValueError, match=said) as caught:
        results(tables).ask(metric, *methods, **more)
    assert is_one_sentence(caught.value)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """An experiment on the made-up corpus, with an empty cache."""
    monkeypatch.setenv("LIB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("LIB_MODEL_DIR", raising=False)
    monkeypatch.setattr(data, "load", lambda name: corpus())
    monkeypatch.setattr(data, "available", lambda name: name == "tiny")
    return experiments.Experiment("tiny", "fasttext", 8, ("signed_gi", "loo"), recipe=RECIPES["fasttext"])


def test_what_an_earlier_run_kept_is_found_and_nothing_else_is_made(tiny, tables, monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        patch.setattr(training, "fit", None)
        assert experiments.kept(tiny) is None, "not trained"
    training.fit("fasttext", corpus(), **RECIPES["fasttext"])
    assert experiments.kept(tiny) is None, "not run"
    run = experiments.run(tiny, documents_per_shard=25)
    monkeypatch.setattr(experiments, "_shard", None)
    found = experiments.kept(tiny)
    assert torch.equal(found["loo"]["aopc"], run["loo"]["aopc"]) and set(found) == set(run)
    asked = Results([tiny], reference=tables, run=experiments.kept).ask("aopc", "loo", k=2, panels=["tiny"])
    assert asked["tiny, FastText"]["LOO"]["this build"] == bootstrap(run["loo"]["aopc"].double().numpy()[:, 2])
    shard, = (tmp_path / "cache" / "experiments").glob("*/*")
    shard.unlink()
    assert experiments.kept(tiny) is None, "a document is missing"
    assert experiments.kept(replace(tiny, corpus="elsewhere")) is None, "no data"


# --- the reference --------------------------------------------------------------------------------------------------


def test_the_reference_is_read_from_any_folder(tables, tmp_path):
    assert len(kept.table(tables)) == 9 and len(kept.table()) > 10_000
    (tmp_path / "none").mkdir()
    with pytest.raises(FileNotFoundError, match="make reference") as caught:
        Results(reference=tmp_path / "none")
    assert is_one_sentence(caught.value)


def test_a_value_without_an_interval_is_undecided():
    found = kept.pooled(pd.DataFrame([row(0.4, low=np.nan, high=np.nan)]), method="loo")
    assert found.mean == pytest.approx(0.4) and found.side == "undecided" and math.isnan(found.low)


def test_a_bilstm_that_reads_out_its_last_states_is_a_panel_of_its_own(tables):
    last = experiment(classifier="bilstm", seed=3, readout="last")
    asked = results(tables, experiment(classifier="bilstm"), last).ask("aopc", "loo", k=10, panels="imdb")
    assert list(asked)[:2] == ["IMDB, BiLSTM", "IMDB, BiLSTM (last)"]
    table = pd.read_csv(tables / "some.csv")
    pd.concat([table, table.assign(classifier="bilstm-last")]).to_csv(tables / "some.csv", index=False)
    plain = results(tables)
    assert Panel("imdb", "bilstm-last") in plain.known and Panel("imdb", "bilstm-last") not in plain.panels
    assert list(plain.ask("aopc", "loo", k=10, panels=[("imdb", "bilstm-last")])) == ["IMDB, BiLSTM (last)"], "if asked"
    here = [asked[panel]["LOO"]["this build"].mean for panel in list(asked)[:2]]
    assert here == [pytest.approx(numbers(seed)["loo"]["aopc"][:, 10].double().mean().item()) for seed in (0, 3)]


# --- answers --------------------------------------------------------------------------------------------------------


class Cells(html.parser.HTMLParser):
    """The text of the cells of a table, row by row."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.opened = [], []
        self.feed(page)
        assert not self.opened, "every element is closed"

    def handle_starttag(self, tag, attributes):
        if tag != "br":
            self.opened.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "br":
            self.rows[-1][-1] += " "

    def handle_endtag(self, tag):
        assert self.opened.pop() == tag

    def handle_data(self, text):
        if {"td", "th"} & set(self.opened):
            self.rows[-1][-1] += text


def test_a_notebook_shows_a_table():
    some, fewer = Interval(0.25, 0.2, 0.3, 200), Interval(-0.0301, -0.04, -0.02, 187)
    answers = Answers({"A & B <i>": {"SignedGI": {"this build": some, "reference": None},
                                     "SA": {"this build": fewer, "reference": some._replace(n=1000)}},
                       "C": {"SA": {"this build": bootstrap([0.5]),
                                    "reference": Interval(math.nan, math.nan, math.nan, 0)}}}, "AOPC", signed=False)
    page = answers._repr_html_()
    assert Cells(page).rows == [
        ["", "this build", "reference"],
        ["A & B <i> (n = 200, n = 1,000 a seed)"], ["SignedGI", "0.250 [0.200, 0.300]", "–"],
        ["SA", "-0.030 [-0.040, -0.020] n = 187", "0.250 [0.200, 0.300]"],
        ["C (n = 1)"], ["SA", "0.500 [undefined: 1 document]", "undefined"]]
    assert "A &amp; B &lt;i&gt;" in page
    assert "<caption>AOPC. Means with 95 % intervals (–: not computed).</caption>" in page
    longest = max(len(line) for cells in Cells(page).rows[1:] if len(cells) > 1 for line in cells[1].split(" [")[:1])
    assert longest < 10, "a mean and its bracket stand below each other: two columns of them fit on a phone"
    assert str(answers).splitlines()[0] == "A & B <i>, SignedGI, this build: 0.250 [0.200, 0.300]"


def test_differences_are_written_with_their_sign(tables):
    assert "+0.200 [+0.100, +0.300]" in str(results(tables).ask("aopc", "signed_gi - loo", k=10))
    assert "+" not in str(Results(reference=tables).ask("aopc", "loo", k=10))


def test_answers_can_be_turned_and_listed(tables):
    answers = results(tables).ask("aopc", "loo", "signed_gi", k=10)
    turned = answers.turned()
    assert list(turned) == ["LOO", "SignedGI"] and list(turned["LOO"]) == list(answers)
    assert turned["LOO"]["IMDB, TextCNN"] == answers["IMDB, TextCNN"]["LOO"] and dict(turned.turned()) == dict(answers)
    places = [(panel, row) for panel, row, _ in answers.of("reference")]
    assert places == [(panel, row) for panel in answers for row in turned]
    with pytest.raises(ValueError, match="Unknown series") as caught:
        answers.of("the paper")
    assert is_one_sentence(caught.value)


def test_a_chart_takes_the_answers(tables):
    answers = results(tables).ask("aopc", "loo", "signed_gi - loo", k=10)
    picture = charts.intervals(answers, "AOPC at K = 10")
    assert "IMDB, TextCNN, SignedGI − LOO, reference: 0.20 [0.10, 0.30]" in picture.alt
    assert "IMDB, TextCNN, LOO, this build" in picture.alt and "BiLSTM, LOO, this build" not in picture.alt


def test_methods_are_named_as_in_figures(tables):
    found = results(tables).ask("aopc", *METHODS, k=10)
    assert list(found["IMDB, TextCNN"]) == [method.label for method in METHODS.values()]
    assert END == -1
