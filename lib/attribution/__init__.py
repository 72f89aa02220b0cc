"""One door to every method: from a classifier and a batch to one score a word."""

import inspect

import torch
from torch import Tensor

from ..text import Batch
from . import chance, gradients, occlusion  # each import registers its methods
from .gradients import InputGradient, input_gradient, saliency
from .registry import METHODS, Method

PAPER = ("random", "loo", "signed_gi", "gi", "sa_raw", "sa_l1", "sa_l2", "sa_linf")

__all__ = ["PAPER", "METHODS", "InputGradient", "Method", "explain", "explain_all", "input_gradient", "saliency"]


def explain(classifier, batch: Batch, method: str, **options) -> Tensor:
    """Scores of one method, [B, T], exactly zero on padding.

    ``options`` are those of the method: ``of`` ("loss", "logit", "probability"), ``target`` ("gold", "predicted", a
    class), ``operator``, ``seed``. Raises ``ValueError`` for an unknown method or option, and if a score is not
    finite. Taught in: *From one-hot to SignedGI*.
    """
    return explain_all(classifier, batch, [method], **options)[method]


def explain_all(classifier, batch: Batch, methods: list[str], **options) -> dict[str, Tensor]:
    """Scores of several methods by key; one gradient pass serves all the gradient methods among them.

    An option goes to each method that knows it; an option that none knows is an error.
    """
    chosen = [_find(key) for key in methods]
    _check_options(chosen, options)
    gradient = None
    if any(method.shares_gradient for method in chosen):
        gradient = input_gradient(classifier, batch, **_known(input_gradient, options))
    scores = {}
    for method in chosen:
        given = _known(method.function, options) | ({"gradient": gradient} if method.shares_gradient else {})
        scores[method.key] = _checked(method.function(classifier, batch, **given), batch, method)
    return scores


def _find(key: str) -> Method:
    if key not in METHODS:
        raise ValueError(f"Unknown method {key!r}: choose one of {', '.join(METHODS)}.")
    return METHODS[key]


def _known(function, options: dict) -> dict:
    """Those of the options that a function takes by name."""
    taken = {name for name, parameter in inspect.signature(function).parameters.items() if parameter.kind != parameter.VAR_KEYWORD}
    return {name: value for name, value in options.items() if name in taken}


def _check_options(chosen: list[Method], options: dict) -> None:
    functions = [method.function for method in chosen] + [input_gradient for method in chosen if method.shares_gradient]
    known = set().union(*(_known(function, options) for function in functions)) - {"classifier", "batch", "gradient"}
    if unknown := sorted(set(options) - known):
        raise ValueError(f"Unknown option {', '.join(unknown)} for {', '.join(method.key for method in chosen)}.")


def _checked(scores: Tensor, batch: Batch, method: Method) -> Tensor:
    """Zero on padding, and finite, or an error that says where it is not."""
    scores = scores.detach().masked_fill(~batch.mask, 0.0)
    bad = (~torch.isfinite(scores)).any(dim=1).nonzero().flatten().tolist()
    if bad:
        raise ValueError(f"{method.label} gave scores that are not finite numbers for document {bad[0]} (of {len(bad)} such): "
                         "look for NaN or infinite values in the classifier's embeddings and weights.")
    return scores
