"""The grid of experiments: the same bits from every executor, kept shard by shard, and gone on with after a kill."""

import ast
import functools
import os
import subprocess
import sys
import time
import warnings
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from dask.distributed import Client, LocalCluster
from oracles import close, is_one_sentence
from small import RECIPES, corpus

from lib import attribution, checkpoints, data, experiments, faithfulness, storage, training
from lib.agreement import pearson
from lib.experiments import Experiment, processes, run

METHODS = ("random", "signed_gi", "sa_l2", "loo")
WIDE = dict(RECIPES["textcnn"], dimensions=50, filters=60)  # wide enough for sums to depend on how they are taken


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The folder of the small classifiers that nearly all tests explain."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LIB_MODEL_DIR", raising=False)
        folder = use_cache(tmp_path_factory.mktemp("trained"), patch).parent / "models"
        for name, recipe in RECIPES.items():
            training.fit(name, corpus(), **recipe)
        training.fit("textcnn", corpus(), **WIDE)
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch, models):
    """A made-up corpus under the name "tiny", and an empty cache for every test; the folder of its experiments."""
    load = data.load
    monkeypatch.setattr(data, "load", lambda name: corpus() if name == "tiny" else load(name))
    monkeypatch.setenv("LIB_MODEL_DIR", str(models))
    return use_cache(tmp_path / "cache", monkeypatch)


def use_cache(folder, monkeypatch):
    monkeypatch.setenv("LIB_CACHE_DIR", str(folder))
    return folder / "experiments"


def tiny(classifier="textcnn", documents=14, methods=METHODS, **options):
    """An experiment that takes a blink: 14 of the 16 test documents of the made-up corpus."""
    return Experiment("tiny", classifier, documents, methods, recipe=RECIPES[classifier], **options)


def files(cache):
    return sorted(cache.glob("*/*"))


def stamps(cache):
    return {path.name: path.stat().st_mtime_ns for path in files(cache)}


def bits(results):
    return {(method, what): (values.dtype, values.shape, values.numpy().tobytes())
            for method, numbers in results.items() for what, values in numbers.items()}


def record_shards(monkeypatch, fail_at=None):
    """The first documents of the shards that are computed; the shard that begins at ``fail_at`` raises an error."""
    begun, shard = [], experiments._shard

    @functools.wraps(shard)
    def recorded(experiment, documents, start, *others):
        begun.append(start)
        if start == fail_at:
            raise OSError("The lights went out.")
        return shard(experiment, documents, start, *others)

    monkeypatch.setattr(experiments, "_shard", recorded)
    return begun


# --- the numbers ------------------------------------------------------------------------------------------------------


def in_one_piece(experiment):
    """The same numbers without shards: the whole batch at once."""
    documents = data.load(experiment.corpus).test
    classifier = training.fit(experiment.classifier, data.load(experiment.corpus), experiment.seed, **experiment.recipe)
    classifier.to(getattr(torch, experiment.precision))
    batch = classifier.encode(documents.texts[:experiment.documents], documents.labels[:experiment.documents])
    scores = attribution.explain_all(classifier, batch, [*experiment.methods, "loo"], **experiment.explain)
    results = {}
    for method in experiment.methods:
        rho, p = pearson(scores[method], scores["loo"], batch.mask)
        curve = faithfulness.aopc(classifier, batch, scores[method], experiment.K, **experiment.measure)
        results[method] = {"aopc": curve, "rho": rho, "p": p}
    return results


def agree(found, expected, tolerance=1e-6):
    assert list(found) == list(expected)
    for method, numbers in expected.items():
        for what, values in numbers.items():
            assert found[method][what].dtype == values.dtype and found[method][what].shape == values.shape
            torch.testing.assert_close(found[method][what], values, rtol=0, atol=tolerance, equal_nan=True)


