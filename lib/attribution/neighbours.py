"""LAFA: a document's scores, helped by those of the documents that the classifier holds for near."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import whole_number
from ..passes import passes
from ..targets import target_classes
from ..text import Batch
from .gradients import gradient_at
from .registry import method
from .smoothing import noisy_copies

GAMMA, LENGTH, CLIP = 7.0, 2.0, (0.3, 3.0)  # the authors' constants


@dataclass(frozen=True)
class Pool:
    """Documents among which neighbours are searched: a ``batch`` with labels, and where each lies, ``places`` [N, H].

    :func:`pool_of` makes it for one classifier and one of its hidden layers. Taught in: *Help from the neighbours*.
    """

    batch: Batch
    places: Tensor
    layer: int | None


@torch.no_grad()
def place_of(classifier, batch: Batch, layer: int | None = None) -> Tensor:
    """Where documents lie in a hidden layer: the mean over the tokens that are read, [B, H].

    Layer 0 are the embeddings; the others are those of ``classifier.hidden``, if it has it. By default the first one
    above the embeddings, or these where there is none. Raises ``ValueError`` for a layer that the classifier lacks.
    Source: :cite:t:`zhang2022`. Taught in: *Help from the neighbours*.
    """
    embeddings = classifier.embed(batch)
    layers = classifier.hidden(embeddings, batch.mask) if hasattr(classifier, "hidden") else [embeddings]
    number = min(1, len(layers) - 1) if layer is None else whole_number(layer, "layer")
    if number >= len(layers):
        raise ValueError(f"There is no hidden layer {number}: this classifier has 0 to {len(layers) - 1}.")
    read = batch.mask[..., None]
    return (layers[number] * read).sum(dim=1) / read.sum(dim=1).clamp(min=1)


def pool_of(classifier, batch: Batch, layer: int | None = None, words_per_pass: int | None = None) -> Pool:
    """The pool of some labelled documents. Raises ``ValueError`` if they have no labels.

    Taught in: *Help from the neighbours*.
    """
    if batch.labels is None:
        raise ValueError("The documents of a pool need labels: pass them to encode.")
    found, order = [], []
    for rows, part in passes(classifier, batch, "looking for neighbours", words_per_pass):
        found.append(place_of(classifier, part, layer))
        order.append(rows)
    return Pool(batch, torch.cat(found)[torch.cat(order).argsort()], layer)


def nearest_documents(place: Tensor, document: Batch, pool: Pool, neighbours: int, cutoff: float | None = None,
                      allowed: Tensor | None = None) -> Tensor:
    """Numbers of the pool's documents nearest to one ``document`` at ``place`` [H], nearest first; at most so many.

    The document itself is left out, and so are those at a distance of ``cutoff`` or more, and those that are not
    ``allowed`` [N]. Of equally near ones the lower number comes first.
    Source: :cite:t:`zhang2022`. Taught in: *Help from the neighbours*.
    """
    distances = (pool.places - place).norm(dim=1)
    open_to = torch.ones_like(distances, dtype=torch.bool) if allowed is None else allowed.clone()
    if cutoff is not None:
        open_to &= distances < cutoff
    order = distances.masked_fill(~open_to, torch.inf).argsort(stable=True)[:neighbours + 1]
    ids = document.ids[0, document.mask[0]]
    return order[[bool(open_to[row]) and not _is(pool.batch, int(row), ids) for row in order]][:neighbours]


def _is(batch: Batch, row: int, ids: Tensor) -> bool:
    theirs = batch.ids[row, batch.mask[row]]
    return theirs.shape == ids.shape and bool((theirs == ids).all())


def _cosine(a: Tensor, b: Tensor, same: Tensor) -> Tensor:
    return F.normalize(a, dim=1) @ F.normalize(b, dim=1).T  # 0 where a vector is zero


def _distance_kernel(function: Callable, p: int) -> Callable:
    return lambda a, b, same: function(torch.cdist(a, b, p=p))


KERNELS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "indicator": lambda a, b, same: same.to(a.dtype),
    "cosine": _cosine,
    "cubic": lambda a, b, same: (GAMMA * a @ b.T) ** 3,
    "rbf": _distance_kernel(lambda d: torch.exp(-d / LENGTH**2), 2),
    "laplacian": _distance_kernel(lambda d: torch.exp(-d / LENGTH**2), 1),
    "l2": _distance_kernel(lambda d: 1 / d.clamp(*CLIP), 2),
}


def lafa(signed: bool, classifier, batch: Batch, pool: Pool | None = None, target: str | int | Tensor = "gold",
         kernel: str = "indicator", strength: float = 0.44, neighbours: int = 10, cutoff: float | None = None,
         same_class: bool = True, pool_target: str = "gold", samples: int = 0, noise: float = 0.1, seed: int = 0,
         words_per_pass: int | None = None) -> Tensor:
    r"""Locally Aggregated Feature Attribution, [B, W]: own scores, and what alike words have in nearby documents.

    :math:`s_t = M(x)_t + \lambda\, \frac 1 N \sum_{n=1}^{N} \frac{1}{T_n} \sum_k M(x_n)_k\, \kappa(e_t, e_{n,k})`, with
    the base :math:`M(x)_t = \lVert \nabla_t z_y(x) \rVert_2^2` of the logit of each document's own class (of the
    pool's documents the gold one, or with ``pool_target`` the ``"predicted"`` one), the ``strength`` :math:`\lambda`,
    and N ``neighbours`` of the ``pool`` nearest in its hidden layer, nearer than ``cutoff``, of the ``same_class``.
    Without a neighbour the second term is 0. ``pool`` is what :func:`pool_of` makes, of a training split say.

    The ``kernel`` is ``"indicator"`` (1 for the same word), ``"cosine"``, ``"cubic"`` (7 a.b cubed), ``"rbf"`` and
    ``"laplacian"`` (:math:`e^{-d/4}` of the L2 and the L1 distance) or ``"l2"`` (1 / d, d cut to .3 to 3). With
    ``samples`` the base is the gradient averaged over noisy copies
    (:func:`lib.attribution.smoothing.smoothgrad`). Unsigned, and with ``"cosine"`` and ``"cubic"`` possibly negative
    all the same; ``lafa_signed`` takes :math:`\nabla_t z_y \cdot e_t` as base, positive where it supports the class.

    Raises ``ValueError`` without a pool, and for options that cannot be meant.
    Source: :cite:t:`zhang2022`. Taught in: *Help from the neighbours*.
    """
    if kernel not in KERNELS:
        raise ValueError(f"Unknown kernel {kernel!r}: choose one of {', '.join(KERNELS)}.")
    if pool is None:
        raise ValueError("LAFA needs documents to look for neighbours: pass pool=, what "
                         "lib.attribution.neighbours.pool_of makes of labelled documents.")
    most = whole_number(neighbours, "neighbours", least=1)
    classes = target_classes(classifier, batch, target)
    of_pool = _predicted(classifier, pool.batch) if pool_target == "predicted" else target_classes(
        classifier, pool.batch, pool_target)
    own = partial(_base, classifier, signed=signed, samples=samples, noise=noise, seed=seed,
                  words_per_pass=words_per_pass)
    places = place_of(classifier, batch, pool.layer)
    near = [nearest_documents(places[row], batch.take([row]), pool, most, cutoff,
                              of_pool == classes[row] if same_class else None) for row in range(len(batch))]
    used = torch.cat(near).unique()
    bases = {}
    if len(used):
        for rows, part in passes(classifier, pool.batch.take(used), "explaining neighbours", words_per_pass):
            found = own(part, of_pool[used[rows]])
            vectors, known = classifier.embed(part).detach(), _known(part)
            bases |= {int(used[row]): (part.ids[n], known[n], vectors[n], found[n])
                      for n, row in enumerate(rows.tolist())}
    scores, vectors, known = own(batch, classes), classifier.embed(batch).detach(), _known(batch)
    helped = scores.clone()
    for row, rows in enumerate(near):
        inside = batch.word_of[row] >= 0
        for number in rows.tolist():
            ids, is_known, others, found = bases[number]
            real = (pool.batch.word_of[number] >= 0)[:len(ids)]
            alike = (batch.ids[row, inside][:, None] == ids[real]) & known[row, inside][:, None] & is_known[real]
            weights = KERNELS[kernel](vectors[row, inside], others[real], alike)
            helped[row, inside] += strength / len(rows) * (weights @ found[real]) / max(1, int(real.sum()))
    return batch.by_word(helped)


def _base(classifier, batch: Batch, classes: Tensor, signed: bool, samples: int, noise: float, seed: int,
          words_per_pass: int | None) -> Tensor:
    """The base score of each token, [B, T]: the squared length of the gradient of the logit, or its product."""
    embeddings = classifier.embed(batch).detach()
    copies = noisy_copies(batch, embeddings, samples, noise, seed) if samples else [embeddings]
    mean = sum(gradient_at(classifier, copy, batch.mask, classes, "logit", words_per_pass)[1] for copy in copies)
    mean = mean / max(1, samples)
    values = (mean * embeddings if signed else mean.square()).sum(dim=2)
    return values.masked_fill(batch.word_of < 0, 0)


def _known(batch: Batch) -> Tensor:
    """Which tokens belong to words that the classifier knows, [B, T]."""
    return batch.by_token(batch.word_mask if batch.unknown is None else batch.word_mask & ~batch.unknown)


@torch.no_grad()
def _predicted(classifier, batch: Batch) -> Tensor:
    found = torch.zeros(len(batch), dtype=torch.long, device=batch.ids.device)
    for rows, part in passes(classifier, batch, "classifying"):
        found[rows] = target_classes(classifier, part, "predicted")
    return found


for _key, _label, _signed in (("lafa", "LAFA", False), ("lafa_signed", "Signed LAFA", True)):
    method(_key, _label, sign="support" if _signed else "none", citation="zhang2022", needs="documents",
           cost="1 forward, 1 backward; the same for each neighbour")(partial(lafa, _signed))
