"""Sequential IG: against time-interpret and loops, what each word is promised, and the dial to Leave-One-Out."""

import pytest
import torch
from hypothesis import given
from oracles import LABELS, NETWORKS, TEXTS, Product, Saturating, batches, close, network, properties, widened
from tint.attr import SequentialIntegratedGradients

from lib.agreement import pearson
from lib.attribution import METHODS, explain, gradient_at
from lib.attribution.baselines import baseline_embeddings, completeness_gap
from lib.attribution.paths.integrated import RULES, nodes
from lib.targets import quantity

TINT = {"midpoint": "riemann_middle", "gauss-legendre": "gausslegendre", "right": "riemann_right",
        "left": "riemann_left"}


@pytest.mark.parametrize("baseline", ["zero", "mask"])
@pytest.mark.parametrize("rule", TINT)
@pytest.mark.parametrize("name", NETWORKS)
def test_sig_equals_that_of_time_interpret(name, rule, baseline):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    scores = explain(classifier, batch, "sig", points=5, rule=rule, baseline=baseline)
    for row in batch.lengths.nonzero().flatten().tolist():
        one = batch.take([row])
        end = classifier.embed(one).detach()
        start = baseline_embeddings(classifier, one, end, baseline)
        method = SequentialIntegratedGradients(
            lambda e, mask=one.mask: classifier.logits(e, mask.expand(len(e), -1)).softmax(dim=1))
        theirs = method.attribute(end, start, target=LABELS[row], n_steps=5, method=TINT[rule]).sum(dim=2)[0].detach()
        torch.testing.assert_close(scores[row, :len(theirs)], theirs, atol=1e-6, rtol=0)


@pytest.mark.parametrize("of", ["loss", "logit", "probability"])
@pytest.mark.parametrize("rule", RULES)
def test_by_a_loop_over_words_and_points(rule, of):
    classifier = network("bilstm")
    batch = classifier.encode(["good bad film not"], [2])
    end = classifier.embed(batch).detach()
    places, weights = nodes(4, rule)
    for word, score in enumerate(explain(classifier, batch, "sig", points=4, rule=rule, of=of)[0]):
        total = 0.0
        for t, weight in zip(places, weights, strict=True):
            point = end.clone()
            point[0, word] *= t
            total += weight * (gradient_at(classifier, point, batch.mask, batch.labels, of)[1][0, word] @ end[0, word])
        close(score, total)


@pytest.mark.parametrize("baseline", ["zero", "mask", "pad"])
@pytest.mark.parametrize("of", ["loss", "logit", "probability"])
@pytest.mark.parametrize("name, most", [("fasttext", 1e-9), ("bilstm_last", 1e-9), ("bilstm", 0.03), ("textcnn", 0.03)])
def test_each_word_gets_what_it_changes(name, most, of, baseline):
    """Loosely where a maximum or a ReLU has corners: there a sum approaches the integral slowly."""
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    options = {"of": of, "baseline": baseline}
    scores = explain(classifier, batch, "sig", points=40, rule="gauss-legendre", **options)
    gap = completeness_gap(classifier, batch, scores, per_word=True, **options)
    assert gap.shape == scores.shape and gap.abs().max() < most and not gap[~batch.word_mask].any()
    coarse = explain(classifier, batch, "sig", points=1, rule="left", **options)
    if (name, of) != ("fasttext", "logit"):  # which is linear: one point is enough
        assert completeness_gap(classifier, batch, coarse, per_word=True, **options).abs().max() > 2 * gap.abs().max()


def test_the_gap_of_a_word_is_what_its_score_misses():
    classifier = network("textcnn")
    batch = classifier.encode(TEXTS, LABELS)
    scores = torch.rand(batch.word_mask.shape, dtype=torch.float64)
    gap = completeness_gap(classifier, batch, scores, "mask", "logit", per_word=True)
    for row, word in batch.word_mask.nonzero().tolist():
        ends = [classifier.embed(batch).detach()[[row]] for _ in range(2)]
        ends[1][0, word] = classifier.substitute("mask")
        whole, without = (quantity(classifier.logits(e, batch.mask[[row]]), batch.labels[[row]], "logit") for e in ends)
        close(gap[row, word], scores[row, word] - (whole - without)[0].detach())
    few = completeness_gap(classifier, batch, scores, "mask", "logit", per_word=True, words_per_pass=7)
    close(few[batch.word_mask], gap[batch.word_mask])