# In float32, words whose scores differ by rounding alone may change places with the width of the padding, and a curve
# with them; in float64 they do not.
@pytest.mark.parametrize("classifier", RECIPES)
@pytest.mark.parametrize("size", [1, 4, 5, 14, 100])
def test_shards_give_the_numbers_of_the_whole_batch(classifier, size):
    experiment = tiny(classifier, precision="float64")
    agree(run(experiment, documents_per_shard=size), in_one_piece(experiment))


@pytest.mark.parametrize("K", [0, 2, 40])
def test_curves_may_be_shorter_or_longer_than_the_documents(K):
    experiment = tiny(K=K, precision="float64")
    results = run(experiment, documents_per_shard=4)
    assert results["loo"]["aopc"].shape == (14, K + 1)
    agree(results, in_one_piece(experiment))


def test_curves_go_to_the_longest_of_the_documents_not_of_the_shard():
    lengths = [len(text.split()) for text in corpus().test.texts[:14]]
    assert max(lengths[:2]) < max(lengths)
    assert run(tiny(), documents_per_shard=2)["loo"]["aopc"].shape == (14, max(lengths) + 1)


def test_options_go_where_they_belong():
    """LOO zeroes the probability of the predicted class, AOPC deletes words of class 1; the seeds are other ones."""
    explain = {"of": "probability", "target": "predicted", "operator": "mask", "seed": 3}
    experiment = tiny(precision="float64", explain=explain, measure={"operator": "delete", "target": 1, "seed": 4})
    results = run(experiment, documents_per_shard=5)
    agree(results, in_one_piece(experiment))
    plain = run(tiny(precision="float64"), documents_per_shard=5)
    assert all((results[method]["aopc"] - plain[method]["aopc"]).abs().max() > 1e-3 for method in METHODS)


def test_every_method_is_compared_with_loo():
    results = run(tiny(methods=("signed_gi", "loo"), precision="float64"))
    assert list(results) == ["signed_gi", "loo"]
    close(results["loo"]["rho"], torch.ones(14))
    assert list(run(tiny(methods=("signed_gi",)))) == ["signed_gi"], "LOO was not asked for"


def test_one_method_alone_may_be_a_string():
    assert bits(run(tiny(methods="signed_gi"))) == bits(run(tiny(methods=["signed_gi"])))
    assert tiny(methods=iter(["loo", "random"])).methods == ("loo", "random")


def test_a_variant_of_a_method_stands_beside_it():
    masked = attribution.variant("loo", operator="mask")
    results = run(tiny(methods=("loo", masked), precision="float64"), documents_per_shard=5)
    assert list(results) == ["loo", "loo(operator='mask')"]
    alone = run(tiny(methods="loo", precision="float64", explain={"operator": "mask"}), documents_per_shard=5)
    close(results[masked]["aopc"], alone["loo"]["aopc"])
    assert (results[masked]["rho"] < 1 - 1e-6).any(), "the LOO that others are compared with is the plain one"


@pytest.fixture
def readers_own(monkeypatch):
    """A method that a reader adds: the more to the left a word stands, the higher its score."""
    monkeypatch.setattr(attribution.registry, "METHODS", attribution.METHODS | {})
    monkeypatch.setattr(attribution, "METHODS", attribution.registry.METHODS)

    @attribution.registry.method("left", "Left first", sign="none", cost="none", citation="du2021")
    def left(classifier, batch, step: float = 1.0):
        return -step * batch.word_mask.cumsum(dim=1, dtype=torch.float64)

    return left


@pytest.mark.usefixtures("readers_own")
def test_a_method_of_the_reader_is_taken_like_any_other():
    results = run(tiny(methods=("left", "left(step=-1.0)"), precision="float64"), documents_per_shard=5)
    assert list(results) == ["left", "left(step=-1.0)"]
    close(results["left"]["rho"], -results["left(step=-1.0)"]["rho"])
    batch = training.fit("textcnn", corpus(), **RECIPES["textcnn"]).double().encode(corpus().test.texts[:1])
    assert results["left"]["aopc"].shape[1] > batch.lengths[0]


