"""Attribution: scores by hand, agreement with Captum and numerical differentiation, and what never changes them."""

import copy
import math
import random
import re
from itertools import product
from math import log, sqrt
from pathlib import Path

import numpy as np
import pytest
import torch
from captum.attr import FeatureAblation, InputXGradient, Saliency
from hypothesis import given
from hypothesis import strategies as st
from oracles import (
    ALONE,
    LABELS,
    NETWORKS,
    TEXTS,
    LinearBag,
    Product,
    Saturating,
    batches,
    close,
    is_one_sentence,
    network,
    properties,
    widened,
)
from small import PAPER

from lib import masking
from lib.attribution import METHODS, explain, explain_all, input_gradient
from lib.faithfulness import deletion_curve
from lib.targets import quantity
from lib.text import Batch

ROOT = Path(__file__).resolve().parent.parent
GRADIENT_METHODS = [key for key, method in METHODS.items() if method.shares_gradient]
QUANTITIES = ["loss", "logit", "probability"]


def scores_of(classifier, text, method, labels=None, **options):
    batch = classifier.encode([text], labels)
    return explain(classifier, batch, method, **options)[0]


# --- scores worked out by hand ---------------------------------------------------------------------------------------
# LinearBag, "good film", u_1 = (2, -1), u_2 = (0, 1); see oracles.py for the vectors.
# Gradient at every position, because z is linear:  logit z_y: u_y;  loss: sum_c (p_c - [c = y]) u_c;  probability: -p_y
# times that.
# Three classes, p = (1, 4, 3)/8:
#   loss of 1:  -1/2 (2, -1) + 3/8 (0, 1) = (-1, 7/8);  probability of 1: 1/2 (1, -7/8)
#   loss of 2:   1/2 (2, -1) - 5/8 (0, 1) = (1, -9/8)
# Without good p = (1, 1, 3)/5, without film p = (1, 4, 1)/6.


@pytest.mark.parametrize("of, target, expected", [
    ("loss", "gold", {
        "sa_raw": [-1 / 8] * 2, "sa_l1": [15 / 8] * 2, "sa_l2": [sqrt(113) / 8] * 2, "sa_linf": [1] * 2,
        "gi": [-log(2), 3 / 8 * log(3)], "signed_gi": [log(2), -3 / 8 * log(3)], "loo": [log(5 / 2), log(3 / 4)]}),
    ("logit", "gold", {
        "sa_raw": [1] * 2, "sa_l1": [3] * 2, "sa_l2": [sqrt(5)] * 2, "sa_linf": [2] * 2,
        "gi": [log(4), 0], "signed_gi": [log(4), 0], "loo": [log(4), 0]}),
    ("probability", "gold", {
        "sa_raw": [1 / 16] * 2, "sa_l1": [15 / 16] * 2, "sa_l2": [sqrt(113) / 16] * 2, "sa_linf": [1 / 2] * 2,
        "gi": [log(2) / 2, -3 / 16 * log(3)], "signed_gi": [log(2) / 2, -3 / 16 * log(3)], "loo": [3 / 10, -1 / 6]}),
    ("loss", 2, {
        "sa_raw": [-1 / 8] * 2, "sa_l1": [17 / 8] * 2, "sa_l2": [sqrt(145) / 8] * 2, "sa_linf": [9 / 8] * 2,
        "gi": [log(2), -5 / 8 * log(3)], "signed_gi": [-log(2), 5 / 8 * log(3)], "loo": [log(5 / 8), log(9 / 4)]}),
    ("logit", 2, {"sa_raw": [1] * 2, "sa_l1": [1] * 2, "signed_gi": [0, log(3)], "loo": [0, log(3)]}),
    ("probability", 2, {"gi": [-3 / 8 * log(2), 15 / 64 * log(3)], "loo": [3 / 8 - 3 / 5, 3 / 8 - 1 / 6]}),
])
def test_linear_bag_with_three_classes(of, target, expected):
    classifier = LinearBag(classes=3)
    batch = classifier.encode(["good film"], [1])
    found = explain_all(classifier, batch, list(expected), of=of, target=target)
    for method, values in expected.items():
        close(found[method][0], values, 1e-12)


