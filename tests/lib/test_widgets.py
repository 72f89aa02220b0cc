"""Explorers hold every state, linked to its controls, and show what was computed for it."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from html_page import Page
from ipywidgets.embed import embed_data
from small import untrained

from lib.agreement import pearson
from lib.attribution import METHODS, explain
from lib.attribution.registry import method
from lib.faithfulness import deletion_curve
from lib.show import widgets

TEXT = "the film was warm and dull , not stupid !"


def states(explorer):
    """The models of an explorer as a page keeps them."""
    return embed_data([explorer])["manager_state"]["state"].values()


def leaf(stack, *indices):
    """The HTML that a stack shows when its controls stand at these positions."""
    for index in indices:
        stack = stack.children[index]
    return stack.value


# --- the pattern --------------------------------------------------------------------------------------------


def test_every_combination_is_drawn_and_linked():
    first, second = widgets.picker("First", {"a": 1, "b": 2}), widgets.slider("Second", {"x": 10, "y": 20, "z": 30})
    stack = widgets.views(lambda one, two: SimpleNamespace(_repr_html_=lambda: f"{one} {two}"), first, second)
    shown = [[leaf(stack, i, j) for j in range(3)] for i in range(2)]
    assert shown == [["1 10", "1 20", "1 30"], ["2 10", "2 20", "2 30"]]
    explorer = widgets.Explorer("A title", [first, second], stack)
    links = [model["state"] for model in states(explorer) if model["model_name"] == "LinkModel"]
    assert len(links) == 3, "one for the first control, one for each of its layers"
    assert all(link["source"][1] == "index" and link["target"][1] == "selected_index" for link in links)
    assert repr(explorer) == "A title (choose: First, Second)"


def test_masking_shows_the_deletion_curve():
    classifier = untrained("textcnn", classes=2, filters=4)
    batch = classifier.encode([TEXT], [1])
    explorer = widgets.masking(classifier, batch, ["signed_gi", "sa_l2"])
    left, right = explorer.children[2].children
    for side in (left, right):
        for number, key in enumerate(["signed_gi", "sa_l2"]):
            curve = deletion_curve(classifier, batch, explain(classifier, batch, key))[0]
            for k, probability in enumerate(curve.tolist()):
                html = leaf(side, number, k)
                assert html.count("<s ") == k
                assert f"<strong>{probability:.3f}</strong>" in html
    assert (left.selected_index, right.selected_index) == (0, 1)


def test_masking_needs_one_document_with_words():
    classifier = untrained("fasttext", classes=2)
    for texts in ([""], [TEXT, TEXT]):
        with pytest.raises(ValueError, match="an explorer shows one, and it must have words"):
            widgets.masking(classifier, classifier.encode(texts, [1] * len(texts)), ["signed_gi"])


def test_counting_adds_up_the_occurrences_of_a_word():
    classifier = untrained("fasttext", classes=2)
    explorer = widgets.counting(classifier, TEXT, 1, ["warm"], most=3)
    batch = classifier.encode([f"{TEXT} warm warm"], [1])
    scores = explain(classifier, batch, "signed_gi")[0]
    pairs = zip(batch.words[0], scores.tolist(), strict=True)
    expected = sum(score for word, score in pairs if word == "warm")
    assert widgets._by_type(batch.words[0], scores)["warm"] == pytest.approx(expected)
    shown = leaf(explorer.children[2].children[0], 0, 2)
    assert f"“warm”: 3 of {len(batch.words[0])} words." in re.search('alt="([^"]*)"', shown)[1]


def test_agreement_says_the_correlation_of_the_document():
    classifier = untrained("textcnn", classes=2, filters=4)
    explorer = widgets.agreement([classifier], {"one": (TEXT, 1)}, ["signed_gi"])
    batch = classifier.encode([TEXT], [1])
    rho = float(pearson(explain(classifier, batch, "signed_gi"), explain(classifier, batch, "loo"), batch.mask)[0])
    assert f"SignedGI ρ = {rho:.2f}" in leaf(explorer.children[2].children[0], 0, 0)


# --- maps of words ---------------------------------------------------------------------------------------------------


def heat_map(explorer, *chosen):
    return leaf(explorer.children[2].children[0], *chosen)


def test_a_heat_map_shows_the_scores_of_what_is_chosen():
    models = [untrained("textcnn", classes=2, filters=4), untrained("fasttext", classes=2)]
    documents = {"one": (TEXT, 1), "other": ("a dull plot", 0)}
    explorer = widgets.heat_maps(models, documents, ["signed_gi", "sa_l2"])
    for i, (text, label) in enumerate(documents.values()):
        for j, model in enumerate(models):
            for k, key in enumerate(["signed_gi", "sa_l2"]):
                html = heat_map(explorer, i, j, k)
                scores = explain(model, model.encode([text], [label]), key)[0]
                form = "{:.3g}" if key == "sa_l2" else "{:+.3g}"
                shown = [span["title"].removesuffix(", unknown word") for span in Page(html).spans()]
                assert shown == [form.format(score) for score in scores.tolist()]
                p = float(model(model.encode([text])).softmax(1)[0, label])
                assert f"<strong>{METHODS[key].label}, {model.label}, p(class {label}) = {p:.2f}</strong>" in html
                assert ("has no sign" in html) == (key == "sa_l2") != ("supports the class" in html)


@pytest.mark.parametrize("key", ["gi", "signed_gi"])
def test_red_supports_the_class_in_a_heat_map(key):
    model = untrained("textcnn", classes=2, filters=4)
    spans = Page(heat_map(widgets.heat_maps(model, {"one": (TEXT, 1)}, key), 0, 0, 0)).spans()
    batch = model.encode([TEXT], [1])
    for span, support in zip(spans, explain(model, batch, "signed_gi")[0].tolist(), strict=True):
        if "style" in span:
            assert ("200, 50, 60" in span["style"]) == (support > 0)


def test_a_word_that_is_not_read_is_shown_and_has_no_score(monkeypatch):
    model = untrained("textcnn", classes=2, filters=4)
    whole = model.encode([TEXT], [1])
    mask = whole.mask.clone()
    mask[0, -1] = False
    short = replace(whole, mask=mask, word_of=None, word_mask=None)
    monkeypatch.setattr(model, "encode", lambda texts, labels: short)
    last = Page(heat_map(widgets.heat_maps(model, {"one": (TEXT, 1)}, "signed_gi"), 0, 0, 0)).spans()[-1]
    assert last == {"style": "opacity: 0.6", "title": "not read"}
    words = len(whole.words[0])
    scatter = heat_map(widgets.agreement(model, {"one": (TEXT, 1)}, "signed_gi"), 0, 0)
    assert f"against LOO, {words - 1} words" in scatter
    masking = widgets.masking(model, short, "signed_gi")
    assert len(masking.controls[0].options) == words, "from no word masked to all that are read"
    assert f"{words - 1} of {words} words masked" in leaf(masking.children[2].children[0], 0, words - 1)


def test_two_classifiers_with_one_label_can_both_be_chosen():
    models = [untrained("fasttext", classes=2, seed=seed) for seed in (0, 1)]
    explorer = widgets.heat_maps(models, {"one": (TEXT, 1)}, "signed_gi")
    assert [name for name, _ in explorer.controls[1].options] == ["FastText 1", "FastText 2"]
    for number, model in enumerate(models):
        html = heat_map(explorer, 0, number, 0)
        first = explain(model, model.encode([TEXT], [1]), "signed_gi")[0, 0].item()
        assert f", FastText {number + 1}, " in html and Page(html).spans()[0]["title"] == f"{first:+.3g}"
    both = widgets.agreement(models, {"one": (TEXT, 1)}, "signed_gi")
    assert len(both.controls[0].options) == 2 == len(both.children[2].children[0].children)


def test_two_methods_with_one_label_can_both_be_chosen():
    method("twin", "LOO", sign="none", cost="1", citation="du2021")(METHODS["random"].function)
    try:
        explorer = widgets.heat_maps([untrained("fasttext")], {"one": (TEXT, 1)}, ["loo", "twin"])
    finally:
        del METHODS["twin"]
    assert [name for name, _ in explorer.controls[2].options] == ["LOO 1", "LOO 2"]
    assert "supports" in heat_map(explorer, 0, 0, 0) and "has no sign" in heat_map(explorer, 0, 0, 1)


def test_a_variant_is_a_method_like_any_other():
    model, key = untrained("textcnn", classes=2, filters=4), "loo(operator='mask')"
    html = heat_map(widgets.heat_maps(model, {"one": (TEXT, 1)}, ["loo", key]), 0, 0, 1)
    scores = explain(model, model.encode([TEXT], [1]), "loo", operator="mask")[0].tolist()
    assert [float(span["title"].split(",")[0]) for span in Page(html).spans()] == pytest.approx(scores, rel=0.01)
    assert "LOO (operator mask)" in html and "supports the class" in html


def test_methods_may_be_one_name_or_come_one_by_one_and_a_reader_may_add_some():
    method("mine", "My own", sign="support", cost="1", citation="du2021")(METHODS["signed_gi"].function)
    model = untrained("textcnn", classes=2, filters=4)
    batch, one = model.encode([TEXT], [1]), {"one": (TEXT, 1)}
    try:
        explorers = [widgets.masking(model, batch, "mine"), widgets.heat_maps(model, one, "mine"),
                     widgets.agreement(model, one, "mine"), widgets.turning(model, batch, "mine", [0, 90]),
                     widgets.masking(model, batch, (key for key in ["mine", "gi"]))]
    finally:
        del METHODS["mine"]
    for explorer in explorers:
        assert any("My own" in str(model["state"]) for model in states(explorer))
    with pytest.raises(ValueError, match="Unknown method 'magic'"):
        widgets.masking(model, batch, "magic")
    assert [name for name, _ in widgets.counting(model, TEXT, 1, "warm", most=1).controls[0].options] == ["warm"]


def test_classes_that_are_numbers_and_half_an_emoji_do_not_break_an_explorer():
    model = untrained("fasttext", classes=2)
    model.classes = [0, 1]
    for explorer in (widgets.masking(model, model.encode([TEXT], [1]), "loo"),
                     widgets.heat_maps(model, {"half \ud83d": (TEXT + " \ud83d", 1)}, "loo")):
        assert str(embed_data([explorer])).encode("utf-8")
    assert widgets.Explorer("a < b \ud83d", []).children[0].value == "<strong>a &lt; b ?</strong>"