def test_a_method_of_the_reader_that_changes_is_computed_again(readers_own, cache, monkeypatch):
    run(tiny(methods="left"))
    begun = record_shards(monkeypatch)
    run(tiny(methods="left"))
    assert not begun

    def left(classifier, batch, step: float = 1.0):
        return step * batch.word_mask.cumsum(dim=1, dtype=torch.float64)

    known = attribution.METHODS["left"]
    monkeypatch.setitem(attribution.METHODS, "left", replace(known, function=left))
    run(tiny(methods="left"))
    assert begun and len(folders(cache)) == 2
    begun.clear()
    run(tiny(methods="random")), run(tiny(methods="random"))
    monkeypatch.delitem(attribution.METHODS, "left")
    run(tiny(methods="random"))
    assert begun == [0], "a method of the reader decides nothing about others"


def test_numbers_of_numpy_and_torch_are_numbers(cache):
    plain = tiny("fasttext", 14, seed=1, K=3, explain={"seed": 2}, measure={"target": 1, "seed": 4})
    recipe = {name: np.int64(value) if type(value) is int else value for name, value in RECIPES["fasttext"].items()}
    other = Experiment("tiny", "fasttext", np.int64(14), METHODS, np.uint8(1), torch.tensor(3), recipe=recipe,
                       explain={"seed": np.int32(2)}, measure={"target": torch.tensor(1), "seed": np.int64(4)})
    assert other == plain
    assert bits(run(other, documents_per_shard=np.int64(5))) == bits(run(plain, documents_per_shard=5))
    assert len(folders(cache)) == 1


@pytest.mark.parametrize("precision", experiments.PRECISIONS)
def test_the_precision_is_that_of_the_numbers(precision):
    results = run(tiny(precision=precision))
    assert results["loo"]["aopc"].dtype == getattr(torch, precision) and results["loo"]["rho"].dtype == torch.float64


def test_another_precision_leaves_the_classifier_alone():
    first = bits(run(tiny()))
    run(tiny(precision="float64"))
    assert bits(run(tiny(), documents_per_shard=26)) == bits(run(tiny(), documents_per_shard=25)) == first


# --- the same bits from every executor --------------------------------------------------------------------------------


WHOLE = Experiment("tiny", "textcnn", 16, METHODS, recipe=WIDE)


@pytest.fixture
def serially(tmp_path):
    """The bits of 16 documents, explained one shard after the other; another executor then finds an empty cache."""
    expected = bits(run(WHOLE, documents_per_shard=4))
    (tmp_path / "cache" / "experiments").rename(tmp_path / "another")
    return expected


def test_threads_give_the_same_bits(serially):
    with ThreadPoolExecutor(2) as executor:
        assert bits(run(WHOLE, executor, 4)) == serially


def test_processes_give_the_same_bits(serially, cache):
    with processes(2) as executor:
        assert bits(run(WHOLE, executor, 4)) == serially
        assert len(files(cache)) == 4
        # An error crosses the border between processes with the note that names its documents.
        with pytest.raises(ValueError, match="Class 7 is out of range") as caught:
            run(replace(WHOLE, measure={"target": 7}), executor)
    assert caught.value.__notes__ == ["In the shard of test documents 0 to 15 of tiny."]


