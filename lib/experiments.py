"""The grid of experiments: shards of documents over any executor, the same numbers to the bit, kept as they finish."""

import hashlib
import inspect
import json
import multiprocessing
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, wait
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import scipy
import torch
from torch import Tensor

from . import checkpoints, data, storage, training
from .agreement import pearson
from .attribution import METHODS, check, explain_all, lookup
from .attribution.baselines import missed
from .checks import as_keys, whole_number
from .classifiers import TextClassifier
from .data import Corpus, Split
from .faithfulness import MOST_MASKED, aopc, comprehensiveness, sufficiency
from .masking import check_operator
from .progress import progress
from .targets import check_quantity
from .text import tokenise

PRECISIONS = ("float32", "float64")
MEASURED = ("aopc", "comprehensiveness", "sufficiency", "rho", "p")
USUAL = ("random", "loo", "signed_gi")  # the ends of the scale, and one gradient
# What decides the numbers; what decides the classifier is in the key of its checkpoint.
CODE = ("agreement.py", "attribution/**/*.py", "checks.py", "experiments.py", "faithfulness.py",
        "masking/**/*.py", "passes.py", "seeding.py", "targets.py")


@dataclass(frozen=True)
class Experiment:
    """One cell of the grid: a trained classifier, explained by several methods on some of the test documents.

    ``seed`` and ``recipe`` are those of :func:`lib.training.fit`. ``explain`` holds options of the methods, and of the
    LOO they are compared with (``of``, ``target``, ``operator``, ``seed``), ``measure`` those of
    :func:`lib.faithfulness.aopc` (``operator``, ``target``, ``seed``). ``K`` defaults to the length of the longest
    document. ``methods`` are keys, those of variants and of your own methods among them; one alone may be a string, and
    by default they are Random, LOO and SignedGI: some of the others cost hundreds of passes a document.
    ``first`` is the number of the first document in the test split, from the end if it is negative; with
    ``shorter_than`` only documents of fewer words than this are counted.

    Raises ``ValueError`` if a number is not whole. Taught in: *What an explanation costs*.
    """

    corpus: str
    classifier: str
    documents: int
    methods: tuple[str, ...] = USUAL
    seed: int = 0
    K: int | None = None
    first: int = 0
    shorter_than: int | None = None
    precision: str = "float32"
    recipe: dict = field(default_factory=dict)
    explain: dict = field(default_factory=dict)
    measure: dict = field(default_factory=dict)

    def __post_init__(self):
        """Numbers of numpy and torch become Python's: equal experiments have equal keys."""
        plain = {"methods": tuple(as_keys(self.methods)), "seed": whole_number(self.seed, "seed"),
                 "documents": whole_number(self.documents, "documents"), "first": whole_number(self.first, "first"),
                 "K": None if self.K is None else whole_number(self.K, "K"),
                 "shorter_than": None if self.shorter_than is None else whole_number(self.shorter_than, "shorter_than"),
                 "recipe": _plain(self.recipe), "explain": _plain(self.explain), "measure": _plain(self.measure)}
        for name, value in plain.items():
            object.__setattr__(self, name, value)


