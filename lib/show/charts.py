"""Pictures of many results: intervals under each other, lines with bands, correlation against length."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

import matplotlib
import numpy as np
import torch
from matplotlib.ticker import MaxNLocator
from scipy import stats
from torch import Tensor

from ..agreement import pearson
from ..intervals import Interval
from .looks import OTHER_COLOURS, SERIES, colour_of, label_of, looks_of, positive_means
from .picture import STYLE, Picture, grid, legend_above, note_below, numbers, ordered, plain, scores_of, wrapped

OTHER_MARKERS = (("s", "full"), ("^", "full"), ("v", "none"), ("P", "full"), ("X", "none"))
UNITS = {"loss": "nats", "logit": "logit", "probability": "probability"}
SIGNS = {1: "positive: for the class", -1: "positive: against the class", 0: "the sign says nothing"}


@matplotlib.rc_context(STYLE)
def intervals(panels: Mapping[str, Mapping[str, Mapping[str, Interval | None]]], label: str, note: str = "") -> Picture:
    """Means with their intervals: panel -> row -> series ("this build", "reference", ...) -> interval.

    This is the shape in which :mod:`lib.results` answers. None, or a mean that is not finite, is a row without a mark.
    ``label`` names the horizontal axis. Taught in: *AOPC*.
    """
    rows = list(dict.fromkeys(row for panel in panels.values() for row in panel))
    names = list(dict.fromkeys(name for panel in panels.values() for row in panel.values() for name in row))
    marks = SERIES | dict(zip([name for name in names if name not in SERIES], _other_marks(), strict=False))
    figure, axes = grid(len(panels), width=3.7, height=0.9 + 0.2 * len(rows) * len(names), columns=2)
    sentences = []
    for axis, (title, panel) in zip(axes, panels.items(), strict=True):
        axis.axvline(0, color="#BBBBBB", linewidth=0.8)
        for name, shift in zip(names, _shifts(len(names)), strict=True):
            found = {place: panel[row][name] for place, row in enumerate(rows) if _known(panel.get(row, {}).get(name))}
            _points(axis, found, shift, name, marks[name])
            sentences += [f"{title}, {rows[place]}, {name}: {value:.2f}" for place, value in found.items()]
        axis.set(title=wrapped(title, 2.6), xlabel=wrapped(label, 2.6), yticks=range(len(rows)))
        axis.set_ylim(len(rows) - 0.5, -0.5)
        axis.xaxis.set_major_locator(MaxNLocator(5))  # more would touch
        axis.set_yticklabels([plain(row) for row in rows] if axis.get_subplotspec().is_first_col() else [])
    if len(names) > 1:
        legend_above(figure, axes)
    note_below(figure, note)
    return Picture(figure, f"Points with 95 % intervals, {label}. {'; '.join(sentences)}.")


def _points(axis, found: Mapping[int, Interval], shift: float, name: str, mark: tuple) -> None:
    """The intervals of one series: row number -> interval, a little above or below the line of the row."""
    colour, marker, fill = mark
    means = numbers([value.mean for value in found.values()])
    ends = numbers([[value.low, value.high] for value in found.values()]).reshape(-1, 2)
    axis.errorbar(means, [place + shift for place in found], xerr=np.abs(ends.T - means), fmt=marker, color=colour,
                  fillstyle=fill, markersize=5, linewidth=1.2, label=plain(name))


def _shifts(series: int) -> list[float]:
    return [0.5 * (number - (series - 1) / 2) / series for number in range(series)]


def _known(interval: Interval | None) -> bool:
    return interval is not None and bool(np.isfinite(interval.mean))


def _other_marks() -> Iterator[tuple]:
    """Colour, marker and filling for series that are neither of this build nor of the reference."""
    colours = itertools.cycle(("#009E73", "#CC79A7", "#8C510A", *OTHER_COLOURS))
    return ((colour, *marker) for colour, marker in zip(colours, itertools.cycle(OTHER_MARKERS), strict=False))


@matplotlib.rc_context(STYLE)
def lines(panels: Mapping[str, Mapping[str, tuple]], across: str, up: str, log: bool = False, note: str = "",
          ticks: Mapping[float, str] | None = None, height: float = 3.2, same_scale: bool = True) -> Picture:
    """Lines with bands: panel title -> line -> (places [n], values [n], low [n], high [n]).

    A line is a method's key, "this build", "reference" or any other name. ``across`` and ``up`` name the axes, ``log``
    makes both logarithmic, ``ticks`` names places, ``same_scale`` gives all panels one vertical axis.
    Taught in: *What decides the outcome?*, *What an explanation costs*.
    """
    figure, axes = grid(len(panels), width=3.0, height=height)
    look = looks_of(name for panel in panels.values() for name in panel)
    ticks = ticks or {}
    sentences = []
    for axis, (title, panel) in zip(axes, panels.items(), strict=True):
        parts = []
        for name, (places, *values) in panel.items():
            places, (middle, low, high) = numbers(places), map(numbers, values)
            colour, dashes = look[name]
            named = plain(label_of(name))
            axis.plot(places, middle, color=colour, linestyle=dashes, marker="o", markersize=3, label=named)
            axis.fill_between(places, low, high, color=colour, alpha=0.15, linewidth=0)
            ends = [f"{_short(value)} at {ticks.get(place, f'{place:,g}')}" for place, value in
                    ((places[0], middle[0]), (places[-1], middle[-1]))]
            parts.append(f"{label_of(name)} {' and '.join(ends)}")
        axis.set(title=wrapped(title, 2.0), xlabel=wrapped(across, 2.0))
        if log:
            axis.set(xscale="log", yscale="log")
        if ticks:
            axis.set_xticks(list(ticks), [plain(name, most=30) for name in ticks.values()])
        sentences.append(f"{title}: {'; '.join(parts)}.")
    bottom, top = (limit(axis.get_ylim()[side] for axis in axes) for side, limit in ((0, min), (1, max)))
    for axis in axes if same_scale else []:
        axis.set_ylim(bottom, top)
    axes[0].set_ylabel(plain(up))
    legend_above(figure, axes)
    note_below(figure, note)
    scales = ", both axes logarithmic" if log else ""
    return Picture(figure, f"Line charts of {up} against {across}{scales}. {' '.join(sentences)}")


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}"


@matplotlib.rc_context(STYLE)
def rho_by_length(panels: Mapping[str, tuple[np.ndarray, np.ndarray]], note: str = "") -> Picture:
    """Correlation of each document against its number of words: title -> (words [n], rho [n]).

    Two curves are the border of p = 0.05: between them a correlation is not significant. Undefined correlations (NaN)
    are not drawn, but counted.
    Taught in: *Agreement with LOO*.
    """
    figure, axes = grid(len(panels), width=3.0, height=2.9)
    sentences = []
    for axis, (title, (words, rho)) in zip(axes, panels.items(), strict=True):
        words, rho = numbers(words), numbers(rho)
        drawn = ~np.isnan(rho)
        lengths = np.arange(3, max(4, words.max(initial=4)) + 1)
        t = stats.t.ppf(0.975, lengths - 2)
        border = t / np.sqrt(lengths - 2 + t**2)
        outside = np.abs(rho[drawn]) >= np.interp(words[drawn], lengths, border)
        axis.fill_between(lengths, -border, border, color="#8A8A8A", alpha=0.2, linewidth=0, label="not significant")
        axis.scatter(words[drawn], rho[drawn], s=12, color="#0072B2", alpha=0.6, linewidth=0, label="a document")
        axis.set(title=wrapped(f"{title} (n = {drawn.sum()})", 2.0), xlabel="words", ylim=(-1.05, 1.05))
        sentences.append(f"{title}: {outside.sum()} of {drawn.sum()} documents outside the band, "
                         f"{len(rho) - drawn.sum()} undefined")
    axes[0].set_ylabel("ρ")
    legend_above(figure, axes)
    note_below(figure, note)
    return Picture(figure, "Scatter plots of the correlation ρ against the number of words; in a grey band p > 0.05. "
                           f"{'; '.join(sentences)}.")


@matplotlib.rc_context(STYLE)
def rho_histograms(panels: Mapping[str, Mapping[str, Tensor]], note: str = "") -> Picture:
    """How the correlations with LOO are spread over documents, a panel for each entry: title -> method key -> rho [n].

    Documents whose correlation is undefined (NaN) are counted in the legend of the panel, not drawn.
    Taught in: *Agreement with LOO*.
    """
    figure, axes = grid(len(panels), width=3.0, height=2.7)
    look = looks_of(key for methods in panels.values() for key in methods)
    sentences = []
    for axis, (title, methods) in zip(axes, panels.items(), strict=True):
        for key, rho in methods.items():
            values, (colour, dashes) = numbers(rho), look[key]
            defined = values[~np.isnan(values)]
            undefined = len(values) - len(defined)
            name = plain(label_of(key) + (f" ({undefined} undefined)" if undefined else ""))
            if len(defined):
                bins = np.linspace(-1, 1, 41)
                edge = {"edgecolor": colour, "linewidth": 0.5, "linestyle": dashes}
                axis.hist(defined, bins, color=colour, alpha=0.55, label=name, **edge)
                sentences.append(f"{title}, {label_of(key)}: median {np.median(defined):.2f}, "
                                 f"{len(defined)} of {len(values)} documents defined.")
            else:
                axis.plot([], [], color=colour, label=name)
                sentences.append(f"{title}, {label_of(key)}: undefined for all {len(values)} documents.")
        axis.set(title=wrapped(title, 2.0), xlabel="correlation with LOO, ρ", xlim=(-1, 1), xticks=(-1, 0, 1))
        axis.legend(fontsize=9, loc="upper left")
    axes[0].set_ylabel("documents")
    note_below(figure, note)
    return Picture(figure, "Histograms of the Pearson correlation with LOO. " + " ".join(sentences))


@matplotlib.rc_context(STYLE)
def word_bars(scores: Mapping[str, Mapping[str, float]], title: str = "", note: str = "",
              of: str | None = None) -> Picture:
    """A bar for each word: method key -> word -> score. The highest three of each method are named in the alt text.

    Below each panel stands what a positive score says of the class; ``of`` is the quantity explained, by default that
    of the method. Taught in: *The FastText counterexample*.
    """
    figure, axes = grid(len(scores), width=3.4, height=1.1 + 0.24 * max(map(len, scores.values()), default=0))
    tops = []
    for axis, (key, words) in zip(axes, scores.items(), strict=True):
        rows = range(len(words))
        axis.barh(rows, scores_of(list(words), list(words.values())), color=colour_of(key), height=0.7)
        axis.axvline(0, color="#222222", linewidth=0.8)
        axis.set(title=plain(label_of(key)), yticks=rows, yticklabels=[plain(word, most=30) for word in words],
                 xlabel=f"sum over occurrences\n({SIGNS[positive_means(key, of)]})")
        axis.invert_yaxis()
        tops.append(f"{label_of(key)} ({SIGNS[positive_means(key, of)]}): {ordered(words.items(), 3)}")
    figure.suptitle(wrapped(title, figure.get_figwidth()))
    note_below(figure, note)
    alt = f"Bar charts of word scores. Highest: {'; '.join(tops)}."
    return Picture(figure, f"{title}. {alt}" if title else alt)


@matplotlib.rc_context(STYLE)
def agreement_scatter(words: Sequence[str], scores: Mapping[str, Tensor], note: str = "", of: str = "loss") -> Picture:
    """Scores of one document against its LOO scores, a point for each word: method key -> score [m]; one key is "loo".

    ``of`` is the quantity explained, and gives LOO its unit. Raises ``ValueError`` without words or LOO, or if there
    are not as many scores as words. Taught in: *Agreement with LOO*.
    """
    if "loo" not in scores:
        raise ValueError("There are no LOO scores to compare with: explain with the method 'loo' too.")
    found = {key: scores_of(words, values) for key, values in scores.items()}
    loo = found.pop("loo")
    figure, axes = grid(len(found), width=3.4, height=3.2)
    said = []
    for axis, (key, values) in zip(axes, found.items(), strict=True):
        pair = torch.as_tensor(np.stack([values, loo]))[:, None]
        rho = float(pearson(*pair, torch.ones(1, len(words), dtype=torch.bool))[0])
        correlation = "ρ undefined" if np.isnan(rho) else f"ρ = {rho:.2f}"
        axis.axhline(0, color="#BBBBBB", linewidth=0.8)
        axis.axvline(0, color="#BBBBBB", linewidth=0.8)
        axis.scatter(loo, values, s=16, color=colour_of(key), alpha=0.7, linewidth=0)
        axis.set(title=wrapped(f"{label_of(key)}: {correlation}", 2.6), xlabel=f"LOO ({UNITS[of]})")
        axis.set_ylabel(plain(label_of(key)))
        axis.ticklabel_format(scilimits=(-3, 4))
        said.append(f"{label_of(key)} {correlation}")
    note_below(figure, note)
    return Picture(figure, f"Scatter plots of word scores against LOO, {len(words)} words: {', '.join(said)}.")
