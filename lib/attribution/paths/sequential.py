"""Sequential Integrated Gradients: one straight line a word, on which only this word moves."""

import torch
from torch import Tensor

from ...passes import words_at_once
from ...targets import target_classes
from ...text import Batch
from ..baselines import baseline_embeddings
from ..gradients import gradient_at
from ..registry import method
from .integrated import nodes


@method("sig", "Sequential IG", sign="quantity", cost="m n forward, m n backward", citation="enguehard2023",
        completeness="word")
def sig(classifier, batch: Batch, of: str = "probability", target: str | int | Tensor = "gold", baseline: str = "zero",
        points: int = 30, rule: str = "midpoint", words_per_pass: int | None = None) -> Tensor:
    r"""Sequential Integrated Gradients, [B, W], in units of F: each word moves alone, the others stay as they are.

    :math:`s_i = (e_i - e'_i) \cdot \int_0^1 \nabla_i F(x^{(i)}(t))\, dt`, with :math:`x^{(i)}(t)` the document whose
    word i, with all its tokens, lies at :math:`e'_i + t (e_i - e'_i)`; the integral is a sum over n ``points`` by a
    ``rule`` (:func:`lib.attribution.paths.integrated.nodes`). A score is what its word changes,
    :math:`F(x) - F(x^{(i)}(0))`, but for the rule's error: with the zero baseline and F = loss it goes to minus LOO as
    n grows, and is minus SignedGI for one point at the right end. The gradient at the document itself, where
    ``"right"`` and ``"trapezoid"`` end, is computed once for all words. Positive raises F.

    Raises ``ValueError`` for an unknown rule or baseline, or too few points.
    Source: :cite:t:`enguehard2023`. Taught in: *One word at a time*.
    """
    classes = target_classes(classifier, batch, target)
    with torch.no_grad():
        end = classifier.embed(batch)
    way = end - baseline_embeddings(classifier, batch, end, baseline)
    places, weights = (each.to(end) for each in nodes(points, rule))
    scores = torch.zeros(batch.word_mask.shape, dtype=end.dtype, device=end.device)
    if (last := places == 1).any():
        _, gradient = gradient_at(classifier, end, batch.mask, classes, of, words_per_pass)
        scores += weights[last].sum() * batch.by_word((way * gradient).sum(dim=2))
    for row in range(len(batch)):
        document = batch.take([row])
        tokens, words = document.mask.shape[1], document.word_mask.shape[1]
        scores[row, :words] += _of_document(classifier, document, end[row, :tokens], way[row, :tokens], classes[row],
                                            of, places[~last], weights[~last], words_per_pass)
    return scores


def _of_document(classifier, document: Batch, end: Tensor, way: Tensor, label: Tensor, of: str, places: Tensor,
                 weights: Tensor, words_per_pass: int | None) -> Tensor:
    """The sum over some points of each word's line, [W]; end and way [T, D]. Words and points go through together."""
    words = document.word_mask.shape[1]
    scores = end.new_zeros(words)
    alone = torch.eye(words, dtype=torch.bool, device=end.device) & document.word_mask
    alone = document.by_token(alone[None])[0]  # [W, T]: the tokens of each word
    read, numbers = document.word_mask[0].nonzero().flatten(), torch.arange(len(places), device=end.device)
    pairs = torch.cartesian_prod(read, numbers)
    if not len(pairs):
        return scores
    for some in pairs.split(max(1, words_at_once(classifier, words_per_pass) // max(1, len(end)))):
        word, place = some.unbind(dim=1)
        moving = alone[word][..., None] * way
        line = end - (1 - places[place])[:, None, None] * moving
        _, gradient = gradient_at(classifier, line, document.mask.expand(len(some), -1), label.expand(len(some)), of,
                                  words_per_pass)
        scores.index_add_(0, word, weights[place] * (gradient * moving).sum(dim=(1, 2)))
    return scores
