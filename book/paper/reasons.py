"""The paper's reasons, measured: what a gradient is spread over, a deletion that looks again, and what length changes.

Each function yields a number's name and its values, one a document, [n]: the reference averages them over many
documents, the report over those of its build.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

import torch
from torch import Tensor

import lib
from lib.agreement import pearson, same_sign
from lib.attribution import explain_all, input_gradient
from lib.diagnostics import greedy, largest_share, norms_by_distance, norms_by_position
from lib.experiments import Experiment, documents, run
from lib.faithfulness import aopc
from lib.passes import passes
from lib.results import Number, Panel
from lib.text import Batch

NORMS = (("sa_l1", "sa_l2"), ("sa_l2", "sa_linf"), ("sa_l1", "sa_linf"))
TENTHS = 10
PART = 25  # documents whose gradients are held at once
QUARTERS = 4

Measured = Iterator[tuple[Number, Tensor]]


def of_gradients(classifier, batch: Batch) -> Measured:
    """The share of the largest dimension, the norm by tenths of a document, and how the norms agree with each other."""
    shares, tenths, inside, between = [], [], [], {pair: [] for pair in NORMS}
    for rows in torch.arange(len(batch)).split(PART):
        part = batch.take(rows)
        gradient = input_gradient(classifier, part).values
        shares.append(largest_share(gradient, part.mask))
        tenths.append(norms_by_position(gradient, part.mask))
        inside.append(norms_by_distance(gradient, part.mask))
        scores = explain_all(classifier, part, ["sa_l1", "sa_l2", "sa_linf"])
        for (first, second), found in between.items():
            found.append(pearson(scores[first], scores[second], part.mask)[0])
    yield Number("largest share", "gradient", None, "reasons"), torch.cat(shares)
    for tenth, values in enumerate(torch.cat(tenths).T):
        yield Number("relative norm", "gradient", tenth, "reasons"), values
    for far, values in enumerate(torch.cat(inside).T):
        yield Number("relative norm by distance", "gradient", far, "reasons"), values
    for pair, found in between.items():
        yield Number("rho between", ", ".join(pair), None, "reasons"), torch.cat(found)


def of_greedy(classifier, batch: Batch, steps: int = 10, again: Sequence[str] = ("loo",)) -> Measured:
    """AOPC at the number of steps: of LOO, SignedGI, and of methods that are asked ``again`` after each masked word."""
    scores = explain_all(classifier, batch, ["loo", "signed_gi"])
    scores |= {f"greedy {key}": greedy(classifier, batch, steps, key) for key in again}
    found = {key: aopc(classifier, batch, values, K=steps)[:, steps] for key, values in scores.items()}
    pairs = [(f"greedy {key}", key) for key in again] + [("greedy loo", "signed_gi"), ("signed_gi", "loo")]
    for key, values in found.items():
        yield Number("aopc greedy", key, steps, "reasons"), values
    for first, second in pairs:
        if first in found:
            yield Number("aopc greedy", f"{first} - {second}", steps, "reasons"), found[first] - found[second]


def of_lengths(rho: Tensor, p: Tensor, lengths: Tensor) -> Measured:
    """Agreement of SignedGI with LOO in quarters of the documents, the shortest first."""
    for quarter, rows in enumerate(lengths.argsort(stable=True).tensor_split(QUARTERS)):
        yield Number("rho by length", "signed_gi", quarter, "reasons"), rho[rows]
        significant = (p[rows] <= 0.05).double().masked_fill(rho[rows].isnan(), torch.nan)
        yield Number("p <= 0.05 by length", "signed_gi", quarter, "reasons"), significant


def of_signs(signed_gi: Tensor, loo: Tensor, mask: Tensor) -> Measured:
    """Does SignedGI give a word LOO's sign? Over all words, by tenths of the size of LOO, and among LOO's ten highest.

    ``k`` is the tenth, 0 of the smallest. A word to which one of the two gives 0 is not counted.
    Taught in: *When does SignedGI get the sign wrong?*
    """
    yield Number("same sign", "signed_gi", None, "reasons"), same_sign(signed_gi, loo, mask)
    counted = mask & (loo != 0) & (signed_gi != 0)
    rank = loo.abs().masked_fill(~counted, -1).argsort(dim=1, descending=True).argsort(dim=1)
    tenth = TENTHS - 1 - rank * TENTHS // counted.sum(dim=1, keepdim=True).clamp(min=1)
    for size in range(TENTHS):
        yield (Number("same sign by size", "signed_gi", size, "reasons"),
               same_sign(signed_gi, loo, counted & (tenth == size)))
    place = loo.masked_fill(~mask, -torch.inf).argsort(dim=1, descending=True).argsort(dim=1)
    highest = mask & (loo > 0) & (place < 10)
    against = (highest & (signed_gi < 0)).sum(dim=1) / highest.sum(dim=1)
    yield Number("negative among LOO's ten highest", "signed_gi", None, "reasons"), against


@torch.no_grad()
def hits(classifier, batch: Batch) -> Tensor:
    """Whether each document gets its gold class, [B]."""
    found = torch.zeros(len(batch), dtype=torch.bool)
    for rows, part in passes(classifier, batch, "classifying"):
        found[rows] = classifier(part).argmax(dim=1) == part.labels
    return found


def accuracy(classifier, batch: Batch) -> Measured:
    """Whether each document gets its gold class."""
    yield Number("accuracy", ""), hits(classifier, batch).double()


def of_experiment(experiment: Experiment, few: int = 50) -> Iterator[tuple[tuple[Panel, Number], Tensor]]:
    """All of the above for an experiment of this build, by panel and number: what ``Results(measured=...)`` takes.

    The deletion that looks again costs the most: it is asked of the TextCNN, which the paper speaks of, and of a
    ``few`` documents.
    """
    corpus = lib.data.load(experiment.corpus)
    classifier = lib.training.fit(experiment.classifier, corpus, experiment.seed, **experiment.recipe)
    classifier.to(getattr(torch, experiment.precision))
    batch, found = classifier.encode(*documents(experiment, corpus)), run(experiment)["signed_gi"]
    several = [accuracy(classifier, batch), of_gradients(classifier, batch),
               of_lengths(found["rho"], found["p"], batch.lengths)]
    if experiment.classifier == "textcnn":
        several.append(of_greedy(classifier, batch.take(range(min(few, len(batch))))))
    for number, values in chain.from_iterable(several):
        yield (Panel.of(experiment), number), values
