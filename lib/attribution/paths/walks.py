"""Anchors: the words through which DIG and UDIG walk from a word to its baseline, and the path that they give.

A path must be *monotone*: in no dimension may it turn back on its way. A word between rarely lies so, and is moved
(:func:`monotone`). Both methods look for words that need to be moved little; they differ in where they look.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...checks import whole_number
from ...classifiers.base import label_of
from ...text import Batch
from .nearest import Nearest, as_array, nearest

BASELINE = -1  # in the place of a row number: the baseline
CANDIDATES = ("words", "all")
STRATEGIES = ("greedy", "maxcount")
NEIGHBOURS = {"dig": 500, "udig": 50}  # as in the authors' experiments


@dataclass(frozen=True)
class Walk:
    """How a word walks to its baseline: through which table, in how many steps, among which candidates.

    ``vectors`` [V, D], ``names`` of the rows, ``baseline`` [D] with its row ``own`` (-2 where it has none that may be
    found), ``search`` over the candidates, and the options of the method.
    """

    vectors: Tensor
    names: list[str]
    baseline: Tensor
    own: int
    search: Nearest
    strategy: str
    steps: int
    neighbours: int

    def at(self, rows: Tensor) -> Tensor:
        """The vectors [N, D] of rows [N]; that of the baseline where it stands for a row."""
        return torch.where((rows == BASELINE)[:, None], self.baseline, self.vectors[rows.clamp(min=0)])

    def anchors(self, rows: np.ndarray, near: Callable[[np.ndarray, int], np.ndarray]) -> np.ndarray:
        """Rows [U, steps + 1] of each word of rows [U] and its anchors, one after the other.

        ``near`` gives the candidates [N, K] of paths [N, step + 1], nearest first. At the baseline a path ends.
        """
        table, baseline = as_array(self.vectors), as_array(self.baseline)
        path = np.full((len(rows), self.steps + 1), BASELINE)
        path[:, 0] = np.where((table[rows] == baseline).all(axis=1), BASELINE, rows)
        going = np.flatnonzero((path[:, 0] != BASELINE) & np.isfinite(table[rows]).all(axis=1))
        room = np.empty((self.neighbours, len(baseline)), table.dtype)
        for step in range(self.steps):
            if not len(going):
                break
            before = path[going, :step + 1]
            for row, behind, found in zip(going, before, near(before, step), strict=True):
                path[row, step + 1] = self._next(table, baseline, behind, found, room)
            going = going[path[going, step + 1] != BASELINE]
        return path

    def _next(self, table: np.ndarray, baseline: np.ndarray, path: np.ndarray, near: np.ndarray,
              room: np.ndarray) -> int:
        """The best of the candidates ``near`` [K] that are not on a ``path`` yet; the nearest, the first, of equals.

        A candidate has to be moved in the dimensions that do not lie between anchor and baseline: greedy counts how
        far, max-count in how many. ``room`` [K, D] is written over: to ask for new memory would take longer.
        """
        near = near[(near[:, None] != path).all(axis=1) & (near != self.own)]
        if not len(near):
            return BASELINE
        anchor = table[path[-1]]
        candidates = np.take(table, near, axis=0, out=room[:len(near)], mode="clip")
        moved = candidates < np.minimum(anchor, baseline)
        moved |= candidates > np.maximum(anchor, baseline)
        if self.strategy == "maxcount":
            return near[np.count_nonzero(moved, axis=1).argmin()]
        candidates -= anchor - (anchor - baseline) / self.steps
        candidates *= moved
        return near[np.einsum("kd,kd->k", candidates, candidates).argmin()]


def walk(classifier, search: str, strategy: str, baseline: str = "zero", steps: int = 30,
         neighbours: int | None = None, candidates: str = "words") -> Walk:
    """How a classifier's words walk to a ``baseline``; the options are those of
    :func:`lib.attribution.paths.discretized.discretized`.

    Raises ``ValueError`` for options that cannot be meant, and for a classifier without a table of words.
    """
    if candidates not in CANDIDATES:
        raise ValueError(f"Unknown candidates {candidates!r}: choose one of {', '.join(CANDIDATES)}.")
    if not hasattr(classifier, "word_table"):
        raise ValueError(f"{label_of(classifier)} has no method word_table(), so there are no words to walk through: "
                         "use ig or sig, which need none.")
    steps = whole_number(steps, "steps", least=1)
    neighbours = whole_number(NEIGHBOURS[search] if neighbours is None else neighbours, "neighbours", least=1)
    table = classifier.word_table()
    vector = classifier.substitute(baseline).to(table.vectors)
    equal = (table.vectors == vector).all(dim=1)
    allowed, own = table.is_word & ~equal, -2
    if candidates == "all":  # as published: every row may be found, only that of the baseline may not be chosen
        allowed, own = torch.ones_like(equal), int(equal.nonzero()[0]) if equal.any() else -2
    search = nearest(table.vectors, allowed & table.vectors.isfinite().all(dim=1))
    return Walk(table.vectors, table.names, vector, own, search, strategy, steps, neighbours)


def dig_anchors(walk: Walk, rows: np.ndarray) -> np.ndarray:
    """Rows [U, steps + 1] of each word of rows [U] and its anchors: each among the neighbours of the one before.

    Source: :cite:t:`sanyal2021`. Taught in: *Walking through words*.
    """
    table = as_array(walk.vectors)
    return walk.anchors(rows, lambda path, step: walk.search.to_rows(path[:, -1], table[path[:, -1]], walk.neighbours))


def udig_anchors(walk: Walk, rows: np.ndarray) -> np.ndarray:
    """Rows [U, steps + 1] of each word of rows [U] and its anchors: each near a point of the straight line.

    Source: :cite:t:`roy2024`. Taught in: *Walking through words*.
    """
    table, baseline = as_array(walk.vectors), as_array(walk.baseline)

    def near(path: np.ndarray, step: int) -> np.ndarray:
        share = (walk.steps - step) / (walk.steps + 1)
        return walk.search.to_points(baseline + share * (table[path[:, 0]] - baseline), walk.neighbours)
    return walk.anchors(rows, near)


SEARCHES: dict[str, Callable[[Walk, np.ndarray], np.ndarray]] = {"dig": dig_anchors, "udig": udig_anchors}


def find_anchors(walk: Walk, search: str, rows: np.ndarray) -> np.ndarray:
    """Rows [U, steps + 1] of each word of rows [U] and its anchors; those of a word are searched once.

    Taught in: *Walking through words*.
    """
    asked = (search, walk.strategy, walk.steps, walk.neighbours, walk.own, as_array(walk.baseline).tobytes())
    kept = walk.search.paths.setdefault(asked, {})
    if missing := [row for row in rows.tolist() if row not in kept]:
        kept.update(zip(missing, SEARCHES[search](walk, np.array(missing)), strict=True))
    return np.array([kept[row] for row in rows.tolist()], dtype=int).reshape(len(rows), walk.steps + 1)


def monotone(before: Tensor, baseline: Tensor, candidates: Tensor, steps: int) -> Tensor:
    """Candidates [..., D], moved so that the way from ``before`` over them to the ``baseline`` never turns back.

    A dimension that lies between those of ``before`` and of the baseline, ends included, stays. Another one becomes
    that of ``before`` and one of ``steps`` parts of the way to the baseline. Taught in: *Walking through words*.
    """
    low, high = torch.minimum(before, baseline), torch.maximum(before, baseline)
    between = (low <= candidates) & (candidates <= high)
    return torch.where(between, candidates, before - (before - baseline) / steps)


def points(walk: Walk, path: np.ndarray, midpoints: int = 0) -> Iterator[Tensor]:
    """The points [U, D] of paths [U, steps + 1] (rows), from the words to the baseline, one after the other.

    Each anchor is made monotone from the point before. ``midpoints`` times, a point is put into the middle of each
    piece: (steps + 1) 2^midpoints + 1 points. Taught in: *Walking through words*.
    """
    pieces = 2 ** whole_number(midpoints, "midpoints", least=0)
    rows = torch.from_numpy(path).to(walk.vectors.device)
    before = walk.at(rows[:, 0])
    yield before
    for step in range(1, walk.steps + 2):
        after = walk.baseline.expand_as(before)
        if step <= walk.steps:
            after = monotone(before, walk.baseline, walk.at(rows[:, step]), walk.steps)
        for piece in range(1, pieces):
            yield before + (after - before) * (piece / pieces)
        yield after
        before = after


def rows_of(walk: Walk, batch: Batch, embeddings: Tensor) -> tuple[np.ndarray, Tensor]:
    """The different rows [U] of the table that a batch's words stand on, and which of them each token has, [B, T].

    Tokens that belong to no word have -1. Raises ``ValueError`` if the embeddings [B, T, D] are not those of the table.
    """
    inside = batch.word_of >= 0
    rows, which = batch.ids[inside].unique(return_inverse=True)
    if not torch.allclose(embeddings[inside], walk.vectors[batch.ids[inside]], rtol=0, atol=0, equal_nan=True):
        raise ValueError("The vectors of embed are not those of word_table() at the ids of the batch: a path through "
                         "words has to start at one.")
    place = torch.full_like(batch.ids, -1)
    place[inside] = which
    return rows.cpu().numpy(), place


def split(method: str) -> tuple[str, str]:
    """Search and strategy of a method: "dig_greedy" is "dig" and "greedy". Raises ``ValueError`` for another one."""
    search, _, strategy = method.partition("_")
    if search not in SEARCHES or strategy not in STRATEGIES:
        raise ValueError(f"{method!r} does not walk through words: choose one of "
                         f"{', '.join(f'{one}_{two}' for one in SEARCHES for two in STRATEGIES)}.")
    return search, strategy


def anchors(classifier, batch: Batch, method: str = "dig_greedy", **options) -> list[list[list[str]]]:
    """The words on the path of each token of a document's words: itself first, then its anchors.

    ``method`` is one of ``dig_greedy``, ``dig_maxcount``, ``udig_greedy`` and ``udig_maxcount``; ``options`` are
    ``baseline``, ``steps``, ``neighbours`` and ``candidates``, as there. Where no candidate is left, and for a word
    that is its own baseline, the baseline is named, in angle brackets. Raises ``ValueError`` for another method.

    Taught in: *Walking through words*.
    """
    search, strategy = split(method)
    chosen = walk(classifier, search, strategy, **options)
    rows, place = rows_of(chosen, batch, classifier.embed(batch).detach())
    own = [f"<{options.get('baseline', 'zero')}>", *chosen.names]  # the baseline's is row -1
    paths = [[chosen.names[row], *(own[anchor + 1] for anchor in path[1:])]
             for row, path in zip(rows.tolist(), find_anchors(chosen, search, rows).tolist(), strict=True)]
    return [[paths[number] for number in document if number >= 0] for document in place.tolist()]
