"""Charts: what is drawn is what was found, in the looks of its method, and the alt text reads it aloud."""

import matplotlib.colors
import numpy as np
import pytest
import torch
from oracles import is_one_sentence
from scipy import stats

from lib.attribution import METHODS
from lib.intervals import Interval
from lib.show.charts import agreement_scatter, intervals, lines, rho_by_length, rho_histograms, word_bars
from lib.show.looks import SERIES
from lib.show.picture import COLOURS, WIDEST

NAN = float("nan")


def costs(factor=1.0):
    """Two lines over 10, 100 and 1,000 words: one linear, one quadratic, in milliseconds with quartiles 10 % away."""
    words = np.array([10, 100, 1000])
    around = np.array([1, 0.9, 1.1])[:, None] * factor
    return {"loo": (words, *(1e-2 * words * around)), "LOO, general path": (words, *(1e-3 * words**2 * around))}


def cost_by_length(panels):
    return lines(panels, "words of the document", "milliseconds a document", log=True)


def axes_of(picture):
    return [axis for axis in picture.figure.axes if axis.get_visible()]


# --- intervals ----------------------------------------------------------------------------------------------

ANSWER = {"One": {"A": {"this build": Interval(0.5, 0.4, 0.7, 10, 0), "reference": Interval(0.55, 0.5, 0.6, 99, 0)},
                  "B": {"this build": Interval(-0.2, -0.3, -0.1, 10, 0), "reference": None}}}


def test_intervals_are_drawn_where_they_are_and_read_aloud():
    picture = intervals(ANSWER, "a number")
    here, there = picture.figure.axes[0].containers
    assert (here.lines[0].get_xdata().tolist(), there.lines[0].get_xdata().tolist()) == ([0.5, -0.2], [0.55])
    assert np.allclose([segment[:, 0] for segment in here.lines[2][0].get_segments()], [[0.4, 0.7], [-0.3, -0.1]])
    assert "One, A, this build: 0.50 [0.40, 0.70]" in picture.alt and "One, B, this build: -0.20" in picture.alt
    assert "B, reference" not in picture.alt and "95 % intervals, a number." in picture.alt


def test_a_row_stands_at_its_name_and_the_build_above_the_reference():
    axis = intervals(ANSWER, "a number").figure.axes[0]
    assert [name.get_text() for name in axis.get_yticklabels()] == ["A", "B"]
    here, there = (container.lines[0].get_ydata() for container in axis.containers)
    assert [round(place) for place in here] == [0, 1] and here[0] < 0 < there[0] < 0.5
    assert axis.get_ylim()[0] > axis.get_ylim()[1], "the first row is the highest"


def test_the_build_is_filled_the_reference_hollow_and_zero_has_a_line():
    axis = intervals(ANSWER, "a number").figure.axes[0]
    for container, name in zip(axis.containers, ("this build", "reference"), strict=True):
        marks, (colour, marker, fill) = container.lines[0], SERIES[name]
        assert (marks.get_color(), marks.get_marker(), marks.get_fillstyle()) == (colour, marker, fill)
    assert axis.get_lines()[0].get_xdata() == [0, 0]


@pytest.mark.parametrize("mean", [NAN, np.inf])
def test_what_is_undefined_has_no_mark(mean):
    found = {"A": {"this build": Interval(mean, NAN, NAN, 3, 0)}, "B": {"this build": Interval(0.5, NAN, NAN, 1, 0)}}
    picture = intervals({"One": found}, "a number")
    assert picture.figure.axes[0].containers[0].lines[0].get_xdata().tolist() == [0.5]
    assert "One, A" not in picture.alt and picture.png().startswith(b"\x89PNG")


def test_every_series_can_be_told_from_the_others():
    names = ["this build", "reference", *(f"seed {n}" for n in range(7))]
    found = {name: Interval(0.1, 0.0, 0.2, 9, 0) for name in names}
    marks = [container.lines[0] for container in intervals({"One": {"A": found}}, "x").figure.axes[0].containers]
    assert len({(mark.get_color(), mark.get_marker(), mark.get_fillstyle()) for mark in marks}) == len(names)


def test_six_panels_are_narrow_enough_to_be_read():
    six = {f"AG News, classifier {n}": ANSWER["One"] for n in range(6)}
    picture = intervals(six, "difference of AOPC at K = 10", note="A source.")
    assert len(axes_of(picture)) == 6 and picture.figure.get_figwidth() <= WIDEST
    picture.figure.draw_without_rendering()
    titles = [axis.title.get_window_extent() for axis in axes_of(picture)]
    assert not any(one.overlaps(other) for i, one in enumerate(titles) for other in titles[:i])


# --- lines --------------------------------------------------------------------------------------------------


def test_linear_cost_has_slope_one_and_quadratic_cost_slope_two():
    axis, = axes_of(cost_by_length({"FastText": costs()}))
    assert axis.get_xscale() == axis.get_yscale() == "log"
    for line, slope in zip(axis.get_lines(), (1, 2), strict=True):
        words, milliseconds = line.get_data()
        assert np.allclose(np.diff(np.log(milliseconds)) / np.diff(np.log(words)), slope)


def test_the_alt_text_of_costs_tells_both_ends():
    alt = cost_by_length({"FastText": costs()}).alt
    assert "FastText: LOO 0.1 at 10 and 10 at 1,000; LOO, general path 0.1 at 10 and 1,000 at 1,000." in alt


