"""What is timed, for pytest-benchmark. Run by `make bench` (book/make/bench.py), never by `make test`.

Every timing carries what it is of: the work, the way it was done ("path"), the classifier, the corpus, the words of a
document and the number of documents. Ratios are taken between the paths of the same work in the same run.
"""

import functools
import re
import shutil
import tempfile
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from captum.attr import FeatureAblation, InputXGradient

import lib
from book.paper.plan import PAPER
from lib import experiments
from lib.attribution import METHODS, explain, explain_all
from lib.classifiers import CLASSIFIERS
from lib.faithfulness import aopc
from lib.passes import words_at_once
from lib.targets import quantity
from lib.text import Batch

ENOUGH = 0.5  # seconds that a benchmark repeats its work for, three rounds at least
CLOSE = 3.0  # seconds, where the goal is a ratio close to one
LENGTHS = (16, 64, 256, 1024, 4096)
GROWTH = (64, 128, 256, 512, 1024, 2048, 4096)
TOO_SLOW = 10_000_000  # word steps on the general path that are left out of the picture of cost against length
DOCUMENTS = {"fasttext": 64, "textcnn": 16, "bilstm": 16}  # for LOO and AOPC: the general path takes a few seconds

every_classifier = pytest.mark.parametrize("name", CLASSIFIERS)


@functools.cache
def corpus(name: str):
    return lib.data.load(name)


@functools.cache
def classifier(name: str, of: str = "imdb"):
    return lib.training.fit(name, corpus(of))


@functools.cache
def reviews(name: str, documents: int, of: str = "imdb") -> Batch:
    """The first test documents, with the words the classifier was trained for."""
    test = corpus(of).test
    return classifier(name, of).encode(test.texts[:documents], test.labels[:documents])


@functools.cache
def texts_of(words: int, documents: int) -> list[str]:
    """Documents of exactly so many words: the test reviews one after the other, cut anew."""
    stream = (word for text in corpus("imdb").test.texts for word in lib.text.tokenise(text))
    return [" ".join(next(stream) for _ in range(words)) for _ in range(documents)]


@functools.cache
def of_length(name: str, words: int, documents: int) -> Batch:
    return classifier(name).encode(texts_of(words, documents), [1] * documents, max_words=words)


@pytest.fixture
def timed(benchmark):
    """Time a call: once to warm up, then for a number of seconds or three times, whichever is longer."""
    def run(call, work, path, name, batch, of="imdb", method="", rounds=None, enough=ENOUGH):
        benchmark.extra_info.update(work=work, path=path, classifier=name, corpus=of, method=method,
                                    documents=len(batch), words=int(batch.lengths.max()),
                                    all_words=int(batch.lengths.sum()))
        if rounds is None:
            warm = benchmark._timer()
            call()
            rounds = max(3, min(200, int(enough / (benchmark._timer() - warm + 1e-9))))
        benchmark.pedantic(call, rounds=rounds)
    return run


# --- the targets ------------------------------------------------------------------------------------------------------


def bare(model, batch: Batch):
    """Forward and backward, nothing else: embeddings, logits, loss, gradient."""
    embeddings = model.embed(batch).detach().requires_grad_(True)
    loss = F.cross_entropy(model.logits(embeddings, batch.mask), batch.labels, reduction="sum")
    return torch.autograd.grad(loss, embeddings)[0]


def captum_signed_gi(model, batch: Batch):
    method = InputXGradient(lambda embeddings: -quantity(model.logits(embeddings, batch.mask), batch.labels))
    return method.attribute(model.embed(batch).requires_grad_(True)).sum(dim=2)


