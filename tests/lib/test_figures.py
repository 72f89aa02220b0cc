"""Figures: the alt text tells the numbers that are drawn, the scale is centred, and no word breaks a picture."""

import io
from base64 import b64decode
from itertools import combinations

import matplotlib
import matplotlib.colors as colours
import matplotlib.image
import numpy as np
import pytest
import torch
from oracles import is_one_sentence
from small import PAPER

from lib.attribution import METHODS
from lib.intervals import bootstrap
from lib.show.charts import lines, rho_histograms
from lib.show.curves import aopc_curves
from lib.show.maps import gradient_map, score_map
from lib.show.picture import COLOURS, DASHES, DIVERGING

NAN = float("nan")
WORDS = ["not", "a", "good", "film"]
HOSTILE = ["$5", "a$b$c", "$x_", "<script>", '"', "&amp;", "\\", "{", "^", "\U0001f600", "\u6f22", "\ud800"]
draws_unknown_glyphs = pytest.mark.filterwarnings("ignore:Glyph")


def curves(shift=0.0):
    """Six documents, K = 0..3, two methods: SignedGI ends at 0.50 and Random at 0.20, give or take a shift."""
    k, spread = torch.arange(4.0) / 3, torch.linspace(-0.1, 0.1, 6)[:, None]
    return {"IMDB": {"random": 0.2 * k + spread * k, "signed_gi": (0.5 + shift) * k + spread * k}}


def costs(factor=1.0):
    """Two lines over 10, 100 and 1,000 words: one linear, one quadratic, in milliseconds with quartiles 10 % away."""
    words = np.array([10, 100, 1000])
    around = np.array([1, 0.9, 1.1])[:, None] * factor
    return {"loo": (words, *(1e-2 * words * around)), "LOO, general path": (words, *(1e-3 * words**2 * around))}


def cost_by_length(panels):
    return lines(panels, "words of the document", "milliseconds a document", log=True)


# A picture of each kind, made of a number that changes what it shows.
KINDS = {"aopc_curves": lambda x: aopc_curves(curves(x)),
         "rho_histograms": lambda x: rho_histograms({"IMDB": {"signed_gi": torch.tensor([0.2 + x, 0.5 + x, 0.6])}}),
         "gradient_map": lambda x: gradient_map(WORDS, torch.tensor([[1 + x, -3], [0, 0], [2, 2], [0, 1]])),
         "lines": lambda x: cost_by_length({"FastText": costs(1 + x)}),
         "score_map": lambda x: score_map(WORDS, {"loo": torch.tensor([-1, 0, 2, 0.5 + x])})}


def axes_of(picture):
    return [axis for axis in picture.figure.axes if axis.get_visible()]


def words_drawn(picture):
    """The tick labels as a reader sees them."""
    return [label.get_text().replace(r"\$", "$") for label in axes_of(picture)[0].get_xticklabels()]


# --- every picture ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_a_picture_is_a_png_that_carries_its_alt_text(make):
    picture = make(0.0)
    data, metadata = picture._repr_mimebundle_()
    image = b64decode(data["image/png"])
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    pixels = matplotlib.image.imread(io.BytesIO(image))[..., :3]
    assert min(pixels.shape[:2]) > 150 and pixels.std() > 0.02, "an empty sheet"
    assert metadata["image/png"]["alt"] == data["text/plain"] == picture.alt
    assert picture.alt.endswith(".") and len(picture.alt) > 60


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_the_alt_text_follows_the_data(make):
    assert make(0.0).alt == make(0.0).alt != make(0.11).alt


@pytest.mark.parametrize("make", [
    lambda note: aopc_curves(curves(), note), lambda note: rho_histograms({"x": {"gi": torch.rand(9)}}, note),
    lambda note: gradient_map(WORDS, torch.rand(4, 3), note=note), lambda note: score_map(WORDS, {"gi": torch.rand(4)}, note=note)])
def test_the_note_on_the_source_is_drawn(make):
    assert make("IMDB, 25,000 reviews.").figure.get_supxlabel() == "IMDB, 25,000 reviews."
    assert make("").figure.get_supxlabel() == ""


def test_drawing_leaves_the_style_of_the_notebook_alone():
    before = dict(matplotlib.rcParams)
    for make in KINDS.values():
        make(0.0).png()
    assert dict(matplotlib.rcParams) == before


# --- colours ------------------------------------------------------------------------------------------------------------


def test_every_method_of_the_paper_has_a_colour_and_a_dash_pattern():
    assert set(PAPER) <= set(COLOURS) and set(COLOURS) == set(DASHES) <= set(METHODS)


def test_colours_can_be_told_apart():
    for (one, first), (other, second) in combinations(COLOURS.items(), 2):
        distance = np.linalg.norm(np.subtract(colours.to_rgb(first), colours.to_rgb(second)))
        assert distance > 0.2, f"{one} and {other} look alike"


