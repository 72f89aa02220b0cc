"""Training and its checkpoints: reproducible, stopped on the development split, safe against interrupts and damaged files."""

import json
import random
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small import CLASSES, RECIPES, corpus, fit

from book.make import train as tool
from lib import checkpoints, storage, training
from lib.checkpoints import CheckpointError
from lib.data import Split
from lib.text import PADDING_ID, UNKNOWN_ID
from lib.vectors import glove_vectors

KEYS = list(RECIPES)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache for every test; the folder where its models are kept."""
    monkeypatch.delenv("LIB_MODEL_DIR", raising=False)
    return use_cache(tmp_path / "cache", monkeypatch)


def use_cache(folder, monkeypatch):
    monkeypatch.setenv("LIB_CACHE_DIR", str(folder))
    return folder / "models"


def weights_of(classifier):
    return {name: value.numpy().tobytes() for name, value in classifier.state_dict().items()}


def forbid_training(monkeypatch):
    def fail(*arguments):
        raise AssertionError("a model was trained that should have been loaded")
    monkeypatch.setattr(training, "_train", fail)


def interrupt(monkeypatch, module, name, call):
    """Let a function of ``module`` raise KeyboardInterrupt at one of its calls, as Ctrl-C would."""
    function, calls = getattr(module, name), []

    def interrupted(*arguments, **options):
        calls.append(name)
        if len(calls) == call:
            raise KeyboardInterrupt
        return function(*arguments, **options)

    monkeypatch.setattr(module, name, interrupted)


def files(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


# --- reproducible ------------------------------------------------------------------------------------------------------


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


# --- what decides the weights ------------------------------------------------------------------------------------------


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
@pytest.mark.parametrize(("share", "learned"), [(0.0, slice(PADDING_ID + 1, None)), (1.0, [UNKNOWN_ID])], ids=["none forgotten", "all forgotten"])
def test_the_unknown_word_is_learned_from_forgotten_words(name, share, learned):
    """Every word of the train split is known: only words that are forgotten can move the vector of the unknown word."""
    before = fit(name, learning_rate=0.0, updates=1).embedding.weight
    after = fit(name, learning_rate=0.01, word_dropout=share).embedding.weight
    moved = (after != before).any(dim=1)
    expected = torch.zeros(len(moved), dtype=torch.bool)
    expected[learned] = True
    assert torch.equal(moved, expected)


@pytest.mark.parametrize(("name", "options", "sentence"), [
    ("bert", {}, r"Unknown classifier 'bert': choose one of fasttext, textcnn, bilstm\."),
    ("fasttext", {"filters": 3}, r"Unknown option filters for fasttext: choose among batch_size, dimensions,"),
    ("textcnn", {"fliters": 3, "hiden": 1}, r"Unknown option fliters, hiden for textcnn"),
    ("textcnn", {"start": "word2vec"}, r"Unknown start 'word2vec': choose one of glove, random\."),
    ("textcnn", {"start": "glove", "dimensions": 20}, r"GloVe vectors have 50 dimensions, not 20: use start='random'\."),
    ("bilstm", {"start": "random", "readout": "mean"}, r"Unknown readout 'mean': choose one of max, last\."),
    ("fasttext", {"start": "random", "learning_rate": float("inf")}, r"gave no finite loss on the development split: lower learning_rate\."),
])
def test_what_fit_refuses(name, options, sentence, cache):
    with pytest.raises(ValueError, match=sentence) as caught:
        training.fit(name, corpus(), **options)
    assert "\n" not in str(caught.value)
    assert not [file for file in files(cache) if file.endswith(".safetensors")]


# --- the key of a checkpoint -------------------------------------------------------------------------------------------

RECIPE = dict(start="random", filters=4, updates=10)


def key(name="textcnn", data=None, seed=0, **options):
    return checkpoints.key_of(name, data or corpus(), seed, {**RECIPE, **options})


def test_the_key_is_the_same_for_the_same_decisions():
    assert key() == key()
    assert checkpoints.key_of("textcnn", corpus(), 0, dict(reversed(RECIPE.items()))) == key()


@pytest.mark.parametrize("other", [
    dict(seed=1), dict(filters=5), dict(start="glove"), dict(name="bilstm"), dict(data=corpus(seed=1)), dict(data=corpus(dev_noise=0.2)),
    dict(data=replace(corpus(), max_words=11)), dict(data=replace(corpus(), classes=["good", "bad"])),
], ids=["seed", "option", "start", "classifier", "texts", "dev labels", "max_words", "classes"])
def test_the_key_changes_with_each_decision(other):
    assert key(**other) != key()


def test_the_key_changes_with_torch(monkeypatch):
    before = key()
    monkeypatch.setattr(torch, "__version__", "2.99.0")
    assert key() != before
    other = key()
    monkeypatch.setattr(torch, "__version__", "2.99.0+cu999")  # how it was built is not what it computes
    assert key() == other


@pytest.mark.parametrize(("source", "changes"), [
    ("text.py", True), ("training.py", True), ("classifiers/base.py", True), ("classifiers/textcnn.py", True),
    ("classifiers/bilstm.py", False), ("highlights.py", False),
])
def test_the_key_changes_with_the_code_that_decides_the_weights(source, changes, monkeypatch):
    before, read_bytes = key(), Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read_bytes(path) + b"# edited" * path.as_posix().endswith(f"lib/{source}"))
    assert (key() != before) == changes


# --- interrupts --------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(("module", "name", "call"), [
    (checkpoints, "save_file", 1),  # while the finished model is written
    (storage.os, "replace", 3),  # when its file, the third after two epochs, is to take its name
    (storage.os, "replace", 2),  # when the second epoch is
    (checkpoints.torch, "save", 2),
], ids=["finished model", "its name", "name of an epoch", "epoch"])
def test_an_interrupt_while_a_file_is_written_leaves_no_part_of_it(module, name, call, tmp_path, monkeypatch, cache):
    with monkeypatch.context() as patch:
        interrupt(patch, module, name, call)
        with pytest.raises(KeyboardInterrupt):
            fit()
    assert [Path(file).suffix for file in files(cache)] == [".unfinished"]
    resumed = fit()
    assert files(cache) == [f"{resumed.key}.safetensors"]
    use_cache(tmp_path / "another", monkeypatch)
    assert weights_of(resumed) == weights_of(fit())


def test_a_file_keeps_its_old_content_until_the_new_is_whole(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), storage.whole_file(path) as temporary:
        temporary.write_text("half of the n")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and files(tmp_path) == ["file"]


# --- damaged files -----------------------------------------------------------------------------------------------------


def refuses(sentence, **options):
    """A fit that meets a bad file says so in one sentence."""
    with pytest.raises(CheckpointError, match=sentence) as caught:
        fit(**options)
    assert str(caught.value).count("\n") == 0 and str(caught.value).endswith(".")


def header_size(content):
    """A safetensors file begins with the length of its header in eight bytes."""
    return 8 + struct.unpack("<Q", content[:8])[0]


@pytest.mark.parametrize("size", [0, 7, 200, -1])
def test_a_truncated_checkpoint_is_refused(size, cache):
    path = cache / f"{fit().key}.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    refuses(rf"{path.name} is damaged .*: delete it, and it will be trained again\.$")


def test_a_changed_byte_anywhere_in_the_weights_is_noticed(cache):
    path = cache / f"{fit().key}.safetensors"
    content = path.read_bytes()
    start = header_size(content)
    for position in (start, (start + len(content)) // 2, len(content) - 1):
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1:])
        refuses("is damaged")


@pytest.mark.parametrize(("old", "new"), [("film", "fine"), ('\\"bad\\", \\"good\\"', '\\"good\\", \\"bad\\"')], ids=["vocabulary", "classes"])
def test_changed_words_or_classes_are_noticed(old, new, cache):
    """What a model says also hangs on the order of its words and classes, which stand in the header."""
    path = cache / f"{fit().key}.safetensors"
    content = path.read_bytes()
    size = header_size(content)
    header = content[8:size].decode()
    assert old in header
    header = header.replace(old, new, 1).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + content[size:])
    refuses("is damaged")


def test_a_file_that_is_no_checkpoint_of_ours_is_refused(cache):
    path = cache / f"{fit().key}.safetensors"
    checkpoints.save_file({"output.bias": torch.zeros(2)}, path)
    refuses("is damaged or no checkpoint of this project")


def test_a_checkpoint_under_the_name_of_another_is_refused(cache):
    first, second = fit(seed=0), fit(seed=1)
    (cache / f"{first.key}.safetensors").replace(cache / f"{second.key}.safetensors")
    refuses("is not the checkpoint its name promises: delete it, and it will be trained again", seed=1)


def test_a_damaged_checkpoint_is_trained_again_once_deleted(cache):
    first = fit()
    path = cache / f"{first.key}.safetensors"
    path.write_bytes(b"")
    refuses("is damaged")
    path.unlink()
    assert weights_of(fit()) == weights_of(first)


def unfinished(cache, monkeypatch, **options):
    """The file of a training that was interrupted in its second epoch."""
    with monkeypatch.context() as patch:
        interrupt(patch, training, "evaluate", call=2)
        with pytest.raises(KeyboardInterrupt):
            fit(**options)
    return next(cache.glob("*.unfinished"))


def test_a_damaged_unfinished_training_is_refused(cache, monkeypatch):
    path = unfinished(cache, monkeypatch)
    content = path.read_bytes()
    middle = len(content) // 2
    for damaged in (b"", content[:20], content[:middle], content[:-1], b"no torch file",
                    *(content[:p] + bytes([content[p] ^ 1]) + content[p + 1:] for p in range(0, len(content), 701))):
        path.write_bytes(damaged)
        refuses(rf"{path.name} is damaged: delete it, and the training starts again\.$")


def test_an_unfinished_training_under_the_name_of_another_is_refused(cache, monkeypatch):
    path = unfinished(cache, monkeypatch)
    name = f"{fit(seed=1).key}.unfinished"
    (cache / name).with_suffix(".safetensors").unlink()
    path.rename(cache / name)
    refuses("is damaged", seed=1)


# --- ready checkpoints -------------------------------------------------------------------------------------------------


def test_the_folder_of_ready_models_comes_before_the_cache(tmp_path, monkeypatch, cache):
    trained = fit()
    ready = tmp_path / "ready"
    ready.mkdir()
    (cache / f"{trained.key}.safetensors").rename(ready / f"{trained.key}.safetensors")
    (cache / f"{trained.key}.safetensors").write_bytes(b"not to be read")
    monkeypatch.setenv("LIB_MODEL_DIR", str(ready))
    forbid_training(monkeypatch)
    assert weights_of(fit()) == weights_of(trained)


def test_a_model_that_is_not_ready_comes_from_the_cache(tmp_path, monkeypatch):
    trained = fit()
    monkeypatch.setenv("LIB_MODEL_DIR", str(tmp_path / "nothing here"))
    forbid_training(monkeypatch)
    assert weights_of(fit()) == weights_of(trained)


def test_training_writes_nothing_into_the_folder_of_ready_models(tmp_path, monkeypatch, cache):
    ready = tmp_path / "ready"
    ready.mkdir()
    monkeypatch.setenv("LIB_MODEL_DIR", str(ready))
    assert files(cache) == [] and fit() and files(ready) == [] and len(files(cache)) == 1


def test_the_pack_unzips_into_a_folder_of_ready_models(tmp_path, monkeypatch):
    trained = {name: fit(name) for name in KEYS}
    monkeypatch.setattr(tool, "PACK", tmp_path / "pack" / "models.zip")
    tool.pack([checkpoints.find(classifier.key) for classifier in trained.values()])
    with zipfile.ZipFile(tool.PACK) as archive:
        archive.extractall(tmp_path / "ready")
    use_cache(tmp_path / "another", monkeypatch)
    monkeypatch.setenv("LIB_MODEL_DIR", str(tmp_path / "ready"))
    forbid_training(monkeypatch)
    for name, classifier in trained.items():
        assert weights_of(fit(name)) == weights_of(classifier)


def test_a_checkpoint_can_be_read_without_this_project(cache):
    """safetensors and json alone are enough: weights by name, words and classes in the header."""
    classifier = fit()
    with checkpoints.safe_open(cache / f"{classifier.key}.safetensors", framework="np") as file:
        about = json.loads(file.metadata()["about"])
        np.testing.assert_array_equal(file.get_tensor("output.bias"), classifier.output.bias.numpy())
    assert about["words"] == classifier.vocabulary.itos and about["classes"] == CLASSES