def test_linear_bag_with_two_classes():
    # p = (1, 4)/5: the loss of class 1 has gradient -1/5 (2, -1); without good p = 1/2, without film still 4/5.
    expected = {"sa_raw": [-1 / 5] * 2, "sa_l1": [3 / 5] * 2, "sa_l2": [sqrt(5) / 5] * 2, "sa_linf": [2 / 5] * 2,
                "gi": [-log(4) / 5, 0], "signed_gi": [log(4) / 5, 0], "loo": [log(8 / 5), 0]}
    for method, values in expected.items():
        close(scores_of(LinearBag(classes=2), "good film", method, [1]), values, 1e-12)


def test_predicted_is_the_class_with_the_largest_logit():
    # "good film" is predicted 1, "film film" has z = (0, 0, ln 9) and is predicted 2; gold says otherwise.
    classifier = LinearBag()
    batch = classifier.encode(["good film", "film film"], [0, 0])
    found = explain(classifier, batch, "loo", of="logit", target="predicted")
    close(found, [[log(4), 0], [log(3), log(3)]], 1e-12)


def test_opposing_words_oppose():
    # "good bad": z = 0, p_1 = 1/2 of two; contributions ln 4 and -ln 4; without good p = 1/5, without bad 4/5.
    close(scores_of(LinearBag(2), "good bad", "signed_gi", [1]), [log(4) / 2, -log(4) / 2], 1e-12)
    close(scores_of(LinearBag(2), "good bad", "loo", [1]), [log(5 / 2), log(5 / 8)], 1e-12)


def test_product_gives_the_whole_to_each_word():
    # z = 2 * 3 = 6; e_1 dz/de_1 = 6 and zeroing either word loses all 6: the scores add up to twice the logit.
    for method in ("signed_gi", "gi", "loo"):
        close(scores_of(Product(), "good film", method, of="logit", target=1), [6, 6], 1e-12)
    close(scores_of(Product(), "good film", "sa_raw", of="logit", target=1), [3, 2], 1e-12)
    # Three factors, -1 * 2 * 3 = -6: every word "speaks against", bad as much as the two it turns round.
    close(scores_of(Product(), "bad good film", "loo", of="logit", target=1), [-6, -6, -6], 1e-12)


def test_product_under_the_loss_is_not_linear():
    # l = softplus(-6); SignedGI = sigmoid(-6) * 6 for both; LOO = softplus(0) - softplus(-6) = ln 2 - softplus(-6).
    close(scores_of(Product(), "good film", "signed_gi", [1]), [6 / (1 + math.exp(6))] * 2, 1e-12)
    close(scores_of(Product(), "good film", "loo", [1]), [log(2) - math.log1p(math.exp(-6))] * 2, 1e-12)


def test_saturation_hides_words_from_gradients_but_not_from_occlusion():
    # "good fine": 0.8 + 0.6 > 1, so z = 1 and nothing moves it; without good z = 0.6, without fine z = 0.8.
    for method in GRADIENT_METHODS:
        close(scores_of(Saturating(), "good fine", method, of="logit", target=1), [0, 0], 1e-12)
    close(scores_of(Saturating(), "good fine", "loo", of="logit", target=1), [0.4, 0.2], 1e-12)
    # "good good": either is enough alone, and occlusion of one word is blind as well.
    close(scores_of(Saturating(), "good good fine", "loo", of="logit", target=1), [0, 0, 0], 1e-12)
    # "fine dull": 0.7 < 1, all agree.
    for method in ("signed_gi", "loo"):
        close(scores_of(Saturating(), "fine dull", method, of="logit", target=1), [0.6, 0.1], 1e-12)


# --- the saliency grid -----------------------------------------------------------------------------------------------


def numerical_gradient(classifier, batch, classes, of, step=1e-6):
    """Central differences, one coordinate of one word at a time: knows nothing of autograd."""
    embeddings = classifier.embed(batch).detach()
    gradient = np.zeros(embeddings.shape)
    for i, d in product(range(embeddings.shape[1]), range(embeddings.shape[2])):
        ends = []
        for sign in (1, -1):
            moved = embeddings.clone()
            moved[:, i, d] += sign * step
            p = torch.softmax(classifier.logits(moved, batch.mask), dim=1).detach().numpy()
            z = classifier.logits(moved, batch.mask).detach().numpy()
            rows = np.arange(len(batch))
            ends.append({"loss": -np.log(p[rows, classes]), "logit": z[rows, classes],
                         "probability": p[rows, classes]}[of])
        gradient[:, i, d] = (ends[0] - ends[1]) / (2 * step)
    return gradient


