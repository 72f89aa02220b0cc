"""Where a path starts: the document with every word at a substitute. What the scores should then add up to."""

import torch
from torch import Tensor

from ..passes import words_at_once
from ..targets import class_logits, quantity, target_classes
from ..text import Batch


def baseline_embeddings(classifier, batch: Batch, embeddings: Tensor, baseline: str = "zero") -> Tensor:
    """The embeddings [B, T, D] with every word at its substitute: ``"zero"``, ``"pad"`` or ``"mask"``.

    Special tokens and padding are as they are. Raises ``ValueError`` for another baseline.
    Taught in: *Integrated gradients and its axioms*.
    """
    every_word = batch.by_token(batch.word_mask)
    return torch.where(every_word[..., None], classifier.substitute(baseline).to(embeddings), embeddings)


@torch.no_grad()
def completeness_gap(classifier, batch: Batch, scores: Tensor, baseline: str = "zero", of: str = "probability",
                     target: str | int | Tensor = "gold", per_word: bool = False,
                     words_per_pass: int | None = None) -> Tensor:
    r"""What the scores [B, W] miss of the difference that they should share out, in the unit of F.

    :math:`\sum_i s_i - (F(x) - F(x'))`, [B], with F what was explained, ``of`` the class ``target``, and x' the
    document at its ``baseline``. A method is complete if this is 0. Positive: they add up to more than there is.
    With ``per_word``, :math:`s_i - (F(x) - F(x^{(i)}))`, [B, W], with only word i at its baseline: the promise of SIG.
    Which method promises what stands in :attr:`lib.attribution.Method.completeness`.

    Source: :cite:t:`sundararajan2017`, :cite:t:`enguehard2023`. Taught in: *Integrated gradients and its axioms*.
    """
    classes = target_classes(classifier, batch, target)
    end = classifier.embed(batch)
    start = baseline_embeddings(classifier, batch, end, baseline)
    whole = quantity(class_logits(classifier, end, batch.mask), classes, of)
    if not per_word:
        return scores.sum(dim=1) - (whole - quantity(class_logits(classifier, start, batch.mask), classes, of))
    gap = torch.zeros_like(scores)
    for row in batch.lengths.nonzero().flatten().tolist():
        document = batch.take([row])
        tokens, words = document.mask.shape[1], document.word_mask.shape[1]
        alone = torch.eye(words, dtype=torch.bool, device=end.device)[document.word_mask[0]]
        for some in alone.split(max(1, words_at_once(classifier, words_per_pass) // max(1, tokens))):
            moved = document.by_token(some[None])[0]  # [n, T]
            changed = torch.where(moved[..., None], start[row, :tokens], end[row, :tokens])
            logits = class_logits(classifier, changed, document.mask.expand(len(some), -1))
            without = quantity(logits, classes[row].expand(len(some)), of)
            gap[row, some.int().argmax(dim=1)] = scores[row, some.int().argmax(dim=1)] - (whole[row] - without)
    return gap
