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
from PIL import Image
from small import PAPER

from lib.attribution import METHODS
from lib.attribution.registry import method
from lib.intervals import bootstrap
from lib.show.charts import agreement_scatter, lines, rho_by_length, rho_histograms, word_bars
from lib.show.charts import intervals as interval_chart
from lib.show.curves import aopc_curves, deletion_curves, fading_curves
from lib.show.histograms import lengths, luck
from lib.show.looks import colour_of, looks_of, positive_means
from lib.show.maps import gradient_map, score_map, score_maps
from lib.show.picture import COLOURS, DASHES, DIVERGING, WIDEST, Picture

NAN = float("nan")
WORDS = ["not", "a", "good", "film"]
HOSTILE = ["$5", "a$b$c", "$x_", "<script>", '"', "&amp;", "\\", "{", "^", "\U0001f600", "\u6f22", "\ud800"]
draws_unknown_glyphs = pytest.mark.filterwarnings("ignore:Glyph")


def curves(shift=0.0):
    """Six documents, K = 0..3, two methods: SignedGI ends at 0.50 and Random at 0.20, give or take a shift."""
    k, spread = torch.arange(4.0) / 3, torch.linspace(-0.1, 0.1, 6)[:, None]
    return {"IMDB": {"random": 0.2 * k + spread * k, "signed_gi": (0.5 + shift) * k + spread * k}}


def fading(slope=-0.5, key="good"):
    """The loss from 0.1 to 0.9 while one word is faded out, with a tangent."""
    return fading_curves({"TextCNN": {key: (torch.tensor([0.1, 0.3, 0.9]), slope)}}, torch.tensor([0.0, 0.5, 1.0]))


def deletion(shift=0.0):
    return deletion_curves({"A review": {"loo": [0.9, 0.6, 0.4 + shift], "random": [0.9, 0.8, 0.7]}})


# A picture of each kind, made of a number that changes what it shows.
KINDS = {"aopc_curves": lambda x: aopc_curves(curves(x)),
         "rho_histograms": lambda x: rho_histograms({"IMDB": {"signed_gi": torch.tensor([0.2 + x, 0.5 + x, 0.6])}}),
         "deletion_curves": deletion,
         "fading_curves": fading,
         "word_bars": lambda x: word_bars({"loo": {"good": 1 + x, "film": -1}}),
         "agreement_scatter": lambda x: agreement_scatter(WORDS, {"loo": [1, 2, 3, 4], "gi": [1, 2, 3, 4 + 20 * x]}),
         "rho_by_length": lambda x: rho_by_length({"IMDB": ([9, 20 + 100 * x], [0.1, 0.1 + 8 * x])}),
         "intervals": lambda x: interval_chart({"IMDB": {"a": {"this build": bootstrap([x, 1, 2])}}}, "AOPC"),
         "gradient_map": lambda x: gradient_map(WORDS, torch.tensor([[1 + x, -3], [0, 0], [2, 2], [0, 1]])),
         "lines": lambda x: lines({"IMDB": {"loo": ([1, 2], [1, 2 + x], [1, 2], [1, 3])}}, "words", "ms"),
         "luck": lambda x: luck([0.1, 0.2, 0.3 + x], {"loo": 0.5, "gi": -0.1}, "AOPC(10)"),
         "lengths": lambda x: lengths({"IMDB": ([3, 9, 20, 900 + int(100 * x)], 256)}),
         "score_maps": lambda x: score_maps(WORDS, {"whole": ({"loo": torch.tensor([-1, 0, 2, 0.5])}, 3 + x)}),
         "score_map": lambda x: score_map(WORDS, {"loo": torch.tensor([-1, 0, 2, 0.5 + x])})}


def axes_of(picture):
    return [axis for axis in picture.figure.axes if axis.get_visible()]


def words_drawn(picture):
    """The tick labels as a reader sees them."""
    return [label.get_text().replace(r"\$", "$") for label in axes_of(picture)[0].get_xticklabels()]


