"""What a question gets: intervals in one shape, for a table, a chart and a rule alike."""

from html import escape

from ..intervals import Interval

SERIES = ("this build", "reference")


class Answers(dict):
    """Panel title -> row -> {"this build", "reference"} -> interval, or None where nothing was computed.

    The rows are methods, or pairs of them. A notebook shows a table; :func:`lib.show.charts.intervals` draws it.
    ``of(series)`` lists the intervals of one series, ``turned()`` gives row -> panel -> series instead, so that a chart
    has a panel for each comparison. Taught in: *AOPC*.
    """

    def __init__(self, found, asked: str = "", signed: bool = False):
        super().__init__(found)
        self.asked, self.form = asked, "+.3f" if signed else ".3f"

    def of(self, series: str) -> list[tuple[str, str, Interval | None]]:
        """Panel, row and interval of everything in one series, "this build" or "reference".

        Raises ``ValueError`` for another series.
        """
        if series not in SERIES:
            raise ValueError(f"Unknown series {series!r}: choose one of {', '.join(SERIES)}.")
        return [(panel, row, pair[series]) for panel, rows in self.items() for row, pair in rows.items()]

    def turned(self) -> "Answers":
        """The same, row -> panel -> series -> interval."""
        rows = dict.fromkeys(row for found in self.values() for row in found)
        found = {row: {panel: rows_of[row] for panel, rows_of in self.items() if row in rows_of} for row in rows}
        return Answers(found, self.asked, self.form.startswith("+"))

    def __str__(self) -> str:
        return "\n".join(f"{panel}, {row}, {series}: {_said(value, self.form)}"
                         for series in SERIES for panel, row, value in self.of(series))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """A table narrow enough for a phone: a heading for a panel, a line for each row, a column for each series."""
        head = "<td></td>" + "".join(f'<th scope="col">{series}</th>' for series in SERIES)
        body = "".join(_lines(panel, rows, self.form) for panel, rows in self.items())
        caption = f"{escape(self.asked)}. Means with 95 % intervals" + (" (–: not computed)." if "–" in body else ".")
        return (f'<div class="pst-scrollable-table-container"><table class="table answers"><caption>{caption}</caption>'
                f"<thead><tr>{head}</tr></thead>{body}</table></div>")


def _lines(title: str, rows: dict, form: str) -> str:
    sizes = {series: max((pair[series].n for pair in rows.values() if pair[series]), default=0) for series in SERIES}
    counts = ", ".join(f"n = {n:,}{'' if series == 'this build' else ' a seed'}" for series, n in sizes.items() if n)
    counts = f" <small>({counts})</small>" if counts else ""
    lines = [f'<tr><th scope="rowgroup" colspan="3">{escape(title)}{counts}</th></tr>']
    for row, pair in rows.items():
        cells = "".join(f"<td>{_cell(pair[series], form, sizes[series])}</td>" for series in SERIES)
        lines.append(f'<tr><th scope="row">{escape(row)}</th>{cells}</tr>')
    return f"<tbody>{''.join(lines)}</tbody>"


def _said(value: Interval | None, form: str) -> str:
    return "–" if value is None else f"{value:{form}}"


def _cell(value: Interval | None, form: str, n: int) -> str:
    """Mean and bracket below each other; the number of documents where it is not that of the panel."""
    mean, _, bracket = _said(value, form).partition(" ")
    fewer = f" n = {value.n:,}" if value is not None and 0 < value.n < n else ""
    return f"{mean}<br><small>{bracket}{fewer}</small>" if bracket else mean
