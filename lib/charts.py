"""Pictures of many results: intervals under each other, lines with bands, correlation against length."""

import itertools
from collections.abc import Mapping

import matplotlib
import numpy as np
from scipy import stats

from .agreement import Interval
from .attribution import METHODS
from .figures import COLOURS, DASHES, STYLE, Picture, _grid, _legend_above, _note, _plain

# What was measured where: filled for the pages' own numbers, hollow for the reference; others follow.
SERIES = {"this build": ("#0072B2", "o", "full"), "reference": ("#D55E00", "D", "none")}
OTHERS = (("#009E73", "s", "full"), ("#CC79A7", "^", "full"), ("#8C510A", "v", "none"))


@matplotlib.rc_context(STYLE)
def intervals(panels: Mapping[str, Mapping[str, Mapping[str, Interval | None]]], label: str, note: str = "") -> Picture:
    """Means with their intervals, a line for each row: panel title -> row -> series ("this build", "reference", ...) -> interval.

    None, or a NaN mean, is a row without a mark. ``label`` names the horizontal axis. Taught in: *AOPC*.
    """
    rows = list(dict.fromkeys(row for panel in panels.values() for row in panel))
    names = list(dict.fromkeys(name for panel in panels.values() for row in panel.values() for name in row))
    marks = SERIES | dict(zip((name for name in names if name not in SERIES), OTHERS))
    figure, axes = _grid(len(panels), width=3.4, height=1.3 + 0.19 * len(rows) * len(names))
    sentences = []
    for axis, (title, panel) in zip(axes, panels.items()):
        axis.axvline(0, color="#BBBBBB", linewidth=0.8)
        for number, name in enumerate(names):
            colour, marker, fill = marks[name]
            found = [(place, panel[row][name]) for place, row in enumerate(rows) if panel.get(row, {}).get(name) is not None]
            found = [(place, value) for place, value in found if not np.isnan(value.mean)]
            means = np.array([float(value.mean) for _, value in found])
            ends = np.array([[float(value.low), float(value.high)] for _, value in found]).reshape(-1, 2)
            places = [place + 0.5 * (number - (len(names) - 1) / 2) / len(names) for place, _ in found]
            axis.errorbar(means, places, xerr=np.abs(ends.T - means), fmt=marker, color=colour, fillstyle=fill, markersize=5, linewidth=1.2, label=name)
            sentences += [f"{title}, {rows[place]}, {name}: {value.mean:.2f} [{value.low:.2f}, {value.high:.2f}]" for place, value in found]
        axis.set(title=_plain(title), yticks=range(len(rows)), ylim=(len(rows) - 0.5, -0.5), xlabel=label)
        first = axis is axes[0] or axis.get_subplotspec().is_first_col()
        axis.set_yticklabels([_plain(row) for row in rows] if first else [])
    if len(names) > 1:
        _legend_above(figure, axes)
    _note(figure, note)
    return Picture(figure, f"Points with 95 % intervals, {label}. {'; '.join(sentences)}.")


@matplotlib.rc_context(STYLE)
def lines(panels: Mapping[str, Mapping[str, tuple]], across: str, up: str, log: bool = False, ticks: Mapping[float, str] | None = None,
          note: str = "", height: float = 3.2, same_scale: bool = True) -> Picture:
    """Lines with bands: panel title -> line -> (places [n], values [n], low [n], high [n]).

    A line is a method's key, "this build", "reference" or any other name. ``across`` and ``up`` name the axes, ``log`` makes
    both logarithmic, ``ticks`` names places, ``same_scale`` gives all panels one vertical axis.
    Taught in: *What decides the outcome?*, *What an explanation costs*.
    """
    figure, axes = _grid(len(panels), width=3.0, height=height)
    known = {key: (colour, DASHES[key]) for key, colour in COLOURS.items()} | {name: (mark[0], "-") for name, mark in SERIES.items()}
    others = [name for name in dict.fromkeys(name for panel in panels.values() for name in panel) if name not in known]
    known |= dict(zip(others, itertools.cycle((colour, (0, (4, 1, 1, 1))) for colour in ("#117733", "#332288", "#882255"))))
    sentences = []
    for axis, (title, panel) in zip(axes, panels.items()):
        parts = []
        for name, (places, *values) in panel.items():
            middle, low, high = (np.asarray(part, dtype=float) for part in values)
            label = METHODS[name].label if name in METHODS else name
            axis.plot(places, middle, color=known[name][0], linestyle=known[name][1], marker="o", markersize=3, label=label)
            axis.fill_between(places, low, high, color=known[name][0], alpha=0.15, linewidth=0)
            ends = [f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}" for value in middle[[0, -1]]]
            where = [(ticks or {}).get(place, f"{place:,}") for place in (places[0], places[-1])]
            parts.append(f"{label} {ends[0]} at {where[0]} and {ends[1]} at {where[1]}")
        axis.set(title=_plain(title), xlabel=across, **({"xscale": "log", "yscale": "log"} if log else {}))
        if ticks:
            axis.set_xticks(list(ticks), list(ticks.values()))
        sentences.append(f"{title}: {'; '.join(parts)}.")
    bottom, top = (limit(axis.get_ylim()[side] for axis in axes) for side, limit in ((0, min), (1, max)))
    for axis in axes if same_scale else []:
        axis.set_ylim(bottom, top)
    axes[0].set_ylabel(up)
    _legend_above(figure, axes)
    _note(figure, note)
    return Picture(figure, f"Line charts of {up} against {across}{', both axes logarithmic' if log else ''}. {' '.join(sentences)}")


@matplotlib.rc_context(STYLE)
def rho_by_length(panels: Mapping[str, tuple[np.ndarray, np.ndarray]], note: str = "") -> Picture:
    """Correlation of each document against its number of words, with the border of p = 0.05: title -> (words [n], rho [n]).

    Between the two curves a correlation is not significant. Undefined correlations (NaN) are not drawn, but counted.
    Taught in: *Agreement with LOO*.
    """
    figure, axes = _grid(len(panels), width=3.0, height=2.9)
    sentences = []
    for axis, (title, (words, rho)) in zip(axes, panels.items()):
        words, rho = np.asarray(words, dtype=float), np.asarray(rho, dtype=float)
        drawn = ~np.isnan(rho)
        lengths = np.arange(3, max(4, words.max(initial=4)) + 1)
        t = stats.t.ppf(0.975, lengths - 2)
        border = t / np.sqrt(lengths - 2 + t**2)
        outside = np.abs(rho[drawn]) >= np.interp(words[drawn], lengths, border)
        axis.fill_between(lengths, -border, border, color="#8A8A8A", alpha=0.2, linewidth=0, label="not significant")
        axis.scatter(words[drawn], rho[drawn], s=12, color="#0072B2", alpha=0.6, linewidth=0, label="a document")
        axis.set(title=f"{_plain(title)} (n = {drawn.sum()})", xlabel="words", ylim=(-1.05, 1.05))
        sentences.append(f"{title}: {outside.sum()} of {drawn.sum()} documents outside the band, {len(rho) - drawn.sum()} undefined")
    axes[0].set_ylabel("ρ")
    _legend_above(figure, axes)
    _note(figure, note)
    return Picture(figure, f"Scatter plots of the correlation ρ against the number of words; in a grey band p > 0.05. {'; '.join(sentences)}.")
