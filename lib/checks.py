"""What a user may pass: containers of texts and labels, whole numbers. What is meant is accepted, the rest refused."""

import operator
from collections.abc import Iterable, Mapping, Sequence, Set


def as_texts(texts: Iterable[str]) -> list[str]:
    """A list of texts, from any container in which texts have an order: list, tuple, array, Series, generator.

    Raises ``TypeError`` for one bare string, a table, a set or a mapping, and for an element that is no string;
    ``ValueError`` if there are none. Taught in: *Data and classifiers*.
    """
    if isinstance(texts, (str, bytes)):
        raise TypeError("One string came where encode expects a list of texts: write encode([text]) for a single one.")
    found = in_order(texts, "texts")
    if not found:
        raise ValueError("The list of texts is empty, encode was given no texts: pass at least one document.")
    for row, text in enumerate(found):
        if not isinstance(text, str):
            raise TypeError(f"A text must be a string, not {type(text).__name__} (text {row} of {len(found)}): "
                            "pass the documents themselves, e.g. ['a fine film'].")
    return found


def as_labels(labels: Iterable[int], documents: int, classes: Sequence[str] | None = None) -> list[int]:
    """A list of class numbers, one for each of ``documents`` texts, from the same containers as texts.

    Whole numbers of any type are accepted, 1.0 and True among them. Raises ``ValueError`` for 0.7, for another number
    of labels than of texts, and for a label that is not the number of one of the ``classes``.
    Taught in: *Data and classifiers*.
    """
    found = in_order(labels, "labels")
    if len(found) != documents:
        raise ValueError(f"{documents} texts came with {len(found)} labels: pass one label for each text.")
    numbers = [_class_number(label) for label in found]
    for number in numbers if classes is not None else []:
        check_class(number, classes, "Label")
    return numbers


def check_class(number: int, classes: Sequence[str], what: str = "Class") -> None:
    """Raises ``ValueError`` unless ``number`` is the number of one of the ``classes``."""
    if not 0 <= number < len(classes):
        raise ValueError(f"{what} {number} is out of range: the classes are 0 to {len(classes) - 1} "
                         f"({', '.join(map(str, classes))}).")


def whole_number(value: int, name: str, least: int | None = None) -> int:
    """``value`` as an int, whether Python's, numpy's or torch's.

    Raises ``ValueError`` if it is no whole number, or less than ``least``.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise ValueError(f"The option {name} is {value!r}: it must be a whole number.")
    if least is not None and number < least:
        raise ValueError(f"The option {name} is {number}: it must be at least {least}.")
    return number


def as_keys(keys: str | Iterable[str]) -> list[str]:
    """A list of keys; one key alone, given as a string, is a list of one."""
    return [keys] if isinstance(keys, str) else list(keys)


def in_order(values: Iterable, what: str) -> list:
    """A list of what a container with an order holds. Raises ``TypeError`` for the rest: a table, a set, one text."""
    if isinstance(values, Mapping) or hasattr(values, "columns"):
        raise TypeError(f"The {what} came as a {type(values).__name__}, a table of several columns: pass one of them, "
                        "e.g. table['text'].")
    if isinstance(values, (Set, str, bytes)) or not isinstance(values, Iterable) and not hasattr(values, "__getitem__"):
        raise TypeError(f"The {what} came as a {type(values).__name__}: pass them in order, as a list.")
    return values.tolist() if hasattr(values, "tolist") else list(values)


def _class_number(label) -> int:
    try:
        number = int(label)
        if number == label:
            return number
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"Label {label!r} is no class number: pass whole numbers from 0, the places of the classes.")
