"""Verdicts follow from intervals: every rule on both sides of its border, every verdict reachable, every claim in its row."""

import math
import re
from functools import lru_cache, partial

import jupytext
import numpy as np
import pandas as pd
import pytest
import torch
from built import ROOT

from book.paper import plan
from book.paper import rules as verdicts
from book.paper.rules import (
    ALL,
    END,
    FAILS,
    HOLDS,
    IMDB_BILSTM,
    MISSING,
    NAN,
    PART,
    UNDEFINED,
    VERDICTS,
    Build,
    Claim,
    Number,
    Reference,
    findings,
    judge,
    judge_figure,
    outcome,
    verdict,
)
from lib.intervals import Interval, bootstrap, paired_bootstrap
from lib.results.kept import COLUMNS

PAGE = ROOT / "book" / "report.md"


def around(mean, half=0.01, n=100):
    return Interval(np.float64(mean), np.float64(mean - half), np.float64(mean + half), n, 0)


def ends(low, high, n=100):
    return Interval(np.float64((low + high) / 2), np.float64(low), np.float64(high), n, 0)


# --- rules -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule, yes, no", [
    (verdicts.above, [[ends(0.001, 0.2)]], [[ends(0.0, 0.2)], [ends(-0.1, 0.2)], [ends(-0.2, -0.1)]]),
    (verdicts.below, [[ends(-0.2, -0.001)]], [[ends(-0.2, 0.0)], [ends(-0.1, 0.2)], [ends(0.1, 0.2)]]),
    (verdicts.tie, [[ends(0.0, 0.2)], [ends(-0.2, 0.0)], [ends(0.0, 0.0)], [ends(-0.1, 0.1)]], [[ends(0.1, 0.2)], [ends(-0.2, -0.1)]]),
    (verdicts.not_above, [[ends(0.0, 0.2)], [ends(-0.2, -0.1)]], [[ends(0.1, 0.2)]]),
    (verdicts.not_below, [[ends(-0.2, 0.0)], [ends(0.1, 0.2)]], [[ends(-0.2, -0.1)]]),
    (verdicts.overlap, [[around(0.009), around(0.1)], [around(-0.009), around(0.1)], [around(0.009), around(-0.1)]],
     [[around(0.011), around(0.1)], [around(-0.02), around(0.1)], [around(0.0), around(0.0)]]),
    (verdicts.moderate, [[ends(0.01, 0.09), around(0.1)]], [[ends(0.0, 0.1), around(0.1)], [around(0.06), around(0.1)], [around(0.05), around(-0.1)]]),
    (verdicts.far_below, [[around(-0.03), around(0.1)]], [[around(-0.025), around(0.1)], [ends(-0.3, 0.0), around(0.1)], [around(0.05), around(0.1)]]),
    (verdicts.strong, [[around(0.5)], [around(0.9)]], [[around(0.499)], [around(-0.9)]]),
    (verdicts.consistent, [[around(0.95)]], [[around(0.94)]]),
    (verdicts.between, [[around(0.2)], [around(0.5)], [around(0.3)]], [[around(0.19)], [around(0.51)], [around(-0.3)]]),
    (verdicts.near_zero, [[around(0.09)], [around(-0.09)]], [[around(0.1)], [around(-0.1)]]),
    (verdicts.similar, [[around(0.3), around(0.35)]], [[around(0.3), around(0.45)], [around(0.3), around(-0.3)]]),
    (verdicts.smaller, [[ends(0.1, 0.2), ends(0.21, 0.3)]], [[ends(0.1, 0.2), ends(0.2, 0.3)], [ends(0.21, 0.3), ends(0.1, 0.2)]]),
    (verdicts.apart, [[ends(0.1, 0.2), ends(0.3, 0.4), ends(0.1, 0.4)]], [[ends(0.1, 0.2), ends(0.2, 0.4)], [ends(0.1, 0.2)]]),
    (verdicts.dominant, [[ends(0.51, 0.6)]], [[ends(0.5, 0.6)], [ends(0.05, 0.06)]]),
    (verdicts.more_than_chance, [[ends(0.07, 0.08)]], [[ends(0.05, 0.08)], [ends(0.03, 0.04)]]),
    (verdicts.uncertain, [[ends(0.06, 0.5)]], [[ends(0.05, 0.5)]]),
    (verdicts.fades, [[around(1.2), around(0.3)]], [[ends(1.0, 1.4), ends(0.3, 0.5)], [around(1.2), around(0.8)]]),
])
def test_a_rule_says_yes_and_no_on_the_right_sides_of_its_border(rule, yes, no):
    for intervals in yes:
        assert rule(*intervals) is True, intervals
    for intervals in no:
        assert rule(*intervals) is False, intervals


