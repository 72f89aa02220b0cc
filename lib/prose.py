"""Sentences made from results, so that the text stays true when the numbers change."""

from collections.abc import Sequence

from .agreement import Interval


def compared(first: str, second: str, difference: Interval, unit: str = "") -> str:
    """Say which of two things is larger, by how much, and how sure we are, from the interval of first - second.

    "A lies above B by 0.12 [0.10, 0.14]", "A lies below B by ...", or "cannot be told apart" if the interval
    contains 0. Taught in: *AOPC*.
    """
    mean, low, high = (float(value) for value in difference[:3])
    unit = f" {unit}" if unit else ""
    if low > 0:
        return f"{first} lies above {second} by {mean:.3f}{unit} [{low:.3f}, {high:.3f}]"
    if high < 0:
        return f"{first} lies below {second} by {-mean:.3f}{unit} [{-high:.3f}, {-low:.3f}]"
    return f"{first} and {second} cannot be told apart ({mean:+.3f}{unit} [{low:.3f}, {high:.3f}])"


def listed(items: Sequence[str]) -> str:
    """"a", "a and b", "a, b and c"; "none" for nothing."""
    items = list(items)
    if not items:
        return "none"
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def top_words(words: Sequence[str], scores: Sequence[float], most: int = 3) -> str:
    """The highest-scored words of a document with their scores: "*great* +0.53, *fine* +0.21"."""
    order = sorted(range(len(words)), key=lambda position: -float(scores[position]))[:most]
    return listed([f"*{safe(words[position])}* {float(scores[position]):+.3f}" for position in order])


def safe(word: str) -> str:
    """A word of the data must not become markup."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]()#+-.!<>|$~&:@" else sign for sign in word)
