"""Checkpoints: found under a key of all that decides them, whole or not there, and refused when they are damaged."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from caches import files, forbid_training, interrupt, use_cache, weights_of
from safetensors import safe_open
from safetensors.torch import save_file
from small import CLASSES, RECIPES, corpus, fit

from lib import checkpoints, storage, training
from lib.checkpoints import CheckpointError

KEYS = list(RECIPES)
pytestmark = pytest.mark.usefixtures("cache")


# --- the key of a checkpoint ------------------------------------------------------------------------------------------

RECIPE = dict(start="random", filters=4, updates=10)


def key(name="textcnn", data=None, seed=0, **options):
    return checkpoints.key_of(name, data or corpus(), seed, {**RECIPE, **options})


def test_the_key_is_the_same_for_the_same_decisions():
    assert key() == key()
    assert checkpoints.key_of("textcnn", corpus(), 0, dict(reversed(RECIPE.items()))) == key()


@pytest.mark.parametrize("other", [
    dict(seed=1), dict(filters=5), dict(start="glove"), dict(name="bilstm"),
    dict(data=corpus(seed=1)), dict(data=corpus(dev_noise=0.2)),
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

    def edited(path):
        return read_bytes(path) + b"# edited" * path.as_posix().endswith(f"lib/{source}")

    monkeypatch.setattr(Path, "read_bytes", edited)
    assert (key() != before) == changes


# --- writing ---


@pytest.mark.parametrize(("module", "name", "call"), [
    (storage, "seal", 1),  # while the finished model is put into a file
    (storage.os, "replace", 3),  # when that file, the third after two epochs, is to take its name
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


# --- damaged files ----------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(("old", "new"), [
    pytest.param("film", "fine", id="vocabulary"),
    pytest.param('\\"bad\\", \\"good\\"', '\\"good\\", \\"bad\\"', id="classes"),
])
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
    save_file({"output.bias": torch.zeros(2)}, path)
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


# --- ready checkpoints ------------------------------------------------------------------------------------------------


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
    (tmp_path / "ready").mkdir()
    monkeypatch.setenv("LIB_MODEL_DIR", str(tmp_path / "ready"))
    forbid_training(monkeypatch)
    assert weights_of(fit()) == weights_of(trained)


def test_training_writes_nothing_into_the_folder_of_ready_models(tmp_path, monkeypatch, cache):
    ready = tmp_path / "ready"
    ready.mkdir()
    monkeypatch.setenv("LIB_MODEL_DIR", str(ready))
    assert files(cache) == [] and fit() and files(ready) == [] and len(files(cache)) == 1


def test_a_checkpoint_can_be_read_without_this_project(cache):
    """safetensors and json alone are enough: weights by name, words and classes in the header."""
    classifier = fit()
    with safe_open(cache / f"{classifier.key}.safetensors", framework="np") as file:
        about = json.loads(file.metadata()["about"])
        np.testing.assert_array_equal(file.get_tensor("output.bias"), classifier.output.bias.numpy())
    assert about["words"] == classifier.vocabulary.itos and about["classes"] == CLASSES
