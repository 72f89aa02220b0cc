"""Why do explanations differ? Gradients by dimension and position, deletion that looks again, how real a path is."""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor

from .attribution import explain
from .attribution.paths.nearest import as_array, nearest
from .attribution.paths.walks import find_anchors, points, rows_of, split, walk
from .checks import whole_number
from .masking import remove
from .passes import passes
from .targets import target_classes
from .text import Batch


def greedy(classifier, batch: Batch, steps: int, method: str = "loo", target: str | int | Tensor = "gold",
           **options) -> Tensor:
    """Scores [B, W] of a deletion that looks again: zero the word with the highest score, score the rest, and so on.

    The word zeroed first has the score ``steps``, the next one less, words that never are 0; a document with fewer
    words runs out of them. A method that scores words one at a time cannot see what they do together; asked again
    after each word, it can. The class explained is that of the whole document throughout. Costs ``steps`` times the
    method. ``options`` are those of the method.

    Raises ``ValueError`` if ``steps`` is less than 1. Taught in: *What decides the outcome?*
    """
    if whole_number(steps, "steps") < 1:
        raise ValueError(f"The number of steps is {steps}: at least one word must be masked.")
    classes = target_classes(classifier, batch, target)
    scores = torch.zeros(batch.word_mask.shape, device=batch.word_mask.device)
    for rows, part in passes(classifier, batch, "looking again", options.get("words_per_pass")):
        words = part.word_mask.shape[1]
        scores[rows, :words] = _greedy(classifier, part, steps, method, {**options, "target": classes[rows]})
    return scores


def _greedy(classifier, part: Batch, steps: int, method: str, options: dict) -> Tensor:
    embeddings, left = classifier.embed(part), part.word_mask.clone()
    scores = torch.zeros(left.shape, device=left.device)
    changed = copy.copy(classifier)  # the same classifier, for which the documents have other vectors
    for step in range(steps):
        zeroed = remove(classifier, embeddings, part.mask, part.by_token(part.word_mask & ~left), "zero")[0]
        changed.embed = lambda _, vectors=zeroed: vectors
        best = explain(changed, part, method, **options).masked_fill(~left, -torch.inf).argmax(dim=1, keepdim=True)
        scores.scatter_add_(1, best, left.gather(1, best) * float(steps - step))  # nothing where no word is left
        left.scatter_(1, best, False)
    return scores


def largest_share(gradient: Tensor, mask: Tensor) -> Tensor:
    r"""Share of the largest dimension in the L1 norm, mean over each document's words: [B], from gradient [B, T, D].

    :math:`\lVert g_i \rVert_\infty / \lVert g_i \rVert_1`, between 1 / D (all dimensions alike) and 1 (one
    dimension has it all). NaN for a document whose gradient is zero at every word.
    Taught in: *What decides the outcome?*
    """
    sizes = gradient.abs()
    total = sizes.sum(dim=2)
    counted = mask & (total > 0)
    shares = torch.where(counted, sizes.amax(dim=2) / total.clamp(min=torch.finfo(total.dtype).tiny), 0.0)
    return shares.sum(dim=1) / counted.sum(dim=1)


def norms_by_position(gradient: Tensor, mask: Tensor, bins: int = 10) -> Tensor:
    r"""How large the gradient is from the first to the last tenth of each document: [B, bins], from gradient [B, T, D].

    The mean of :math:`\lVert g_i \rVert_2` over the words of a bin, divided by the mean over the document: 1 everywhere
    if the norm does not depend on the position. NaN for documents with fewer words than bins, or without a gradient.
    Taught in: *What decides the outcome?*
    """
    norms = gradient.norm(dim=2).masked_fill(~mask, 0.0)
    lengths = mask.sum(dim=1, keepdim=True)
    place = (torch.arange(mask.shape[1], device=mask.device) * bins // lengths.clamp(min=1)).clamp(max=bins - 1)
    sums = norms.new_zeros(len(mask), bins).scatter_add_(1, place, norms)
    counts = norms.new_zeros(len(mask), bins).scatter_add_(1, place, mask.to(norms.dtype))
    relative = sums / counts / (norms.sum(dim=1, keepdim=True) / lengths)
    return relative.masked_fill(lengths < bins, torch.nan)


def norms_by_distance(gradient: Tensor, mask: Tensor, borders: tuple[int, ...] = (10, 20, 40, 80)) -> Tensor:
    r"""How large the gradient is near an end of the document and far from both: [B, bins], from gradient [B, T, D].

    A word's distance is the number of words between it and the nearer end; the first bin holds distances below the
    first of ``borders``, the last one those from the last on. The mean of :math:`\lVert g_i \rVert_2` in a bin is
    divided by the mean over the document. NaN where a document has no word so far inside, or no gradient.
    Taught in: *What decides the outcome?*
    """
    norms = gradient.norm(dim=2).masked_fill(~mask, 0.0)
    lengths = mask.sum(dim=1, keepdim=True)
    places = torch.arange(mask.shape[1], device=mask.device)
    distance = torch.minimum(places, lengths - 1 - places)
    bin_of = torch.bucketize(distance, torch.tensor(borders, device=mask.device), right=True)
    sums = norms.new_zeros(len(mask), len(borders) + 1).scatter_add_(1, bin_of, norms)
    counts = torch.zeros_like(sums).scatter_add_(1, bin_of, mask.to(norms.dtype))
    return sums / counts / (norms.sum(dim=1, keepdim=True) / lengths)


@torch.no_grad()
def word_approximation_error(classifier, batch: Batch, method: str = "dig_greedy", midpoints: int = 0,
                             **options) -> Tensor:
    r"""How far a path is from real words: [B], in units of the embedding space.

    The Euclidean distance from each point of each word's path to the nearest row of the table that stands for a word;
    the mean over words and over all points, both ends included. ``method`` is one of those that walk through words,
    with their ``options``, or ``"ig"``: the straight line with as many points, evenly. NaN without words.

    Raises ``ValueError`` for another method. Source: :cite:t:`sanyal2021`. Taught in: *Walking through words*.
    """
    search, strategy = ("straight", "greedy") if method == "ig" else split(method)
    chosen = walk(classifier, "dig" if method == "ig" else search, strategy, **options)
    rows, place = rows_of(chosen, batch, classifier.embed(batch))
    if method == "ig":
        path = _straight(chosen.vectors[rows], chosen.baseline, (chosen.steps + 1) * 2**midpoints)
    else:
        path = points(chosen, find_anchors(chosen, search, rows), midpoints)
    table = classifier.word_table()
    words = nearest(table.vectors, table.is_word & table.vectors.isfinite().all(dim=1))
    errors = [words.distances(as_array(at)) for at in path]
    mean = torch.stack([torch.from_numpy(error) for error in errors]).mean(dim=0).to(chosen.vectors)
    inside = place >= 0
    by_token = torch.zeros_like(inside, dtype=mean.dtype)
    by_token[inside] = mean[place[inside]]
    return by_token.sum(dim=1) / inside.sum(dim=1)


def _straight(words: Tensor, baseline: Tensor, pieces: int) -> Iterator[Tensor]:
    for piece in range(pieces + 1):
        yield words + (baseline - words) * (piece / pieces)
