"""The rules that judge the paper: from intervals to yes, no or undecided, and from the answers to a verdict, by code.

A rule says yes (True) where the whole interval lies on the claim's side of a border, no (False) where it lies on the
other, and None, undecided, where it holds the border. It never sees which method, corpus or run it judges. Numbers in
its signature, after the star, are this book's conventions; the page of the report varies them. A word of the paper has
one rule: what is "comparable" for one claim is so for all.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from lib.intervals import Interval

VERDICTS = ("holds", "holds in part", "depends on the read-out", "undecided", "does not hold", "undefined",
            "not computed")
HOLDS, PART, DEPENDS, UNDECIDED, FAILS, UNDEFINED, MISSING = VERDICTS
IDENTITY = "true by definition"  # an answer that follows from the definitions, and is evidence of nothing
ROUNDS = 0.0005  # a mean below it is written as 0.000, and lies on no side


# --- rules ----------------------------------------------------------------------------------------------------------


def above(difference: Interval) -> bool | None:
    """The difference is positive."""
    return _decided(difference.low > 0, difference.high < 0) if abs(difference.mean) >= ROUNDS else None


def below(difference: Interval) -> bool | None:
    """The difference is negative."""
    return above(-difference)


def not_below(difference: Interval) -> bool | None:
    """The difference is not negative."""
    return _decided(difference.low >= 0, below(difference))


def comparable(difference: Interval, distance: Interval, *, tolerance: float = 0.1) -> bool | None:
    """The difference is, without its sign, less than ``tolerance`` times the mean distance."""
    border = tolerance * abs(distance.mean)
    return _decided(max(-difference.low, difference.high) < border, max(difference.low, -difference.high) > border)


def moderate(difference: Interval, distance: Interval, *, most: float = 0.5) -> bool | None:
    """The difference is positive, and at most ``most`` times the mean distance."""
    border = most * distance.mean
    return _decided(above(difference) and difference.high <= border, below(difference) or difference.low > border)


def far_below(difference: Interval, distance: Interval, *, least: float = 0.25) -> bool | None:
    """The difference is negative, by more than ``least`` times the mean distance."""
    border = -least * abs(distance.mean)
    return _decided(difference.high < border, difference.low > border)


def more_than(value: Interval, *, least: float) -> bool | None:
    """The value is more than ``least``."""
    return _decided(value.low > least, value.high < least)


def strong(rho: Interval, *, least: float = 0.5) -> bool | None:
    """The mean correlation is at least ``least``."""
    return _decided(rho.low >= least, rho.high < least)


def consistent(share: Interval, *, least: float = 0.95) -> bool | None:
    """The share of documents is at least ``least``."""
    return strong(share, least=least)


def between(rho: Interval, *, low: float = 0.2, high: float = 0.5) -> bool | None:
    """The mean correlation lies from ``low`` to ``high``, the paper's own borders."""
    return _decided(low <= rho.low and rho.high <= high, rho.high < low or rho.low > high)


def near_zero(rho: Interval, *, border: float = 0.1) -> bool | None:
    """The mean correlation is, without its sign, less than ``border``."""
    return _decided(max(-rho.low, rho.high) < border, max(rho.low, -rho.high) > border)


def similar(first: Interval, second: Interval, *, tolerance: float = 0.1) -> bool | None:
    """The two mean correlations differ by less than ``tolerance``."""
    farthest = max(first.high - second.low, second.high - first.low)
    return _decided(farthest < tolerance, max(first.low - second.high, second.low - first.high) > tolerance)


def smaller(first: Interval, second: Interval) -> bool | None:
    """The first is smaller than the second, and their intervals do not touch."""
    return _decided(first.high < second.low, first.low > second.high)


def apart(*values: Interval, border: float = 0.05) -> bool | None:
    """At least two of the intervals do not touch; not so if all ends lie within ``border``."""
    return _decided(max(value.low for value in values) > min(value.high for value in values),
                    max(value.high for value in values) - min(value.low for value in values) < border)


def dominant(share: Interval, *, most: float = 0.5, chance: float = 0.063) -> bool | None:
    """The largest dimension has more than ``most`` of the L1 norm; surely not if less than chance gives, ``chance``."""
    return _decided(share.low > most, share.high < chance)


def uncertain(share: Interval, *, least: float = 0.05) -> bool | None:
    """Masking the first word raises the probability in more than ``least`` of the documents."""
    return more_than(share, least=least)


def fades(*places: Interval, least: float = 0.5) -> bool | None:
    """Somewhere in the document the gradient is below ``least`` times the longest."""
    lowest, highest = min(places, key=lambda place: place.mean), max(places, key=lambda place: place.mean)
    return _decided(lowest.high < least * highest.low, lowest.low > least * highest.high)


def _decided(yes, no) -> bool | None:
    return True if yes else False if no else None


def null_share(dimensions: int = 50, draws: int = 20_000, seed: int = 0) -> float:
    """Mean share of the largest entry in the L1 norm of a normal random vector: what chance gives; 1/D is the least."""
    sizes = np.abs(np.random.default_rng(seed).standard_normal((draws, dimensions)))
    return float((sizes.max(axis=1) / sizes.sum(axis=1)).mean())


# --- from answers to a verdict --------------------------------------------------------------------------------------


def outcome(rule: Callable[..., bool | None], intervals: Sequence[Interval | None]) -> str:
    """The answer to one number (or to the few that a rule compares)."""
    if any(interval is None for interval in intervals):
        return MISSING
    if any(np.isnan(interval.mean) for interval in intervals):
        return UNDEFINED
    return {True: HOLDS, False: FAILS, None: UNDECIDED}[rule(*intervals)]


def verdict(outcomes: Sequence[str], quantifier: str = "all") -> str:
    """All answers together.

    "all": holds if all say yes, does not hold if none does and some say no, is undecided if nothing is decided, else
    holds in part. "some" and "most": holds if one says yes, or more than half do; undecided if the undecided could
    make it so; else it does not hold. Undefined numbers and what is true by definition do not count; a missing number
    leaves the verdict open if it could change it.
    """
    counted = [found for found in outcomes if found not in (UNDEFINED, IDENTITY)]
    if not counted:
        return UNDEFINED if UNDEFINED in outcomes else IDENTITY if outcomes else MISSING
    yes, no, missing = (counted.count(state) for state in (HOLDS, FAILS, MISSING))
    if quantifier == "all":
        if {PART, DEPENDS} & set(counted) or (yes and len(counted) - missing > yes):
            return PART
        return MISSING if missing else HOLDS if yes else FAILS if no else UNDECIDED
    needed = 1 if quantifier == "some" else len(counted) // 2 + 1
    if yes >= needed:
        return HOLDS
    return MISSING if missing and len(counted) - no >= needed else UNDECIDED if len(counted) - no >= needed else FAILS


# --- a rule in words ------------------------------------------------------------------------------------------------


def conventions(rule: Callable[..., bool]) -> tuple[Callable[..., bool], dict[str, float]]:
    """The function behind a rule, and its conventions: those in its signature, and those that a claim gave it."""
    function, given = (rule.func, rule.keywords) if isinstance(rule, partial) else (rule, {})
    known = inspect.signature(function).parameters.items()
    defaults = {name: parameter.default for name, parameter in known if parameter.default is not parameter.empty}
    return function, defaults | given


def in_words(rule: Callable[..., bool]) -> str:
    """What a rule says yes to, with its conventions as numbers: the sentence of its docstring."""
    function, given = conventions(rule)
    said = " ".join(function.__doc__.split())
    for name, value in given.items():
        said = said.replace(f"``{name}``", f"{value:g}")
    return said