@pytest.mark.parametrize("first, second", [(0.2, 0.1), (0.001, 0.0005), (-0.2, 0.1)])
def test_above_and_below_change_places_when_the_numbers_are_turned_round(first, second):
    difference, turned = around(first, second), around(-first, second)
    assert verdicts.above(difference) == verdicts.below(turned)
    assert verdicts.tie(difference) == verdicts.tie(turned)
    assert verdicts.above(difference) + verdicts.below(difference) + verdicts.tie(difference) == 1


def test_chance_gives_the_largest_dimension_more_than_one_in_d_and_the_rule_knows_how_much():
    assert verdicts.null_share(50) > 1 / 50
    assert verdicts.more_than_chance.__kwdefaults__["least"] == pytest.approx(verdicts.null_share(50), abs=5e-4)
    assert verdicts.null_share(1) == 1


# --- from answers to verdicts ------------------------------------------------------------------------------------------


def test_one_number_is_missing_undefined_or_answered():
    assert outcome(verdicts.above, (ends(0.1, 0.2),)) == HOLDS
    assert outcome(verdicts.above, (ends(-0.1, 0.2),)) == FAILS
    assert outcome(verdicts.above, (NAN,)) == UNDEFINED
    assert outcome(verdicts.above, (None,)) == MISSING
    assert outcome(verdicts.smaller, (NAN, None)) == MISSING
    assert outcome(verdicts.smaller, (NAN, ends(0.1, 0.2))) == UNDEFINED


@pytest.mark.parametrize("outcomes, quantifier, expected", [
    ([HOLDS] * 6, "all", HOLDS),
    ([HOLDS] * 5 + [FAILS], "all", PART),
    ([FAILS] * 6, "all", FAILS),
    ([UNDEFINED] * 2, "all", UNDEFINED),
    ([HOLDS, UNDEFINED], "all", HOLDS),
    ([FAILS, UNDEFINED], "all", FAILS),
    ([], "all", MISSING),
    ([MISSING] * 3, "all", MISSING),
    ([HOLDS, MISSING], "all", MISSING),
    ([FAILS, MISSING], "all", MISSING),
    ([HOLDS, FAILS, MISSING], "all", PART),  # whatever the missing number is
    ([HOLDS, PART], "all", PART),
    ([FAILS, PART], "all", PART),
    ([FAILS, FAILS, HOLDS], "some", HOLDS),
    ([FAILS, MISSING, HOLDS], "some", HOLDS),
    ([FAILS, MISSING], "some", MISSING),
    ([FAILS, FAILS], "some", FAILS),
    ([UNDEFINED], "some", UNDEFINED),
    ([HOLDS, HOLDS, FAILS], "most", HOLDS),
    ([HOLDS, FAILS], "most", FAILS),
    ([HOLDS, HOLDS, MISSING, FAILS], "most", MISSING),
    ([HOLDS, HOLDS, HOLDS, MISSING], "most", HOLDS),
    ([HOLDS, FAILS, FAILS, MISSING], "most", FAILS),
])
def test_the_answers_together_are_a_verdict(outcomes, quantifier, expected):
    assert verdict(outcomes, quantifier) == expected
    assert verdict(outcomes[::-1], quantifier) == expected