# --- every picture ------------------------------------------------------------------------------------------


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
    file = Image.open(io.BytesIO(image))
    exact = any(axis.images for axis in picture.figure.axes)
    assert file.info["Description"] == picture.alt and file.mode == ("RGB" if exact else "P")
    assert (np.asarray(file.convert("RGB"))[0, 0] == 255).all(), "white stays white"


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_the_alt_text_follows_the_data(make):
    assert make(0.0).alt == make(0.0).alt != make(0.11).alt


@pytest.mark.parametrize("make", [
    lambda note: aopc_curves(curves(), note), lambda note: rho_histograms({"x": {"gi": torch.rand(9)}}, note),
    lambda note: gradient_map(WORDS, torch.rand(4, 3), note=note),
    lambda note: score_map(WORDS, {"gi": torch.rand(4)}, note=note)])
def test_the_note_on_the_source_is_drawn(make):
    assert make("IMDB, 25,000 reviews.").figure.get_supxlabel() == "IMDB, 25,000 reviews."
    assert make("").figure.get_supxlabel() == ""


def test_drawing_leaves_the_style_of_the_notebook_alone():
    before = dict(matplotlib.rcParams)
    for make in KINDS.values():
        make(0.0).png()
    assert dict(matplotlib.rcParams) == before


# --- colours ------------------------------------------------------------------------------------------------


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


@pytest.fixture
def mine():
    """A method that a reader registered, as everybody would."""
    join = method("mine", "Mine, for $5", sign="support", cost="1", citation="du2021")
    join(lambda classifier, batch, points=3: None)
    yield "mine"
    del METHODS["mine"]


def test_a_method_of_the_reader_and_a_variant_appear_in_every_picture(mine):
    labels = {mine: "Mine, for $5", "mine(points=9)": "Mine, for $5 (points 9)",
              "loo(operator='mask')": "LOO (operator mask)"}
    for key, label in labels.items():
        four, two = torch.tensor([1.0, -2.0, 3.0, 0.5]), torch.tensor([0.9, 0.2])
        pictures = [
            aopc_curves({"a": {key: torch.rand(3, 4)}}), deletion_curves({"a": {key: two}}),
            score_map(WORDS, {key: four}), rho_histograms({"a": {key: two}}), word_bars({key: {"good": 1.0}}),
            lines({"a": {key: ([1, 2], two, two, two)}}, "x", "y"), agreement_scatter(WORDS, {"loo": four, key: four})]
        for picture in pictures:
            assert label in picture.alt and picture.png().startswith(b"\x89PNG")


def test_a_colour_is_kept_whatever_stands_beside_it(mine):
    assert looks_of(["signed_gi", mine])[mine] == looks_of([mine, "loo", "mine(points=9)", "a stranger"])[mine]
    assert looks_of([mine])[mine][0] == colour_of(mine) == colour_of("mine(points=9)") not in COLOURS.values()
    assert all(looks_of(PAPER)[key] == (COLOURS[key], DASHES[key]) for key in PAPER)


def test_no_two_lines_of_a_picture_look_alike(mine):
    names = [*PAPER, mine, "mine(points=9)", "mine(points=30)", "loo(operator='mask')", "one", "two"]
    found = looks_of(reversed(names))
    assert len(set(found.values())) == len(names)
    assert found["mine(points=9)"][0] == found[mine][0] and found["loo(operator='mask')"][0] == COLOURS["loo"]


@pytest.mark.parametrize(("key", "of", "means"), [
    ("signed_gi", "loss", 1), ("loo", "probability", 1), ("gi", "loss", -1), ("gi", None, -1), ("gi", "logit", 1),
    ("gi(of='logit')", None, 1), ("sa_raw", "loss", 0), ("random", None, 0)])
def test_what_a_positive_score_means_follows_from_method_and_quantity(key, of, means):
    assert positive_means(key, of) == means


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("make", [lambda x: gradient_map(WORDS, x[:, None]), lambda x: score_map(WORDS, {"loo": x})])
def test_the_scale_is_centred_at_zero_even_for_one_sided_data(make, sign):
    image = axes_of(make(sign * torch.tensor([0.0, 1.0, 2.0, 4.0])))[0].images[0]
    assert image.norm.vmin == -image.norm.vmax < 0
    assert image.norm(0.0) == pytest.approx(0.5)
    red, _, blue, _ = image.cmap(image.norm(sign * image.norm.vmax))
    assert (red > blue) == (sign > 0), "red supports, blue opposes"
    assert np.mean(matplotlib.colormaps[DIVERGING](0.5)[:3]) > 0.95, "nothing is white"


