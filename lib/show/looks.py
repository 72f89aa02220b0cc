"""How a method looks and what its sign says: asked here by every picture, so that no two pictures differ.

Each function takes the key of a method, that of a variant ("ig(points=300)") included.
"""

import inspect
from collections import Counter
from collections.abc import Iterable

from ..attribution import METHODS, lookup
from .picture import COLOURS, DASHES

# What was measured where, and what is neither that nor a method: colour, marker, filled or hollow.
SERIES = {"this build": ("#0072B2", "o", "full"), "reference": ("#D55E00", "D", "none")}
OTHER_COLOURS = ("#332288", "#882255", "#117733", "#999933", "#661100", "#AA4499", "#44AA99")
OTHER_DASHES = ((0, (8, 2)), (0, (4, 1, 1, 1)), (0, (2, 2)), (0, (8, 2, 1, 2)), (0, (4, 1, 1, 1, 1, 1)))


def label_of(name: str) -> str:
    """The name of a method in a picture; what is no method keeps its own."""
    return lookup(name).label if is_method(name) else str(name)


def is_method(name: str) -> bool:
    try:
        lookup(name)
    except ValueError:
        return False
    return True


def colour_of(key: str) -> str:
    """The colour of a method: the palette's, or for one that joined later, one by its place among these."""
    return _own(key.partition("(")[0])[0]


def looks_of(names: Iterable[str]) -> dict[str, tuple]:
    """Colour and dashes of each line of a picture.

    A method has its own everywhere. Its variants have its colour, and dashes that tell them apart within the picture.
    "this build" and "reference" have theirs too; other names are no methods and get one by their place.
    """
    names = list(dict.fromkeys(names))
    found, variants = {}, Counter()
    strangers = [name for name in names if name not in SERIES and not is_method(name)]
    for name in sorted(names, key=lambda name: "(" in name):  # a method first, then its variants
        method = name.partition("(")[0]
        if name in SERIES:
            found[name] = SERIES[name][0], "-"
        elif name in strangers:
            place = strangers.index(name)
            found[name] = _turn(OTHER_COLOURS, -1 - place), _turn(OTHER_DASHES, place)
        else:
            own, dashes = _own(method)
            patterns = [dashes, *(other for other in OTHER_DASHES if other != dashes)]
            found[name] = own, _turn(patterns, variants[method])
            variants[method] += 1
    return found


def positive_means(key: str, of: str | None = None) -> int:
    """What a positive score says of the class: +1 it supports it, -1 it speaks against it, 0 neither.

    ``of`` is the quantity explained; by default the one that the key names or that the method explains by itself.
    """
    return lookup(key).positive_means(of or _explained(key))


def _explained(key: str) -> str:
    """The quantity that a method explains if nobody names one; those that share a gradient take that of the loss."""
    parameter = inspect.signature(lookup(key).function).parameters.get("of")
    return parameter.default if parameter else "loss"


def _own(method: str) -> tuple:
    if method in COLOURS:
        return COLOURS[method], DASHES[method]
    later = [key for key in METHODS if key not in COLOURS]
    place = later.index(method)
    return _turn(OTHER_COLOURS, place), _turn(OTHER_DASHES, place)


def _turn(items, place):
    return items[place % len(items)]