def test_no_missing_number_could_change_a_verdict_that_was_given():
    for quantifier in ("all", "some", "most"):
        for known in ([HOLDS], [FAILS], [HOLDS, FAILS], [HOLDS, HOLDS, FAILS], [FAILS, FAILS]):
            said = verdict([*known, MISSING], quantifier)
            possible = {verdict([*known, found], quantifier) for found in (HOLDS, FAILS)}
            assert said == MISSING if len(possible) > 1 else {said} == possible


CLAIM = Claim("IV.B", "words", "numbers", "/chapters/aopc", verdicts.above, ((Number("aopc", "a - b", 10),),), panels=ALL)


def source(values):
    """A source that has one interval a panel."""
    return lambda panel, number: values.get(panel)


def test_a_claim_over_panels_follows_its_panels():
    nothing = source({})
    good, bad = ends(0.1, 0.2), ends(-0.2, -0.1)

    def judged(values, build=nothing):
        return judge(CLAIM, source(values), build, {})

    assert judged(dict.fromkeys(ALL, good)).verdict == HOLDS
    assert judged(dict.fromkeys(ALL, bad)).verdict == FAILS
    assert judged(dict.fromkeys(ALL, good) | {ALL[3]: bad}).verdict == PART
    assert judged(dict.fromkeys(ALL, good) | {ALL[3]: None}).verdict == MISSING
    assert judged(dict.fromkeys(ALL, NAN)).verdict == UNDEFINED
    assert len(findings(CLAIM, nothing)) == len(ALL)


def test_the_verdict_is_the_references_and_the_builds_only_where_it_has_none():
    good, bad = (dict.fromkeys(ALL, value) for value in (ends(0.1, 0.2), ends(-0.2, -0.1)))
    both = judge(CLAIM, source(good), source(bad), {})
    assert (both.verdict, both.by_build, both.disagree) == (HOLDS, FAILS, True)
    alone = judge(CLAIM, source({}), source(bad), {})
    assert (alone.verdict, alone.disagree) == (FAILS, False)
    without_ag = judge(CLAIM, source(good), source({panel: bad[panel] for panel in ALL[3:]}), {})
    assert (without_ag.verdict, without_ag.by_build, without_ag.disagree) == (HOLDS, MISSING, False)


def test_checks_decide_where_a_claim_names_them():
    claim = Claim("III", "words", "code", "/chapters/aopc", checks=("first", "second"))
    found = {values: judge(claim, None, None, dict(zip(claim.checks, values))).verdict
             for values in ((True, True), (True, False), (False, False), (True, None))}
    assert found == {(True, True): HOLDS, (True, False): PART, (False, False): FAILS, (True, None): MISSING}
    assert judge(claim, None, None, {}).verdict == MISSING


# --- where numbers come from -----------------------------------------------------------------------------------------


def rows(*several):
    about = {"dataset": "imdb", "source": "s", "classifier": "bilstm", "n": 10, "variant": "main", "lib_version": "0", "date": "2031-01-01"}
    table = pd.DataFrame([about | one for one in several])[COLUMNS]
    return table.assign(k=table.k.astype("Int64"))


def test_the_reference_pools_seeds_and_knows_the_longest_cut_off():
    table = rows(*({"metric": "aopc", "method": "a", "k": k, "mean": mean, "low": mean - 0.1, "high": mean + 0.1, "seed": seed}
                   for seed in (0, 1) for k, mean in ((10, 0.2 + seed / 10), (256, 0.5))),
                 {"metric": "rho", "method": "a", "k": None, "mean": 0.4, "low": 0.3, "high": 0.5, "seed": 0},
                 {"metric": "undefined", "method": "a", "k": None, "mean": 0, "low": 0, "high": 0, "seed": 0},
                 {"metric": "undefined", "method": "b", "k": None, "mean": 1, "low": 1, "high": 1, "seed": 0})
    look = Reference(table)
    assert look(IMDB_BILSTM, Number("aopc", "a", 10))[:3] == pytest.approx((0.25, 0.1, 0.4))
    assert look(IMDB_BILSTM, Number("aopc", "a", END)) == look(IMDB_BILSTM, Number("aopc", "a", 256))
    assert look(IMDB_BILSTM, Number("rho", "a")).mean == pytest.approx(0.4)
    assert look(ALL[0], Number("rho", "a", panel=IMDB_BILSTM)).mean == pytest.approx(0.4)
    assert math.isnan(look(IMDB_BILSTM, Number("rho", "b")).mean)           # no document has one: known
    assert math.isnan(look(IMDB_BILSTM, Number("rho", "a - b")).mean)
    assert math.isnan(look(IMDB_BILSTM, Number("rho between", "a, b", None, "reasons")).mean)
    assert look(IMDB_BILSTM, Number("rho", "c")) is None                     # never computed
    assert look(ALL[0], Number("aopc", "a", 10)) is None
    assert look(IMDB_BILSTM, Number("aopc", "a", 11)) is None


