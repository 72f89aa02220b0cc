"""The table of methods: a method joins by a decorator, and everything else finds it here."""

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor

from ..targets import support_sign

SIGNS = ("support", "quantity", "none")
SIGNED_AS = " signed as "


@dataclass(frozen=True)
class Method:
    """What is known about a method: its name in figures, what its sign means, its cost, its source.

    ``sign`` is ``"support"`` if a positive score supports the class whatever is explained, ``"quantity"`` if it raises
    the quantity explained (a loss, a logit, a probability), ``"none"`` if the sign means nothing. ``needs`` is what it
    asks for beside a classifier and a batch: ``"documents"`` (a pool of labelled ones), ``"blocks"`` (a transformer).
    """

    key: str
    label: str
    sign: str
    cost: str
    citation: str
    function: Callable
    shares_gradient: bool = False
    completeness: str = ""
    needs: str = ""
    made_from: tuple[str, ...] = ()  # keys of the methods whose scores the function takes, in place of a classifier

    @property
    def signed(self) -> bool:
        """Whether the sign of a score means anything."""
        return self.sign != "none"

    def positive_means(self, of: str = "loss") -> int:
        """What a positive score says of the class explained: +1 it supports it, -1 it speaks against it, 0 neither."""
        return {"support": 1, "quantity": support_sign(of), "none": 0}[self.sign]


METHODS: dict[str, Method] = {}


def method(key: str, label: str, *, sign: str, cost: str, citation: str, shares_gradient: bool = False,
           completeness: str = "", needs: str = ""):
    """Register a function of ``(classifier, batch, **options)`` as a method.

    ``sign`` is one of ``SIGNS`` (see :class:`Method`), ``cost`` is in passes through the classifier for a document of m
    words and n points, ``citation`` a key of the bibliography. ``shares_gradient`` says that the function takes
    ``gradient=``, an :class:`lib.attribution.gradients.InputGradient` computed before; ``completeness`` and ``needs``
    see there.
    Raises ``ValueError`` for another ``sign``.
    """
    if sign not in SIGNS:
        raise ValueError(f"Unknown sign {sign!r}: choose one of {', '.join(SIGNS)}.")

    def register(function: Callable) -> Callable:
        METHODS[key] = Method(key, label, sign, cost, citation, function, shares_gradient, completeness, needs)
        return function
    return register


def variant(key: str, **options) -> str:
    """The key of a method under options of its own: ``variant("ig", points=300)`` is ``"ig(points=300)"``.

    Wherever a method's key is expected, this one will do, beside that of the method itself: in another process, too,
    and in a table, because the key says all. Raises ``ValueError`` for an unknown method or option.
    """
    named = f"{key}({', '.join(f'{name}={value!r}' for name, value in sorted(options.items()))})" if options else key
    lookup(named)
    return named


def unsigned(key: str) -> str:
    """The key of a method's scores without their signs: ``unsigned("loo")`` is ``"|loo|"``.

    A ranking by it asks how large a score is, not for whom it speaks. Raises ``ValueError`` for an unknown method.
    Taught in: *AOPC*.
    """
    return lookup(f"|{key}|").key


def signed_as(key: str, other: str) -> str:
    """The key of the sizes of one method's scores with the signs of another's: ``"sa_l2 signed as signed_gi"``.

    :math:`|s_i| \\, \\mathrm{sign}(t_i)`, 0 where the other is 0. Raises ``ValueError`` for an unknown method.
    Taught in: *AOPC*.
    """
    return lookup(f"{key}{SIGNED_AS}{other}").key


def lookup(key: str) -> Method:
    """The method that a key names, with the options that stand in it. Raises ``ValueError`` if there is none."""
    if key in METHODS:
        return METHODS[key]
    if SIGNED_AS in key:
        sizes, signs = map(lookup, key.split(SIGNED_AS, 1))
        return _made(key, f"{sizes.label} signed as {signs.label}", signs.sign, _signed_as, (sizes, signs))
    if len(key) > 2 and key[0] == key[-1] == "|":
        inner = lookup(key[1:-1])
        return _made(key, f"|{inner.label}|", "none", _unsigned, (inner,))
    name, bracket, _ = key.partition("(")
    if name not in METHODS or not bracket:
        raise ValueError(f"Unknown method {key!r}: choose one of {', '.join(METHODS)}.")
    known, options = METHODS[name], _options(key)
    if unknown := sorted(set(options) - set(inspect.signature(known.function).parameters)):
        raise ValueError(f"Unknown option {', '.join(unknown)} for {name}.")
    label = f"{known.label} ({', '.join(f'{option} {value}' for option, value in options.items())})"
    return replace(known, key=key, label=label, function=partial(known.function, **options), shares_gradient=False)


def _made(key: str, label: str, sign: str, function: Callable, bases: tuple[Method, ...]) -> Method:
    return Method(key, label, sign, " + ".join(dict.fromkeys(base.cost for base in bases)), bases[0].citation, function,
                  made_from=tuple(base.key for base in bases))


def _unsigned(scores: Tensor) -> Tensor:
    return scores.abs()


def _signed_as(sizes: Tensor, signs: Tensor) -> Tensor:
    return sizes.abs() * signs.sign()


def _options(key: str) -> dict:
    """The options in a key such as "ig(points=300)": names and literals, nothing that is run."""
    try:
        return {word.arg: ast.literal_eval(word.value) for word in ast.parse(key, mode="eval").body.keywords}
    except (SyntaxError, ValueError, AttributeError) as error:
        raise ValueError(f"The key {key!r} cannot be read: write lib.attribution.variant('ig', points=300).") from error
