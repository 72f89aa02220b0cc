"""The tables of the report: what stands in a row, what is counted, and what other conventions would change."""

import re
from dataclasses import replace

import jupytext
import numpy as np
import pandas as pd
import pytest
import torch
from built import ROOT

from book.paper import Verdicts, changes, checks, claims, plan, reasons, rules, tables, varied
from book.paper.verdicts import Evidence, Judgement
from lib.agreement import pearson
from lib.attribution import explain_all
from lib.diagnostics import greedy
from lib.faithfulness import aopc
from lib.intervals import Interval
from lib.results import END, Number, Panel, Results
from lib.results.build import Build
from lib.results.kept import COLUMNS
from lib.results.numbers import NAN

PAGE = ROOT / "book" / "report.md"
IMDB, BBC = Panel("imdb", "textcnn"), Panel("bbc_news", "textcnn")
SOME = Interval(0.3, 0.2, 0.4, 1000)


def numbers(n=12, K=40, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return {method: {"aopc": torch.rand(n, K + 1, generator=draw).cumsum(1) / K, "rho": torch.rand(n, generator=draw),
                     "p": torch.rand(n, generator=draw)} for method in plan.METHODS}


@pytest.fixture(scope="module")
def results():
    """The reference that is kept, and two panels of a made-up build."""
    found = Results()
    found.here = Build({(IMDB, "main"): numbers(), (BBC, "main"): numbers(seed=1)})
    return found


@pytest.fixture(scope="module")
def verdicts(results):
    return Verdicts(results, {"eq. 4: the product is the look-up": True,
                              "BiLSTM: 'great' is not large by SignedGI": False})


def lines(markdown):
    """The rows of a table below its head, as lists of cells."""
    rows = [line for line in markdown.data.splitlines() if line.startswith("| ")]
    return [re.split(r"(?<!\\)\|", line[1:-1]) for line in rows[2:]]


# --- the page -------------------------------------------------------------------------------------------------------


def test_every_claim_is_shown_once():
    cells = [cell.source for cell in jupytext.read(PAGE).cells if cell.cell_type == "code"]
    call = re.compile(r"^tables\.claims\(verdicts, claims\.(\w+)", re.MULTILINE)
    shown = [name for source in cells for name in call.findall(source)]
    assert [claim for name in shown for claim in getattr(claims, name)] == claims.CLAIMS


def test_a_hidden_cell_of_the_report_calls_and_defines_nothing():
    hidden = [cell.source for cell in jupytext.read(PAGE).cells if cell.cell_type == "code"
              and {"hide-input", "remove-input", "hide-cell", "remove-cell"} & set(cell.metadata.get("tags", []))]
    assert not re.search(r"\b(def|class|lambda)\b", "\n".join(hidden))
    assert sum(len(source.splitlines()) for source in hidden) <= 40


def test_visible_code_of_the_report_fits_the_page():
    shown = [cell.source for cell in jupytext.read(PAGE).cells if cell.cell_type == "code"
             and not {"hide-input", "remove-input"} & set(cell.metadata.get("tags", []))]
    assert [line for source in shown for line in source.splitlines() if len(line) > 79] == []


# --- one claim ------------------------------------------------------------------------------------------------------


AHEAD = (Number("aopc", "signed_gi - loo", 10),)


def answer(*intervals, panel=IMDB, outcome=rules.HOLDS, numbers=AHEAD):
    return Evidence(panel, numbers, intervals, outcome)


@pytest.mark.parametrize("numbers, said", [
    ((Number("aopc", "signed_gi - loo", 10),), "IMDB-TextCNN: SignedGI − LOO, K = 10"),
    ((Number("aopc", "sa_l1 - random", END), Number("aopc", "signed_gi - random", END)),
     "IMDB-TextCNN: SA L1 − Random, longest K"),
    ((Number("rho", "sa_l1"), Number("rho", "sa_l2")), "IMDB-TextCNN: SA L1, SA L2"),
    ((Number("rho", "signed_gi", panel=claims.IMDB_BILSTM), Number("rho", "signed_gi")),
     "IMDB-BiLSTM against IMDB-TextCNN: SignedGI"),
    (tuple(Number("aopc", "sa_l1 - random", 10, panel=panel) for panel in claims.ALL),
     "all panels: SA L1 − Random, K = 10"),
    ((Number("relative norm", "gradient", 0, "reasons"),) * 10, "IMDB-TextCNN: gradient"),
    ((Number("rho", "signed_gi", panel=claims.IMDB_LAST), Number("rho", "signed_gi")),
     "IMDB-BiLSTM (last) against IMDB-TextCNN: SignedGI"),
    ((Number("aopc greedy", "greedy loo - loo", 10, "reasons"),), "IMDB-TextCNN: LOO asked again − LOO"),
])
def test_a_number_is_named_by_panel_methods_and_cut_off(numbers, said):
    assert tables.place(answer(SOME, numbers=numbers)) == said


def test_numbers_are_said_with_what_they_are_compared_with():
    assert tables.said(answer(SOME)) == "+0.300 [+0.200, +0.400], n = 1,000"
    rho = (Number("rho", "sa_l1"), Number("rho", "sa_l2"))
    pair = (SOME, SOME._replace(mean=0.35, n=900))
    assert tables.said(answer(*pair, numbers=rho)) == "0.300 [0.200, 0.400] against 0.350 [0.200, 0.400], n = 900"
    several = [Interval(mean, mean - 0.1, mean + 0.1, 50) for mean in (0.2, 0.5, 0.1)]
    assert tables.said(answer(*several)) == "from +0.100 [+0.000, +0.200] to +0.500 [+0.400, +0.600], n = 50"
    assert tables.said(answer(NAN, outcome=rules.UNDEFINED)) == "undefined"
    assert tables.brief(None) == "not computed" and tables.with_n(NAN) == "undefined"


def test_many_answers_are_told_by_their_ends_and_by_where_they_fail():
    found = [answer(SOME._replace(mean=mean), panel=panel, outcome=outcome) for mean, panel, outcome in (
        (0.3, claims.ALL[0], rules.HOLDS), (0.1, claims.ALL[1], rules.FAILS), (0.7, claims.ALL[2], rules.HOLDS),
        (0.2, claims.ALL[1], rules.FAILS))]
    told = tables.told([*found, answer(None, outcome=rules.MISSING)])
    assert told.startswith("yes in 2 of 4, 1 not computed<br>AG-TextCNN: ")
    assert told.endswith("<br>no in AG-TextCNN (2)")
    assert "AG-BiLSTM" in told and "AG-FastText" not in told, "the smallest and the largest only"
    assert tables.told([answer(None, outcome=rules.MISSING)] * 2) == "not computed"
    neither = [answer(NAN, outcome=rules.UNDEFINED), answer(None, outcome=rules.MISSING)]
    assert tables.told(neither) == "1 undefined, 1 not computed"


def test_a_row_says_where_its_verdict_comes_from():
    claim = claims.CONCLUSION[0]
    assert tables.stated(Judgement(claim, [], [], rules.HOLDS, rules.FAILS)) == "**holds**<br>this build: does not hold"
    alone = Judgement(claim, [], [], rules.MISSING, rules.PART)
    assert tables.stated(alone) == "**holds in part**<br>from this build alone"
    assert tables.stated(Judgement(claim, [], [], rules.HOLDS, rules.MISSING)) == "**holds**"


def test_each_row_has_its_id_and_bbc_news_a_column_of_its_own(verdicts, results):
    rows = lines(tables.claims(verdicts, claims.QUANTITATIVE))
    ids = [re.search(r'id="([^"]+)"', row[0])[1] for row in rows]
    assert ids == [claims.anchor(claim) for claim in claims.QUANTITATIVE]
    assert all(len(row) == 5 for row in rows) and "BBC-TextCNN" in rows[0][4]
    only = Results()
    only.here = Build({(IMDB, "main"): numbers()})
    assert all(len(row) == 4 for row in lines(tables.claims(Verdicts(only), claims.CORRELATION)))


def test_checks_say_yes_no_or_not_made_with_their_reason(verdicts):
    because = {"BiLSTM: 'great' is not large by SignedGI": "*fourth*"}
    rows = {row[0]: row for row in lines(tables.claims(verdicts, claims.METHODS + claims.QUALITATIVE, because))}
    look = {quote: next(row for name, row in rows.items() if quote in name)
            for quote in ("Equation 4", "Equation 2", "misses the word")}
    assert "yes: eq\\. 4" in look["Equation 4"][3] and "**holds**" in look["Equation 4"][1]
    assert "not made: eq\\. 2" in look["Equation 2"][3] and "**not computed**" in look["Equation 2"][1]
    assert "(\\*fourth\\*)" in look["misses the word"][3] and "**does not hold**" in look["misses the word"][1]


# --- all of them ----------------------------------------------------------------------------------------------------


def test_rows_are_counted(verdicts):
    rows = lines(tables.count(verdicts))
    whole = [int(cell) for cell in rows[-1][1:]]
    assert whole[-1] == sum(whole[:-1]) == len(claims.CLAIMS)
    assert whole == [sum(int(row[place]) for row in rows[:-1]) for place in range(1, len(whole) + 1)]
    assert len(lines(tables.figures(verdicts))) == len(claims.FIGURES)
    assert len(lines(tables.every_number(verdicts))) > 400
    assert f"Of {len(claims.CLAIMS)} rows, {whole[0]} hold, " in tables.summary(verdicts).data


def test_what_was_compared_is_said(results):
    class Corpus:
        source = "Made up."

    facts = tables.facts(results, [Corpus(), Corpus()])
    assert "12 a panel" in facts.data and "Made up. Made up." in facts.data
    assert "**AG's News is not available" in facts.data
    assert lines(tables.accuracies(results))[-1][0].strip() == "BBC-TextCNN"


def test_chance_counts_the_intervals_that_are_asked_about_zero(verdicts):
    found = {(one.claim.rule, answer.panel, answer.group) for one in verdicts.judged for answer in one.build
             if one.claim.rule in (rules.above, rules.below, rules.not_below)}
    tested = len({key[1:] for key in found})
    said = tables.chance(verdicts).data
    assert f"at {tested:,} of them" in said and f"about {0.05 * tested:.0f} intervals" in said


# --- conventions ----------------------------------------------------------------------------------------------------


def test_a_verdict_near_its_border_is_named_when_the_convention_moves(results):
    verdicts = Verdicts(results, quote="a strong positive association with LOO")
    claim = replace(verdicts.judged[0].claim, panels=(IMDB,))
    for mean, expected in ((0.55, [("0.5 → 0.625", "holds", "does not hold")]), (0.9, []),
                           (0.45, [("0.5 → 0.4", "does not hold", "holds")])):
        one = Interval(mean, mean - 0.01, mean + 0.01, 100)
        verdicts.results = type("R", (), {"there": staticmethod(lambda panel, number, one=one: one),
                                          "here": staticmethod(lambda panel, number: None)})
        verdicts.judged = [Judgement(claim, [], [], rules.HOLDS if mean >= 0.5 else rules.FAILS, rules.MISSING)]
        found = [row for factor in varied.FACTORS for row in varied.changed(verdicts, factor)]
        assert [(row[1].partition(" = ")[2], *row[2:]) for row in found] == expected


def test_the_papers_own_borders_are_not_varied(verdicts):
    by_rule = {one.claim.rule: varied.rests_on_a_convention(one) for one in verdicts.judged}
    assert not any(by_rule[rule] for rule in (rules.between, rules.above, None)) and by_rule[rules.comparable]
    asked = sum(map(varied.rests_on_a_convention, verdicts.judged))
    assert varied.conventions(verdicts).data.startswith(f"{asked} rows rest on a convention")


def test_every_rule_is_listed_with_its_rows():
    rows = lines(varied.all_rules())
    assert sum(int(row[3]) for row in rows) == sum(claim.rule is not None for claim in claims.CLAIMS)
    assert {row[0].strip(" `") for row in rows} >= {"above", "comparable", "strong"}


def test_the_log_of_changes_names_rows_of_the_report_and_real_changes():
    rows = lines(changes.log())
    assert len(rows) == len(changes.CHANGES)
    known = {claims.anchor(claim) for claim in claims.CLAIMS}
    for one, row in zip(changes.CHANGES, rows, strict=True):
        assert one.row in known and f'href="#{one.row}"' in row[0] and one.day in row[0]
        assert {one.said, one.says} <= set(rules.VERDICTS) and one.said != one.says
    days = [one.day for one in changes.CHANGES]
    assert days == sorted(days), "the oldest first"


def test_distances_are_between_means_that_both_have(tmp_path):
    about = {"dataset": "imdb", "source": "s", "classifier": "textcnn", "n": 9, "seed": 0, "variant": "main",
             "lib_version": "0", "date": "2031-01-01"}
    run = numbers()
    here = run["loo"]["aopc"][:, 10].double().mean().item()
    rows = [about | {"metric": "aopc", "method": "loo", "k": 10, "mean": here + 0.25, "low": here - 1,
                     "high": here + 1},
            about | {"metric": "aopc", "method": "random", "k": 10, "mean": 9, "low": 8.5, "high": 9.5}]
    pd.DataFrame(rows)[COLUMNS].to_csv(tmp_path / "a.csv", index=False)
    found = Results(reference=tmp_path)
    found.here = Build({(IMDB, "main"): run})
    ten, *_, rho, _ = lines(varied.distances(found))
    far = 9 - run["random"]["aopc"][:, 10].double().mean().item()
    assert [cell.strip() for cell in ten] == ["AOPC(10)", "2", f"{(far + 0.25) / 2:.3f}",
                                              f"{far:.3f} (IMDB-TextCNN, Random)", "0.50", "0.50"]
    assert rho[1].strip() == "0"


# --- reasons and the review -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model():
    from small import untrained

    return untrained("textcnn", classes=2, filters=5)


TEXTS = ["the film was warm and clever . it was good fine plot , warm",
         "a dull film and a cold plot ! stupid tired , dull the it was a",
         "it was fine", "the plot was moving and the film was dull . a tired , cold , stupid thing"]


def test_reasons_are_what_the_library_measures(model):
    batch = model.encode(TEXTS, [1, 0, 1, 0])
    found = dict(reasons.of_gradients(model, batch))
    scores = explain_all(model, batch, ["sa_l1", "sa_linf"])
    close = torch.testing.assert_close
    close(found[Number("rho between", "sa_l1, sa_linf", None, "reasons")],
          pearson(scores["sa_l1"], scores["sa_linf"], batch.mask)[0])
    assert [number.k for number in found if number.metric == "relative norm"] == list(range(10))
    assert all(values.shape == (4,) for values in found.values())

    asked = dict(reasons.of_greedy(model, batch, 3))
    again = aopc(model, batch, greedy(model, batch, 3), K=3)[:, 3]
    close(asked[Number("aopc greedy", "greedy loo", 3, "reasons")], again)
    loo = asked[Number("aopc greedy", "loo", 3, "reasons")]
    close(asked[Number("aopc greedy", "greedy loo - loo", 3, "reasons")], again - loo)
    assert {number.method for number in asked} == {"loo", "signed_gi", "greedy loo", "greedy loo - loo",
                                                   "greedy loo - signed_gi", "signed_gi - loo"}


def test_quarters_begin_with_the_shortest_documents():
    rho, p = torch.tensor([0.1, 0.2, torch.nan, 0.4]), torch.tensor([0.01, 0.5, torch.nan, 0.04])
    found = dict(reasons.of_lengths(rho, p, torch.tensor([9, 3, 20, 5])))
    by_quarter = [found[Number("rho by length", "signed_gi", k, "reasons")].tolist() for k in range(4)]
    assert by_quarter[:3] == [[pytest.approx(0.2)], [pytest.approx(0.4)], [pytest.approx(0.1)]]
    assert np.isnan(by_quarter[3]).all()
    significant = [found[Number("p <= 0.05 by length", "signed_gi", k, "reasons")].tolist() for k in range(4)]
    assert significant[:3] == [[0], [1], [1]] and np.isnan(significant[3]).all()


def test_the_review_is_shown_word_by_word(model):
    class Corpus:
        train = dev = type("Split", (), {"texts": []})
        test = type("Split", (), {"texts": [checks.REVIEW]})

    one = checks.Review(model)
    table = tables.review([one], Corpus)
    assert len(lines(table)) == len(one.words) and lines(table)[0][1].strip() == f"{one.scores['loo'][0]:+.2f}"
    assert "it stands in the test split. With our tokeniser, “is” and “\\.” stand there twice." in table.data
