"""Train a classifier, or load it from the cache: seeded, stopped early on the development split."""

import time
from collections.abc import Iterator
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from . import checkpoints, finetuning
from .checks import whole_number
from .classifiers import CLASSIFIERS, TextClassifier
from .data import Corpus, Split
from .progress import progress
from .text import PADDING_ID, UNKNOWN_ID, Batch, build_vocabulary
from .vectors import glove_vectors

STARTS = ("glove", "random")
RECIPE = dict(start="glove", max_vocabulary=50_000, batch_size=64, learning_rate=1e-3, updates=800, patience=2,
              word_dropout=0.01)
LEAST = dict(max_vocabulary=1, batch_size=1, updates=1, patience=0)
RECIPES = {
    "fasttext": dict(RECIPE, learning_rate=4e-3, updates=2_500),
    "textcnn": dict(RECIPE, updates=1_400),
    "bilstm": dict(RECIPE, learning_rate=2e-3, batch_size=32, updates=1_600),
}


def fit(name: str, corpus: Corpus, seed: int = 0, **options) -> TextClassifier:
    """A trained classifier in eval mode, from the cache where it has been trained before.

    ``name`` is ``"fasttext"``, ``"textcnn"`` or ``"bilstm"``. ``options`` change the recipe (``start="random"``,
    ``updates``, ``learning_rate``, ...) or the architecture (``readout="last"``, ``filters``, ``hidden``, ...).
    The cross-entropy on the training split is minimised with Adam, an epoch at a time, until ``updates`` are made;
    after each epoch the loss on the development split is computed, and the weights with the lowest are kept; more
    than ``patience`` epochs without a lower one end the training. The test split is never looked at. An interrupted
    training goes on after the last finished epoch and ends with the same weights.

    ``"minilm"`` is a transformer of which the last blocks are trained (:func:`lib.finetuning.fit`).

    Raises ``ValueError`` for an unknown name or option, or a number that is too small.
    Taught in: *Data and classifiers*.
    """
    if name == "minilm":
        return finetuning.fit(corpus, seed, **options)
    recipe, seed = _recipe(name, options), whole_number(seed, "seed")
    key = checkpoints.key_of(name, corpus, seed, recipe)
    if (found := checkpoints.load(key, name, corpus)) is not None:
        return found
    # Numbers below 1e-38 cost an LSTM on long documents most of its training time; they are rounded to zero.
    torch.set_flush_denormal(True)
    try:
        with torch.random.fork_rng(devices=[]):
            classifier = _train(name, corpus, seed, recipe, key)
    finally:
        torch.set_flush_denormal(False)
    classifier.key = key
    checkpoints.save(key, classifier, recipe)
    return classifier


def key_of(name: str, corpus: Corpus, seed: int = 0, **options) -> str:
    """The name under which :func:`fit` keeps a classifier. Raises ``ValueError`` for an unknown name or option."""
    if name == "minilm":
        return finetuning.key_of(corpus, seed, **options)
    return checkpoints.key_of(name, corpus, seed, _recipe(name, options))


def accuracy(classifier: TextClassifier, split: Split) -> float:
    """Share of the documents of a split that get their gold class, in [0, 1]."""
    return evaluate(classifier, classifier.encode(split.texts, split.labels))[1]


@torch.no_grad()
def evaluate(classifier: TextClassifier, batch: Batch) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy of a classifier on labelled documents."""
    loss = correct = 0.0
    for rows in progress(torch.argsort(batch.lengths).split(128), "evaluating"):
        part = batch.take(rows)
        logits = classifier(part)
        loss += F.cross_entropy(logits, part.labels, reduction="sum").item()
        correct += (logits.argmax(dim=1) == part.labels).sum().item()
    return loss / len(batch), correct / len(batch)


def _recipe(name: str, options: dict) -> dict:
    """The default recipe of a classifier with the caller's changes, every name checked."""
    if name not in CLASSIFIERS:
        raise ValueError(f"Unknown classifier {name!r}: choose one of {', '.join([*CLASSIFIERS, 'minilm'])}.")
    recipe = {**RECIPES[name], **CLASSIFIERS[name].architecture()}
    unknown = sorted(set(options) - set(recipe))
    if unknown:
        raise ValueError(f"Unknown option {', '.join(unknown)} for {name}: choose among {', '.join(sorted(recipe))}.")
    recipe.update({key: value.item() if hasattr(value, "item") else value for key, value in options.items()})
    for option, least in LEAST.items():
        recipe[option] = whole_number(recipe[option], option, least)
    if recipe["start"] == "glove" and recipe["dimensions"] != 50:
        raise ValueError(f"GloVe vectors have 50 dimensions, not {recipe['dimensions']}: use start='random'.")
    if recipe["start"] not in STARTS:
        raise ValueError(f"Unknown start {recipe['start']!r}: choose one of {', '.join(STARTS)}.")
    return recipe


