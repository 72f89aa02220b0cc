"""Two pictures of the report: its headlines by panel, and what each open choice moves."""

import numpy as np
import pytest

from book.paper import Verdicts, choices, headlines, plan, rules
from book.paper.claims import ALL, CLAIMS, anchor
from book.paper.headlines import COLUMNS, HEADLINES, MARKS
from lib.intervals import Interval
from lib.results import END, Number, Panel, Results


@pytest.fixture(scope="module")
def results():
    return Results()


def test_headlines_are_rows_of_the_report_and_say_what_it_says(results):
    judged = {anchor(one.claim): one.by_reference for one in Verdicts(results).judged}
    grid = headlines.headlines(results)
    assert list(grid.rows) == list(HEADLINES) and len(grid.columns) == 1 + len(COLUMNS) == 1 + 2 * len(plan.MODELS)
    for name, row in HEADLINES.items():
        assert grid.rows[name][0] == MARKS[judged[row]], name
        assert grid.links[name].endswith(f"#{row}")


def test_a_panel_shows_its_own_answers(results):
    claims = {anchor(claim): claim for claim in CLAIMS}
    grid = headlines.headlines(results)
    for name, row in HEADLINES.items():
        about = set(claims[row].panels)
        for panel, mark in zip(COLUMNS, grid.rows[name][1:], strict=True):
            first = Panel(panel.corpus, "bilstm") if panel.classifier == "bilstm-last" else panel
            assert (mark == MARKS[None]) == (first not in about), (name, panel)


def test_every_verdict_has_a_mark_and_the_legend_names_it(results):
    assert set(MARKS) == {*rules.VERDICTS, rules.IDENTITY, None}
    caption = headlines.headlines(results).caption
    assert all(mark.meaning in caption for state, mark in MARKS.items() if state not in (None, rules.DEPENDS))


# --- choices --------------------------------------------------------------------------------------------------------


def source(changed):
    """Every difference lies above 0, but for the values given by (variant, panel)."""
    def look(panel, number):
        return changed.get((number.variant, panel), Interval(0.2, 0.1, 0.3, 100))
    return look


def row(grid, choice):
    return {column: mark for column, mark in zip(grid.columns, grid.rows[choice], strict=True)}


def test_what_a_choice_turns_round_loses_and_finds_is_counted():
    below, open_ = Interval(-0.2, -0.3, -0.1, 100), Interval(0.0, -0.1, 0.1, 100)
    grid = choices.moved(source({("aopc-mask", ALL[0]): below, ("aopc-mask", ALL[1]): open_,
                                 ("main", ALL[2]): open_, ("ties-first", ALL[2]): open_}))
    mark = row(grid, "AOPC: unknown word")["SignedGI and LOO"]
    assert (mark.sign, mark.kind) == ("1 turned, 1 lost, 1 found", "no") and mark.meaning.endswith("in 6 panels")
    assert row(grid, "ties: first word first")["SignedGI and LOO"] == ("", "yes", "the same in 6 panels")
    found = row(grid, "LOO: word deleted")["SA L2 above Random"]
    assert (found.sign, found.kind) == ("1 found", "part")


def test_what_was_not_computed_or_cannot_matter_is_not_counted():
    nothing = Interval(np.nan, np.nan, np.nan, 0)
    grid = choices.moved(source({("by-type", panel): None for panel in ALL} | {("main", ALL[0]): nothing}))
    assert row(grid, "gradient of the word type")["SignedGI and LOO"].sign == "–"
    assert row(grid, choices.CUT_OFF)["ρ: SignedGI above SA L1"].sign == "–"
    assert row(grid, choices.READ_OUT)["SignedGI and LOO"].meaning == "the same in 2 panels"
    assert row(grid, "predicted class")["SignedGI and LOO"].meaning == "the same in 5 panels"


def test_the_cut_off_and_the_read_out_are_looked_up_in_their_own_places():
    asked = []

    def look(panel, number):
        asked.append((panel, number))
        return Interval(0.2, 0.1, 0.3, 100)

    choices.moved(look)
    assert (ALL[0], Number("aopc", "signed_gi - loo", 10)) in asked
    assert (Panel("imdb", "bilstm-last"), Number("aopc", "signed_gi - loo", END)) in asked


def test_the_reference_has_every_choice(results):
    grid = choices.moved(results.there)
    missing = {(choice, column) for choice in grid.rows
               for column, mark in row(grid, choice).items() if mark.sign == "–"}
    assert missing == {(choices.CUT_OFF, "ρ: SignedGI above SA L1")}