REDUCED = {"sum": lambda v: v.sum(-1), "mean": lambda v: v.sum(-1) / v.shape[-1], "l1": lambda v: np.abs(v).sum(-1),
           "l2": lambda v: np.sqrt((v * v).sum(-1)), "linf": lambda v: np.abs(v).max(-1)}


@pytest.fixture(scope="module")
def slow_gradients():
    classifier = network("textcnn")
    batch = classifier.encode(["good fine film plot not dull", "bad film plot"], [2, 0])
    predicted = classifier(batch).argmax(dim=1)
    assert not torch.equal(predicted, batch.labels), "gold and predicted must differ for the test to tell them apart"
    return {(of, target): numerical_gradient(classifier, batch, classes.numpy(), of)
            for of in QUANTITIES for target, classes in (("gold", batch.labels), ("predicted", predicted))}


@pytest.mark.parametrize("target", ["gold", "predicted"])
@pytest.mark.parametrize("of", QUANTITIES)
@pytest.mark.parametrize("reduce", list(REDUCED))
@pytest.mark.parametrize("times_input", [False, True])
def test_every_cell_of_the_saliency_grid(slow_gradients, times_input, reduce, of, target):
    classifier = network("textcnn")
    batch = classifier.encode(["good fine film plot not dull", "bad film plot"], [2, 0])
    found = explain(classifier, batch, "saliency", times_input=times_input, reduce=reduce, of=of, target=target)
    values = slow_gradients[of, target]
    if times_input:
        values = values * classifier.embed(batch).detach().numpy()
    close(found, REDUCED[reduce](values), 1e-6)


def test_the_named_methods_are_cells_of_the_grid():
    classifier = network("bilstm")
    batch = classifier.encode(TEXTS, LABELS)
    cells = {"sa_raw": {"reduce": "sum"}, "sa_l1": {"reduce": "l1"}, "sa_l2": {"reduce": "l2"},
             "sa_linf": {"reduce": "linf"},
             "gi": {"reduce": "sum", "times_input": True}}
    for key, cell in cells.items():
        close(explain(classifier, batch, key), explain(classifier, batch, "saliency", **cell), 1e-14)


@pytest.mark.parametrize("of, sign", [("loss", -1), ("logit", 1), ("probability", 1)])
def test_signed_gi_turns_gi_round_for_a_loss_only(of, sign):
    classifier = network("textcnn")
    batch = classifier.encode(TEXTS, LABELS)
    close(explain(classifier, batch, "signed_gi", of=of), sign * explain(classifier, batch, "gi", of=of), 1e-14)


# --- agreement with Captum -------------------------------------------------------------------------------------------


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


@pytest.fixture(params=[torch.float64, torch.float32], ids=["float64", "float32"])
def against_captum(request, name):
    classifier = network(name, dtype=request.param)
    labels = [label for text, label in zip(TEXTS, LABELS, strict=True) if text]
    batch = classifier.encode([text for text in TEXTS if text], labels)

    def losses(embeddings, mask, labels):
        return torch.nn.functional.cross_entropy(classifier.logits(embeddings, mask), labels, reduction="none")
    embeddings = classifier.embed(batch).detach().requires_grad_(True)
    return classifier, batch, losses, embeddings


def same_as_captum(classifier, batch, method, theirs):
    ours = explain(classifier, batch, method)
    assert ours.abs().max() > 0.05, "scores near zero would agree with anything"
    assert (ours - theirs).abs().max() <= 1e-5


def test_captum_input_x_gradient(against_captum):
    classifier, batch, losses, embeddings = against_captum
    theirs = InputXGradient(losses).attribute(embeddings, additional_forward_args=(batch.mask,
                                                                                   batch.labels)).sum(dim=2).detach()
    same_as_captum(classifier, batch, "gi", theirs)
    same_as_captum(classifier, batch, "signed_gi", -theirs)


