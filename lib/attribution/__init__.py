"""One door to every method: from a classifier and a batch to one score a word."""

import inspect
from collections.abc import Iterable, Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import as_keys
from ..passes import passes
from ..targets import target_classes, target_of
from ..text import Batch
from . import chance, gradients, layers, neighbours, occlusion, paths, smoothing  # noqa: F401 - each registers itself
from .gradients import InputGradient, gradient_at, input_gradient, saliency
from .registry import METHODS, Method, lookup, signed_as, unsigned, variant

__all__ = ["METHODS", "InputGradient", "Method", "check", "explain", "explain_all", "gradient_at", "input_gradient",
           "lookup", "options_of", "saliency", "signed_as", "unsigned", "variant"]


def explain(classifier, batch: Batch, method: str, **options) -> Tensor:
    """Scores of one method, [B, W], exactly zero beyond the words.

    ``method`` is a key of ``METHODS``, or what :func:`lib.attribution.registry.variant` makes of one. ``options`` are
    those of the method: ``of`` ("loss", "logit", "probability"), ``target`` ("gold", "predicted", a class, or the class
    of each document), ``operator``, ``seed``; ``shortcut=False`` takes the general path where there is a faster one.
    At most ``words_per_pass`` word positions go through the classifier at once (one document at least), which bounds
    the memory. Raises ``ValueError`` for an unknown method or option, for a method that does not give one score a word,
    and if a score is not finite.
    Taught in: *From one-hot to SignedGI*, *What an explanation costs*.
    """
    return explain_all(classifier, batch, [method], **options)[method]


def explain_all(classifier, batch: Batch, methods: str | Iterable[str], words_per_pass: int | None = None,
                **options) -> dict[str, Tensor]:
    """Scores of several methods by key; one gradient pass serves all the gradient methods among them.

    An option goes to each method that knows it; an option that none knows is an error. The predicted class is chosen
    once for all of them. Taught in: *What an explanation costs*.
    """
    chosen = check(methods, options)
    options = options | {"words_per_pass": words_per_pass}
    scores: dict[str, list[Tensor]] = {method.key: [] for method in chosen}
    order = []
    for rows, part in passes(classifier, batch, "explaining", words_per_pass):
        for method, found in _explained(classifier, part, chosen, _for_part(classifier, batch, part, rows, options)):
            found = _checked(found, part, rows, method)
            scores[method.key].append(F.pad(found, (0, batch.word_mask.shape[1] - found.shape[1])))
        order.append(rows)
    if len(order) == 1:
        return {key: parts[0] for key, parts in scores.items()}
    place = torch.cat(order).argsort()
    return {key: torch.cat(parts)[place] for key, parts in scores.items()}


def check(methods: str | Iterable[str], options: dict) -> list[Method]:
    """The methods by their keys. Raises ``ValueError`` for an unknown one, or an option that none of them knows."""
    keys = as_keys(methods)
    chosen = [lookup(key) for key in keys]
    if unknown := sorted(set(options).difference(*map(options_of, chosen))):
        raise ValueError(f"Unknown option {', '.join(unknown)} for {', '.join(keys)}.")
    return chosen


def options_of(method: Method) -> frozenset[str]:
    """The names of the options that a method takes, those of the gradient it starts from among them."""
    if method.made_from:
        return frozenset().union(*(options_of(lookup(key)) for key in method.made_from))
    functions = [method.function, input_gradient] if method.shares_gradient else [method.function]
    return frozenset().union(*map(_parameters, functions)) - {"classifier", "batch", "gradient"}


def _for_part(classifier, batch: Batch, part: Batch, rows: Tensor, options: dict) -> dict:
    """The options for some of the documents: the class of each, if it is predicted or named for each."""
    if "target" not in options:
        return options
    target = target_of(classifier, batch, options["target"], rows)
    if isinstance(target, str) and target == "predicted":
        target = target_classes(classifier, part, "predicted")
    return options | {"target": target}


def _explained(classifier, part: Batch, chosen: list[Method], options: dict) -> Iterator[tuple[Method, Tensor]]:
    """Each method with its scores of one part; what several start from, a gradient or scores, is computed once."""
    asked = _with_bases(chosen)
    own = _known(input_gradient, options)
    if sum(method.shares_gradient for method in asked) > 1:
        own = {"gradient": input_gradient(classifier, part, **own)}
    found: dict[str, Tensor] = {}
    for method in asked:
        if method.made_from:
            found[method.key] = method.function(*(found[key] for key in method.made_from))
        else:
            given = _known(method.function, options) | (own if method.shares_gradient else {})
            found[method.key] = method.function(classifier, part, **given).detach()
    for method in chosen:
        yield method, found[method.key]


def _with_bases(chosen: Iterable[Method]) -> list[Method]:
    """The methods, each after those whose scores it is made from."""
    found: dict[str, Method] = {}
    for method in chosen:
        found |= {base.key: base for base in _with_bases(map(lookup, method.made_from))}
        found[method.key] = method
    return list(found.values())


def _known(function, options: dict) -> dict:
    """Those of the options that a function takes by name."""
    return {name: value for name, value in options.items() if name in _parameters(function)}


@lru_cache(maxsize=256)  # reading a signature takes longer than explaining a sentence with FastText
def _parameters(function) -> frozenset[str]:
    found = inspect.signature(function).parameters.items()
    return frozenset(name for name, parameter in found if parameter.kind != parameter.VAR_KEYWORD)


def _checked(scores: Tensor, part: Batch, rows: Tensor, method: Method) -> Tensor:
    """Scores that are zero beyond the words; refuses what would be broadcast, or ranked as if it were a number."""
    if scores.shape != part.word_mask.shape:
        raise ValueError(f"{method.label} gave scores of shape {list(scores.shape)} for words of shape "
                         f"{list(part.word_mask.shape)}: a method gives one score for each word, [B, W].")
    scores = scores.masked_fill(~part.word_mask, 0.0)
    bad = (~torch.isfinite(scores)).any(dim=1).nonzero().flatten()
    if len(bad):
        raise ValueError(f"{method.label} gave scores that are not finite numbers for document {int(rows[bad[0]])} "
                         f"(of {len(bad)} such): look for NaN or infinite values in the classifier's embeddings and "
                         "weights.")
    return scores