@pytest.mark.parametrize("name", NETWORKS)
def test_the_dial_from_signed_gi_to_loo(name):
    """Proposition 6: one point at the right end is SignedGI, and many points, by any rule, are LOO."""
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    signed_gi, loo = explain(classifier, batch, "signed_gi"), explain(classifier, batch, "loo")
    close(-explain(classifier, batch, "sig", of="loss", points=1, rule="right"), signed_gi)
    left = []
    for points in (1, 5, 25, 125):
        scores = -explain(classifier, batch, "sig", of="loss", points=points, rule="right")
        left.append(float((scores - loo).abs().max()))
    assert left[-1] < 0.2 * left[0]
    fine = -explain(classifier, batch, "sig", of="loss", points=200)
    assert float((fine - loo).abs().max()) < 0.05 * float(loo.abs().max())
    rho, _ = pearson(fine, loo, batch.word_mask)
    assert rho[~rho.isnan()].min() > 0.999


def test_by_pencil():
    """Saturating: min(1, sum). "good fine" is 1.4: from 0.8 up, "fine" adds 0.2 before it saturates."""
    classifier = Saturating()
    batch = classifier.encode(["good fine dull"], [1])
    scores = explain(classifier, batch, "sig", of="logit", points=1500)
    close(scores[0], [1 - 0.7, 1 - 0.9, 0.0], 1e-3)  # the others alone reach 0.7, 0.9, and 1 already
    product = Product()
    batch = product.encode(["good film bad"], [1])  # 2 * 3 * -1
    close(explain(product, batch, "sig", of="logit", points=1)[0], [-6.0, -6.0, -6.0])  # each word changes all of it


@properties
@given(documents=batches)
def test_padding_and_batching_change_nothing(documents):
    for name in NETWORKS:
        classifier = network(name)
        batch = classifier.encode(documents, [0] * len(documents))
        whole = explain(classifier, batch, "sig", points=3)
        close(explain(classifier, widened(batch, 3), "sig", points=3)[:, :whole.shape[1]], whole, 1e-9)
        close(explain(classifier, batch, "sig", points=3, words_per_pass=5), whole, 1e-9)
        alone = [explain(classifier, batch.take([row]), "sig", points=3)[0] for row in range(len(documents))]
        for row, scores in enumerate(alone):
            close(scores, whole[row, :len(scores)], 1e-9)


@pytest.mark.parametrize("rule, rows", [("right", 1 + 4 * 2), ("midpoint", 4 * 3), ("trapezoid", 1 + 4 * 2)])
def test_the_gradient_at_the_document_is_computed_once(rule, rows, monkeypatch):
    classifier = network("fasttext", seed=7)
    batch = classifier.encode(["good fine film plot"], [1])
    seen, logits = [], classifier.logits
    monkeypatch.setattr(classifier, "logits", lambda e, mask: seen.append(len(e)) or logits(e, mask))
    explain(classifier, batch, "sig", points=3, rule=rule)
    assert sum(seen) == rows


def test_who_promises_what():
    promised = {key: method.completeness for key, method in METHODS.items() if method.completeness}
    assert promised == {"ig": "document", "sig": "word", **dict.fromkeys(
        ["dig_greedy", "dig_maxcount", "udig_greedy", "udig_maxcount"], "document")}


@pytest.mark.parametrize("options, message", [
    ({"rule": "simpson"}, "Unknown rule 'simpson'"), ({"points": 0}, "points is 0: it must be at least 1"),
    ({"baseline": "delete"}, "Unknown substitute 'delete'"), ({"of": "score"}, "Unknown quantity 'score'")])
def test_what_cannot_be_meant_is_refused(options, message):
    classifier = network("fasttext")
    with pytest.raises(ValueError, match=message):
        explain(classifier, classifier.encode(TEXTS, LABELS), "sig", **options)
