"""A grid of small marks, such as yes and no for many claims in many places: a table that is read like a picture."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

KINDS = ("yes", "part", "no", "open", "none")  # green, amber, red, grey, empty; a mark says the same without colour


class Mark(NamedTuple):
    """What stands in one cell: a sign or a short word, its colour, and what it means in words."""

    sign: str
    kind: str
    meaning: str


class Grid:
    """Rows of :class:`Mark` under named columns; a notebook shows a table, ``print`` the meanings.

    ``rows`` maps a row's name to its marks, ``links`` a name to an address. Raises ``ValueError`` for a row with
    another number of marks than there are columns, and for an unknown kind. Taught in: *What decides the outcome?*.
    """

    def __init__(self, columns: Sequence[str], rows: Mapping[str, Sequence[Mark]], caption: str,
                 links: Mapping[str, str] | None = None):
        self.columns, self.rows, self.caption = list(columns), dict(rows), caption
        self.links = dict(links or {})
        for name, marks in self.rows.items():
            if len(marks) != len(self.columns):
                raise ValueError(f"The row {name!r} has {len(marks)} marks for {len(self.columns)} columns: "
                                 "give one for each.")
            if unknown := sorted({mark.kind for mark in marks} - set(KINDS)):
                raise ValueError(f"Unknown kind of mark {unknown[0]!r}: choose one of {', '.join(KINDS)}.")

    def __str__(self) -> str:
        return "\n".join(f"{name}, {column}: {mark.meaning}" for name, marks in self.rows.items()
                         for column, mark in zip(self.columns, marks, strict=True))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{escape(column)}</th>' for column in self.columns)
        body = "".join(f'<tr><th scope="row">{self._named(name)}</th>{"".join(map(_cell, marks))}</tr>'
                       for name, marks in self.rows.items())
        return (f'<div class="pst-scrollable-table-container"><table class="table grid"><caption>{escape(self.caption)}'
                f"</caption><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div>")

    def _named(self, name: str) -> str:
        return f'<a href="{escape(self.links[name])}">{escape(name)}</a>' if name in self.links else escape(name)


def _cell(mark: Mark) -> str:
    return (f'<td class="mark-{mark.kind}" title="{escape(mark.meaning)}"><span aria-hidden="true">{escape(mark.sign)}'
            f'</span><span class="visually-hidden">{escape(mark.meaning)}</span></td>')