def test_a_line_has_the_colour_and_the_dashes_of_its_method():
    (axis,) = axes_of(aopc_curves(curves()))
    for line in axis.get_lines():
        key = next(key for key, method in METHODS.items() if method.label == line.get_label())
        assert (line.get_color(), line.get_linestyle()) == (COLOURS[key], DASHES[key])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("make", [lambda x: gradient_map(WORDS, x[:, None]), lambda x: score_map(WORDS, {"loo": x})])
def test_the_scale_is_centred_at_zero_even_for_one_sided_data(make, sign):
    image = axes_of(make(sign * torch.tensor([0.0, 1.0, 2.0, 4.0])))[0].images[0]
    assert image.norm.vmin == -image.norm.vmax < 0
    assert image.norm(0.0) == pytest.approx(0.5)
    red, _, blue, _ = image.cmap(image.norm(sign * image.norm.vmax))
    assert (red > blue) == (sign > 0), "red supports, blue opposes"
    assert np.mean(matplotlib.colormaps[DIVERGING](0.5)[:3]) > 0.95, "nothing is white"


def test_signs_can_be_read_without_colour():
    signs = {text.get_position(): text.get_text() for text in axes_of(score_map(WORDS, {"loo": torch.tensor([-4.0, 0.1, 2.0, 0.5])}))[0].texts}
    assert signs == {(0, 0): "−", (2, 0): "+", (3, 0): "+"}
    dots, = axes_of(gradient_map(WORDS, torch.tensor([[1.0, -4.0], [-3.0, 0.0], [2.0, -0.1], [0.0, 0.0]])))[0].get_lines()
    assert sorted(zip(dots.get_xdata(), dots.get_ydata())) == [(0, 1), (1, 0)]


# --- AOPC curves --------------------------------------------------------------------------------------------------------


def test_the_alt_text_of_curves_names_the_best_method_first():
    assert "IMDB, 6 documents, at K = 3: SignedGI 0.50, Random 0.20." in aopc_curves(curves()).alt
    assert "at K = 3: Random 0.20, SignedGI 0.10." in aopc_curves(curves(-0.4)).alt


def test_a_curve_is_the_mean_with_its_bootstrap_band():
    values = torch.rand(40, 4, generator=torch.Generator().manual_seed(0))
    (axis,) = axes_of(aopc_curves({"IMDB": {"signed_gi": values}}, seed=3))
    interval = bootstrap(values, seed=3)
    assert interval.low[1] != pytest.approx(bootstrap(values, seed=0).low[1]), "the seed must reach the bootstrap"
    assert axis.get_lines()[0].get_ydata() == pytest.approx(interval.mean)
    corners = axis.collections[0].get_paths()[0].vertices
    for k in range(4):
        heights = corners[corners[:, 0] == k, 1]
        assert heights.min() == pytest.approx(interval.low[k]) and heights.max() == pytest.approx(interval.high[k])


def test_a_panel_for_each_corpus():
    picture = aopc_curves({title: curves()["IMDB"] for title in ("IMDB", "BBC", "AG", "RT")})
    assert [axis.get_title() for axis in axes_of(picture)] == [f"{title} (n = 6)" for title in ("IMDB", "BBC", "AG", "RT")]
    assert all(f"{title}, 6 documents" in picture.alt for title in ("IMDB", "BBC", "AG", "RT"))


# --- histograms ---------------------------------------------------------------------------------------------------------


def test_undefined_correlations_are_counted_and_not_drawn():
    picture = rho_histograms({"IMDB": {"gi": torch.tensor([0.5, NAN, 0.7, 0.9]), "sa_l2": torch.tensor([NAN] * 4)}})
    (axis,) = axes_of(picture)
    assert sum(bar.get_height() for bar in axis.patches) == 3
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["Gradient x Input (1 undefined)", "SA L2 (4 undefined)"]
    assert "Gradient x Input: median 0.70, 3 of 4 documents defined" in picture.alt
    assert "SA L2: undefined for all 4 documents" in picture.alt


def test_no_correlation_falls_off_the_histogram():
    (axis,) = axes_of(rho_histograms({"IMDB": {"gi": torch.tensor([-1.0, 1.0, 0.0])}}))
    assert sum(bar.get_height() for bar in axis.patches) == 3


# --- maps of words ------------------------------------------------------------------------------------------------------


