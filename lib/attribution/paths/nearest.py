"""The words nearest to a point: searched for the rows that are needed, and kept."""

import hashlib

import numpy as np
from torch import Tensor

from ...targets import HALF

KEPT = 4  # tables whose neighbours are kept


def as_array(values: Tensor) -> np.ndarray:
    """The same numbers in numpy, which knows no bfloat16."""
    values = values.detach().cpu()
    return (values.float() if values.dtype in HALF else values).numpy()


class Nearest:
    """The nearest of some rows of a table of vectors; the neighbours of a row are searched once.

    ``vectors`` [V, D], ``allowed`` [V] True at rows that may be found. Of rows at the same distance the one with the
    lower number is nearer. Distances are Euclidean. Taught in: *Walking through words*.
    """

    def __init__(self, vectors: Tensor, allowed: Tensor):
        from sklearn.neighbors import NearestNeighbors  # here, because to import it takes longer than to explain a text

        self.numbers = allowed.nonzero().flatten().cpu().numpy()
        self.vectors = as_array(vectors)[self.numbers]
        self.search = NearestNeighbors(algorithm="brute").fit(self.vectors) if len(self.numbers) else None
        self.of_row: dict[tuple[int, int], np.ndarray] = {}
        self.paths: dict[tuple, dict[int, np.ndarray]] = {}  # kept here by those who search for paths

    def distances(self, points: np.ndarray) -> np.ndarray:
        """The distance [N] of each point [N, D] to the row nearest to it."""
        found = self.search.kneighbors(points, 1, return_distance=False)
        return self._distances(points, found)[:, 0]

    def to_points(self, points: np.ndarray, k: int) -> np.ndarray:
        """Numbers [N, k] of the rows nearest to points [N, D], nearest first.

        No more than there are: k is at most the number of rows that may be found.
        """
        k = min(k, len(self.numbers))
        if not k or not len(points):
            return np.zeros((len(points), k), dtype=int)
        asked = min(k + 1, len(self.numbers))
        found = self.search.kneighbors(points, asked, return_distance=False)
        distances = self._distances(points, found)
        order = np.lexsort((found, distances), axis=1)
        found, distances = (np.take_along_axis(each, order, axis=1) for each in (found, distances))
        tied = (distances[:, k - 1] == distances[:, -1]) & (asked > k) & (asked < len(self.numbers))
        found = found[:, :k]
        if tied.any():  # some of these equals may be left out of what was asked for: ask for all of them
            found[tied] = self._among_all(points[tied], k)
        return self.numbers[found]

    def to_rows(self, rows: np.ndarray, vectors: np.ndarray, k: int) -> np.ndarray:
        """Numbers [N, k] of the rows nearest to the rows of numbers [N] with vectors [N, D], themselves left out.

        Where one is missing, because a row is left out and there are no more than k, the row itself stands at the end.
        """
        width = min(k, len(self.numbers))
        missing = [place for place, row in enumerate(rows) if (int(row), k) not in self.of_row]
        if missing:
            found = self.to_points(vectors[missing], k + 1)
            for place, near in zip(missing, found, strict=True):
                others = near[near != rows[place]][:width]
                self.of_row[int(rows[place]), k] = np.append(others, np.full(width - len(others), rows[place]))
        return np.stack([self.of_row[int(row), k] for row in rows])

    def _distances(self, points: np.ndarray, found: np.ndarray) -> np.ndarray:
        """Computed from the differences, so that equal rows are at equal distances; a few points at a time."""
        some = max(1, 2**20 // max(1, found.shape[1] * points.shape[1]))
        parts = [np.sqrt(np.square(self.vectors[found[start:start + some]] - points[start:start + some, None]).sum(-1))
                 for start in range(0, len(points), some)]
        return np.concatenate(parts)

    def _among_all(self, points: np.ndarray, k: int) -> np.ndarray:
        everything = np.arange(len(self.numbers))[None]
        distances = np.concatenate([self._distances(point[None], everything) for point in points])
        return np.argsort(distances, axis=1, kind="stable")[:, :k]


_KEPT: dict[bytes, Nearest] = {}


def nearest(vectors: Tensor, allowed: Tensor) -> Nearest:
    """The search in a table, kept by the table's contents: another classifier with the same vectors shares it.

    Taught in: *Walking through words*.
    """
    digest = hashlib.sha256(str((vectors.shape, vectors.dtype)).encode())
    for part in (vectors, allowed):
        digest.update(np.ascontiguousarray(as_array(part)))
    key = digest.digest()
    _KEPT[key] = _KEPT.pop(key) if key in _KEPT else Nearest(vectors, allowed)  # the one used last stands last
    while len(_KEPT) > KEPT:
        _KEPT.pop(next(iter(_KEPT)))
    return _KEPT[key]
