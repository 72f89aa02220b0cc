"""Gradient methods: one backward pass, then one number a word."""

from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor

from ..masking.shortcuts import shortcut_of
from ..passes import words_at_once
from ..targets import check_eval, class_logits, quantity, support_sign, target_classes
from ..text import Batch
from .registry import method

ONE_PASS = "1 forward, 1 backward"
REDUCTIONS = {
    "sum": lambda values: values.sum(dim=-1),
    "mean": lambda values: values.mean(dim=-1),
    "l1": lambda values: values.abs().sum(dim=-1),
    "l2": lambda values: values.norm(dim=-1),
    "linf": lambda values: values.abs().amax(dim=-1),
}


class InputGradient(NamedTuple):
    """A gradient and the point where it was taken: ``values`` and ``embeddings`` [B, T, D], of the quantity ``of``."""

    values: Tensor
    embeddings: Tensor
    of: str


def gradient_at(classifier, embeddings: Tensor, mask: Tensor, classes: Tensor, of: str = "loss",
                words_per_pass: int | None = None) -> tuple[Tensor, Tensor]:
    r"""Value :math:`F(e)` [N] and gradient :math:`\partial F / \partial e` [N, T, D] at any embeddings [N, T, D].

    F is the ``of`` (loss, logit, probability) of fixed ``classes`` [N]. Rows do not influence each other: they are
    documents, or points between a baseline and a document. At most ``words_per_pass`` token positions go through the
    classifier at once, one row at least. The ``.grad`` fields of the parameters are left alone.

    Raises ``ValueError`` for a classifier in training mode, for logits that do not fit its classes, and for weights
    that were made in inference mode. Taught in: *Why word-level gradients*.
    """
    check_eval(classifier)
    rows = max(1, words_at_once(classifier, words_per_pass) // max(1, mask.shape[1]))
    found = [_gradient_at(classifier, *part, of)
             for part in zip(embeddings.split(rows), mask.split(rows), classes.split(rows), strict=True)]
    if len(found) == 1:
        return found[0]
    values, gradients = zip(*found, strict=True)
    return torch.cat(values), torch.cat(gradients)


def _gradient_at(classifier, embeddings: Tensor, mask: Tensor, classes: Tensor, of: str) -> tuple[Tensor, Tensor]:
    # Inside torch.inference_mode() nothing can be differentiated; outside it, copies of what was made inside can.
    # cuDNN differentiates an LSTM in training mode only; torch's own kernels do so in eval mode, too.
    cudnn = torch.backends.cudnn.flags(enabled=False) if embeddings.is_cuda else nullcontext()
    with torch.inference_mode(False), torch.enable_grad(), cudnn:
        embeddings, mask, classes = (each.clone() if each.is_inference() else each
                                     for each in (embeddings, mask, classes))
        point = embeddings.detach().requires_grad_(True)
        try:
            values = quantity(class_logits(classifier, point, mask), classes, of)
            gradient, = torch.autograd.grad(values.sum(), point)
        except RuntimeError as error:
            if "nference" not in str(error):
                raise
            raise ValueError("The classifier's weights were made in torch.inference_mode() and have no gradients: "
                             "make or load the classifier outside it.") from error
    return values.detach(), gradient


def input_gradient(classifier, batch: Batch, of: str = "loss", target: str | int | Tensor = "gold",
                   by_type: bool = False) -> InputGradient:
    r"""Gradient of each document's own loss, logit or probability with respect to its token vectors.

    :math:`g_i = \partial F / \partial e_i`, [B, T, D], zero on padding. The documents' values are summed, not
    averaged, before the backward pass: so a document's gradient does not depend on its batch.

    With ``by_type`` each position gets the sum over all positions of its document where the same row of the embedding
    matrix stands (all unknown words share one): the gradient of the word *type*, as an embedding layer computes it.
    Taught in: *Why word-level gradients*, *The FastText counterexample*.
    """
    classes = target_classes(classifier, batch, target)
    with torch.no_grad():
        embeddings = classifier.embed(batch)
    _, values = gradient_at(classifier, embeddings, batch.mask, classes, of)
    if by_type:
        same = (batch.ids[:, :, None] == batch.ids[:, None, :]) & batch.mask[:, :, None] & batch.mask[:, None, :]
        values = same.to(values.dtype) @ values
    return InputGradient(values, embeddings, of)


@method("saliency", "Gradient saliency", sign="none", cost=ONE_PASS, citation="atanasova2020", shares_gradient=True)
def saliency(classifier, batch: Batch, reduce: str = "l2", times_input: bool = False, of: str = "loss",
             target: str | int | Tensor = "gold", by_type: bool = False,
             gradient: InputGradient | None = None) -> Tensor:
    """One cell of the gradient-saliency grid, [B, W]: what is differentiated, times the input or not, how reduced.

    ``reduce`` over the D dimensions is ``"sum"``, ``"mean"``, ``"l1"``, ``"l2"`` or ``"linf"``, of the gradient or,
    with ``times_input``, of the elementwise product of gradient and word vector; the tokens of a word are added up.
    A gradient that was computed
    before may be passed as ``gradient``; ``of``, ``target`` and ``by_type`` are then those it was computed with.

    Raises ``ValueError`` for an unknown reduction. Taught in: *Why word-level gradients*.
    """
    if reduce not in REDUCTIONS:
        raise ValueError(f"Unknown reduction {reduce!r}: choose one of {', '.join(REDUCTIONS)}.")
    found = input_gradient(classifier, batch, of, target, by_type) if gradient is None else gradient
    values = found.values * found.embeddings if times_input else found.values
    return batch.by_word(REDUCTIONS[reduce](values))


@method("sa_raw", "SA raw", sign="none", cost=ONE_PASS, citation="nguyen2018", shares_gradient=True)
def sa_raw(classifier, batch: Batch, **options) -> Tensor:
    r"""Raw sensitivity :math:`s_i = \sum_d g_{i,d}`, [B, W]: it has a sign, but one that means nothing.

    Turning the axes of the embedding space round changes it, though the classifier stays the same function.
    Source: :cite:t:`nguyen2018`, text under eq. 3 of :cite:t:`du2021`. Taught in: *Sensitivity analysis*.
    """
    return saliency(classifier, batch, reduce="sum", **options)


@method("sa_l1", "SA L1", sign="none", cost=ONE_PASS, citation="li2016visualizing", shares_gradient=True)
def sa_l1(classifier, batch: Batch, **options) -> Tensor:
    r"""Sensitivity :math:`s_i = \sum_d |g_{i,d}|`, [B, W]: large if the loss reacts to moving the word's vector.

    Unsigned: it cannot tell support from opposition. Source: eq. 3 of :cite:t:`du2021`, :cite:t:`li2016visualizing`.
    Taught in: *Sensitivity analysis*.
    """
    return saliency(classifier, batch, reduce="l1", **options)


@method("sa_l2", "SA L2", sign="none", cost=ONE_PASS, citation="arras2016", shares_gradient=True)
def sa_l2(classifier, batch: Batch, **options) -> Tensor:
    r"""Sensitivity :math:`s_i = (\sum_d g_{i,d}^2)^{1/2}`, [B, W]: the steepest slope of the loss at the word.

    Unsigned. Source: eq. 3 of :cite:t:`du2021`, :cite:t:`arras2016`. Taught in: *Sensitivity analysis*.
    """
    return saliency(classifier, batch, reduce="l2", **options)


@method("sa_linf", "SA Linf", sign="none", cost=ONE_PASS, citation="simonyan2014", shares_gradient=True)
def sa_linf(classifier, batch: Batch, **options) -> Tensor:
    r"""Sensitivity :math:`s_i = \max_d |g_{i,d}|`, [B, W]: the most sensitive single dimension.

    Unsigned. Source: eq. 3 of :cite:t:`du2021`; for images :cite:t:`simonyan2014`. Taught in: *Sensitivity analysis*.
    """
    return saliency(classifier, batch, reduce="linf", **options)


@method("gi", "Gradient x Input", sign="quantity", cost=ONE_PASS, citation="denil2014", shares_gradient=True)
def gi(classifier, batch: Batch, of: str = "loss", target: str | int | Tensor = "gold", by_type: bool = False,
       gradient: InputGradient | None = None, shortcut: bool = True) -> Tensor:
    r"""Gradient times input :math:`s_i = g_i \cdot e_i`, [B, W], the derivative with respect to the one-hot entry.

    Of a loss, positive means *against* the class; of a logit or probability, positive means *for* it.
    Source: :cite:t:`denil2014`, section III.B of :cite:t:`du2021`. Taught in: *From one-hot to SignedGI*.
    """
    found = shortcut_of(classifier) if shortcut and gradient is None and not by_type else None
    if hasattr(found, "gradient_times_input"):
        classes = target_classes(classifier, batch, target)
        embeddings = classifier.embed(batch).detach()
        return found.gradient_times_input(classifier, embeddings, batch.mask, classes, of)
    return saliency(classifier, batch, "sum", True, of, target, by_type, gradient)


@method("signed_gi", "SignedGI", sign="support", cost=ONE_PASS, citation="du2021", shares_gradient=True)
def signed_gi(classifier, batch: Batch, of: str = "loss", target: str | int | Tensor = "gold", by_type: bool = False,
              gradient: InputGradient | None = None, shortcut: bool = True) -> Tensor:
    r"""SignedGI :math:`s_i = - g_i \cdot e_i` for the loss, [B, W]: positive means the word supports the class.

    For a logit or a probability, which already grow with support, the minus falls away.
    Source: eq. 6 of :cite:t:`du2021`. Taught in: *From one-hot to SignedGI*.
    """
    sign = support_sign(of if gradient is None else gradient.of)
    return sign * gi(classifier, batch, of, target, by_type, gradient, shortcut)
