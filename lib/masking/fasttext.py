"""FastText: the logits are a mean over the words, so each word's part can be taken out of the sum."""

import torch
from torch import Tensor

from ..targets import check_logits, quantity

LINEAR = True  # the cost grows with the number of words, not with its square


def one_out(classifier, embeddings: Tensor, mask: Tensor, substitute: Tensor, words_per_pass: int) -> Tensor:
    r"""Logits of the whole and without each word, [B, T + 1, C]: :math:`b + (S - c_i + c_u) / m`.

    :math:`c_i = W e_i` is what word i adds, :math:`S = \sum_i c_i`, and :math:`c_u` what the substitute adds.
    One pass over the words, whatever their number.
    """
    added, substituted = _added(classifier, embeddings, mask, substitute)
    total = added.sum(dim=1, keepdim=True)
    return _logits(classifier, torch.cat([total, total - added + substituted], dim=1), mask)


def in_order(classifier, embeddings: Tensor, mask: Tensor, rank: Tensor, steps: int, substitute: Tensor,
             words_per_pass: int) -> Tensor:
    r"""Logits with the first k words replaced, [B, steps + 1, C]: :math:`b + (\sum_{j > k} c_{(j)} + k c_u) / m`.

    The sums run from the last word to the first, so that nothing is left of words that are all gone.
    """
    added, substituted = _added(classifier, embeddings, mask, substitute)
    ordered = torch.zeros_like(added).scatter_(1, rank[..., None].expand_as(added), added)
    left = torch.cat([ordered.flip(1).cumsum(dim=1).flip(1), torch.zeros_like(ordered[:, :1])], dim=1)
    version = torch.arange(steps + 1, device=mask.device)
    left = left[:, version.clamp(max=rank.shape[1])]
    gone = version.minimum(mask.sum(dim=1, keepdim=True))
    return _logits(classifier, left + gone[..., None] * substituted, mask)


def gradient_times_input(classifier, embeddings: Tensor, mask: Tensor, classes: Tensor, of: str) -> Tensor:
    r"""Gradient times input of each word, [B, T]: :math:`e_i \cdot g`, :math:`g = W^T (\partial F / \partial z) / m`.

    The gradient is the same at all positions, so it need not be written down for each of them.
    """
    mean = torch.bmm(mask[:, None].to(embeddings.dtype), embeddings) / _lengths(mask)
    logits = check_logits(classifier, classifier.output(mean).squeeze(1), (len(mask),))
    with torch.inference_mode(False), torch.enable_grad():
        logits, classes = logits.detach().clone().requires_grad_(True), classes.clone()
        slope, = torch.autograd.grad(quantity(logits, classes, of).sum(), logits)
    gradient = slope @ classifier.output.weight / _lengths(mask).squeeze(2)
    return (embeddings * gradient[:, None]).sum(dim=2)  # torch.bmm takes four times as long on some processors


def _added(classifier, embeddings: Tensor, mask: Tensor, substitute: Tensor) -> tuple[Tensor, Tensor]:
    """What each word adds to the sum, [B, T, C], zero on padding, and what the substitute would add, [C]."""
    weight = classifier.output.weight.T
    return (embeddings @ weight) * mask[..., None], substitute @ weight


def _logits(classifier, sums: Tensor, mask: Tensor) -> Tensor:
    return sums / _lengths(mask) + classifier.output.bias


def _lengths(mask: Tensor) -> Tensor:
    """Number of words, 1 for an empty document as in the classifier: [B, 1, 1]."""
    return mask.sum(dim=1).clamp(min=1)[:, None, None]