def test_a_dask_cluster_gives_the_same_bits(serially, cache):
    two = dict(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    # dask sets OMP_NUM_THREADS and others for its workers, and leaves them set.
    with mock.patch.dict(os.environ), LocalCluster(**two) as cluster, Client(cluster) as client:
        assert bits(run(WHOLE, client.get_executor(), 4)) == serially
        assert len(files(cache)) == 4
        with pytest.raises(ValueError, match="Class 7 is out of range"):
            run(replace(WHOLE, measure={"target": 7}), client.get_executor())


class LastFirst(Executor):
    """Computes at the first look at a result, the shard submitted last first."""

    def __init__(self):
        self.waiting = []

    def submit(self, function, *arguments):
        future = Future()
        self.waiting.append((future, function, arguments))
        if len(self.waiting) == 3:
            for waiting, function, arguments in reversed(self.waiting):
                waiting.set_result(function(*arguments))
        return future


def test_results_stand_in_the_order_of_the_documents(cache):
    expected = bits(run(tiny(), documents_per_shard=5))
    for path in files(cache):
        path.unlink()
    assert bits(run(tiny(), LastFirst(), documents_per_shard=5)) == expected


@pytest.mark.parametrize("executor", [lambda: None, lambda: ThreadPoolExecutor(2)])
def test_a_shard_has_one_thread_and_the_caller_gets_its_own_back(executor, monkeypatch):
    seen, aopc, before = [], experiments.aopc, torch.get_num_threads()

    def looking(*arguments, **options):
        seen.append(torch.get_num_threads())
        return aopc(*arguments, **options)

    monkeypatch.setattr(experiments, "aopc", looking)
    torch.set_num_threads(3)
    try:
        run(tiny(), executor(), documents_per_shard=5)
        assert set(seen) == {1} and torch.get_num_threads() == 3
        record_shards(monkeypatch, fail_at=5)
        with pytest.raises(OSError):
            run(tiny(seed=1), executor(), documents_per_shard=5)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_the_random_numbers_of_others_are_left_alone():
    torch.manual_seed(3)
    expected = torch.rand(2).tolist()
    torch.manual_seed(3)
    with ThreadPoolExecutor(2) as executor:
        run(tiny(), executor, 3)
    assert torch.rand(2).tolist() == expected


# --- finished shards are kept -----------------------------------------------------------------------------------------


def test_a_finished_experiment_is_not_computed_again(cache, monkeypatch):
    first = run(tiny(), documents_per_shard=5)
    assert [path.name for path in files(cache)] == [f"shard-000{number}.safetensors" for number in range(3)]
    begun, before = record_shards(monkeypatch), stamps(cache)
    assert bits(run(tiny(), documents_per_shard=5)) == bits(first)
    assert not begun and stamps(cache) == before


def test_a_run_goes_on_after_an_error(cache, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        record_shards(patch, fail_at=8)
        with pytest.raises(OSError, match="The lights went out"):
            run(tiny(), documents_per_shard=4)
    assert list(stamps(cache)) == ["shard-0000.safetensors", "shard-0001.safetensors"]
    before, begun = stamps(cache), record_shards(monkeypatch)
    results = run(tiny(), documents_per_shard=4)
    assert begun == [8, 12] and before.items() < stamps(cache).items()
    use_cache(tmp_path / "another", monkeypatch)
    assert bits(run(tiny(), documents_per_shard=4)) == bits(results)


def test_an_error_tells_which_documents_it_is_about(monkeypatch):
    def broken(*arguments, **options):
        raise ValueError("Some scores are not finite numbers.")
    monkeypatch.setattr(experiments, "aopc", broken)
    with pytest.raises(ValueError) as caught:
        run(tiny(), documents_per_shard=10)
    assert caught.value.__notes__ == ["In the shard of test documents 0 to 9 of tiny."]


class Staged(Executor):
    """Finishes one shard, fails the next, and has a third under way, which ends when the run waits for it."""

    def __init__(self):
        self.futures, self.cancelled = [], []

    def submit(self, function, *arguments):
        future, number = Future(), len(self.futures)
        self.futures.append(future)
        if number < 3:
            future.set_running_or_notify_cancel()
        if number == 0:
            future.set_result(function(*arguments))
        elif number == 1:
            future.set_exception(OSError("The lights went out."))
        elif number == 2:
            slow = ThreadPoolExecutor(1)
            slow.submit(lambda: (time.sleep(0.3), future.set_result(function(*arguments))))
        return future


def test_after_an_error_no_shard_is_begun_and_those_under_way_are_kept(cache):
    executor = Staged()
    with pytest.raises(OSError, match="The lights went out"):
        run(tiny(), executor, documents_per_shard=2)
    assert [future.cancelled() for future in executor.futures] == [False] * 3 + [True] * 4
    assert list(stamps(cache)) == ["shard-0000.safetensors", "shard-0002.safetensors"]


def test_an_interrupt_leaves_nothing_behind_in_the_executor(cache, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt
    executor = Staged()
    monkeypatch.setattr(storage, "keep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(tiny(), executor, documents_per_shard=2)
    assert [future.cancelled() for future in executor.futures] == [False] * 3 + [True] * 4


def test_a_damaged_shard_is_noticed_and_computed_again(cache, monkeypatch):
    expected = bits(run(tiny(), documents_per_shard=5))
    path = files(cache)[1]
    content, begun = path.read_bytes(), record_shards(monkeypatch)
    positions = (9, len(content) // 2, len(content) - 1)
    flipped = (content[:p] + bytes([content[p] ^ 1]) + content[p + 1:] for p in positions)
    damages = [b"", content[:20], content[:-1], b"no tensors", *flipped]
    for damaged in damages:
        path.write_bytes(damaged)
        with pytest.warns(UserWarning, match=r"shard-0001.safetensors is damaged or another shard's") as caught:
            assert bits(run(tiny(), documents_per_shard=5)) == expected
        assert len(caught) == 1 and caught[0].filename == __file__
    assert begun == [5] * len(damages)
    assert bits(run(tiny(), documents_per_shard=5)) == expected and len(begun) == len(damages), "the file is mended"


def test_a_shard_under_the_name_of_another_is_computed_again(cache):
    expected = bits(run(tiny(), documents_per_shard=5))
    first, second, _ = files(cache)
    second.write_bytes(first.read_bytes())
    with pytest.warns(UserWarning, match="shard-0001.safetensors is damaged or another shard's"):
        assert bits(run(tiny(), documents_per_shard=5)) == expected
    run(tiny(seed=1), documents_per_shard=5)
    foreign, = set(cache.glob("*/shard-0000.safetensors")) - {first}
    first.write_bytes(foreign.read_bytes())
    with pytest.warns(UserWarning, match="shard-0000.safetensors is damaged or another shard's"):
        assert bits(run(tiny(), documents_per_shard=5)) == expected


SLOWLY = """
import time
from lib import data, experiments
from test_experiments import corpus, tiny
shard = experiments._shard
def slow(*arguments):
    numbers = shard(*arguments)
    time.sleep(0.5)
    return numbers
data.load, experiments._shard = lambda name: corpus(), slow
experiments.run(tiny(), documents_per_shard=1)
"""


def test_a_killed_run_goes_on_where_it_stopped(cache, tmp_path, monkeypatch):
    here = Path(__file__).parent
    paths = os.pathsep.join([str(here), str(here.parents[1])])
    killed = subprocess.Popen([sys.executable, "-c", SLOWLY], env=os.environ | {"PYTHONPATH": paths})
    try:
        deadline = time.monotonic() + 60
        while len(list(cache.glob("*/shard-*"))) < 2:
            assert killed.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        killed.kill()
        killed.wait()
    before, begun = stamps(cache), record_shards(monkeypatch)
    finished = {name: time for name, time in before.items() if name.startswith("shard-")}
    assert 2 <= len(finished) < 14
    results = run(tiny(), documents_per_shard=1)
    assert begun == list(range(len(finished), 14)) and finished.items() < stamps(cache).items()
    use_cache(tmp_path / "another", monkeypatch)
    assert bits(run(tiny(), documents_per_shard=1)) == bits(results)


# --- what decides the numbers -----------------------------------------------------------------------------------------


OTHER = {"classifier": "fasttext", "documents": 13, "first": 1, "shorter_than": 40, "methods": ("loo",), "seed": 1,
         "K": 5, "precision": "float64", "recipe": {**RECIPES["textcnn"], "updates": 11}, "explain": {"seed": 1},
         "measure": {"operator": "delete"}}


def folders(cache):
    return {path.name for path in cache.iterdir()}


def imports(path):
    """The modules of lib that a module imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for place in [base, *(base / name.name for name in node.names)]:
                yield from filter(Path.is_file, [place.with_suffix(".py"), place / "__init__.py"])


def test_no_module_that_computes_is_forgotten():
    """Whatever the computing modules import decides the numbers, or the classifier, or nothing."""
    library = Path(experiments.__file__).parent
    counted = {path for pattern in experiments.CODE for path in library.glob(pattern)}
    # In the key of the classifier's checkpoint:
    counted |= {library / "text.py", *(library / "classifiers").glob("*.py")}
    reached = set()
    waiting = [library / name for name in ("attribution/__init__.py", "faithfulness.py", "agreement.py")]
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += imports(path)
    assert {library / "masking" / "__init__.py", library / "attribution" / "occlusion.py"} < reached
    assert reached - counted <= {library / "progress.py"}


@pytest.mark.parametrize("name", OTHER)
def test_another_experiment_is_kept_elsewhere(name, cache):
    base = Experiment("tiny", "textcnn", 14, METHODS, recipe=RECIPES["textcnn"] | {"filters": 4})
    changes = {name: OTHER[name]} | ({"recipe": RECIPES["fasttext"]} if name == "classifier" else {})
    run(base), run(replace(base, **changes))
    assert len(folders(cache)) == 2


def test_every_field_is_tried():
    assert {field.name for field in fields(Experiment)} == {"corpus", *OTHER}


def test_other_data_other_shards_and_other_software_are_kept_elsewhere(cache, monkeypatch):
    run(tiny())
    run(tiny(), documents_per_shard=5)
    assert len(folders(cache)) == 2
    monkeypatch.setattr(data, "load", lambda name: corpus(seed=1))
    run(tiny())
    assert len(folders(cache)) == 3
    monkeypatch.setattr(experiments, "_software", lambda: "another")
    experiments._classifier.cache_clear()
    run(tiny())
    experiments._classifier.cache_clear()
    assert len(folders(cache)) == 4


def test_the_executor_changes_nothing_about_where_shards_are_kept(cache, monkeypatch):
    run(tiny(), documents_per_shard=5)
    begun = record_shards(monkeypatch)
    with ThreadPoolExecutor(3) as executor:
        run(tiny(), executor, documents_per_shard=5)
    assert not begun and len(folders(cache)) == 1


def test_the_software_is_every_module_that_computes(tmp_path, monkeypatch):
    """A byte more in any of them gives another key; figures and prose do not count."""
    library = Path(experiments.__file__).parent
    for path in library.rglob("*.py"):
        copy = tmp_path / path.relative_to(library)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    monkeypatch.setattr(experiments, "__file__", str(tmp_path / "experiments.py"))
    software = experiments._software.__wrapped__
    before = software()
    assert before == software()
    for name in ["faithfulness.py", "attribution/occlusion.py", "attribution/__init__.py", "experiments.py",
                 "masking/__init__.py", "agreement.py", "seeding.py", "targets.py", "masking/added.py",
                 "show/charts.py", "show/prose.py"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        content = path.read_bytes() if path.exists() else None
        path.write_bytes((content or b"") + b"\n")
        assert (software() != before) == (name not in ("show/charts.py", "show/prose.py")), name
        path.unlink() if content is None else path.write_bytes(content)
    monkeypatch.setattr(torch, "__version__", "2.99")
    assert software() != before


# --- clear errors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes, words", [
    ({"methods": ("loo", "magic")}, "Unknown method 'magic'"),
    ({"precision": "float16"}, "Unknown precision 'float16'"),
    ({"documents": 0}, "tiny has 16 documents"),
    ({"documents": 17}, "tiny has 16 documents"),
    ({"K": -1}, "K is -1"),
    ({"K": 10**7}, "K is 10,000,000: choose a number of masked words from 0 to 10,000"),
    ({"explain": {"colour": 1}}, "Unknown option colour"),
    ({"measure": {"of": "loss", "K": 3}}, "Unknown option K, of for AOPC"),
    ({"explain": {"seed": torch.ones(2)}}, "must be numbers, strings"),
    ({"classifier": "oracle"}, "Unknown classifier 'oracle'"),
    ({"recipe": {"layers": 3}}, "Unknown option layers for textcnn"),
    ({"documents": 3.5}, "documents is 3.5: it must be a whole number"),
    ({"seed": "one"}, "seed is 'one'"),
    ({"K": 2.5}, "K is 2.5"),
    ({"methods": ()}, "has no methods"),
    ({"documents_per_shard": 0}, "per_shard is 0: it must be at least 1"),
    ({"documents_per_shard": 2.5}, "per_shard is 2.5"),
    ({"executor": "two of them"}, "The executor is a str"),
])
def test_what_is_wrong_is_said_before_a_classifier_is_trained(changes, words, monkeypatch):
    def fail(*arguments):
        raise AssertionError("a model was trained for nothing")
    monkeypatch.setattr(training, "_train", fail)
    how = {name: changes[name] for name in changes if name in ("executor", "documents_per_shard")}
    with pytest.raises(ValueError, match=words) as caught:
        run(replace(tiny(), **{name: value for name, value in changes.items() if name not in how}), **how)
    assert is_one_sentence(caught.value)


def test_an_unknown_corpus_is_named():
    with pytest.raises(ValueError, match="There is no data set 'novels'"):
        run(replace(tiny(), corpus="novels"))


def shard_of(experiment, **changes):
    documents = corpus().test
    model = training.fit(experiment.classifier, corpus(), **experiment.recipe).key
    _, digest = experiments._classifier(model, experiment.classifier, experiment.precision)
    task = {"documents": documents, "start": 0, "model": model, "K": 3, "digest": digest} | changes
    threads = torch.get_num_threads()
    try:
        return experiments._shard(experiment, **task)
    finally:
        torch.set_num_threads(threads)


def test_a_worker_without_the_classifier_says_what_it_needs():
    with pytest.raises(FileNotFoundError, match="lacks the classifier tiny-textcnn-0: share LIB_CACHE_DIR") as caught:
        shard_of(tiny(), model="tiny-textcnn-0")
    assert is_one_sentence(caught.value)


@pytest.mark.parametrize("what", ["software", "weights"])
def test_a_worker_with_other_software_or_other_weights_refuses(what, tmp_path, monkeypatch, models):
    key = training.fit("textcnn", corpus(), **RECIPES["textcnn"]).key
    _, expected = experiments._classifier(key, "textcnn", "float32")
    experiments._classifier.cache_clear()
    if what == "software":
        monkeypatch.setattr(experiments, "_software", lambda: "of last year")
    else:
        about, _ = storage.unseal((models / f"{key}.safetensors").read_bytes())
        classifier = training.fit("textcnn", corpus(), **RECIPES["textcnn"])
        classifier.output.bias += 1e-7
        monkeypatch.delenv("LIB_MODEL_DIR")
        checkpoints.save(key, classifier, about["recipe"])
    with pytest.raises(RuntimeError, match="another lib, torch, numpy, scipy, method or classifier") as caught:
        shard_of(tiny(), digest=expected)
    assert is_one_sentence(caught.value)
    experiments._classifier.cache_clear()


def test_a_worker_never_trains(monkeypatch):
    training.fit("textcnn", corpus(), **RECIPES["textcnn"])
    monkeypatch.setattr(training, "_train", None)
    monkeypatch.setattr(data, "load", None)
    experiments._classifier.cache_clear()
    loaded, load = [], checkpoints.load
    monkeypatch.setattr(checkpoints, "load", lambda *arguments: loaded.append(1) or load(*arguments))
    shard_of(tiny()), shard_of(tiny())
    assert len(loaded) == 3, "twice by fit, in this test, and once for both shards"


def test_nothing_is_said_when_nothing_is_wrong():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(tiny()), run(tiny())