def test_captum_saliency(against_captum):
    classifier, batch, losses, embeddings = against_captum
    raw, absolute = (Saliency(losses).attribute(embeddings, abs=abs_,
                                                additional_forward_args=(batch.mask, batch.labels))
                     for abs_ in (False, True))
    same_as_captum(classifier, batch, "sa_raw", raw.sum(dim=2))
    same_as_captum(classifier, batch, "sa_l1", absolute.sum(dim=2))
    same_as_captum(classifier, batch, "sa_l2", raw.norm(dim=2))
    same_as_captum(classifier, batch, "sa_linf", absolute.amax(dim=2))


def test_captum_feature_ablation(against_captum):
    classifier, batch, losses, embeddings = against_captum
    one_feature_a_word = torch.arange(embeddings.shape[1])[None, :, None].expand(1, -1, embeddings.shape[2])
    drop = FeatureAblation(losses).attribute(embeddings.detach(), baselines=0.0, feature_mask=one_feature_a_word,
                                             additional_forward_args=(batch.mask, batch.labels))
    same_as_captum(classifier, batch, "loo", -drop[..., 0])


# --- what must not change a score ------------------------------------------------------------------------------------


def every_score(classifier, batch):
    return explain_all(classifier, batch, [*PAPER, "saliency"], target="predicted")


@pytest.mark.parametrize("name", NETWORKS)
@given(texts=batches)
@properties
def test_a_batch_is_explained_as_its_documents_one_by_one(name, texts):
    classifier = network(name)
    batch = classifier.encode(texts)
    together = every_score(classifier, batch)
    for row, text in enumerate(texts):
        alone = every_score(classifier, classifier.encode([text]))
        for method in together:
            m = len(batch.words[row])
            close(together[method][row, :m], alone[method][0, :m])


@pytest.mark.parametrize("name", NETWORKS)
@given(texts=batches, extra=st.integers(1, 9))
@properties
def test_more_padding_changes_nothing_and_gets_no_score(name, texts, extra):
    classifier = network(name)
    batch = classifier.encode(texts)
    wide = widened(batch, extra)
    narrow, padded = every_score(classifier, batch), every_score(classifier, wide)
    for method in narrow:
        close(padded[method][:, : batch.mask.shape[1]], narrow[method])
        assert (padded[method][~wide.mask] == 0).all()


@pytest.mark.parametrize("method", ALONE)
def test_padding_gets_no_score_even_if_a_classifier_reads_it(method):
    class Careless(LinearBag):
        def logits(self, embeddings, mask):
            return super().logits(embeddings, torch.ones_like(mask))
    batch = widened(Careless().encode(["good film", "bad"], [1, 2]), 2)
    assert (explain(Careless(), batch, method)[~batch.mask] == 0).all()


@pytest.mark.parametrize("name", NETWORKS)
@given(texts=batches, order=st.randoms(use_true_random=False))
@properties
def test_the_order_of_the_documents_changes_nothing(name, texts, order):
    classifier = network(name)
    batch = classifier.encode(texts)
    rows = order.sample(range(len(texts)), len(texts))
    plain, permuted = every_score(classifier, batch), every_score(classifier, batch.take(rows))
    for method in plain:
        close(permuted[method], plain[method][rows])


@pytest.mark.parametrize("method", ALONE)
def test_empty_one_word_and_unknown_documents(name, method):
    classifier = network(name)
    batch = classifier.encode(["", "film", "zzz qqq"])
    options = {} if method == "random" else {"target": 0}
    scores = explain(classifier, batch, method, **options)
    assert scores.shape == (3, 2) and (scores[0] == 0).all() and scores[1, 1] == 0
    assert (scores[1, 0] != 0) and (scores[2] != 0).all()


@pytest.mark.parametrize("method", ALONE)
def test_a_batch_of_nothing_but_an_empty_document_scores_zero(name, method):
    classifier = network(name)
    scores = explain(classifier, classifier.encode([""], [0]), method)
    assert scores.shape == (1, 1) and scores.item() == 0


