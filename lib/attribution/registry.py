"""The table of methods: a method joins by a decorator, and everything else finds it here."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """What is known about a method: its name in figures, whether its sign means anything, its cost, its source."""

    key: str
    label: str
    signed: bool
    cost: str
    citation: str
    function: Callable
    shares_gradient: bool = False


METHODS: dict[str, Method] = {}


def method(key: str, label: str, *, signed: bool, cost: str, citation: str, shares_gradient: bool = False):
    """Register a function of ``(classifier, batch, **options)`` as a method.

    ``cost`` is in passes through the classifier for a document of m words, ``citation`` a key of the bibliography.
    ``shares_gradient`` says that the function takes ``gradient=``, an :class:`lib.attribution.gradients.InputGradient` computed before.
    """
    def register(function: Callable) -> Callable:
        METHODS[key] = Method(key, label, signed, cost, citation, function, shares_gradient)
        return function
    return register
