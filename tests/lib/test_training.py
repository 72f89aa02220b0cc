"""Training: reproducible, stopped on the development split, and gone on with after an interrupt."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from caches import files, forbid_training, interrupt, use_cache, weights_of
from small import RECIPES, corpus, fit

from lib import training
from lib.data import Split
from lib.text import PADDING_ID, UNKNOWN_ID
from lib.vectors import glove_vectors

KEYS = list(RECIPES)
pytestmark = pytest.mark.usefixtures("cache")


# --- reproducible -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KEYS)
def test_training_twice_gives_the_same_bits(name, tmp_path, monkeypatch):
    first = fit(name)
    use_cache(tmp_path / "another", monkeypatch)
    assert weights_of(fit(name)) == weights_of(first)


@pytest.mark.parametrize("name", KEYS)
def test_another_seed_gives_another_model(name):
    assert weights_of(fit(name, seed=0)) != weights_of(fit(name, seed=1))


@pytest.mark.parametrize("name", KEYS)
def test_the_cache_gives_back_what_was_trained(name, monkeypatch):
    trained = fit(name)
    forbid_training(monkeypatch)
    cached = fit(name)
    assert weights_of(cached) == weights_of(trained)
    assert cached.vocabulary.itos == trained.vocabulary.itos
    for attribute in ("classes", "max_words", "report", "key", "source", "label"):
        assert getattr(cached, attribute) == getattr(trained, attribute), attribute
    texts = ["A fine film, clever!", "", "qux", "dull <pad>"]
    assert torch.equal(cached(cached.encode(texts)), trained(trained.encode(texts)))


@pytest.mark.parametrize("name", KEYS)
def test_a_classifier_comes_frozen_and_in_eval_mode(name):
    for classifier in (fit(name), fit(name)):  # trained, then from the cache
        assert not any(module.training for module in classifier.modules())
        assert not any(parameter.requires_grad for parameter in classifier.parameters())


def test_the_random_numbers_of_others_are_left_alone():
    torch.manual_seed(3), np.random.seed(3), random.seed(3)
    expected = torch.rand(2).tolist(), np.random.rand(), random.random()
    torch.manual_seed(3), np.random.seed(3), random.seed(3)
    fit("textcnn"), fit("textcnn")
    assert (torch.rand(2).tolist(), np.random.rand(), random.random()) == expected


def test_the_random_numbers_of_others_change_nothing(tmp_path, monkeypatch):
    torch.manual_seed(1)
    first = fit("textcnn")
    use_cache(tmp_path / "another", monkeypatch)
    torch.manual_seed(2)
    assert weights_of(fit("textcnn")) == weights_of(first)


def test_tiny_numbers_are_kept_again_after_training():
    """Training rounds numbers below 1e-38 to zero; outside it they must survive."""
    fit("fasttext")
    assert (torch.tensor([1e-30]) * torch.tensor([1e-10])).item() > 0


def test_training_learns():
    classifier = fit("fasttext", updates=100, learning_rate=0.1, patience=20)
    assert training.accuracy(classifier, corpus().test) > 0.9
    assert classifier.report["dev_accuracy"] > 0.9


# --- what decides the weights -----------------------------------------------------------------------------------------


def recorded_losses(monkeypatch):
    losses, evaluate = [], training.evaluate
    def recording(*arguments):
        losses.append(evaluate(*arguments)[0])
        return evaluate(*arguments)
    monkeypatch.setattr(training, "evaluate", recording)
    return losses


NOISE = 0.1  # share of wrong labels in dev


def noisy_fit(**options):
    """A training whose loss on the partly wrong labels of dev falls first and then grows."""
    return fit("fasttext", corpus(dev_noise=NOISE), learning_rate=0.02, updates=75, **options)


def test_the_weights_with_the_lowest_dev_loss_are_kept(monkeypatch):
    losses = recorded_losses(monkeypatch)
    classifier = noisy_fit(patience=50)
    best = losses.index(min(losses))
    assert 0 < best < len(losses) - 1, "this data should be fitted too well before training ends"
    dev = corpus(dev_noise=NOISE).dev
    logits = classifier(classifier.encode(dev.texts))
    recomputed = F.cross_entropy(logits, torch.tensor(dev.labels)).item()
    assert recomputed == pytest.approx(min(losses), abs=1e-6)
    assert classifier.report["dev_loss"] == min(losses) and classifier.report["epochs"] == best + 1
    assert classifier.report["dev_accuracy"] == np.mean(logits.argmax(dim=1).numpy() == dev.labels)


@pytest.mark.parametrize("patience", [0, 1, 3])
def test_training_ends_when_patience_does(patience, monkeypatch):
    losses = recorded_losses(monkeypatch)
    noisy_fit(patience=patience)
    best = losses.index(min(losses))
    assert len(losses) == best + 1 + patience + 1


def test_training_ends_after_the_epoch_that_reaches_the_number_of_updates(monkeypatch):
    losses = recorded_losses(monkeypatch)
    fit("fasttext", updates=11, patience=99)  # 40 documents, 8 a batch: five updates an epoch
    assert len(losses) == 3


def test_every_epoch_has_its_own_order(monkeypatch):
    orders, shuffled = [], training._shuffled
    def recording(*arguments):
        batches = list(shuffled(*arguments))
        orders.append([rows.tolist() for rows in batches])
        return batches
    monkeypatch.setattr(training, "_shuffled", recording)
    fit(updates=10)
    assert len(orders) == 2 and orders[0] != orders[1]
    assert all(sorted(sum(order, [])) == list(range(40)) for order in orders), "each document once an epoch"


class Sealed:
    """A split that fails whoever reads it."""

    def __getattr__(self, name):
        raise AssertionError(f"the test split was looked at ({name})")

    __len__ = __iter__ = __getitem__ = lambda self, *_: self.looked_at


def test_the_test_split_is_never_looked_at():
    sealed = corpus()
    fingerprint = sealed.fingerprint  # made of all splits, before any training
    object.__setattr__(sealed, "test", Sealed())
    assert sealed.fingerprint == fingerprint
    fit("textcnn", sealed)


def test_the_vocabulary_comes_from_the_train_split_only():
    data = corpus()
    told = [Split([f"{name} {name} {text}" for text in split.texts], split.labels)
            for name, split in (("ontrain", data.train), ("ondev", data.dev), ("ontest", data.test))]
    words = set(fit("fasttext", replace(data, train=told[0], dev=told[1], test=told[2])).vocabulary.itos)
    assert "ontrain" in words and not words & {"ondev", "ontest"}


def test_glove_start_takes_the_vectors_as_they_are():
    classifier = fit("fasttext", start="glove", dimensions=50, learning_rate=0.0, updates=1)
    assert torch.equal(classifier.embedding.weight, glove_vectors(classifier.vocabulary))


def test_random_start_is_uniform_between_plus_and_minus_a_quarter():
    vectors = fit("fasttext", dimensions=200, learning_rate=0.0, updates=1).embedding.weight
    words = torch.cat([vectors[:PADDING_ID], vectors[PADDING_ID + 1:]])
    assert words.abs().max() <= 0.25 and abs(words.mean()) < 0.02
    assert words.std().item() == pytest.approx(0.5 / 12**0.5, rel=0.05)


@pytest.mark.parametrize("name", KEYS)
def test_padding_stays_zero_in_training(name):
    assert not fit(name).embedding.weight[PADDING_ID].any()


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize(("share", "learned"), [
    pytest.param(0.0, slice(PADDING_ID + 1, None), id="none forgotten"),
    pytest.param(1.0, [UNKNOWN_ID], id="all forgotten"),
])
def test_the_unknown_word_is_learned_from_forgotten_words(name, share, learned):
    """Every word of the train split is known: only words that are forgotten can move the vector of the unknown word."""
    before = fit(name, learning_rate=0.0, updates=1).embedding.weight
    after = fit(name, learning_rate=0.01, word_dropout=share).embedding.weight
    moved = (after != before).any(dim=1)
    expected = torch.zeros(len(moved), dtype=torch.bool)
    expected[learned] = True
    assert torch.equal(moved, expected)


@pytest.mark.parametrize(("name", "options", "sentence"), [
    ("bert", {}, r"Unknown classifier 'bert': choose one of fasttext, textcnn, bilstm, minilm\."),
    ("fasttext", {"filters": 3}, r"Unknown option filters for fasttext: choose among batch_size, dimensions,"),
    ("textcnn", {"fliters": 3, "hiden": 1}, r"Unknown option fliters, hiden for textcnn"),
    ("textcnn", {"start": "word2vec"}, r"Unknown start 'word2vec': choose one of glove, random\."),
    ("textcnn", {"start": "glove", "dimensions": 20},
     r"GloVe vectors have 50 dimensions, not 20: use start='random'\."),
    ("bilstm", {"start": "random", "readout": "mean"}, r"Unknown readout 'mean': choose one of max, last\."),
    ("fasttext", {"start": "random", "learning_rate": float("inf")},
     r"gave no finite loss on the development split: lower learning_rate\."),
])
def test_what_fit_refuses(name, options, sentence, cache):
    with pytest.raises(ValueError, match=sentence) as caught:
        training.fit(name, corpus(), **options)
    assert "\n" not in str(caught.value)
    assert not [file for file in files(cache) if file.endswith(".safetensors")]


# --- interrupts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KEYS)
def test_an_interrupted_training_goes_on_and_ends_with_the_same_bits(name, tmp_path, monkeypatch, cache):
    with monkeypatch.context() as patch:
        interrupt(patch, training, "evaluate", call=3)
        with pytest.raises(KeyboardInterrupt):
            fit(name, updates=20)
    assert [Path(file).suffix for file in files(cache)] == [".unfinished"]
    with monkeypatch.context() as patch:
        losses = recorded_losses(patch)
        resumed = fit(name, updates=20)
    assert len(losses) == 2, "the two finished epochs of four should not be trained again"
    assert files(cache) == [f"{resumed.key}.safetensors"]
    use_cache(tmp_path / "another", monkeypatch)
    whole = fit(name, updates=20)
    assert weights_of(resumed) == weights_of(whole)
    assert {**resumed.report, "seconds": 0} == {**whole.report, "seconds": 0}


def test_the_best_weights_survive_an_interrupt(tmp_path, monkeypatch):
    """The interrupt comes after the best epoch: the weights to keep are then only in the unfinished file."""
    with monkeypatch.context() as patch:
        losses = recorded_losses(patch)
        whole = noisy_fit(patience=50)
    use_cache(tmp_path / "another", monkeypatch)
    with monkeypatch.context() as patch:
        interrupt(patch, training, "evaluate", call=len(losses))
        with pytest.raises(KeyboardInterrupt):
            noisy_fit(patience=50)
    assert weights_of(noisy_fit(patience=50)) == weights_of(whole)
