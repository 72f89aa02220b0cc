"""Where a path starts: the document with every word at a substitute. What the scores should then add up to."""

import inspect

import torch
from torch import Tensor

from ..passes import words_at_once
from ..targets import class_logits, quantity, target_classes
from ..text import Batch
from .registry import lookup


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
    Which method promises what stands in the ``completeness`` of a :class:`lib.attribution.registry.Method`.

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


def missed(classifier, batch: Batch, method: str, scores: Tensor, **options) -> Tensor:
    """How far the scores [B, W] of a method are from what it promises, [B], in units of what it explains.

    The size of the completeness gap; for a method that makes a promise to each word, the mean over words. ``method`` is
    a key, ``options`` those that it was given. Raises ``ValueError`` for a method that promises nothing.
    Taught in: *Integrated gradients and its axioms*.
    """
    known = lookup(method)
    if not known.completeness:
        raise ValueError(f"{known.label} does not promise that its scores add up to anything.")
    usual = {name: parameter.default for name, parameter in inspect.signature(known.function).parameters.items()}
    given = {name: options.get(name, usual[name]) for name in ("baseline", "of", "target")}
    gap = completeness_gap(classifier, batch, scores, per_word=known.completeness == "word", **given).abs()
    return gap if known.completeness == "document" else gap.sum(dim=1) / batch.lengths.clamp(min=1)