def test_nothing_is_left_behind(name):
    classifier = copy.deepcopy(network(name))
    batch = classifier.encode(TEXTS, LABELS)
    for parameter in classifier.parameters():
        parameter.grad = torch.full_like(parameter, 0.5)
    before = {key: value.clone() for key, value in classifier.state_dict().items()}
    torch_state, numpy_state, python_state = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    explain_all(classifier, batch, ALONE)
    assert all((parameter.grad == 0.5).all() and parameter.requires_grad for parameter in classifier.parameters())
    assert all(torch.equal(value, before[key]) for key, value in classifier.state_dict().items())
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == numpy_state).all() and random.getstate() == python_state


def test_gradients_work_inside_no_grad(name):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    with torch.no_grad():
        inside = explain(classifier, batch, "signed_gi")
    close(inside, explain(classifier, batch, "signed_gi"), 1e-14)
    assert not inside.requires_grad


@pytest.mark.parametrize("method", ["loo", "signed_gi"])
def test_scores_come_in_the_precision_of_the_classifier(name, method):
    for dtype in (torch.float32, torch.float64):
        classifier = network(name, dtype=dtype)
        assert explain(classifier, classifier.encode(TEXTS, LABELS), method).dtype == dtype


# --- random ----------------------------------------------------------------------------------------------------------


@given(texts=batches, seed=st.integers(0, 1000))
@properties
def test_random_is_a_permutation_of_one_to_m(texts, seed):
    classifier = network("fasttext")
    batch = classifier.encode(texts)
    for scores, words in zip(explain(classifier, batch, "random", seed=seed), batch.words, strict=True):
        assert sorted(scores[: len(words)].tolist()) == list(range(1, len(words) + 1))


def test_random_depends_on_the_seed_and_on_nothing_else():
    classifier = network("fasttext")
    batch = classifier.encode(TEXTS)
    first = explain(classifier, batch, "random", seed=1)
    torch.rand(3)
    assert torch.equal(first, explain(classifier, batch, "random", seed=1))
    assert not torch.equal(first, explain(classifier, batch, "random", seed=2))


def test_random_gives_documents_of_one_length_orders_of_their_own():
    classifier = network("fasttext")
    batch = classifier.encode(["good film plot dull bad", "not a fine film plot"])
    found = [explain(classifier, batch, "random", seed=seed) for seed in range(20)]
    assert sum(torch.equal(first, second) for first, second in found) <= 2


def test_random_favours_no_position():
    # The mean rank of each of 9 positions over 400 seeds is 5; its standard error is sqrt((81 - 1) / 12 / 400) = 0.13.
    classifier = network("fasttext")
    batch = classifier.encode([TEXTS[4]])
    mean = torch.stack([explain(classifier, batch, "random", seed=seed)[0] for seed in range(400)]).mean(dim=0)
    assert (mean - 5).abs().max() < 4 * 0.13


# --- one gradient for all --------------------------------------------------------------------------------------------


def test_one_forward_and_one_backward_serve_all_gradient_methods(monkeypatch):
    classifier = copy.deepcopy(network("bilstm"))
    batch = classifier.encode(TEXTS, LABELS)
    calls = {"forward": 0, "backward": 0}
    logits = classifier.logits

    def counted(embeddings, mask):
        calls["forward"] += 1
        embeddings.register_hook(lambda gradient: calls.update(backward=calls["backward"] + 1))
        return logits(embeddings, mask)
    monkeypatch.setattr(classifier, "logits", counted)
    explain_all(classifier, batch, GRADIENT_METHODS)
    assert calls == {"forward": 1, "backward": 1}


@pytest.mark.parametrize("options", [{}, {"of": "logit", "target": "predicted"}, {"of": "probability", "target": 2}])
def test_methods_together_equal_methods_apart(name, options):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    together = explain_all(classifier, batch, ALONE, **options)
    assert list(together) == ALONE
    for method, scores in together.items():
        close(scores, explain(classifier, batch, method, **({} if method == "random" else options)), 1e-14)


