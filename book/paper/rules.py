"""The rules that judge the paper: from intervals to yes or no, and from the answers to a verdict, by code alone.

A rule never sees which method, corpus or run it judges. Numbers in its signature, after the star, are this book's
conventions; the page of the report varies them.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from lib.intervals import Interval

VERDICTS = ("holds", "holds in part", "does not hold", "undefined", "not computed")
HOLDS, PART, FAILS, UNDEFINED, MISSING = VERDICTS


# --- rules ----------------------------------------------------------------------------------------------------------


def above(difference: Interval) -> bool:
    """The interval of the difference lies above 0."""
    return bool(difference.low > 0)


def below(difference: Interval) -> bool:
    """The interval of the difference lies below 0."""
    return bool(difference.high < 0)


def tie(difference: Interval) -> bool:
    """The interval of the difference contains 0."""
    return not above(difference) and not below(difference)


def not_above(difference: Interval) -> bool:
    """The interval of the difference does not lie above 0."""
    return not above(difference)


def not_below(difference: Interval) -> bool:
    """The interval of the difference does not lie below 0."""
    return not below(difference)


def overlap(difference: Interval, distance: Interval, *, tolerance: float = 0.1) -> bool:
    """The mean difference is, without its sign, less than ``tolerance`` times the mean distance."""
    return bool(abs(difference.mean) < tolerance * abs(distance.mean))


def moderate(difference: Interval, distance: Interval, *, most: float = 0.5) -> bool:
    """The interval of the difference lies above 0, and its mean is at most ``most`` times the mean distance."""
    return above(difference) and bool(difference.mean <= most * distance.mean)


def far_below(difference: Interval, distance: Interval, *, least: float = 0.25) -> bool:
    """The interval of the difference lies below 0, by a mean of more than ``least`` times the mean distance."""
    return below(difference) and bool(-difference.mean > least * abs(distance.mean))


def strong(rho: Interval, *, least: float = 0.5) -> bool:
    """The mean correlation is at least ``least``."""
    return bool(rho.mean >= least)


def consistent(share: Interval, *, least: float = 0.95) -> bool:
    """The mean share of documents is at least ``least``."""
    return bool(share.mean >= least)


def between(rho: Interval, *, low: float = 0.2, high: float = 0.5) -> bool:
    """The mean correlation lies from ``low`` to ``high``, the paper's own borders."""
    return bool(low <= rho.mean <= high)


def near_zero(rho: Interval, *, border: float = 0.1) -> bool:
    """The mean correlation is, without its sign, less than ``border``."""
    return bool(abs(rho.mean) < border)


def similar(first: Interval, second: Interval, *, tolerance: float = 0.1) -> bool:
    """The two mean correlations differ by less than ``tolerance``."""
    return bool(abs(first.mean - second.mean) < tolerance)


def smaller(first: Interval, second: Interval) -> bool:
    """The interval of the first lies below that of the second, without touching it."""
    return bool(first.high < second.low)


def apart(*values: Interval) -> bool:
    """At least two of the intervals do not touch."""
    return bool(max(value.low for value in values) > min(value.high for value in values))


def more_than(share: Interval, *, least: float) -> bool:
    """The interval of the share lies above ``least``."""
    return bool(share.low > least)


def dominant(share: Interval, *, least: float = 0.5) -> bool:
    """The largest dimension has, by the whole interval, more than ``least`` of the L1 norm."""
    return more_than(share, least=least)


def more_than_chance(share: Interval, *, least: float = 0.063) -> bool:
    """The largest dimension has, by the whole interval, more than ``least`` of the L1 norm, its share by chance."""
    return more_than(share, least=least)


def uncertain(share: Interval, *, least: float = 0.05) -> bool:
    """Masking the first word raises the probability, by the whole interval, in more than ``least`` of the documents."""
    return more_than(share, least=least)


def fades(*tenths: Interval, least: float = 0.5) -> bool:
    """In some tenth of the document the gradient is, by both intervals, below ``least`` times the longest."""
    return bool(min(tenth.high for tenth in tenths) < least * max(tenth.low for tenth in tenths))


def null_share(dimensions: int = 50, draws: int = 20_000, seed: int = 0) -> float:
    """Mean share of the largest entry in the L1 norm of a normal random vector: what chance gives; 1/D is the least."""
    sizes = np.abs(np.random.default_rng(seed).standard_normal((draws, dimensions)))
    return float((sizes.max(axis=1) / sizes.sum(axis=1)).mean())


# --- from answers to a verdict --------------------------------------------------------------------------------------


def outcome(rule: Callable[..., bool], intervals: Sequence[Interval | None]) -> str:
    """The answer to one number (or to the few that a rule compares)."""
    if any(interval is None for interval in intervals):
        return MISSING
    if any(np.isnan(interval.mean) for interval in intervals):
        return UNDEFINED
    return HOLDS if rule(*intervals) else FAILS


def verdict(outcomes: Sequence[str], quantifier: str = "all") -> str:
    """All answers together.

    "all": holds if all hold, does not hold if none does, else in part. "some" and "most": holds if at least one does,
    or more than half do; else does not hold. Undefined numbers do not count; a missing one leaves the verdict open if
    it could change it.
    """
    counted = [found for found in outcomes if found != UNDEFINED]
    if not counted:
        return UNDEFINED if outcomes else MISSING
    yes, missing = counted.count(HOLDS), counted.count(MISSING)
    if quantifier == "all":
        if PART in counted or 0 < yes < len(counted) - missing:
            return PART
        return MISSING if missing else HOLDS if yes else FAILS
    needed = 1 if quantifier == "some" else len(counted) // 2 + 1
    if yes >= needed:
        return HOLDS
    return MISSING if yes + missing >= needed else FAILS


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