def _untrained(name: str, corpus: Corpus, recipe: dict) -> TextClassifier:
    """A new classifier: vocabulary of the training split, word vectors as the recipe says, the rest random."""
    vocabulary = build_vocabulary(corpus.train.texts, recipe["max_vocabulary"])
    kind = CLASSIFIERS[name]
    options = {option: recipe[option] for option in kind.architecture()}
    classifier = kind(vocabulary, corpus.classes, corpus.max_words, **options)
    with torch.no_grad():
        if recipe["start"] == "glove":
            classifier.embedding.weight.copy_(glove_vectors(vocabulary))
        else:  # the range of Kim (2014)
            classifier.embedding.weight.uniform_(-0.25, 0.25)
        classifier.embedding.weight[PADDING_ID] = 0
    classifier.source = corpus.source
    return classifier


def _train(name: str, corpus: Corpus, seed: int, recipe: dict, key: str) -> TextClassifier:
    started = time.perf_counter()
    torch.manual_seed(seed)
    classifier = _untrained(name, corpus, recipe)
    train = classifier.encode(corpus.train.texts, corpus.train.labels)
    dev = classifier.encode(corpus.dev.texts, corpus.dev.labels)
    optimiser = torch.optim.Adam(classifier.parameters(), lr=recipe["learning_rate"], fused=True)
    state = checkpoints.resume(key, classifier, optimiser)
    while state["updates"] < recipe["updates"] and state["worse"] <= recipe["patience"]:
        # Everything random in an epoch follows from (seed, epoch), so a resumed training repeats it exactly.
        torch.manual_seed(1_000_003 * (seed + 1) + state["epoch"])
        label = f"{corpus.title}, {classifier.label}, epoch {state['epoch'] + 1}"
        state["updates"] += _one_epoch(classifier, train, optimiser, recipe, label)
        loss, dev_accuracy = evaluate(classifier.eval(), dev)
        state["epoch"] += 1
        state["worse"] += 1
        if loss < state["loss"]:
            weights = {key: value.clone() for key, value in classifier.state_dict().items()}
            state.update(loss=loss, accuracy=dev_accuracy, worse=0, best_epoch=state["epoch"], weights=weights)
        checkpoints.pause(key, classifier, optimiser, state)
    if not state["weights"]:
        raise ValueError(f"Training {name} on {corpus.name} gave no finite loss on the development split: "
                         "lower learning_rate.")
    classifier.load_state_dict(state["weights"])
    classifier.report = {"dev_accuracy": state["accuracy"], "dev_loss": state["loss"], "epochs": state["best_epoch"],
                         "seconds": round(time.perf_counter() - started, 1), "seed": seed, "trained_on": len(train)}
    return classifier.requires_grad_(False).eval()


def _one_epoch(classifier: TextClassifier, train: Batch, optimiser, recipe: dict, label: str) -> int:
    """Show the classifier every training document once; the number of updates it took."""
    classifier.train()
    batches = list(_shuffled(train.lengths, recipe["batch_size"]))
    for rows in progress(batches, label):
        part = _forget_words(train.take(rows), recipe["word_dropout"])
        optimiser.zero_grad()
        F.cross_entropy(classifier(part), part.labels).backward()
        optimiser.step()
    return len(batches)


def _forget_words(batch: Batch, share: float) -> Batch:
    """Replace a random share of the words by the unknown word, so that its vector is learned too."""
    forgotten = (torch.rand(batch.ids.shape, device=batch.ids.device) < share) & batch.mask
    return replace(batch, ids=batch.ids.masked_fill(forgotten, UNKNOWN_ID))


def _shuffled(lengths: Tensor, batch_size: int) -> Iterator[Tensor]:
    """Random batches of documents of similar length: little padding, little wasted work."""
    pools = torch.randperm(len(lengths), device=lengths.device).split(20 * batch_size)
    batches = [rows for pool in pools for rows in pool[torch.argsort(lengths[pool], stable=True)].split(batch_size)]
    for index in torch.randperm(len(batches), device=lengths.device).tolist():
        yield batches[index]