def test_an_option_reaches_only_the_methods_that_know_it():
    classifier = network("textcnn")
    batch = classifier.encode(TEXTS, LABELS)
    found = explain_all(classifier, batch, ["random", "loo", "sa_l2"], seed=5, operator="delete")
    close(found["random"], explain(classifier, batch, "random", seed=5))
    close(found["loo"], explain(classifier, batch, "loo", operator="delete"))
    close(found["sa_l2"], explain(classifier, batch, "sa_l2"))


def test_the_gradient_is_of_each_document_not_of_their_mean():
    classifier = network("textcnn")
    batch = classifier.encode([TEXTS[0]] * 3, [1] * 3)
    alone = input_gradient(classifier, classifier.encode([TEXTS[0]], [1])).values
    close(input_gradient(classifier, batch).values, alone.expand(3, -1, -1))


# --- chunks of bounded memory ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [1, 20])
@pytest.mark.parametrize("operator", masking.OPERATORS)
def test_small_chunks_give_the_same_occlusion_and_curve(name, operator, words, monkeypatch):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    small = {"operator": operator, "words_per_pass": words, "shortcut": False}
    loo = explain(classifier, batch, "loo", operator=operator)
    curve = deletion_curve(classifier, batch, loo, operator=operator)
    rows = []
    whole = masking.remove
    monkeypatch.setattr(masking, "remove", lambda c, e, m, r, o: rows.append(e.shape[:2].numel())
                        or whole(c, e, m, r, o))
    close(explain(classifier, batch, "loo", **small), loo, 1e-12)
    close(deletion_curve(classifier, batch, loo, **small), curve, 1e-12)
    assert max(rows) <= max(words, 9), "a pass may hold no more words than allowed, or one document"


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method, options, says", [
    ("magic", {}, "Unknown method 'magic'.*signed_gi"),
    ("signed_gi", {"colour": "red"}, "Unknown option colour for signed_gi"),
    ("signed_gi", {"operator": "zero"}, "Unknown option operator for signed_gi"),
    ("signed_gi", {"options": 1}, "Unknown option options"),
    ("signed_gi", {"gradient": None}, "Unknown option gradient"),
    ("random", {"target": 0}, "Unknown option target for random"),
    ("signed_gi", {"target": "wrong"}, "Unknown target 'wrong'"),
    ("loo", {"target": 1.0}, "Unknown target 1.0"),
    ("loo", {"target": True}, "Unknown target True"),
    ("signed_gi", {"target": 3}, "Class 3 is out of range.*0 to 2"),
    ("loo", {"target": -1}, "Class -1 is out of range.*0 to 2"),
    ("sa_l2", {"of": "margin"}, "Unknown quantity 'margin'.*probability"),
    ("signed_gi", {"of": "margin"}, "Unknown quantity 'margin'"),
    ("loo", {"of": "margin"}, "Unknown quantity 'margin'"),
    ("saliency", {"reduce": "max"}, "Unknown reduction 'max'.*linf"),
    ("loo", {"operator": "swap"}, "Unknown masking operator 'swap'.*delete"),
])
def test_a_wrong_request_gets_one_clear_sentence(method, options, says):
    classifier = network("fasttext")
    with pytest.raises(ValueError, match=says) as caught:
        explain(classifier, classifier.encode(TEXTS, LABELS), method, **options)
    assert is_one_sentence(caught.value)


@pytest.mark.parametrize("method", ["signed_gi", "loo", "saliency"])
def test_missing_gold_labels_get_one_clear_sentence(method):
    classifier = network("fasttext")
    with pytest.raises(ValueError, match="no gold labels.*predicted") as caught:
        explain(classifier, classifier.encode(TEXTS), method)
    assert is_one_sentence(caught.value)


@pytest.mark.parametrize("method", ["signed_gi", "loo"])
@pytest.mark.parametrize("label", [3, -1])
def test_labels_of_another_classifier_get_one_clear_sentence(method, label):
    classifier = network("fasttext")
    batch = classifier.encode(["good film"])
    foreign = Batch(batch.ids, batch.mask, torch.tensor([label]), batch.words)
    with pytest.raises(ValueError, match=f"{label} is out of range.*0 to 2") as caught:
        explain(classifier, foreign, method)
    assert is_one_sentence(caught.value)


