"""Tiny classifiers whose explanations are known, and the documents to try them on.

The first three have scores that can be worked out with a pencil; the networks are the library's own classifiers with
random weights, seeded and a little enlarged, so that their gradients are far above rounding.
"""

import functools
import math

import torch
from hypothesis import settings
from hypothesis import strategies as st

from lib.attribution import METHODS
from lib.classifiers import BiLSTM, FastText, TextClassifier, TextCNN
from lib.text import PADDING_ID, UNKNOWN_ID, Batch, vocabulary_from_words

WORDS = ["good", "fine", "bad", "dull", "film", "plot", "not"]
TEXTS = ["good fine film plot not dull", "bad", "", "zzz qqq zzz", "film not good bad plot dull fine good good",
         "dull film"]
LABELS = [1, 0, 1, 0, 1, 0]
ALONE = [key for key, method in METHODS.items() if not method.needs]  # a classifier and a batch are enough
NETWORKS = ["fasttext", "textcnn", "bilstm", "bilstm_last"]

# Property-based tests try the same examples every time: a red build stays red.
properties = settings(max_examples=15, deadline=None, derandomize=True, database=None)
documents = st.lists(st.sampled_from([*WORDS, "zzz"]), max_size=9).map(" ".join)
batches = st.lists(documents, min_size=1, max_size=4)


def vocabulary():
    return vocabulary_from_words(["<unk>", "<pad>", *WORDS])


class Oracle(TextClassifier):
    """A classifier with given word vectors and nothing to train."""

    name = label = "oracle"

    def __init__(self, vectors: dict[str, list[float]], classes: list[str]):
        dimensions = len(next(iter(vectors.values())))
        super().__init__(vocabulary(), classes, 256, dimensions)
        self.double().eval()
        with torch.no_grad():
            self.embedding.weight.zero_()
            for word, vector in vectors.items():
                index = UNKNOWN_ID if word == "<unk>" else self.vocabulary[word]
                self.embedding.weight[index] = torch.tensor(vector, dtype=torch.float64)


class LinearBag(Oracle):
    """A linear bag of words, ``z_c = sum_i u_c . e_i`` (a sum: nothing is divided by the number of words).

    Two classes: u_0 = (0, 0), u_1 = (2, -1). A third: u_2 = (0, 1). The vectors make every exponential of "good film"
    a whole number:

        word   vector          adds to z_0, z_1, z_2
        good   (ln 2, 0)       0, ln 4, 0
        bad    (-ln 2, 0)      0, -ln 4, 0
        film   (ln 3 / 2, ln 3)  0, 0, ln 3
        plot   (1/2, 1)        0, 0, 1

    so "good film" has p = (1, 4) / 5 with two classes and p = (1, 4, 3) / 8 with three.
    """

    U = [[0.0, 0.0], [2.0, -1.0], [0.0, 1.0]]
    VECTORS = {"good": [math.log(2), 0], "bad": [-math.log(2), 0], "film": [math.log(3) / 2, math.log(3)],
               "plot": [0.5, 1]}

    def __init__(self, classes: int = 3):
        super().__init__(self.VECTORS, ["none", "first", "second"][:classes])
        self.register_buffer("u", torch.tensor(self.U[:classes], dtype=torch.float64))

    def logits(self, embeddings, mask):
        return (embeddings * mask[..., None]).sum(dim=1) @ self.u.T


class Product(Oracle):
    """``z = (0, x_1 x_2 ... x_m)``, one number a word: good 2, bad -1, film 3. No word matters without the others."""

    def __init__(self):
        super().__init__({"good": [2.0], "bad": [-1.0], "film": [3.0]}, ["no", "yes"])

    def logits(self, embeddings, mask):
        product = embeddings[..., 0].masked_fill(~mask, 1.0).prod(dim=1)
        return torch.stack([torch.zeros_like(product), product], dim=1)


class Saturating(Oracle):
    """``z = (0, min(1, x_1 + ... + x_m))`` with one number a word: good 0.8, fine 0.6, dull 0.1."""

    def __init__(self):
        super().__init__({"good": [0.8], "fine": [0.6], "dull": [0.1]}, ["no", "yes"])

    def logits(self, embeddings, mask):
        total = (embeddings[..., 0] * mask).sum(dim=1).clamp(max=1.0)
        return torch.stack([torch.zeros_like(total), total], dim=1)


class Averaging(FastText):
    """FastText with two classes, z_0 = 0, z_1 = the mean of one number a word: good ln 16, film 0, unknown ln 4.

    "good film" has margin ln 4 and p_1 = 4/5. Without "film": zeroed (ln 16 + 0)/2 = ln 4, deleted ln 16,
    masked (ln 16 + ln 4)/2 = ln 8; so p_1 = 4/5, 16/17, 8/9. Without "good": 0, 0, (ln 4 + 0)/2 = ln 2; so 1/2, 1/2,
    2/3.
    """

    def __init__(self):
        super().__init__(vocabulary(), ["no", "yes"], 256, dimensions=1)
        self.double().eval()
        with torch.no_grad():
            self.embedding.weight.zero_()
            self.embedding.weight[self.vocabulary["good"]] = math.log(16)
            self.embedding.weight[UNKNOWN_ID] = math.log(4)
            self.output.weight.copy_(torch.tensor([[0.0], [1.0]]))
            self.output.bias.zero_()


@functools.cache
def network(name: str, classes: int = 3, dtype: torch.dtype = torch.float64, seed: int = 0) -> TextClassifier:
    """One of the library's classifiers with random weights. Shared between tests: copy it before changing it."""
    kinds = {"fasttext": (FastText, {}), "textcnn": (TextCNN, {"filters": 7}),
             "bilstm": (BiLSTM, {"hidden": 5}), "bilstm_last": (BiLSTM, {"hidden": 5, "readout": "last"})}
    kind, sizes = kinds[name]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        classifier = kind(vocabulary(), [f"class {c}" for c in range(classes)], 256, dimensions=6, **sizes)
    with torch.no_grad():
        classifier.output.weight *= 4
    return classifier.to(dtype).eval()


def widened(batch: Batch, extra: int) -> Batch:
    """The same documents with more padding."""
    ids = torch.nn.functional.pad(batch.ids, (0, extra), value=PADDING_ID)
    return Batch(ids, torch.nn.functional.pad(batch.mask, (0, extra)), batch.labels, batch.words)


def close(a, b, tolerance: float = 1e-10) -> None:
    a, b = (torch.as_tensor(values, dtype=torch.float64) for values in (a, b))
    torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def differs(a, b, by: float = 1e-3) -> bool:
    return bool((a - b).abs().max() > by)


def is_one_sentence(error: Exception) -> bool:
    text = str(error)
    return "\n" not in text and not text[0].islower() and text.endswith(".") and len(text) < 250
