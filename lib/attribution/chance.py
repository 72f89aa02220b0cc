"""Random scores: what an explanation that knows nothing achieves."""

import torch
from torch import Tensor

from ..seeding import document_generator
from ..text import Batch
from .registry import method


@method("random", "Random", sign="none", cost="none", citation="du2021")
def random(classifier, batch: Batch, seed: int = 0) -> Tensor:
    """A random permutation of 1 to m for each document of m words, [B, W]: an explanation that knows nothing.

    Source: section IV.A of :cite:t:`du2021`. Taught in: *Baselines*.
    """
    scores = torch.zeros(batch.word_mask.shape, device=batch.word_mask.device)
    for row, words in enumerate(batch.words):
        scored = batch.word_mask[row]
        generator = document_generator(words, seed, "scores")
        order = torch.randperm(int(scored.sum()), generator=generator, device="cpu")
        scores[row, scored] = order.to(scores) + 1
    return scores