@pytest.mark.parametrize(("of", "turned"), [(None, -1), ("loss", -1), ("probability", 1)])
def test_red_supports_the_class_in_every_row(of, turned):
    scores = torch.tensor([-4.0, 0, 2, 1])
    picture = score_map(WORDS, {"loo": scores, "gi": scores}, of=of)
    axis = axes_of(picture)[0]
    assert np.asarray(axis.images[0].get_array())[1] == pytest.approx(turned * scores.numpy() / 4)
    assert {text.get_position(): text.get_text() for text in axis.texts}[0, 1] == ("+" if turned < 0 else "−")
    assert axis.get_yticklabels()[1].get_text() == ("−Gradient x Input" if turned < 0 else "Gradient x Input")
    assert ("−Gradient x Input: not 1.00" if turned < 0 else "Gradient x Input: good 0.50") in picture.alt


def test_a_method_without_a_sign_gets_none():
    assert not len(axes_of(score_map(WORDS, {"sa_raw": torch.tensor([-4.0, 0, 2, 1])}))[0].texts)


def test_signs_can_be_read_without_colour():
    axis = axes_of(score_map(WORDS, {"loo": torch.tensor([-4.0, 0.1, 2.0, 0.5])}))[0]
    assert {text.get_position(): text.get_text() for text in axis.texts} == {(0, 0): "−", (2, 0): "+", (3, 0): "+"}
    gradient = torch.tensor([[1.0, -4.0], [-3.0, 0.0], [2.0, -0.1], [0.0, 0.0]])
    dots, = axes_of(gradient_map(WORDS, gradient))[0].get_lines()
    assert sorted(zip(dots.get_xdata(), dots.get_ydata(), strict=True)) == [(0, 1), (1, 0)]


# --- AOPC curves --------------------------------------------------------------------------------------------


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
    titles = ("IMDB", "BBC", "AG", "RT")
    picture = aopc_curves({title: curves()["IMDB"] for title in titles})
    assert [axis.get_title() for axis in axes_of(picture)] == [f"{title} (n = 6)" for title in titles]
    assert all(f"{title}, 6 documents" in picture.alt for title in titles)


# --- histograms ------------------------------------------------------------------------------------------------------


def test_long_documents_are_counted_in_the_last_bar():
    picture = lengths({"IMDB": ([3, 9, 20, 900, 1000], 256)})
    axis, = axes_of(picture)
    assert sum(bar.get_height() for bar in axis.patches) == 5 and axis.patches[-1].get_height() == 2
    assert all(float(bar.get_width()).is_integer() for bar in axis.patches), "a bar holds whole words"
    assert axis.get_lines()[0].get_xdata() == [256, 256] and axis.get_title() == "IMDB (n = 5)"
    assert "IMDB: median 20, from 3 to 1000, cut after 256." in picture.alt


def test_the_luck_of_random_is_a_histogram_and_each_method_a_line():
    picture = luck(torch.tensor([0.1, 0.2, 0.3]), {"loo": 0.5, "gi": -0.1}, "AOPC(10)")
    axis, = axes_of(picture)
    assert sum(bar.get_height() for bar in axis.patches) == 3
    for line, key, value in zip(axis.get_lines(), ("loo", "gi"), (0.5, -0.1), strict=True):
        assert line.get_xdata() == [value, value]
        assert (line.get_color(), line.get_label()) == (COLOURS[key], METHODS[key].label)
    assert "mean 0.200, from 0.100 to 0.300. Lines: LOO 0.500; Gradient x Input -0.100." in picture.alt


# --- one document --------------------------------------------------------------------------------------------------


