"""Random scores: what an explanation that knows nothing achieves."""

import torch
from torch import Tensor

from ..seeding import document_generator
from ..text import Batch
from .registry import method


@method("random", "Random", sign="none", cost="none", citation="du2021")
def random(classifier, batch: Batch, seed: int = 0) -> Tensor:
    """A random permutation of 1 to m for each document of m words, [B, T]: an explanation that knows nothing.

    Source: section IV.A of :cite:t:`du2021`. Taught in: *Baselines*.
    """
    scores = torch.zeros(batch.mask.shape, dtype=classifier.embedding.weight.dtype)
    for row, words in enumerate(batch.words):
        order = torch.randperm(len(words), generator=document_generator(words, seed, "scores"))
        scores[row, : len(words)] = order.to(scores.dtype) + 1
    return scores
