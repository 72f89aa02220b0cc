"""Words in colour: the colour and the legend follow from method and quantity; escaped, and clear without colour."""

import re
from types import SimpleNamespace

import pytest
import torch
from html_page import Page, styles
from oracles import is_one_sentence

from lib.attribution import METHODS
from lib.show.highlights import Highlight, Masked, SideBySide, side_by_side

RED, BLUE = "rgb(200, 50, 60)", "rgb(50, 120, 200)"


def line_of(style):
    """The line below a word: ("solid", its colour)."""
    return re.search(r"border-bottom: 2px (\w+) (rgb\([\d, ]+\))", style).groups()


def legend_of(highlight):
    return highlight._repr_html_().rpartition("<small>")[2]


# --- what the colours say -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "of", "positive"), [
    ("signed_gi", "loss", RED), ("loo", "loss", RED), ("loo", "probability", RED), ("signed_gi", None, RED),
    ("gi", "loss", BLUE), ("gi", None, BLUE), ("gi", "logit", RED), ("gi", "probability", RED)])
def test_red_and_solid_supports_the_class_whatever_the_sign_of_the_score(method, of, positive):
    negative = {RED: BLUE, BLUE: RED}[positive]
    plus, minus = (line_of(style) for style in styles(Highlight(["good", "bad"], [1.0, -1.0], method=method, of=of)))
    assert (plus[1], minus[1]) == (positive, negative)
    assert {plus, minus} == {("solid", RED), ("dashed", BLUE)}, "the line tells the same without colour"


def test_the_background_has_the_colour_of_the_line():
    for score in (1.0, -1.0):
        style, = styles(Highlight(["word"], [score]))
        red, blue = (f"rgba({colour[4:-1]}, 0.50)" in style for colour in (RED, BLUE))
        assert (red, blue) == (score > 0, score < 0)


def test_the_legend_says_what_the_lines_mean():
    words, scores = ["good", "bad"], [0.25, -1.0]
    assert "solid line: supports the class; dashed line: speaks against it; strongest colour ±1<" in legend_of(
        Highlight(words, scores, method="signed_gi"))
    assert "solid line: supports the class (score &lt; 0); dashed line: speaks against it (score &gt; 0)" in legend_of(
        Highlight(words, scores, method="gi"))
    assert "supports the class; dashed" in legend_of(Highlight(words, scores, method="gi", of="probability"))
    assert "highest scores (against the class) good 0.25" in Highlight(words, scores, "T", method="gi").alt


def test_scores_of_nobody_knows_what_claim_nothing():
    legend = legend_of(Highlight(["good", "bad"], [0.25, -1.0]))
    assert "solid line: score &gt; 0; dashed line: score &lt; 0" in legend and "class" not in legend


def test_a_method_without_a_sign_says_so_and_shows_none():
    signed, unsigned = (Highlight(["good", "well"], [1.0, 0.5], method=key) for key in ("loo", "sa_l2"))
    assert "this method has no sign" in legend_of(unsigned) and "supports" not in legend_of(unsigned)
    assert "dashed" not in legend_of(unsigned), "no score is negative"
    assert "dashed line: score &lt; 0" in legend_of(Highlight(["a"], [-1.0], method="sa_raw"))
    assert [span["title"] for span in Page(unsigned._repr_html_()).spans()] == ["1", "0.5"]
    assert [span["title"] for span in Page(signed._repr_html_()).spans()] == ["+1", "+0.5"]


@pytest.mark.parametrize("key", ["loo(operator='mask')", "gi(of='logit')"])
def test_a_variant_means_what_its_key_says(key):
    assert Highlight(["good"], [1.0], method=key).positive == 1


def test_an_unknown_method_or_quantity_is_refused():
    with pytest.raises(ValueError, match="Unknown method 'magic'"):
        Highlight(["good"], [1.0], method="magic")
    with pytest.raises(ValueError, match="Unknown quantity 'logits'"):
        Highlight(["good"], [1.0], method="gi", of="logits")


# --- how strong they are ------------------------------------------------------------------------------------


