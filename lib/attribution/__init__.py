"""One door to every method: from a classifier and a batch to one score a word."""

import functools
import inspect

import torch
from torch import Tensor

from ..passes import passes
from ..text import Batch
from . import chance, gradients, occlusion  # each import registers its methods
from .gradients import InputGradient, input_gradient, saliency
from .registry import METHODS, Method, lookup, variant

__all__ = ["METHODS", "InputGradient", "Method", "check", "explain", "explain_all", "input_gradient", "lookup", "saliency", "variant"]


def explain(classifier, batch: Batch, method: str, **options) -> Tensor:
    """Scores of one method, [B, T], exactly zero on padding.

    ``options`` are those of the method: ``of`` ("loss", "logit", "probability"), ``target`` ("gold", "predicted", a
    class), ``operator``, ``seed``; ``shortcut=False`` takes the general path where there is a faster one. At most
    ``words_per_pass`` word positions go through the classifier at once (one document at least), which bounds the
    memory. Raises ``ValueError`` for an unknown method or option, and if a score is not finite.
    Taught in: *From one-hot to SignedGI*, *What an explanation costs*.
    """
    return explain_all(classifier, batch, [method], **options)[method]


def explain_all(classifier, batch: Batch, methods: list[str], words_per_pass: int | None = None, **options) -> dict[str, Tensor]:
    """Scores of several methods by key; one gradient pass serves all the gradient methods among them.

    An option goes to each method that knows it; an option that none knows is an error.
    """
    chosen = check(methods, options)
    options = options | {"words_per_pass": words_per_pass}
    several = sum(method.shares_gradient for method in chosen) > 1
    scores = {method.key: torch.zeros(batch.mask.shape, dtype=classifier.embedding.weight.dtype) for method in chosen}
    for rows, part in passes(classifier, batch, "explaining", words_per_pass):
        own = _known(input_gradient, options)
        shared = {"gradient": input_gradient(classifier, part, **own)} if several else own
        for method in chosen:
            given = _known(method.function, options) | (shared if method.shares_gradient else {})
            found = method.function(classifier, part, **given).detach().masked_fill(~part.mask, 0.0)
            scores[method.key][rows, : part.mask.shape[1]] = found
    for method in chosen:
        _check_finite(scores[method.key], method)
    return scores


def check(methods: list[str], options: dict) -> list[Method]:
    """The methods by their keys. Raises ``ValueError`` for an unknown one, and for an option that none of them knows."""
    for key in methods:
        if key not in METHODS:
            raise ValueError(f"Unknown method {key!r}: choose one of {', '.join(METHODS)}.")
    chosen = [METHODS[key] for key in methods]
    functions = [method.function for method in chosen] + [input_gradient for method in chosen if method.shares_gradient]
    known = set().union(*(_known(function, options) for function in functions)) - {"classifier", "batch", "gradient"}
    if unknown := sorted(set(options) - known):
        raise ValueError(f"Unknown option {', '.join(unknown)} for {', '.join(methods)}.")
    return chosen


def _known(function, options: dict) -> dict:
    """Those of the options that a function takes by name."""
    return {name: value for name, value in options.items() if name in _parameters(function)}


@functools.cache
def _parameters(function) -> frozenset[str]:
    found = inspect.signature(function).parameters.items()
    return frozenset(name for name, parameter in found if parameter.kind != parameter.VAR_KEYWORD)


def _check_finite(scores: Tensor, method: Method) -> None:
    if torch.isfinite(scores.sum()):
        return
    bad = (~torch.isfinite(scores)).any(dim=1).nonzero().flatten().tolist()
    if not bad:  # finite numbers whose sum is too large
        return
    raise ValueError(f"{method.label} gave scores that are not finite numbers for document {bad[0]} (of {len(bad)} such): "
                     "look for NaN or infinite values in the classifier's embeddings and weights.")
