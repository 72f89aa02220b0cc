"""A made-up corpus and classifiers that train in a blink, shared by the tests of training and of explanations."""

import random

import torch
from hypothesis import settings

from lib import training
from lib.classifiers import CLASSIFIERS
from lib.data import Corpus, Split
from lib.text import vocabulary_from_words

QUICK = settings(max_examples=25, deadline=None, database=None)

WORDS = ["<unk>", "<pad>", *"the a film plot and it was . , ! fine warm clever moving dull cold stupid tired".split()]
GOOD, BAD, NEUTRAL = WORDS[12:16], WORDS[16:20], WORDS[2:12]
CLASSES = ["bad", "good"]
PAPER = ("random", "loo", "signed_gi", "gi", "sa_raw", "sa_l1", "sa_l2", "sa_linf")  # the methods of the paper

RECIPES = {
    "fasttext": dict(start="random", dimensions=6, batch_size=8, updates=10),
    "textcnn": dict(start="random", dimensions=6, batch_size=8, updates=10, filters=4),
    "bilstm": dict(start="random", dimensions=6, batch_size=8, updates=10, hidden=4),
}
# Every classifier, with both read-outs of the BiLSTM: (key, options of its constructor).
KINDS = [("fasttext", {}), ("textcnn", {"filters": 4}), ("bilstm", {"hidden": 3, "readout": "max"}),
         ("bilstm", {"hidden": 3, "readout": "last"})]
KIND_NAMES = ["fasttext", "textcnn", "bilstm-max", "bilstm-last"]


def corpus(seed: int = 0, dev_noise: float = 0.0) -> Corpus:
    """40 training, 16 dev and 16 test documents of two classes; ``dev_noise`` is the share of wrong labels in dev."""
    draw = random.Random(seed)
    train, dev, test = (_split(draw, size) for size in (40, 16, 16))
    wrong = round(dev_noise * len(dev))
    dev = Split(dev.texts, [1 - label for label in dev.labels[:wrong]] + dev.labels[wrong:])
    return Corpus("tiny", train, dev, test, CLASSES, "Made up for a test.", max_words=12)


def _split(draw: random.Random, size: int) -> Split:
    labels = [row % 2 for row in range(size)]
    return Split([_document(draw, label) for label in labels], labels)


def _document(draw: random.Random, label: int) -> str:
    told = draw.choice(GOOD if label else BAD)
    return " ".join([*draw.choices(NEUTRAL, k=draw.randint(1, 6)), told, *draw.choices(NEUTRAL, k=draw.randint(1, 4))])


def fit(name: str = "fasttext", data: Corpus | None = None, seed: int = 0, **options):
    """``lib.training.fit`` with a small recipe."""
    return training.fit(name, corpus() if data is None else data, seed, **{**RECIPES[name], **options})


def untrained(name: str, classes: int = 3, seed: int = 0, **options):
    """A classifier with random weights, in eval mode and float64, so that equal means equal to 1e-10."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        vocabulary = vocabulary_from_words(WORDS)
        classifier = CLASSIFIERS[name](vocabulary, [f"class {c}" for c in range(classes)], 20, dimensions=4, **options)
    return classifier.double().requires_grad_(False).eval()