def processes(workers: int | None = None) -> ProcessPoolExecutor:
    """An executor of several processes, by default one a core; a script needs ``if __name__ == "__main__":`` for it.

    The processes are spawned, not forked: torch's threads do not survive a fork.
    Taught in: *What an explanation costs*.
    """
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def run(experiment: Experiment, executor: Executor | None = None,
        documents_per_shard: int = 25) -> dict[str, dict[str, Tensor]]:
    """For each method its ``"aopc"`` [n, K + 1], and [n] each of what follows.

    ``"rho"`` and ``"p"``: correlation with LOO, and its p-value; ``"comprehensiveness"`` and ``"sufficiency"``: means
    over ``lib.faithfulness.SHARES``; ``"gap"``, for methods that promise completeness: what they miss of it
    (:func:`lib.attribution.baselines.missed`).

    Shards of ``documents_per_shard`` documents are computed by ``executor``, each with one thread: None is one after
    the other in this process, :func:`processes` several processes, ``client.get_executor()`` of ``dask.distributed`` a
    cluster. The numbers are the same to the bit; only another kind of CPU may change the last ones. Finished shards are
    kept in the user cache, and a run that was killed goes on where it stopped; where the cache cannot be written, a
    warning says so before anything is computed. The workers of a cluster need no data, but the same software, and the
    classifier: in a shared ``LIB_CACHE_DIR``, or copied to their ``LIB_MODEL_DIR``. They must know a method of your
    own, too.

    Raises ``ValueError`` for an experiment that cannot be run, before anything is trained. After an error in a shard
    the shards under way are finished and kept, then it is raised, with a note that names the documents.
    Taught in: *What an explanation costs*.
    """
    corpus = data.load(experiment.corpus)
    documents_per_shard = whole_number(documents_per_shard, "documents_per_shard", least=1)
    _check(experiment, corpus, executor)
    model = training.fit(experiment.classifier, corpus, experiment.seed, **experiment.recipe).key
    # Loaded the way a worker does: threads find it in the cache of _classifier, and do not all load it at once.
    classifier, digest = _classifier(model, experiment.classifier, experiment.precision)
    texts, labels, at = _documents(experiment, corpus)
    K = int(classifier.encode(texts).lengths.max()) if experiment.K is None else experiment.K
    digest += _readers_code(experiment.methods)
    key = _key(experiment, documents_per_shard, model, K, digest)
    unwritten = storage.unwritten(checkpoints.find(model))
    tasks, shards = {}, {}
    for number, start in enumerate(range(0, len(texts), documents_per_shard)):
        if (kept := _read(key, number)) is None:
            part = slice(start, start + documents_per_shard)
            tasks[number] = (experiment, Split(texts[part], labels[part]), at + start, model, K, digest, unwritten)
        else:
            shards[number] = kept
    with closing(_computed(tasks, executor, f"{corpus.title}, {classifier.label}, shards")) as computed:
        for number, shards[number] in computed:
            storage.keep(_path(key, number), storage.seal([key, number], shards[number]))
    in_order = [shards[number] for number in sorted(shards)]
    return {method: {what: torch.cat([shard[f"{method}/{what}"] for shard in in_order])
                     for what in (*MEASURED, *(["gap"] if lookup(method).completeness else []))}
            for method in experiment.methods}


def documents(experiment: Experiment, corpus: Corpus | None = None) -> tuple[list[str], list[int]]:
    """Texts and gold classes of the documents that an experiment explains."""
    return _documents(experiment, data.load(experiment.corpus) if corpus is None else corpus)[:2]


def _documents(experiment: Experiment, corpus: Corpus) -> tuple[list[str], list[int], int]:
    """Texts, gold classes, and the place of the first one among the documents that are counted."""
    counted = _counted(experiment, corpus)
    at = experiment.first + (len(counted) if experiment.first < 0 else 0)
    part = slice(at, at + experiment.documents)
    return counted.texts[part], counted.labels[part], at


def _counted(experiment: Experiment, corpus: Corpus) -> Split:
    """The test split, or what it has of short documents."""
    if experiment.shorter_than is None:
        return corpus.test
    rows = [row for row, text in enumerate(corpus.test.texts) if len(tokenise(text)) < experiment.shorter_than]
    return Split([corpus.test.texts[row] for row in rows], [corpus.test.labels[row] for row in rows])


def kept(experiment: Experiment) -> dict[str, dict[str, Tensor]] | None:
    """What an earlier :func:`run` kept, or None if a document of it is missing: nothing is trained or computed."""
    if not data.available(experiment.corpus):
        return None
    corpus, name = data.load(experiment.corpus), experiment.classifier
    if checkpoints.load(training.key_of(name, corpus, experiment.seed, **experiment.recipe), name, corpus) is None:
        return None
    try:
        return run(experiment, _Idle())
    except _NotKept:
        return None


class _NotKept(Exception):
    """A shard would have to be computed."""


class _Idle(Executor):
    """An executor that computes nothing."""

    def submit(self, function, /, *arguments, **options):
        raise _NotKept


