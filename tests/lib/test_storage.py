"""Where files are kept: paths as a user means them, folders that must exist, and a cache that cannot be written."""

import errno
import os
import runpy
import shutil
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from caches import files, forbid_training, use_cache, weights_of
from oracles import is_one_sentence
from small import RECIPES, corpus, fit

from lib import checkpoints, data, experiments, storage, training

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    """Nothing that another test kept in memory, and no warning given yet."""
    monkeypatch.setattr(storage, "_in_memory", {})
    monkeypatch.setattr(storage, "_warned", set())


# --- where ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home, and a folder in which a command runs."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "home"


@pytest.mark.parametrize(("written", "meant"), [
    ("kept", "work/kept"), ("../kept", "kept"), ("./a/../kept", "work/kept"), ("~/kept", "home/kept"), ("~", "home"),
])
def test_paths_are_relative_to_the_command_and_know_the_home(written, meant, home, tmp_path, monkeypatch):
    assert storage.absolute(written) == storage.absolute(Path(written)) == tmp_path / meant
    monkeypatch.setenv("LIB_CACHE_DIR", written)
    assert storage.cache_folder("models") == tmp_path / meant / "models"
    (tmp_path / meant).mkdir(parents=True, exist_ok=True)
    for variable in ("LIB_DATA_DIR", "LIB_MODEL_DIR"):
        monkeypatch.setenv(variable, written)
        assert storage.named_folder(variable) == tmp_path / meant


def test_a_file_is_written_where_it_is_meant(home):
    with storage.whole_file("~/tables/a.csv") as temporary:
        temporary.write_text("a")
    with storage.whole_file("b.csv") as temporary:
        temporary.write_text("b")
    assert (home / "tables" / "a.csv").read_text() == "a" and Path("b.csv").read_text() == "b"


def test_kernels_and_workers_in_other_folders_find_the_same_cache(home, tmp_path, monkeypatch):
    """A notebook runs in the folder of its chapter, not in that of the command that started it."""
    monkeypatch.setenv("LIB_CACHE_DIR", "kept here")
    monkeypatch.setenv("LIB_DATA_DIR", "~/data")
    runpy.run_path(storage.__file__)  # as when the command imports it
    Path("chapters").mkdir()
    monkeypatch.chdir("chapters")
    asked = "import os; print(os.environ['LIB_CACHE_DIR'], os.environ['LIB_DATA_DIR'], sep=os.linesep)"
    found = subprocess.check_output([sys.executable, "-c", asked], text=True)
    assert found.split("\n")[:2] == [str(tmp_path / "work" / "kept here"), str(home / "data")]


@pytest.fixture(params=["nothing", "zip"])
def wrong(request, tmp_path):
    """What a variable may name by mistake: a folder that is not there, or a zip that was not unpacked."""
    path = tmp_path / request.param
    if request.param == "zip":
        path.write_bytes(b"PK")
    return path


def test_a_variable_that_names_no_folder_is_an_error_and_not_ignored(wrong, monkeypatch):
    fit()  # a classifier that could be taken from the cache instead
    monkeypatch.setenv("LIB_MODEL_DIR", str(wrong))
    with pytest.raises(storage.FolderError, match=f"LIB_MODEL_DIR names {wrong}, which ") as caught:
        fit()
    assert is_one_sentence(caught.value)
    monkeypatch.setenv("LIB_DATA_DIR", str(wrong))
    for call in (data.load, data.available, lambda name: data.inventory()):
        with pytest.raises(storage.FolderError, match=f"LIB_DATA_DIR names {wrong}, which "):
            call("imdb")


def test_an_empty_variable_counts_as_none(monkeypatch):
    for variable in storage.FOLDERS:
        monkeypatch.setenv(variable, "")
    assert storage.named_folder("LIB_MODEL_DIR") is None and storage.cache_folder("models").is_absolute()
    assert "package" in data.inventory()["rotten_tomatoes"]


# --- a cache that cannot be written -----------------------------------------------------------------------------------


def forbidden_cache(tmp_path, monkeypatch):
    """A cache in which no folder can be made."""
    (tmp_path / "file").touch()
    use_cache(tmp_path / "file" / "cache", monkeypatch)
    return tmp_path / "file" / "cache"


def full_cache(tmp_path, monkeypatch):
    """A cache that is full as soon as a byte is written."""
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr(storage.tempfile, "TemporaryFile", full)
    return tmp_path / "cache"


@pytest.fixture(params=[forbidden_cache, full_cache])
def unwritable(request, tmp_path, monkeypatch):
    return request.param(tmp_path, monkeypatch)


def test_training_in_a_cache_that_cannot_be_written_says_so_first_and_goes_on_in_memory(unwritable, monkeypatch):
    seen, one_epoch = [], training._one_epoch

    def watched(*arguments):
        seen.append(len(caught))
        return one_epoch(*arguments)

    monkeypatch.setattr(training, "_one_epoch", watched)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trained = fit()
        assert set(seen) == {1}, "the warning comes before the first epoch"
        forbid_training(monkeypatch)
        again = fit()
    assert weights_of(again) == weights_of(trained) and again is not trained
    assert len(caught) == 1, "and only once"
    message = str(caught[0].message)
    assert f"Nothing can be kept in {unwritable} (" in message and "LIB_CACHE_DIR" in message
    assert storage.is_kept(checkpoints.find(trained.key)) and files(unwritable / "models") == []


