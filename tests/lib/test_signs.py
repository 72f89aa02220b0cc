"""Scores without their signs, and with those of another method: made from scores that are computed once."""

import pytest
import torch
from oracles import LABELS, NETWORKS, TEXTS, is_one_sentence, network

from lib import passes
from lib.attribution import METHODS, explain, explain_all, lookup, occlusion, signed_as, unsigned
from lib.results import label


@pytest.mark.parametrize("name", NETWORKS)
def test_they_are_the_methods_sizes_and_signs(name):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    keys = [unsigned("loo"), signed_as("sa_l2", "signed_gi"), "signed_gi"]
    found = explain_all(classifier, batch, keys)
    assert list(found) == keys, "what a score is made from is not handed out"
    loo, sa, signed_gi = (explain(classifier, batch, key) for key in ("loo", "sa_l2", "signed_gi"))
    assert torch.equal(found["|loo|"], loo.abs()) and torch.allclose(found["signed_gi"], signed_gi)
    assert torch.allclose(found["sa_l2 signed as signed_gi"], sa * signed_gi.sign())


def test_what_they_are_made_from_is_computed_once(monkeypatch):
    classifier, calls = network("textcnn"), []
    batch = classifier.encode(TEXTS, LABELS)
    once = occlusion.logits_one_out
    monkeypatch.setattr(occlusion, "logits_one_out", lambda *given: calls.append(1) or once(*given))
    explain_all(classifier, batch, ["|loo|", "loo", "sa_l1 signed as loo"])
    assert len(calls) == len(list(passes.passes(classifier, batch, "counting")))


def test_options_reach_what_they_are_made_from():
    classifier = network("bilstm")
    batch = classifier.encode(TEXTS, LABELS)
    expected = explain(classifier, batch, "loo", operator="delete").abs()
    assert torch.equal(explain(classifier, batch, "|loo|", operator="delete"), expected)
    with pytest.raises(ValueError, match="Unknown option points"):
        explain(classifier, batch, "|loo|", points=3)


def test_their_names_and_what_their_sign_means():
    assert label("|signed_gi| - |loo|") == "|SignedGI| − |LOO|"
    assert lookup("sa_l2 signed as signed_gi").label == "SA L2 signed as SignedGI"
    assert not lookup("|signed_gi|").signed and lookup("sa_l2 signed as signed_gi").positive_means() == 1
    assert "|loo|" not in METHODS, "the tables of methods do not list what is made of them"


@pytest.mark.parametrize("key", ["|loo", "||", "|nothing|", "sa_l2 signed as nothing"])
def test_what_is_no_method_is_refused(key):
    with pytest.raises(ValueError, match="Unknown method") as caught:
        lookup(key)
    assert is_one_sentence(caught.value)