@torch.no_grad()
def captum_loo(model, batch: Batch):
    """Captum's FeatureAblation, one document at a time without padding, as many versions in a pass as ours."""
    for row, words in enumerate(batch.lengths.tolist()):
        one = batch.take([row])

        def minus_loss(embeddings, one=one):
            logits = model.logits(embeddings, one.mask.expand(len(embeddings), -1))
            return -quantity(logits, one.labels.expand(len(embeddings)))

        positions = torch.arange(words)[None, :, None].expand(1, words, model.embedding.embedding_dim)
        at_once = max(1, words_at_once(model) // words)
        FeatureAblation(minus_loss).attribute(model.embed(one), feature_mask=positions, perturbations_per_eval=at_once)


@every_classifier
@pytest.mark.parametrize("path", ["bare", "library", "captum"])
def bench_signed_gi(timed, name, path):
    model, batch = classifier(name), reviews(name, 64)
    call = {"bare": lambda: bare(model, batch), "library": lambda: explain(model, batch, "signed_gi"),
            "captum": lambda: captum_signed_gi(model, batch)}[path]
    timed(call, "SignedGI", path, name, batch, enough=CLOSE)


@every_classifier
@pytest.mark.parametrize("path", ["library", "general", "captum"])
def bench_loo(timed, name, path):
    model, batch = classifier(name), reviews(name, DOCUMENTS[name])
    call = {"library": lambda: explain(model, batch, "loo"),
            "general": lambda: explain(model, batch, "loo", shortcut=False),
            "captum": lambda: captum_loo(model, batch)}[path]
    timed(call, "LOO", path, name, batch)


def full_aopc(model, batch: Batch, **options):
    """Scores of the eight methods of the paper, and their curves."""
    scores = explain_all(model, batch, PAPER, **options)
    return {key: aopc(model, batch, value, **options) for key, value in scores.items()}


@torch.no_grad()
def bare_word_steps(model, batch: Batch):
    """The word steps of eight curves, m + 1 versions of each document, as forward passes and nothing else."""
    for row, words in enumerate(batch.lengths.tolist()):
        embeddings = model.embed(batch)[row, :words]
        for rows in torch.arange(len(PAPER) * (words + 1)).split(max(1, words_at_once(model) // words)):
            model.logits(embeddings.expand(len(rows), -1, -1), torch.ones(len(rows), words, dtype=torch.bool))


@every_classifier
@pytest.mark.parametrize("path", ["library", "general", "bare"])
def bench_full_aopc(timed, name, path):
    model, batch = classifier(name), reviews(name, DOCUMENTS[name])
    call = {"library": lambda: full_aopc(model, batch), "general": lambda: full_aopc(model, batch, shortcut=False),
            "bare": lambda: bare_word_steps(model, batch)}[path]
    timed(call, "full AOPC", path, name, batch)


@pytest.mark.parametrize("words", GROWTH)
@pytest.mark.parametrize("name", ["fasttext", "textcnn"])
def bench_growth(timed, name, words):
    """The same number of words in all, as many short documents or few long ones: linear growth is equal time."""
    model, batch = classifier(name), of_length(name, words, 4 * GROWTH[-1] // words)
    timed(lambda: explain(model, batch, "loo"), "growth of LOO", "library", name, batch, enough=CLOSE)


# --- cost against length ----------------------------------------------------------------------------------------------


def word_steps(words: int, documents: int) -> int:
    return (words + 1) * words * documents


@every_classifier
@pytest.mark.parametrize("words", LENGTHS)
@pytest.mark.parametrize("method", [key for key, method in METHODS.items() if not method.needs])
def bench_method(timed, name, words, method):
    if METHODS[method].completeness == "word" and words > 64:
        pytest.skip("a gradient for each word and each point: more than a benchmark should take")
    model, batch = classifier(name), of_length(name, words, max(1, 1024 // words))
    timed(lambda: explain(model, batch, method), "method", "library", name, batch, method=method)


@every_classifier
@pytest.mark.parametrize("words", LENGTHS)
@pytest.mark.parametrize("path", ["library", "general"])
@pytest.mark.parametrize("work", ["LOO", "AOPC curve"])
def bench_by_length(timed, name, words, work, path):
    model, batch = classifier(name), of_length(name, words, max(1, 1024 // words))
    slow = path == "general" or name == "bilstm"
    if slow and word_steps(words, len(batch)) > TOO_SLOW:
        pytest.skip("more word steps than a benchmark should take")
    scores = explain(model, batch, "signed_gi")
    shortcut = path == "library"
    call = {"LOO": lambda: explain(model, batch, "loo", shortcut=shortcut),
            "AOPC curve": lambda: aopc(model, batch, scores, shortcut=shortcut)}[work]
    timed(call, f"{work} by length", path, name, batch)


# --- 100,000 words ----------------------------------------------------------------------------------------------------


def explain_and_weigh(name: str, method: str, words: int) -> int:
    """Bytes that explaining one long document takes."""
    model, batch = classifier(name), of_length(name, words, 1)
    return peak_memory(lambda: explain(model, batch, method))


def peak_memory(call) -> int:
    """Bytes that a call adds to this process at its peak (Linux)."""
    def memory(field: str) -> int:
        return 1024 * int(re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])

    Path("/proc/self/clear_refs").write_text("5")  # from here on, the peak is counted anew
    before = memory("VmRSS")
    call()
    return memory("VmHWM") - before


@pytest.mark.parametrize("name, method", [
    *((name, "signed_gi") for name in CLASSIFIERS), ("fasttext", "loo"), ("textcnn", "loo")])
def bench_long_document(timed, benchmark, name, method, words=100_000):
    model, batch = classifier(name), of_length(name, words, 1)
    timed(lambda: explain(model, batch, method), "100,000 words", "library", name, batch, method=method, rounds=3)
    with get_context("spawn").Pool(1) as fresh:  # the peak of a process never falls: each case needs its own
        benchmark.extra_info["bytes"] = fresh.apply(explain_and_weigh, (name, method, words))


# --- the paper's whole experiment -------------------------------------------------------------------------------------


def update(model, optimiser, batch: Batch) -> None:
    """One step of training, as lib.training takes it."""
    optimiser.zero_grad()
    F.cross_entropy(model(batch), batch.labels).backward()
    optimiser.step()


@every_classifier
@pytest.mark.parametrize("of", ["imdb", "ag_news"])
def bench_training(timed, name, of):
    recipe = lib.training.RECIPES[name]
    batch = reviews(name, recipe["batch_size"], of)
    model = CLASSIFIERS[name](classifier(name, of).vocabulary, corpus(of).classes, corpus(of).max_words)
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe["learning_rate"], fused=True)
    timed(lambda: update(model, optimiser, batch), "training update", "library", name, batch, of)


@every_classifier
@pytest.mark.parametrize("of", ["imdb", "ag_news"])
@pytest.mark.parametrize("path", ["library", "general"])
def bench_test_documents(timed, name, of, path):
    documents = DOCUMENTS[name] * (1 if of == "imdb" else 4)
    model, batch = classifier(name, of), reviews(name, documents, of)
    call = {"library": lambda: full_aopc(model, batch),
            "general": lambda: full_aopc(model, batch, shortcut=False)}[path]
    timed(call, "test documents", path, name, batch, of)


# --- shards on several processes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def bench_experiment(timed, workers, monkeypatch):
    """The same shards one after the other, and on two processes that are already there."""
    experiment = experiments.Experiment("imdb", "textcnn", documents=200)
    monkeypatch.setenv("LIB_MODEL_DIR", str(lib.storage.cache_folder("models")))

    def run(executor=None):
        folder = tempfile.mkdtemp()
        monkeypatch.setenv("LIB_CACHE_DIR", folder)
        try:
            experiments.run(experiment, executor)
        finally:
            shutil.rmtree(folder)

    batch = reviews("textcnn", 200)
    if workers == 1:
        run()
        timed(run, "experiment", "1 process", "textcnn", batch, rounds=3)
    else:
        with experiments.processes(workers) as executor:
            run(executor)  # the workers load the classifier
            timed(lambda: run(executor), "experiment", f"{workers} processes", "textcnn", batch, rounds=3)