def test_a_larger_score_has_a_stronger_colour():
    opacity = [float(re.search(r"background-color: rgba\([^)]*, ([\d.]+)\)", style).group(1))
               for style in styles(Highlight(list("abc"), [0.4, 0.8, -1.0]))]
    assert opacity == pytest.approx([0.2, 0.4, 0.5], abs=0.01)


def test_the_limit_is_the_score_with_full_colour():
    alone, limited, beyond = (styles(Highlight(["a"], [2.0], limit=limit)) for limit in (None, 4.0, 0.5))
    assert "0.50)" in alone[0] and "0.25)" in limited[0] and beyond == alone
    assert Highlight(list("ab"), [0.5, -3.0]).limit == 3.0


def test_small_scores_are_not_marked():
    marked = [bool(style) for style in styles(Highlight(list("abcde"), [1.0, 0.1, 0.05, -0.05, 0.0]))]
    assert marked == [True, True, False, False, False]


@pytest.mark.parametrize("scores", [[0.0, 0.0], torch.zeros(2), []], ids=["zeros", "tensor", "none"])
def test_nothing_is_marked_where_all_scores_are_zero(scores):
    assert not any(styles(Highlight(["a", "b"][: len(scores)], scores)))


def test_words_and_scores_must_match():
    with pytest.raises(ValueError, match="2 words came with 3 scores: pass the scores .* without padding"):
        Highlight(["a", "b"], [1.0, 2.0, 0.0])


def test_the_alternative_text_names_the_highest_and_the_lowest_words():
    words, scores = list("abcdefgh"), [0.1, -0.5, 0.9, 0.3, -0.7, 0.2, -0.1, 0.0]
    assert Highlight(words, scores).alt == "Highest scores c 0.9, d 0.3, f 0.2; lowest e -0.7, b -0.5, g -0.1."
    assert Highlight(words, scores, "Title", "sa_l2").alt == "Title: highest scores c 0.9, d 0.3, f 0.2."
    assert repr(Highlight(words, scores)) == Highlight(words, scores).alt


def test_the_alternative_text_of_no_words_says_so():
    assert Highlight([], [], "Title").alt == "Title: no words."


def test_side_by_side_shows_all():
    both = SideBySide(Highlight(["left"], [1.0]), Highlight(["right"], [-1.0]))
    assert Page(both._repr_html_()).words == ["left", "right"]
    assert "left 1" in repr(both) and "right -1" in repr(both)


def test_hostile_names_are_shown_and_not_obeyed():
    highlight = Highlight(['"><script>', "'&amp;'"], [1.0, -1.0], title='<b onclick="x">&lt;</b>')
    page = Page(highlight._repr_html_())
    assert [tag for tag, _ in page.elements] == ["div", "strong", "br", "span", "span", "br", "small"]
    assert page.words == ['"><script>', "'&amp;'"]
    assert page.attribute("aria-label") == highlight.alt and highlight.title in highlight.alt


# --- what is not as it should be ----------------------------------------------------------------------------


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -float("inf")])
def test_a_score_that_is_no_number_is_refused(score):
    with pytest.raises(ValueError, match="score of the word 'film' is not a finite number") as caught:
        Highlight(["a", "film"], [1.0, score])
    assert is_one_sentence(caught.value)


@pytest.mark.parametrize("limit", [float("nan"), float("inf"), -1.0])
def test_a_limit_that_gives_no_colours_is_refused(limit):
    with pytest.raises(ValueError, match="limit is .* must be positive and finite"):
        Highlight(["a"], [1.0], limit=limit)


def test_a_string_is_no_list_of_words():
    with pytest.raises(TypeError, match="words are one string: pass a list of words"):
        Highlight("film", [1.0, 2.0, 3.0, 4.0])


def test_half_an_emoji_does_not_break_the_page():
    half = "\ud83d"
    word, title = [f"a{half}"], f"t{half}"
    for shown in (Highlight(word, [1.0], title), Masked(word, [True], 0.5, 0.9, f"c{half}", title)):
        html = shown._repr_html_()
        assert html.encode("utf-8") and shown.alt.encode("utf-8") and "a?" in html and "t?" in html
    assert "\U0001f600" in Highlight(["\ud83d\ude00"], [1.0])._repr_html_(), "two halves are a whole"