@pytest.mark.parametrize("table", [None, rows({"metric": "aopc", "method": "a", "k": 1, "mean": 0, "low": 0, "high": 0, "seed": 0})[:0]])
def test_an_empty_reference_has_nothing(table):
    assert Reference(table)(IMDB_BILSTM, Number("aopc", "a", END)) is None


def test_the_build_computes_what_the_library_computes():
    generator = torch.Generator().manual_seed(0)
    run = {method: {"aopc": torch.randn(20, 12, generator=generator), "rho": torch.rand(20, generator=generator), "p": torch.rand(20, generator=generator)}
           for method in ("a", "b")}
    run["b"]["rho"][:] = torch.nan
    run["a"]["rho"][0] = run["a"]["p"][0] = torch.nan
    look = Build({(IMDB_BILSTM, "main"): run}, {(IMDB_BILSTM, Number("largest share", "gradient")): torch.ones(5)})
    curves = {method: values["aopc"].double().numpy() for method, values in run.items()}
    assert look(IMDB_BILSTM, Number("aopc", "a - b", 10)) == paired_bootstrap(curves["a"][:, 10], curves["b"][:, 10])
    assert look(IMDB_BILSTM, Number("aopc", "a", END)) == bootstrap(curves["a"][:, -1])
    assert look(IMDB_BILSTM, Number("aopc", "a", 12)) is None
    assert look(IMDB_BILSTM, Number("rho", "a")).n == 19
    assert look(IMDB_BILSTM, Number("p <= 0.05", "a")).undefined == 1
    assert look(IMDB_BILSTM, Number("rises", "a")).mean == (curves["a"][:, 1] < 0).mean()
    assert math.isnan(look(IMDB_BILSTM, Number("rho", "b")).mean)
    assert math.isnan(look(IMDB_BILSTM, Number("rho", "a - b")).mean)
    assert look(IMDB_BILSTM, Number("undefined", "b")).mean == 1
    assert look(IMDB_BILSTM, Number("largest share", "gradient")).mean == 1
    assert look(ALL[0], Number("aopc", "a", 10)) is None
    assert look(IMDB_BILSTM, Number("aopc", "a", 10, "by-type")) is None


# --- the page ----------------------------------------------------------------------------------------------------------


@lru_cache
def page_cells():
    return [cell for cell in jupytext.read(PAGE).cells if cell.cell_type == "code"]


@lru_cache
def page():
    """What the cells that hold the claims define; nothing is computed."""
    space = {}
    exec("import lib\nfrom functools import partial\nfrom lib.attribution import METHODS\nfrom book.paper.plan import PAPER\nfrom lib.classifiers import CLASSIFIERS\n"
         "from book.paper import rules as verdicts\nfrom book.paper.rules import *\n", space)
    for cell in page_cells():
        if "claims" in cell.metadata.get("tags", []):
            exec(cell.source, space)
    return space