def test_a_line_without_a_colour_of_its_own_is_drawn_alike_in_all_panels():
    other = [axis.get_lines()[1] for axis in axes_of(cost_by_length({"FastText": costs(), "TextCNN": costs(3)}))]
    assert other[0].get_color() == other[1].get_color() != COLOURS["loo"]


def test_the_legend_names_lines_that_the_first_panel_lacks():
    values = costs()["loo"]
    picture = lines({"A": {"loo": values}, "B": {"loo": values, "sa_l1": values}}, "words", "ms")
    assert [text.get_text() for text in picture.figure.legends[0].get_texts()] == ["LOO", "SA L1"]
    assert len({axis.get_ylim() for axis in axes_of(picture)}) == 1


# --- correlations -------------------------------------------------------------------------------------------


def test_undefined_correlations_are_counted_and_not_drawn():
    picture = rho_histograms({"IMDB": {"gi": torch.tensor([0.5, NAN, 0.7, 0.9]), "sa_l2": torch.tensor([NAN] * 4)}})
    (axis,) = axes_of(picture)
    assert sum(bar.get_height() for bar in axis.patches) == 3
    legend = [text.get_text() for text in axis.get_legend().get_texts()]
    assert legend == ["Gradient x Input (1 undefined)", "SA L2 (4 undefined)"]
    assert "Gradient x Input: median 0.70, 3 of 4 documents defined" in picture.alt
    assert "SA L2: undefined for all 4 documents" in picture.alt


def test_no_correlation_falls_off_the_histogram():
    (axis,) = axes_of(rho_histograms({"IMDB": {"gi": torch.tensor([-1.0, 1.0, 0.0])}}))
    assert sum(bar.get_height() for bar in axis.patches) == 3


def test_documents_are_significant_outside_the_band_as_scipy_says():
    generator = np.random.default_rng(0)
    words, rho, significant = [], [], 0
    for m in range(4, 60):
        a, b = generator.normal(size=(2, m))
        found = stats.pearsonr(a + b, b)
        words.append(m)
        rho.append(found.statistic)
        significant += found.pvalue <= 0.05
    picture = rho_by_length({"Some": (np.array([*words, 5]), np.array([*rho, NAN]))})
    assert f"Some: {significant} of {len(words)} documents outside the band, 1 undefined" in picture.alt


@pytest.mark.parametrize(("of", "unit"), [("loss", "nats"), ("logit", "logit"), ("probability", "probability")])
def test_a_scatter_puts_loo_across_and_the_method_up(of, unit):
    loo, gi = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([0.0, -2.0, -4.0])
    picture = agreement_scatter(["a", "b", "c"], {"gi": gi, "loo": loo}, of=of)
    axis, = axes_of(picture)
    assert axis.collections[0].get_offsets().tolist() == [[0, 0], [1, -2], [2, -4]]
    assert (axis.get_xlabel(), axis.get_title()) == (f"LOO ({unit})", "Gradient x Input: ρ = -1.00")
    assert matplotlib.colors.to_hex(axis.collections[0].get_facecolor()[0]) == COLOURS["gi"].lower()


def test_a_scatter_needs_loo():
    with pytest.raises(ValueError, match="no LOO scores") as caught:
        agreement_scatter(["a"], {"gi": torch.zeros(1)})
    assert is_one_sentence(caught.value)


# --- bars of words ------------------------------------------------------------------------------------------


def test_a_bar_is_as_long_as_the_score_and_has_the_colour_of_the_method():
    picture = word_bars({"signed_gi": {"good": 2.0, "dull": -0.5}, "sa_l2": {"good": 1.0, "dull": 3.0}}, "A review")
    for axis, key, scores in zip(axes_of(picture), ("signed_gi", "sa_l2"), ([2.0, -0.5], [1.0, 3.0]), strict=True):
        assert [bar.get_width() for bar in axis.patches] == scores
        assert {matplotlib.colors.to_hex(bar.get_facecolor()) for bar in axis.patches} == {COLOURS[key].lower()}
        assert [name.get_text() for name in axis.get_yticklabels()] == ["good", "dull"]
        assert axis.get_title() == METHODS[key].label
        assert axis.get_ylim()[0] > axis.get_ylim()[1], "the first word is the highest"
    assert picture.alt.startswith("A review. ") and picture.figure.get_suptitle() == "A review"
    assert "good 2.00, dull -0.50" in picture.alt and "dull 3.00, good 1.00." in picture.alt


@pytest.mark.parametrize(("key", "of", "says"), [
    ("signed_gi", None, "positive: for the class"), ("gi", None, "positive: against the class"),
    ("gi", "probability", "positive: for the class"), ("sa_l2", None, "the sign says nothing")])
def test_bars_say_what_their_sign_means(key, of, says):
    picture = word_bars({key: {"good": 1.0}}, of=of)
    assert says in axes_of(picture)[0].get_xlabel() and says in picture.alt


def test_bars_without_a_number_are_refused():
    with pytest.raises(ValueError, match="score of the word 'film' is not a finite number"):
        word_bars({"gi": {"film": NAN}})
    with pytest.raises(ValueError, match="nothing to draw"):
        word_bars({})