def test_an_endless_word_is_shown_whole_and_named_in_short():
    highlight = Highlight(["a" * 20_000], [1.0])
    assert "a" * 20_000 in highlight._repr_html_() and "overflow-wrap: anywhere" in highlight._repr_html_()
    assert len(highlight.alt) < 100


def test_classes_may_be_numbers():
    assert "probability of 1 0.500, 0.900 before" in Masked(["a"], [True], 0.5, 0.9, 1, "LOO").alt


def test_scores_may_lie_on_a_graph():
    assert Highlight(["a"], torch.ones(1, requires_grad=True)).scores.tolist() == [1.0]


# --- what a batch knows of its words ------------------------------------------------------------------------


def batch(**known):
    """Two documents; of the second the last word has no token, the first is unknown, nine were cut off."""
    known = {"word_mask": torch.tensor([[True, True, False], [True, True, False]]), "cut": torch.tensor([0, 9]),
             "unknown": torch.tensor([[False] * 3, [True, False, False]]), **known}
    return SimpleNamespace(words=[["a", "film"], ["zzz", "good", "\u200b!"]], **known)


SCORES = torch.tensor([[1.0, -2.0, 0.0], [4.0, -1.0, float("nan")]])


def test_a_document_of_a_batch_is_shown_without_its_padding():
    highlight = Highlight.of_batch(batch(), SCORES, "Title", "loo", row=0)
    assert highlight.alt == "Title: highest scores a 1, film -2; lowest film -2."
    assert [span["title"] for span in Page(highlight._repr_html_()).spans()] == ["+1", "-2"]
    assert not any(said in highlight._repr_html_() for said in ("italic", "pale", "cut off", "not read"))


def test_unknown_words_are_italic_and_words_without_a_score_pale():
    html = Highlight.of_batch(batch(), SCORES, method="loo", row=1)._repr_html_()
    unknown, known, unread = Page(html).spans()
    assert "font-style: italic" in unknown["style"] and RED in unknown["style"]
    assert unknown["title"] == "+4, unknown word"
    assert "italic" not in known["style"] and known["title"] == "-1"
    assert unread == {"style": "opacity: 0.6", "title": "not read"}, "a score that is not there has no colour"
    assert "italic: a word that the classifier does not know; pale: not read by the classifier" in html


def test_a_text_that_was_cut_says_so():
    highlight = Highlight.of_batch(batch(), SCORES, method="loo", row=1)
    assert "<small>… (9 more words cut off, not read)</small>" in highlight._repr_html_()
    assert highlight.alt == "Highest scores zzz 4, good -1; lowest good -1; 9 more words cut off, not read."
    assert "1 more word cut off" in Highlight(["a"], [1.0], cut=1).alt


def test_a_batch_may_know_nothing_of_its_words():
    highlight = Highlight.of_batch(batch(cut=None, unknown=None), SCORES, row=1)
    assert not any(highlight.unknown) and highlight.cut == 0


def test_several_methods_stand_side_by_side_each_with_its_own_meaning():
    left, right = side_by_side(batch(), {"loo": SCORES, "gi": -SCORES}, "TextCNN: ", row=1).highlights
    assert (left.title, right.title) == tuple(f"TextCNN: {METHODS[key].label}" for key in ("loo", "gi"))
    assert styles(left) == styles(right), "the gradient times the input of a loss is minus the support"
    assert (left.positive, right.positive, left.cut) == (1, -1, 9)


# --- masked words -------------------------------------------------------------------------------------------


def test_words_of_the_data_do_not_become_markup():
    shown = Masked(["<b>", "&"], [True, False], 0.5, 0.9, "<i>", "A > B")._repr_html_()
    assert "<b>" not in shown and "<i>" not in shown
    assert "&lt;b&gt;" in shown and "&amp;" in shown


def test_a_masked_word_is_struck_through_and_the_bar_is_the_probability():
    html = Masked(["good", "film"], [True, False], 0.25, 0.9, "positive", "LOO")._repr_html_()
    assert re.findall(r"<s [^>]*>(\w+)</s>", html) == ["good"] and "width: 25.0%" in html
    assert "1 of 2 words masked" in html and "probability of positive <strong>0.250</strong>" in html