def test_every_equation_figure_and_section_has_a_row():
    claims = page()["CLAIMS"]
    assert sorted(claim.equation for claim in claims if claim.equation) == list(range(1, 10))
    assert {claim.figure for claim in claims} - {""} == set(page()["FIGURES"]) == {"1", "2", "3a", "3b"}
    assert {claim.section for claim in claims} >= {"Abstract", "I", "II", "III.A", "III.B", "IV.A", "IV.B", "IV.C", "IV.D", "V"}


def test_every_claim_is_shown_once_and_can_be_decided():
    claims = page()["CLAIMS"]
    shown = [name for cell in page_cells() for name in re.findall(r"^report\((\w+)\)$", cell.source, re.MULTILINE)]
    assert sorted(map(id, (claim for name in shown for claim in page()[name]))) == sorted(map(id, claims))
    for claim in claims:
        assert bool(claim.checks) != bool(claim.groups and claim.rule and claim.panels), claim.quote
        assert claim.quantifier in ("all", "some", "most")
        assert claim.tested.startswith("/chapters/")


def test_every_check_a_claim_names_is_made_on_the_page():
    code = "\n".join(cell.source for cell in page_cells() if "claims" not in cell.metadata.get("tags", []))
    code = re.sub(r'"\s*\n?\s*f?"', "", code)  # strings that go on in the next line
    made = [re.sub(r"\{[^}]*\}", ".+?", re.escape(name).replace(r"\{", "{").replace(r"\}", "}"))
            for name in re.findall(r'checks\[f?"([^"]+)"\]', code)]
    missing = [name for claim in page()["CLAIMS"] for name in claim.checks if not any(re.fullmatch(pattern, name) for pattern in made)]
    assert missing == []


def test_every_number_of_a_claim_is_one_the_reference_can_have():
    """Named as in the tool that writes the reference; only "rises" is this build's alone."""
    reference = pytest.importorskip("book.make.reference")
    pairs = {" - ".join(pair) for pair in plan.PAIRS}
    for claim in page()["CLAIMS"]:
        for number in (number for group in claim.groups for number in group):
            if number.metric == "aopc" and " - " in number.method:
                assert number.method in pairs, number
                assert number.k in (*reference.FEW_CUTOFFS, END), number
            assert number.variant in {"main", "reasons", "readout-last-reasons", *plan.VARIANTS}, number


def test_verdicts_change_when_the_numbers_are_turned_round():
    """With every difference positive the claims of superiority hold, with every one negative they fail."""
    claims = [claim for claim in page()["CLAIMS"] if claim.rule is verdicts.above]
    assert claims
    for value, expected in ((ends(0.1, 0.2), HOLDS), (ends(-0.2, -0.1), FAILS), (ends(-0.1, 0.1), FAILS), (None, MISSING), (NAN, UNDEFINED)):
        for claim in claims:
            assert judge(claim, lambda panel, number: value, lambda panel, number: None, {}).verdict == expected


def test_every_verdict_can_be_reached_by_a_figure():
    claims = page()["CLAIMS"]
    found = set()
    for value in (ends(0.6, 0.7), ends(-0.7, -0.6), NAN, None):
        judged = [judge(claim, lambda panel, number: value, lambda panel, number: None, {}) for claim in claims]
        found.add(judge_figure("1", judged))
    whole = [judge(claim, lambda panel, number: None, lambda panel, number: None, dict.fromkeys(claim.checks, True)) for claim in claims]
    found.add(judge_figure("3b", whole))
    none = [judge(claim, lambda panel, number: None, lambda panel, number: None, dict.fromkeys(claim.checks, False)) for claim in claims]
    found.add(judge_figure("3b", none))
    assert found == set(VERDICTS)


def test_a_convention_can_be_given_by_the_claim():
    assert outcome(partial(verdicts.strong, least=0.9), (around(0.8),)) == FAILS
    assert outcome(verdicts.strong, (around(0.8),)) == HOLDS


def test_visible_code_fits_the_page():
    shown = [cell for cell in page_cells() if not {"hide-input", "remove-input"} & set(cell.metadata.get("tags", []))]
    assert [line for cell in shown for line in cell.source.splitlines() if len(line) > 79] == []
