"""Sentences made from results, so that the text stays true when the numbers change."""

from collections.abc import Sequence

from ..intervals import Interval
from .picture import writable


def compared(first: str, second: str, difference: Interval) -> str:
    """Say which of two things is larger, by how much, and how sure we are, from the interval of first - second.

    "A lies above B by 0.12 [0.10, 0.14]", "A lies below B by ...", or "cannot be told apart" if the interval
    contains 0 or is undefined. Taught in: *AOPC*.
    """
    if difference.side == "undecided":
        return f"{first} and {second} cannot be told apart ({difference:+.3f})"
    distance = difference if difference.side == "above" else -difference
    if distance.high < 0.0005:
        return f"{first} lies {difference.side} {second}, but by less than 0.001"
    return f"{first} lies {difference.side} {second} by {distance:.3f}"


def beside(here: Interval, reference: Interval | None) -> str:
    """A value of this build beside that of the reference results, and how far apart they lie.

    "0.51 [0.48, 0.54] here (n = 200), 0.50 [0.49, 0.51] in the reference (n = 1,000 a seed), 0.01 apart".
    Taught in: *AOPC*.
    """
    said = f"{here:.3f} here (n = {here.n:,})"
    if reference is None:
        return f"{said}, not in the reference"
    return (f"{said}, {reference:.3f} in the reference (n = {reference.n:,} a seed), "
            f"{abs(here.mean - reference.mean):.3f} apart")


def listed(items: Sequence[str]) -> str:
    """"a", "a and b", "a, b and c"; "none" for nothing."""
    items = [str(item) for item in items]
    if not items:
        return "none"
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def top_words(words: Sequence[str], scores: Sequence[float], most: int = 3, signed: bool = True) -> str:
    """The highest-scored words of a document: "*great* +0.53 and *fine* +0.21", without "+" for an unsigned method."""
    form = "+.2g" if signed else ".2g"
    order = sorted(range(len(words)), key=lambda position: -float(scores[position]))[:most]
    return listed([f"*{safe(words[position])}* {float(scores[position]):{form}}" for position in order])


def safe(word: str) -> str:
    """A word of the data must not become markup."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]()#+-.!<>|$~&:@" else sign for sign in writable(word))
