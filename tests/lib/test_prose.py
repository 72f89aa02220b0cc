"""Sentences made from results: they must say what the numbers say, whatever the numbers are."""

import numpy as np
import pytest
from markdown_it import MarkdownIt

from lib.intervals import Interval
from lib.show.prose import beside, compared, listed, safe, top_words


def interval(mean, low, high):
    return Interval(np.float64(mean), np.float64(low), np.float64(high), n=10, undefined=0)


@pytest.mark.parametrize("numbers, expected", [
    ((0.2, 0.1, 0.3), "A lies above B by 0.200 [0.100, 0.300]"),
    ((-0.2, -0.3, -0.1), "A lies below B by 0.200 [0.100, 0.300]"),
    ((0.1, -0.1, 0.3), "A and B cannot be told apart (+0.100 [-0.100, +0.300])"),
    ((0.0, 0.0, 0.0), "A and B cannot be told apart (+0.000 [+0.000, +0.000])"),
    ((0.2, np.nan, np.nan), "A and B cannot be told apart (+0.200 [undefined: 10 documents])"),
    ((2e-5, 1e-5, 3e-5), "A lies above B, but by less than 0.001"),
    ((-2e-5, -3e-5, -1e-5), "A lies below B, but by less than 0.001"),
])
def test_a_comparison_says_what_its_interval_says(numbers, expected):
    assert compared("A", "B", interval(*numbers)) == expected


def test_a_value_beside_the_reference_says_how_far_apart_they_are():
    here, there = interval(0.51, 0.48, 0.54), Interval(0.5, 0.49, 0.512, 1000, 0)
    assert beside(here, there) == ("0.510 [0.480, 0.540] here (n = 10), "
                                   "0.500 [0.490, 0.512] in the reference (n = 1,000 a seed), 0.010 apart")
    assert beside(here, None) == "0.510 [0.480, 0.540] here (n = 10), not in the reference"


@pytest.mark.parametrize("items, expected", [
    ([], "none"), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c"), ([0, 1], "0 and 1")])
def test_lists_read_like_english(items, expected):
    assert listed(items) == expected


def test_the_highest_words_come_first_with_their_signs():
    assert top_words(["low", "high", "middle"], [-1.0, 2.0, 0.5], most=2) == "*high* +2 and *middle* +0.5"
    assert top_words(["low", "high"], [-1.0, 2.0], most=1, signed=False) == "*high* 2"


def test_half_an_emoji_can_be_written():
    assert safe("a\ud83d") == "a?"


@pytest.mark.parametrize("word", ["<script>", "*bold*", "$x$", "`code`", "[link](here)", "a_b_", "&amp;",
                                  "~~gone~~", "#", "|"])
def test_a_word_of_the_data_never_becomes_markup(word):
    html = MarkdownIt("commonmark", {"html": True}).enable("strikethrough").render(safe(word)).strip()
    plain = html.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert plain == f"<p>{word}</p>"