def test_a_score_map_shows_each_method_relative_to_its_largest_score():
    picture = score_map(WORDS, {"loo": torch.tensor([-4.0, 0, 2, 1]), "sa_l2": torch.tensor([1.0, 1, 5, 0])})
    axis = axes_of(picture)[0]
    assert np.asarray(axis.images[0].get_array()) == pytest.approx(np.array([[-1, 0, 0.5, 0.25], [0.2, 0.2, 1, 0]]))
    assert [label.get_text() for label in axis.get_yticklabels()] == ["LOO", "SA L2"] and words_drawn(picture) == WORDS
    assert "LOO: good 0.50, film 0.25; SA L2: good 1.00, not 0.20." in picture.alt


def test_a_gradient_map_shows_the_gradient_and_names_its_largest_words():
    gradient = torch.tensor([[1.0, -3.0], [0.0, 0.0], [2.0, 0.5], [0.0, 1.0]])
    picture = gradient_map(WORDS, gradient, title="A review")
    assert np.asarray(axes_of(picture)[0].images[0].get_array()) == pytest.approx(gradient.numpy())
    assert picture.alt.startswith("A review. ") and "4 words by 2 dimensions" in picture.alt
    assert "not 4.00, good 2.50, film 1.00." in picture.alt


def test_a_word_that_stands_twice_keeps_both_scores_in_the_alt_text():
    words = ["is", "good", "is"]
    assert "LOO: is 1.00, good 0.50." in score_map(words, {"loo": torch.tensor([2.0, 1.0, 0.1])}).alt
    assert "is 2.00, good 1.00, is 0.10." in gradient_map(words, torch.tensor([[2.0], [1.0], [0.1]])).alt


def test_scores_that_are_all_zero_can_be_drawn():
    for picture in (score_map(WORDS, {"loo": torch.zeros(4)}), gradient_map(WORDS, torch.zeros(4, 3))):
        assert np.asarray(axes_of(picture)[0].images[0].get_array()) == pytest.approx(0)
        assert axes_of(picture)[0].images[0].norm(0.0) == 0.5


@draws_unknown_glyphs
def test_hostile_words_are_drawn_as_they_are():
    picture = score_map(HOSTILE, {"loo": torch.arange(12.0)}, title="costs $5 or $6_", note="a note")
    assert picture.png().startswith(b"\x89PNG")
    assert words_drawn(picture) == [*HOSTILE[:-1], "?"], "half a surrogate pair cannot be drawn; all else is"
    texts = [*axes_of(picture)[0].get_xticklabels(), axes_of(picture)[0].title]
    assert not any(matplotlib.cbook.is_math_text(text.get_text()) for text in texts), "two dollars would make a formula"
    assert picture.alt.startswith("costs $5 or $6_. ") and "LOO: ? 1.00, \u6f22 0.91." in picture.alt
    picture = gradient_map(HOSTILE, torch.ones(12, 3), title="$")
    assert picture.png().startswith(b"\x89PNG") and "<script>" not in picture.alt


@pytest.mark.parametrize("words, count, says", [([], 0, "no words to draw"), (WORDS, 6, "4 words came with 6 scores.*without padding"), (WORDS, 3, "4 words")])
def test_words_and_scores_that_do_not_fit_get_one_clear_sentence(words, count, says):
    for make in (lambda: score_map(words, {"loo": torch.zeros(count)}), lambda: gradient_map(words, torch.zeros(count, 3))):
        with pytest.raises(ValueError, match=says) as caught:
            make()
        assert is_one_sentence(caught.value)


# --- cost against length ------------------------------------------------------------------------------------------------


def test_linear_cost_has_slope_one_and_quadratic_cost_slope_two():
    axis, = axes_of(cost_by_length({"FastText": costs()}))
    assert axis.get_xscale() == axis.get_yscale() == "log"
    for line, slope in zip(axis.get_lines(), (1, 2)):
        words, milliseconds = line.get_data()
        assert np.allclose(np.diff(np.log(milliseconds)) / np.diff(np.log(words)), slope)


def test_the_alt_text_of_costs_tells_both_ends():
    alt = cost_by_length({"FastText": costs()}).alt
    assert "FastText: LOO 0.1 at 10 and 10 at 1,000; LOO, general path 0.1 at 10 and 1,000 at 1,000." in alt


def test_a_line_without_a_colour_of_its_own_is_drawn_alike_in_all_panels():
    lines = [axis.get_lines()[1] for axis in axes_of(cost_by_length({"FastText": costs(), "TextCNN": costs(3)}))]
    assert lines[0].get_color() == lines[1].get_color() != COLOURS["loo"]


def test_the_legend_names_lines_that_the_first_panel_lacks():
    words, *values = costs()["loo"]
    picture = lines({"A": {"loo": (words, *values)}, "B": {"loo": (words, *values), "sa_l1": (words, *values)}}, "words", "ms")
    assert [text.get_text() for text in picture.figure.legends[0].get_texts()] == ["LOO", "SA L1"]
    assert len({axis.get_ylim() for axis in axes_of(picture)}) == 1
