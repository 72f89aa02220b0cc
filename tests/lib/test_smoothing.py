"""SmoothGrad: against Captum with the noise fixed, against a loop, and what its noise may depend on."""

import pytest
import torch
from captum.attr import NoiseTunnel, Saliency
from oracles import LABELS, NETWORKS, TEXTS, close, differs, network, widened

from lib.attribution import explain, gradient_at
from lib.attribution.gradients import REDUCTIONS
from lib.attribution.smoothing import noisy_copies


def copies_of(batch, embeddings, samples=4, noise=0.3, seed=0):
    return list(noisy_copies(batch, embeddings, samples, noise, seed))


@pytest.mark.parametrize("name", NETWORKS)
def test_smoothgrad_equals_captums(name, monkeypatch):
    """Captum draws its own noise: it is given ours. It averages absolute values unless told not to."""
    classifier = network(name)
    batch = classifier.encode(TEXTS[:1], LABELS[:1])
    end = classifier.embed(batch).detach()
    noise = torch.cat(copies_of(batch, end)) - end
    monkeypatch.setattr(torch, "normal", lambda mean, std: noise)
    tunnel = NoiseTunnel(Saliency(lambda e: classifier.logits(e, batch.mask.expand(len(e), -1)).softmax(dim=1)))
    theirs = tunnel.attribute(end, nt_type="smoothgrad", nt_samples=4, target=LABELS[0], abs=False)
    for reduce in ("sum", "l2"):
        scores = explain(classifier, batch, "smoothgrad", of="probability", samples=4, noise=0.3, reduce=reduce)
        close(scores, REDUCTIONS[reduce](theirs), 1e-6)


@pytest.mark.parametrize("times_input", [False, True])
@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_by_a_loop_over_copies(reduce, times_input):
    classifier = network("textcnn")
    batch = classifier.encode(TEXTS, LABELS)
    end = classifier.embed(batch).detach()
    mean = sum(gradient_at(classifier, copy, batch.mask, batch.labels)[1] for copy in copies_of(batch, end)) / 4
    expected = REDUCTIONS[reduce](mean * end if times_input else mean)
    options = {"samples": 4, "noise": 0.3, "reduce": reduce, "times_input": times_input}
    close(explain(classifier, batch, "smoothgrad", **options), expected * batch.mask)


@pytest.mark.parametrize("name", NETWORKS)
def test_without_noise_it_is_the_saliency(name):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    close(explain(classifier, batch, "smoothgrad", noise=0, samples=3), explain(classifier, batch, "sa_l2"))
    gi = explain(classifier, batch, "smoothgrad", noise=0, samples=1, reduce="sum", times_input=True)
    close(-gi, explain(classifier, batch, "signed_gi"))


def test_noise_is_a_share_of_the_documents_own_spread():
    """The population's standard deviation over all its numbers, padding left out."""
    classifier = network("fasttext")
    batch = classifier.encode(["good film", "bad dull plot not " * 8, ""], [0, 0, 0])
    end = classifier.embed(batch).detach()
    moved = torch.stack(copies_of(batch, end, samples=3000, noise=0.2)) - end
    for row in range(2):
        own = end[row, batch.mask[row]]
        expected = 0.2 * float(((own - own.mean()) ** 2).mean().sqrt())
        assert float(moved[:, row, batch.mask[row]].std()) == pytest.approx(expected, rel=0.03)
    assert not moved[:, ~batch.mask].any()


@pytest.mark.parametrize("name", NETWORKS)
def test_noise_belongs_to_the_document(name):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    scores = explain(classifier, batch, "smoothgrad", samples=3)
    close(explain(classifier, widened(batch, 4), "smoothgrad", samples=3)[:, :9], scores)
    close(explain(classifier, batch, "smoothgrad", samples=3, words_per_pass=1), scores)
    for row in range(len(TEXTS)):
        alone = explain(classifier, batch.take([row]), "smoothgrad", samples=3)[0]
        close(alone, scores[row, :len(alone)])
    close(explain(classifier, batch, "smoothgrad", samples=3), scores)
    if name != "fasttext":
        assert differs(explain(classifier, batch, "smoothgrad", samples=3, seed=1), scores, 1e-6)
    single = explain(network(name, dtype=torch.float32), batch, "smoothgrad", samples=3)
    close(single, scores, 1e-5)  # the same noise in another precision


@pytest.mark.parametrize("options, message", [
    ({"samples": 0}, "samples is 0: it must be at least 1"), ({"noise": -0.1}, "noise is -0.1: it must be 0 or more"),
    ({"noise": float("nan")}, "noise is nan"), ({"reduce": "max"}, "Unknown reduction 'max'")])
def test_what_cannot_be_meant_is_refused(options, message):
    classifier = network("fasttext")
    with pytest.raises(ValueError, match=message):
        explain(classifier, classifier.encode(TEXTS, LABELS), "smoothgrad", **options)
