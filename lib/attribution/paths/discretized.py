"""DIG and UDIG: gradients along paths that pass near real words."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from ...passes import words_at_once
from ...targets import target_classes
from ...text import Batch
from ..gradients import gradient_at
from ..registry import method
from .walks import find_anchors, points, rows_of, walk

RULES = ("left", "right", "trapezoid")


def discretized(search: str, strategy: str, classifier, batch: Batch, of: str = "probability",
                target: str | int | Tensor = "gold", baseline: str = "zero", steps: int = 30,
                neighbours: int | None = None, midpoints: int = 0, candidates: str = "words", rule: str = "left",
                words_per_pass: int | None = None) -> Tensor:
    r"""Discretized Integrated Gradients, [B, W], in units of F: the gradient along a path through words.

    :math:`s_i = \sum_k \nabla_i F(x_k) \cdot (x_{k+1} - x_k)_i`, over the points of a monotone path from the baseline
    :math:`x_0` to the document, on which all words move at once (:mod:`lib.attribution.paths.walks`). A word's path
    goes over ``steps`` anchors, and ``midpoints`` times points are put in between. Positive raises F, the quantity
    ``of`` of one class: it supports the class if F is a probability or a logit.

    - The ``search`` ``"dig"`` takes each anchor among the ``neighbours`` (500) of the one before, ``"udig"`` among
      those (50) of a point of the straight line.
    - The ``strategy`` ``"greedy"`` takes the candidate that is moved least, ``"maxcount"`` the one that lies between
      in most dimensions.
    - ``candidates="words"`` are rows of the table that stand for words and are not the baseline, ``"all"`` is as
      published.
    - The published ``rule`` is ``"left"``: the gradient at the document itself is not used. ``"right"`` uses it and not
      that at the baseline, ``"trapezoid"`` is the mean of both.

    The scores add up to F(x) - F(x'), but for the rule's error, which ``"left"`` leaves large
    (:func:`lib.attribution.baselines.completeness_gap`). Unlike those of IG they depend on the axes of the space. At
    the baseline all words are equal: where a maximum over words is taken, its gradient there is decided by rounding.

    Raises ``ValueError`` for options that cannot be meant, and for a classifier without a table of words.
    Source: :cite:t:`sanyal2021`, :cite:t:`roy2024`. Taught in: *Walking through words*.
    """
    classes = target_classes(classifier, batch, target)
    chosen = walk(classifier, search, strategy, baseline, steps, neighbours, candidates)
    with torch.no_grad():
        embeddings = classifier.embed(batch)
    rows, place = rows_of(chosen, batch, embeddings)
    path = points(chosen, find_anchors(chosen, search, rows), midpoints)
    scores = torch.zeros_like(embeddings[..., 0])
    together = max(1, words_at_once(classifier, words_per_pass) // max(1, batch.mask.numel()))
    inside = (place >= 0)[..., None]
    if not len(rows):
        return batch.by_word(scores)
    for some in _grouped(weighted(path, rule), together):
        at, move = (torch.stack(part)[:, place] for part in zip(*some, strict=True))  # [n, B, T, D]
        at, move = torch.where(inside, at, embeddings), torch.where(inside, move, 0)
        _, gradient = gradient_at(classifier, at.flatten(0, 1), batch.mask.repeat(len(some), 1),
                                  classes.repeat(len(some)), of, words_per_pass)
        scores += (gradient.view_as(at) * move).sum(dim=(0, 3))
    return batch.by_word(scores)


for _search, _citation in (("dig", "sanyal2021"), ("udig", "roy2024")):
    for _strategy, _name in (("greedy", "greedy"), ("maxcount", "max-count")):
        method(f"{_search}_{_strategy}", f"{_search.upper()} {_name}", sign="quantity", citation=_citation,
               cost="n forward, n backward, and a search for words",
               completeness="document")(partial(discretized, _search, _strategy))


def weighted(path: Iterator[Tensor], rule: str = "left") -> Iterator[tuple[Tensor, Tensor]]:
    """The points of a path that a rule takes, each with the part of the way that its gradient stands for.

    ``path`` goes from the words to the baseline, the ways from the baseline to the words: they add up to the whole.
    Raises ``ValueError`` for an unknown rule. Taught in: *Walking through words*.
    """
    if rule not in RULES:
        raise ValueError(f"Unknown rule {rule!r} for a path through words: choose one of {', '.join(RULES)}.")
    left = {"left": 1.0, "right": 0.0, "trapezoid": 0.5}[rule]
    point, way_before = next(path), None
    for after in path:
        way = point - after
        found = (1 - left) * way if way_before is None else left * way_before + (1 - left) * way
        if way_before is not None or left < 1:
            yield point, found
        point, way_before = after, way
    if left > 0:
        yield point, left * way_before


def _grouped(pairs: Iterator, size: int) -> Iterator[list]:
    group = []
    for pair in pairs:
        group.append(pair)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
