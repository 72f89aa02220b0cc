"""Integrated Gradients against Captum, against a sum by hand, and against what completeness promises."""

import pytest
import torch
from captum.attr import IntegratedGradients
from oracles import LABELS, NETWORKS, TEXTS, network

import lib
from lib.attribution import explain, gradient_at, variant
from lib.attribution.baselines import baseline_embeddings, completeness_gap, missed
from lib.attribution.paths.integrated import RULES, nodes
from lib.targets import quantity

# Not "left": at the baseline itself all words are equal, and a maximum over them has no gradient to compare.
CAPTUM = {"midpoint": "riemann_middle", "gauss-legendre": "gausslegendre", "right": "riemann_right"}


@pytest.mark.parametrize("baseline", ["zero", "mask", "pad"])
@pytest.mark.parametrize("rule", CAPTUM)
@pytest.mark.parametrize("name", NETWORKS)
def test_ig_equals_captums(name, rule, baseline):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    scores = explain(classifier, batch, "ig", points=7, rule=rule, baseline=baseline)
    for row, label in enumerate(LABELS):
        one = batch.take([row])
        end = classifier.embed(one).detach()
        start = baseline_embeddings(classifier, one, end, baseline)
        explained = IntegratedGradients(
            lambda e, mask=one.mask: classifier.logits(e, mask.expand(len(e), -1)).softmax(dim=1))
        theirs = explained.attribute(end, start, target=label, n_steps=7, method=CAPTUM[rule]).sum(dim=2)[0]
        words = len(batch.words[row])
        torch.testing.assert_close(scores[row, :words], theirs[:words], atol=1e-6, rtol=0)
        assert not scores[row, words:].any()


@pytest.mark.parametrize("of", ["loss", "logit", "probability"])
def test_by_hand_trapezoid(of):
    classifier = network("fasttext")
    batch = classifier.encode(["good bad film"], [1])
    end = classifier.embed(batch).detach()
    gradients = [gradient_at(classifier, t * end, batch.mask, batch.labels, of)[1] for t in (0.0, 0.5, 1.0)]
    by_hand = (end * (gradients[0] / 4 + gradients[1] / 2 + gradients[2] / 4)).sum(dim=2)
    torch.testing.assert_close(explain(classifier, batch, "ig", points=3, rule="trapezoid", of=of), by_hand)


@pytest.mark.parametrize("baseline", ["zero", "mask"])
@pytest.mark.parametrize("name, least", [("fasttext", 1e-9), ("bilstm_last", 1e-9), ("bilstm", 5e-3)])
def test_scores_add_up_to_the_whole_difference(name, least, baseline):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    options = {"baseline": baseline, "of": "probability", "target": 1}
    scores = explain(classifier, batch, "ig", points=60, rule="gauss-legendre", **options)
    gap = completeness_gap(classifier, batch, scores, **options)
    assert scores.abs().sum() > 0.1
    assert gap.abs().max() < least  # the maximum over words has corners, where a sum approaches the integral slowly
    coarse = explain(classifier, batch, "ig", points=1, rule="left", **options)
    assert completeness_gap(classifier, batch, coarse, **options).abs().max() > 2 * gap.abs().max()


def test_the_gap_is_what_the_scores_miss():
    classifier = network("textcnn")
    batch = classifier.encode(TEXTS[:1], LABELS[:1])
    end = classifier.embed(batch)
    ends = [quantity(classifier.logits(e, batch.mask), batch.labels, "probability") for e in (end, 0 * end)]
    scores = torch.zeros(1, 6, dtype=torch.float64)
    scores[0, 2] = 0.25
    torch.testing.assert_close(completeness_gap(classifier, batch, scores), 0.25 - (ends[0] - ends[1]).detach())


def test_what_is_missed_follows_the_methods_own_options():
    classifier = network("bilstm_last")
    batch = classifier.encode(TEXTS, LABELS)
    for key, promised in ((variant("ig", points=2, baseline="mask"), "document"), (variant("sig", points=2), "word")):
        scores = explain(classifier, batch, key, of="logit", target=1)
        found = missed(classifier, batch, key, scores, of="logit", target=1)
        options = {"of": "logit", "target": 1, "baseline": "mask" if promised == "document" else "zero"}
        gap = completeness_gap(classifier, batch, scores, per_word=promised == "word", **options).abs()
        torch.testing.assert_close(found, gap if gap.dim() == 1 else gap.sum(1) / batch.lengths.clamp(min=1))
        assert found.max() > 1e-3
    with pytest.raises(ValueError, match="LOO does not promise"):
        missed(classifier, batch, "loo", scores)


@pytest.mark.parametrize("rule", RULES)
def test_weights_add_up_to_one_and_integrate_a_line(rule):
    for points in (2, 5, 12):
        places, weights = nodes(points, rule)
        assert weights.sum() == pytest.approx(1) and len(places) == points
        error = {"left": -0.5 / points, "right": 0.5 / points}.get(rule, 0.0)
        assert float(places @ weights) == pytest.approx(0.5 + error)


def test_a_point_more_or_less_at_a_time_changes_nothing():
    classifier = network("bilstm")
    batch = classifier.encode(TEXTS, LABELS)
    whole = explain(classifier, batch, "ig", points=9)
    for words in (1, 7, 60):
        torch.testing.assert_close(explain(classifier, batch, "ig", points=9, words_per_pass=words), whole)


@pytest.mark.parametrize("options, message", [
    ({"rule": "simpson"}, "Unknown rule 'simpson'"), ({"points": 0}, "points is 0: it must be at least 1"),
    ({"points": 1, "rule": "trapezoid"}, "points is 1: it must be at least 2"), ({"points": 2.5}, "points is 2.5"),
    ({"baseline": "delete"}, "Unknown substitute 'delete'")])
def test_what_cannot_be_meant_is_refused(options, message):
    classifier = network("fasttext")
    with pytest.raises(ValueError, match=message):
        explain(classifier, classifier.encode(TEXTS, LABELS), "ig", **options)


def test_it_appears_everywhere_without_being_told():
    """Two variants in one call, in a curve, a correlation, a picture and an experiment's methods."""
    classifier = network("fasttext")
    batch = classifier.encode(TEXTS, LABELS)
    few, many = variant("ig", points=2), variant("ig", points=40)
    scores = lib.attribution.explain_all(classifier, batch, ["signed_gi", few, many])
    assert list(scores) == ["signed_gi", "ig(points=2)", "ig(points=40)"]
    assert not torch.equal(scores[few], scores[many])
    assert lib.faithfulness.aopc(classifier, batch, scores[few]).shape == (len(TEXTS), 10)
    assert lib.agreement.pearson(scores[few], scores["signed_gi"], batch.word_mask)[0].shape == (len(TEXTS),)
    lib.show.maps.score_map(batch.words[0], {key: each[0, :6] for key, each in scores.items()})
    assert lib.experiments.Experiment("imdb", "fasttext", 10, [few, "ig"]).methods == (few, "ig")