def _plain(value):
    """Options as JSON would give them back: numpy's and torch's numbers are Python's."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(each) for each in value)
    is_number = hasattr(value, "item") and getattr(value, "ndim", 0) == 0
    return value.item() if is_number else value


def _check(experiment: Experiment, corpus: Corpus, executor: Executor | None) -> None:
    """Find what is wrong before a classifier is trained; its name and recipe are checked by ``fit``."""
    if executor is not None and not isinstance(executor, Executor):
        raise ValueError(f"The executor is a {type(executor).__name__}: it must be a concurrent.futures.Executor.")
    counted = len(_counted(experiment, corpus))
    there = counted - experiment.first if experiment.first >= 0 else -experiment.first
    if not (1 <= experiment.documents <= there <= counted):
        which = "documents" if experiment.shorter_than is None else f"documents under {experiment.shorter_than} words"
        raise ValueError(f"The test split of {corpus.title} has {counted} {which}, not "
                         f"{experiment.documents}{f' from number {experiment.first}' if experiment.first else ''}.")
    if experiment.precision not in PRECISIONS:
        raise ValueError(f"Unknown precision {experiment.precision!r}: choose one of {', '.join(PRECISIONS)}.")
    if not 0 <= (experiment.K or 0) <= max(MOST_MASKED, corpus.max_words):
        raise ValueError(f"K is {experiment.K:,}: choose a number of masked words from 0 to {MOST_MASKED:,}, or None.")
    if not experiment.methods:
        raise ValueError(f"The experiment has no methods: name some of {', '.join(METHODS)}.")
    check([*experiment.methods, "loo"], experiment.explain)
    known = set(inspect.signature(aopc).parameters) - {"classifier", "batch", "scores", "K"}
    if unknown := sorted(set(experiment.measure) - known):
        raise ValueError(f"Unknown option {', '.join(unknown)} for AOPC: choose among {', '.join(sorted(known))}.")
    for options in (experiment.explain, experiment.measure):
        check_operator(options.get("operator", "zero"))
        check_quantity(options.get("of", "loss"))
    try:
        json.dumps(asdict(experiment))
    except TypeError as error:
        raise ValueError("The options of an experiment must be numbers, strings, True, False or None, "
                         "or lists of them.") from error


def _computed(tasks: dict[int, tuple], executor: Executor | None,
              what: str) -> Iterator[tuple[int, dict[str, Tensor]]]:
    """Number and contents of each shard as it finishes; whether they can be kept is found out before the first."""
    if not tasks:
        return
    storage.try_out(storage.cache_folder("experiments"))
    threads = torch.get_num_threads()
    try:
        with closing(_finished(tasks, executor)) as finished:
            for number, numbers in progress(finished, what, len(tasks)):
                yield number, {name: torch.as_tensor(values, device="cpu") for name, values in numbers.items()}
    finally:
        torch.set_num_threads(threads)


def _finished(tasks: dict[int, tuple], executor: Executor | None) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """What :func:`_shard` gives for each task, as it finishes. After an error no other shard is begun."""
    if executor is None:
        for number, task in tasks.items():
            yield number, _shard(*task)
        return
    futures = {executor.submit(_shard, *task): number for number, task in tasks.items()}
    pending, failure = set(futures), None
    try:
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                if error := future.exception():
                    failure = failure or error
                else:
                    yield futures[future], future.result()
            if failure:
                pending = {future for future in pending if not future.cancel()}
    finally:  # an interrupt, too, leaves nothing behind in the executor
        for future in pending:
            future.cancel()
    if failure:
        raise failure


def _shard(experiment: Experiment, documents: Split, start: int, model: str, K: int, digest: str,
           unwritten: bytes | None = None) -> dict[str, np.ndarray]:
    """The numbers of one shard, under "method/aopc" and so on; numpy's, because torch's tensors die with their process.

    ``unwritten`` is the checkpoint of the classifier if it could not be written, and no worker would find it.
    """
    # More threads may sum in another order. Not undone here: other threads may be in the midst of a shard.
    torch.set_num_threads(1)
    try:
        if unwritten is not None:
            checkpoints.receive(model, unwritten)
        classifier, found = _classifier(model, experiment.classifier, experiment.precision)
        if found + _readers_code(experiment.methods) != digest:
            raise RuntimeError("This worker has another lib, torch, numpy, scipy, method or classifier "
                               "than the caller: share the same.")
        batch = classifier.encode(documents.texts, documents.labels)
        scores = explain_all(classifier, batch, list(dict.fromkeys([*experiment.methods, "loo"])), **experiment.explain)
        numbers, plain = {}, {name: value for name, value in experiment.measure.items() if name != "shortcut"}
        for method in experiment.methods:
            numbers[f"{method}/aopc"] = aopc(classifier, batch, scores[method], K, **experiment.measure)
            for share in (comprehensiveness, sufficiency):
                numbers[f"{method}/{share.__name__}"] = share(classifier, batch, scores[method], **plain).mean(dim=1)
            if lookup(method).completeness:
                numbers[f"{method}/gap"] = missed(classifier, batch, method, scores[method], **experiment.explain)
            numbers[f"{method}/rho"], numbers[f"{method}/p"] = pearson(scores[method], scores["loo"], batch.word_mask)
        return {name: values.contiguous().numpy() for name, values in numbers.items()}
    except Exception as error:
        last = start + len(documents) - 1
        error.add_note(f"In the shard of test documents {start} to {last} of {experiment.corpus}.")
        raise


@lru_cache(maxsize=1)  # a worker loads a classifier once, not once a shard
def _classifier(key: str, name: str, precision: str) -> tuple[TextClassifier, str]:
    """A trained classifier, and a digest of it and the software: weights trained elsewhere may differ a little."""
    classifier = checkpoints.load(key, name, SimpleNamespace(source=""))  # a worker has no corpus, and draws no figure
    if classifier is None:
        raise FileNotFoundError(f"This worker lacks the classifier {key}: share LIB_CACHE_DIR, "
                                "or copy it to LIB_MODEL_DIR.")
    return classifier.to(getattr(torch, precision)), storage.digest(_software(), classifier.state_dict())


def _key(experiment: Experiment, documents_per_shard: int, model: str, K: int, digest: str) -> str:
    """The folder of an experiment, named by a digest of all that decides its numbers; the executor does not."""
    decisive = json.dumps([asdict(experiment), documents_per_shard, K, digest], sort_keys=True)
    return f"{model}-{hashlib.sha256(decisive.encode()).hexdigest()[:16]}"


@cache  # the code as it was imported: a file that changes later changes nothing in this process
def _software() -> str:
    digest = hashlib.sha256(" ".join(package.__version__.split("+")[0] for package in (torch, np, scipy)).encode())
    here = Path(__file__).parent
    for path in sorted(path for pattern in CODE for path in here.glob(pattern)):
        digest.update(f"{path.relative_to(here).as_posix()} {storage.source_digest(path)}".encode())
    return digest.hexdigest()


def _readers_code(methods: Iterable[str]) -> str:
    """A digest of those methods that a reader has added: empty if all are the library's own, which _software counts."""
    functions = [lookup(key).function for key in [*methods, "loo"]]
    functions = [inspect.unwrap(getattr(function, "func", function)) for function in functions]  # of a variant, too
    added = [function for function in functions if not function.__module__.startswith(f"{__package__}.")]
    return hashlib.sha256("".join(map(_source, added)).encode()).hexdigest() if added else ""


def _source(function: Callable) -> str:
    try:
        return inspect.getsource(function)
    except OSError:  # typed into an interpreter, which keeps no source
        return function.__code__.co_code.hex()


def _path(key: str, number: int) -> Path:
    return storage.cache_folder("experiments") / key / f"shard-{number:04}.safetensors"


def _read(key: str, number: int) -> dict[str, Tensor] | None:
    """A shard that was kept, or None; a file that cannot be trusted counts as none, with a warning."""
    path = _path(key, number)
    if not storage.is_kept(path):
        return None
    try:
        about, shard = storage.unseal(storage.kept(path))
        if about == [key, number]:
            return shard
    except storage.DamagedError:
        pass
    warnings.warn(f"{path} is damaged or another shard's: its documents are computed again.", stacklevel=3)
    return None