def test_the_tangent_starts_at_the_loss_and_has_the_slope_of_signed_gi():
    for slope in (-0.5, 2.0):
        solid, dashed = axes_of(fading(slope))[0].get_lines()
        assert solid.get_ydata().tolist() == pytest.approx([0.1, 0.3, 0.9])
        assert dashed.get_xdata().tolist() == [0.0, 0.5, 1.0] and dashed.get_linestyle() == "--"
        assert dashed.get_ydata().tolist() == pytest.approx([0.1, 0.1 + slope / 2, 0.1 + slope])
        assert dashed.get_color() == solid.get_color()
        assert f"without 'good' it changes by +0.800 (tangent {slope:+.3f})" in fading(slope).alt


def test_every_word_is_faded_however_many_there_are():
    words = {f"word {n}": (torch.tensor([0.1, 0.2]), 0.1) for n in range(12)}
    assert len(axes_of(fading_curves({"a": words}, torch.tensor([0.0, 1.0])))[0].get_lines()) == 24


def test_a_deletion_curve_tells_when_the_class_is_lost():
    axis, = axes_of(deletion())
    assert [line.get_ydata().tolist() for line in axis.get_lines()] == [[0.9, 0.6, 0.4], [0.9, 0.8, 0.7]]
    assert "LOO needs 2 words to bring it below one half; Random never brings it below one half." in deletion().alt


def test_curves_of_different_lengths_share_a_panel():
    picture = aopc_curves({"a": {"loo": torch.rand(3, 9), "gi": torch.rand(3, 4)}})
    assert axes_of(picture)[0].get_xlim() == (0, 8) and "at K = 8" in picture.alt


# --- maps of words ------------------------------------------------------------------------------------------


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


def test_two_gradients_share_a_scale_and_the_names_of_the_words():
    one, other = torch.tensor([[1.0, -3.0]] * 4), torch.tensor([[2.0, -6.0]] * 4)
    picture = gradient_map(WORDS, {"per position": one, "per type": other})
    first, second, _ = axes_of(picture)
    for axis, values in ((first, one), (second, other)):
        assert np.asarray(axis.images[0].get_array()) == pytest.approx(values.numpy())
        assert axis.images[0].norm.vmax == 6 == -axis.images[0].norm.vmin
    assert [label.get_text() for label in first.get_yticklabels()] == WORDS and second.get_title() == "per type"
    assert "per position. " in picture.alt and "not 4.00" in picture.alt and "per type. " in picture.alt
    assert picture.figure.get_figwidth() <= WIDEST


def test_undivided_scores_keep_their_size_and_the_cells_beyond_the_scale_are_counted():
    scores = {"loo": [-4.0, 0.1, 2, 1], "sa_l2": [1.0, 1, 5, 0], "gi": [3.0, 0, 0, 0]}
    picture = score_maps(WORDS, {"whole": (scores, 5.0), "cut": (scores, 2.0)}, note="A source.")
    whole, cut = axes_of(picture)[:2]
    drawn = np.asarray(whole.images[0].get_array())
    assert drawn == pytest.approx(np.array([[-4, 0.1, 2, 1], [1, 1, 5, 0], [-3, 0, 0, 0]]))
    assert [axis.images[0].norm.vmax for axis in (whole, cut)] == [5, 2]
    signs = {text.get_position(): text.get_text() for text in whole.texts}
    assert signs == {(0, 0): "−", (2, 0): "+", (3, 0): "+", (0, 2): "−"}, "none on the norm, none below a tenth"
    assert [label.get_text() for label in whole.get_yticklabels()] == ["LOO", "SA L2", "−Gradient x Input"]
    assert "full colour at 5.00, 0 cells beyond it; the largest absolute score is 5.00, SA L2 of" in picture.alt
    assert "cut. Heat map of word scores, 4 words, full colour at 2.00, 3 cells beyond it" in picture.alt
    assert [label.get_text() for label in cut.get_xticklabels()] == WORDS