@pytest.mark.parametrize("method", [key for key in ALONE if key != "random"])
def test_a_broken_embedding_is_reported_with_its_document(name, method):
    classifier = copy.deepcopy(network(name))
    with torch.no_grad():
        classifier.embedding.weight[classifier.vocabulary["bad"], 2] = math.nan
    batch = classifier.encode(["good film", "a bad film", "dull plot"], [0, 1, 1])
    with pytest.raises(ValueError, match=r"not finite numbers for document 1 \(of 1 such\)") as caught:
        explain(classifier, batch, method)
    assert is_one_sentence(caught.value)


def test_a_broken_embedding_elsewhere_harms_nobody(name):
    classifier = copy.deepcopy(network(name))
    with torch.no_grad():
        classifier.embedding.weight[classifier.vocabulary["bad"]] = math.nan
    batch = classifier.encode(["good film", "dull plot"], [0, 1])
    for method in ALONE:
        found = explain(classifier, batch, method)
        if "dig" not in method:  # a word whose vector is broken is no anchor any more
            close(found, explain(network(name), batch, method))


# --- the table of methods --------------------------------------------------------------------------------------------


def test_every_method_says_what_it_is():
    assert set(PAPER) <= set(METHODS)
    assert {key for key, method in METHODS.items() if method.signed} == {
        "gi", "signed_gi", "loo", "ig", "sig", "dig_greedy", "dig_maxcount", "udig_greedy", "udig_maxcount",
        "lafa_signed", "ca_lig"}
    for key, method in METHODS.items():
        assert method.key == key and method.label and method.cost and method.function.__doc__
        assert re.fullmatch(r"[a-z]+\d{4}[a-z]*", method.citation)
    assert len({method.label for method in METHODS.values()}) == len(METHODS)


def test_what_is_cited_is_in_the_bibliography():
    cited = {method.citation for method in METHODS.values()}
    for module in (ROOT / "lib").rglob("*.py"):
        cited |= set(re.findall(r":cite:[pt]:`(\w+)`", module.read_text(encoding="utf-8")))
    assert "du2021" in cited
    bibliography = ROOT / "book" / "references.bib"
    if bibliography.exists():
        known = set(re.findall(r"^@\w+\{\s*([^,\s]+)\s*,", bibliography.read_text(encoding="utf-8"), re.MULTILINE))
        assert cited <= known


@pytest.mark.parametrize("cost, gradient, plain", [("1 forward, 1 backward", 1, 0), ("m + 1 forward", 0, 5),
                                                   ("none", 0, 0)])
def test_the_cost_that_is_stated_is_the_cost(cost, gradient, plain, monkeypatch):
    classifier = copy.deepcopy(network("fasttext"))
    batch = classifier.encode(["good fine film plot"], [1])
    rows = {True: 0, False: 0}
    logits = classifier.logits

    def counted(embeddings, mask):
        rows[embeddings.requires_grad] += len(embeddings)
        return logits(embeddings, mask)
    monkeypatch.setattr(classifier, "logits", counted)
    for key in [key for key, method in METHODS.items() if method.cost == cost]:
        rows.update({True: 0, False: 0})
        explain(classifier, batch, key)
        assert (rows[True], rows[False]) == (gradient, plain)


def test_loss_logit_and_probability_against_numpy():
    logits = torch.tensor([[1.0, 2.0, 0.5], [100.0, 0.0, -100.0]], dtype=torch.float64)
    classes = torch.tensor([1, 2])
    p = np.exp([2.0, -100.0]) / np.exp(logits.numpy()).sum(axis=1)
    close(quantity(logits, classes, "logit"), [2.0, -100.0])
    close(quantity(logits, classes, "probability"), p)
    close(quantity(logits, classes, "loss"), -np.log(p))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_classifier_in_training_mode_is_refused(name):
    classifier = copy.deepcopy(network(name)).train()
    batch = classifier.encode(TEXTS[:2], LABELS[:2])
    for ask in (lambda: explain(classifier, batch, "signed_gi"), lambda: explain(classifier, batch, "loo"),
                lambda: deletion_curve(classifier, batch, torch.zeros(batch.mask.shape))):
        with pytest.raises(ValueError, match="training mode") as caught:
            ask()
        assert is_one_sentence(caught.value)