def test_an_interrupted_training_goes_on_from_memory(unwritable, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with monkeypatch.context() as patch:
            calls, evaluate = [], training.evaluate

            def interrupted(*arguments):
                calls.append(1)
                if len(calls) == 2:
                    raise KeyboardInterrupt
                return evaluate(*arguments)

            patch.setattr(training, "evaluate", interrupted)
            with pytest.raises(KeyboardInterrupt):
                fit()
        assert [path.suffix for path in storage._in_memory] == [".unfinished"]
        fit()
        assert [path.suffix for path in storage._in_memory] == [".safetensors"]


EXPERIMENT = experiments.Experiment("tiny", "textcnn", 8, ("signed_gi", "loo"), recipe=RECIPES["textcnn"])


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(data, "load", lambda name: corpus())
    experiments._classifier.cache_clear()
    yield EXPERIMENT
    experiments._classifier.cache_clear()


def numbers(results):
    return [values.numpy().tobytes() for of_method in results.values() for values in of_method.values()]


@pytest.mark.parametrize(("workers", "make"), [
    (None, forbidden_cache), (None, full_cache), (ThreadPoolExecutor, full_cache),
    (experiments.processes, forbidden_cache),  # they cannot find a classifier that was not written: it is sent to them
])
def test_an_experiment_goes_on_in_memory_with_any_executor(workers, make, tiny, tmp_path, monkeypatch):
    unwritable = make(tmp_path, monkeypatch)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if workers is None:
            found = experiments.run(tiny, documents_per_shard=4)
        else:
            with workers(1) as executor:
                found = experiments.run(tiny, executor, documents_per_shard=4)
        monkeypatch.setattr(experiments, "_shard", None)
        assert numbers(experiments.run(tiny, documents_per_shard=4)) == numbers(found), "from memory"
    assert len([each for each in caught if "Nothing can be kept" in str(each.message)]) == 1
    assert [path for path in unwritable.rglob("*") if path.is_file()] == []
    monkeypatch.undo()
    monkeypatch.delenv("LIB_MODEL_DIR", raising=False)
    monkeypatch.setattr(data, "load", lambda name: corpus())
    use_cache(tmp_path / "another", monkeypatch)
    experiments._classifier.cache_clear()
    assert numbers(experiments.run(tiny, documents_per_shard=4)) == numbers(found)


def test_an_experiment_with_a_ready_classifier_says_so_before_its_first_shard(tiny, cache, tmp_path, monkeypatch):
    fit("textcnn")
    monkeypatch.setenv("LIB_MODEL_DIR", str(cache))
    forbidden_cache(tmp_path, monkeypatch)
    monkeypatch.setattr(experiments, "_shard", None)  # none is begun without the warning
    with pytest.warns(UserWarning, match="Nothing can be kept"), pytest.raises(TypeError):
        experiments.run(tiny)


def test_what_is_written_again_is_no_longer_held_in_memory(tmp_path, monkeypatch):
    path = tmp_path / "cache" / "models" / "file"
    storage.hold(path, b"old")
    assert storage.kept(path) == storage.unwritten(path) == b"old"
    storage.keep(path, b"new")
    assert storage.kept(path) == path.read_bytes() == b"new" and storage.unwritten(path) is None
    storage.forget(path)
    assert storage.kept(path) is None and not path.exists()
    storage.forget(path)


def test_nothing_is_said_and_nothing_stays_where_there_is_room(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert storage.try_out(tmp_path / "cache" / "models")
    assert files(tmp_path / "cache" / "models") == []


# --- tensors with a digest --------------------------------------------------------------------------------------------


def test_what_was_sealed_comes_back():
    about = {"words": ["a", "é"], "n": 1}
    tensors = {"a": torch.rand(2, 3).T, "b": torch.tensor(1.5), "c": torch.zeros(0)}
    said, found = storage.unseal(storage.seal(about, tensors))
    assert said == about and found.keys() == tensors.keys()
    assert all(found[name].equal(value) and found[name].dtype == value.dtype for name, value in tensors.items())


def test_every_changed_or_missing_byte_is_noticed():
    content = storage.seal(["key", 1], {"a": torch.arange(3.0)})
    changed = [content[:p] + bytes([content[p] ^ 1]) + content[p + 1:] for p in range(len(content))]
    cut = [content[:p] for p in range(len(content))]
    for damaged in [*changed, *cut, content + b" "]:
        with pytest.raises(storage.DamagedError):
            storage.unseal(damaged)


# --- the same keys on every machine -----------------------------------------------------------------------------------


def test_a_checkout_with_other_line_ends_has_the_same_keys(tmp_path, monkeypatch):
    key, software = checkpoints.key_of("textcnn", corpus(), 0, RECIPES["textcnn"]), experiments._software.__wrapped__()
    read_bytes = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read_bytes(path).replace(b"\n", b"\r\n"))
    assert checkpoints.key_of("textcnn", corpus(), 0, RECIPES["textcnn"]) == key
    assert experiments._software.__wrapped__() == software


def test_git_gives_every_text_file_the_same_line_ends():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is not a git checkout")
    listed = subprocess.check_output(["git", "ls-files", "--eol"], cwd=ROOT, text=True).splitlines()
    assert len(listed) > 100
    for line in listed:
        index, _, attributes = line.split("\t")[0].split(maxsplit=2)
        binary = index == "i/-text"
        assert attributes.strip() == ("attr/-text" if binary else "attr/text eol=lf"), line