def test_maps_below_each_other_may_be_divided_row_by_row_or_not():
    scores = {"loo": [-4.0, 0.1, 2, 1], "sa_l2": [1.0, 1, 5, 0]}
    picture = score_maps(WORDS, {"divided": (scores, None), "whole": (scores, 5.0)})
    divided, whole = axes_of(picture)[:2]
    assert np.asarray(divided.images[0].get_array())[:, 2] == pytest.approx([0.5, 1]) and whole.images[0].norm.vmax == 5
    assert "divided. Heat map of word scores, 4 words, each row divided by its largest value." in picture.alt
    assert "LOO: good 0.50, film 0.25; SA L2: good 1.00, not 0.20. whole. Heat map" in picture.alt


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


@draws_unknown_glyphs
@pytest.mark.parametrize("text", ["$5 and $x_$", "_", "\ud83d", "a" * 20_000, "\x00"],
                         ids=["dollar", "underscore", "half", "endless", "nul"])
def test_no_title_word_or_name_breaks_a_picture(text):
    two, words = torch.tensor([0.9, 0.2]), [text, "film"]
    pictures = [
        aopc_curves({text: {"loo": torch.rand(3, 4)}}, note=text), deletion_curves({text: {"loo": two}}),
        fading_curves({text: {text: (two, 0.1)}}, two), score_map(words, {"loo": two}, text),
        gradient_map(words, two[:, None], text), rho_histograms({text: {"loo": two}}),
        rho_by_length({text: ([5, 9], two)}), word_bars({"loo": {text: 1.0}}, text),
        agreement_scatter(words, {"loo": two, "gi": two}),
        lines({text: {text: ([1, 2], two, two, two)}}, text, text, ticks={1: text}),
        interval_chart({text: {text: {text: bootstrap([1, 2])}}}, text)]
    for picture in pictures:
        assert max(matplotlib.image.imread(io.BytesIO(picture.png())).shape) < 2500
        assert picture._repr_html_().encode("utf-8")
    assert axes_of(pictures[2])[0].get_legend().get_texts(), "no name hides from the legend"


def test_scores_that_are_no_numbers_are_refused():
    bad = torch.tensor([1.0, NAN, 2.0, 3.0])
    for make in (lambda: score_map(WORDS, {"loo": bad}), lambda: gradient_map(WORDS, bad[:, None]),
                 lambda: agreement_scatter(WORDS, {"loo": bad, "gi": bad})):
        with pytest.raises(ValueError, match="score of the word 'a' is not a finite number") as caught:
            make()
        assert is_one_sentence(caught.value)


def test_more_words_than_a_picture_holds_are_refused():
    with pytest.raises(ValueError, match="20,000 words are too many for one picture") as caught:
        score_map(["a"] * 20_000, {"loo": torch.zeros(20_000)})
    assert is_one_sentence(caught.value)


def test_a_picture_of_nothing_is_refused():
    for make in (aopc_curves, deletion_curves, rho_histograms, rho_by_length):
        with pytest.raises(ValueError, match="There is nothing to draw"):
            make({})


def test_numbers_may_lie_on_a_graph_or_in_half_precision():
    scores = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    assert isinstance(score_map(WORDS, {"loo": scores}), Picture)
    assert isinstance(score_map(WORDS, {"loo": scores.bfloat16()}), Picture)


@pytest.mark.parametrize("words, count, says", [
    ([], 0, "no words to draw"), (WORDS, 6, "4 words came with 6 scores.*without padding"), (WORDS, 3, "4 words")])
def test_words_and_scores_that_do_not_fit_get_one_clear_sentence(words, count, says):
    for make in (lambda: score_map(words, {"loo": torch.zeros(count)}),
                 lambda: gradient_map(words, torch.zeros(count, 3))):
        with pytest.raises(ValueError, match=says) as caught:
            make()
        assert is_one_sentence(caught.value)


def test_rows_that_are_no_methods_stand_first_with_their_own_names():
    scores, said = torch.tensor([1.0, -2.0, 0.0]), torch.tensor([0.0, 3.0, -1.0])
    picture = score_map(["a", "b", "c"], {"signed_gi": scores}, others={"people": said})
    assert [label.get_text() for label in picture.figure.axes[0].get_yticklabels()] == ["people", "SignedGI"]
    assert "people: b" in picture.alt
