"""Where a path starts: the document with every word at a substitute. What the scores should then add up to."""

import torch
from torch import Tensor

from ..targets import class_logits, quantity, target_classes
from ..text import Batch


def baseline_embeddings(classifier, batch: Batch, embeddings: Tensor, baseline: str = "zero") -> Tensor:
    """The embeddings [B, T, D] with every word at its substitute: ``"zero"``, ``"pad"`` or ``"mask"``.

    Special tokens and padding are as they are. Raises ``ValueError`` for another baseline.
    Taught in: *The FastText counterexample*.
    """
    every_word = batch.by_token(batch.word_mask)
    return torch.where(every_word[..., None], classifier.substitute(baseline).to(embeddings), embeddings)


@torch.no_grad()
def completeness_gap(classifier, batch: Batch, scores: Tensor, baseline: str = "zero", of: str = "probability",
                     target: str | int | Tensor = "gold") -> Tensor:
    r"""What the scores [B, W] of each document miss: :math:`\sum_i s_i - (F(x) - F(x'))`, [B], in the unit of F.

    F is what was explained, ``of`` the class ``target``, and x' the document at its ``baseline``. A method is complete
    if this is 0: its scores share out the whole difference. Positive: they add up to more than there is.

    Source: :cite:t:`sundararajan2017`. Taught in: *The FastText counterexample*.
    """
    classes = target_classes(classifier, batch, target)
    embeddings = classifier.embed(batch)
    values = [quantity(class_logits(classifier, point, batch.mask), classes, of)
              for point in (embeddings, baseline_embeddings(classifier, batch, embeddings, baseline))]
    return scores.sum(dim=1) - (values[0] - values[1])
