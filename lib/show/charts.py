"""Pictures of many results: intervals under each other, lines with bands, correlation against length."""

import itertools
from collections.abc import Mapping

import matplotlib
import numpy as np
import torch
from scipy import stats
from torch import Tensor

from ..agreement import pearson
from ..attribution import METHODS
from ..intervals import Interval
from .picture import COLOURS, DASHES, STYLE, Picture, check_words, grid, legend_above, note_below, ordered, plain

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
    figure, axes = grid(len(panels), width=3.4, height=1.3 + 0.19 * len(rows) * len(names))
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
        axis.set(title=plain(title), yticks=range(len(rows)), ylim=(len(rows) - 0.5, -0.5), xlabel=label)
        first = axis is axes[0] or axis.get_subplotspec().is_first_col()
        axis.set_yticklabels([plain(row) for row in rows] if first else [])
    if len(names) > 1:
        legend_above(figure, axes)
    note_below(figure, note)
    return Picture(figure, f"Points with 95 % intervals, {label}. {'; '.join(sentences)}.")


@matplotlib.rc_context(STYLE)
def lines(panels: Mapping[str, Mapping[str, tuple]], across: str, up: str, log: bool = False, ticks: Mapping[float, str] | None = None,
          note: str = "", height: float = 3.2, same_scale: bool = True) -> Picture:
    """Lines with bands: panel title -> line -> (places [n], values [n], low [n], high [n]).

    A line is a method's key, "this build", "reference" or any other name. ``across`` and ``up`` name the axes, ``log`` makes
    both logarithmic, ``ticks`` names places, ``same_scale`` gives all panels one vertical axis.
    Taught in: *What decides the outcome?*, *What an explanation costs*.
    """
    figure, axes = grid(len(panels), width=3.0, height=height)
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
        axis.set(title=plain(title), xlabel=across, **({"xscale": "log", "yscale": "log"} if log else {}))
        if ticks:
            axis.set_xticks(list(ticks), list(ticks.values()))
        sentences.append(f"{title}: {'; '.join(parts)}.")
    bottom, top = (limit(axis.get_ylim()[side] for axis in axes) for side, limit in ((0, min), (1, max)))
    for axis in axes if same_scale else []:
        axis.set_ylim(bottom, top)
    axes[0].set_ylabel(up)
    legend_above(figure, axes)
    note_below(figure, note)
    return Picture(figure, f"Line charts of {up} against {across}{', both axes logarithmic' if log else ''}. {' '.join(sentences)}")


@matplotlib.rc_context(STYLE)
def rho_by_length(panels: Mapping[str, tuple[np.ndarray, np.ndarray]], note: str = "") -> Picture:
    """Correlation of each document against its number of words, with the border of p = 0.05: title -> (words [n], rho [n]).

    Between the two curves a correlation is not significant. Undefined correlations (NaN) are not drawn, but counted.
    Taught in: *Agreement with LOO*.
    """
    figure, axes = grid(len(panels), width=3.0, height=2.9)
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
        axis.set(title=f"{plain(title)} (n = {drawn.sum()})", xlabel="words", ylim=(-1.05, 1.05))
        sentences.append(f"{title}: {outside.sum()} of {drawn.sum()} documents outside the band, {len(rho) - drawn.sum()} undefined")
    axes[0].set_ylabel("ρ")
    legend_above(figure, axes)
    note_below(figure, note)
    return Picture(figure, f"Scatter plots of the correlation ρ against the number of words; in a grey band p > 0.05. {'; '.join(sentences)}.")


@matplotlib.rc_context(STYLE)
def rho_histograms(panels: Mapping[str, Mapping[str, Tensor]], note: str = "") -> Picture:
    """How the correlations with LOO are spread over documents, a panel for each entry: title -> method key -> rho [n].

    Documents whose correlation is undefined (NaN) are counted in the legend of the panel, not drawn.
    Taught in: *Agreement with LOO*.
    """
    figure, axes = grid(len(panels), width=3.0, height=2.7)
    sentences = []
    for axis, (title, methods) in zip(axes, panels.items()):
        for key, rho in methods.items():
            values = np.asarray(rho, dtype=float)
            defined = values[~np.isnan(values)]
            label = f"{METHODS[key].label} ({len(values) - len(defined)} undefined)" if len(defined) < len(values) else METHODS[key].label
            if len(defined):
                axis.hist(defined, bins=np.linspace(-1, 1, 41), color=COLOURS[key], alpha=0.55, label=label)
                sentences.append(f"{title}, {METHODS[key].label}: median {np.median(defined):.2f}, {len(defined)} of {len(values)} documents defined.")
            else:
                axis.plot([], [], color=COLOURS[key], label=label)
                sentences.append(f"{title}, {METHODS[key].label}: undefined for all {len(values)} documents.")
        axis.set(title=title, xlabel="correlation with LOO, ρ", xlim=(-1, 1), xticks=(-1, -0.5, 0, 0.5, 1))
        axis.legend(fontsize=9, loc="upper left")
    axes[0].set_ylabel("documents")
    note_below(figure, note)
    return Picture(figure, "Histograms of the Pearson correlation with LOO. " + " ".join(sentences))


@matplotlib.rc_context(STYLE)
def word_bars(scores: Mapping[str, Mapping[str, float]], title: str = "", note: str = "") -> Picture:
    """A bar for each word: method key -> word -> score. The highest three of each method are named in the alt text.

    Taught in: *The FastText counterexample*.
    """
    figure, axes = grid(len(scores), width=3.4, height=0.9 + 0.24 * max(map(len, scores.values())))
    tops = []
    for axis, (key, words) in zip(axes, scores.items()):
        rows = range(len(words))
        axis.barh(rows, list(words.values()), color=COLOURS[key], height=0.7)
        axis.axvline(0, color="#222222", linewidth=0.8)
        axis.set(title=METHODS[key].label, yticks=rows, yticklabels=[plain(word) for word in words], xlabel="sum over occurrences")
        axis.invert_yaxis()
        tops.append(f"{METHODS[key].label}: {ordered(words.items(), 3)}")
    figure.suptitle(plain(title))
    note_below(figure, note)
    return Picture(figure, f"{title}. Bar charts of word scores. Highest: {'; '.join(tops)}.")


@matplotlib.rc_context(STYLE)
def agreement_scatter(words: list[str], scores: Mapping[str, Tensor], note: str = "") -> Picture:
    """Scores of one document against its LOO scores, a point for each word: method key -> score [m]; one key is "loo".

    Taught in: *Agreement with LOO*.
    """
    loo = scores["loo"]
    others = {key: values for key, values in scores.items() if key != "loo"}
    figure, axes = grid(len(others), width=3.4, height=3.2)
    found = []
    for axis, (key, values) in zip(axes, others.items()):
        check_words(words, values)
        rho = float(pearson(values[None], loo[None], torch.ones(1, len(words), dtype=torch.bool))[0])
        said = "ρ undefined" if np.isnan(rho) else f"ρ = {rho:.2f}"
        axis.axhline(0, color="#BBBBBB", linewidth=0.8)
        axis.axvline(0, color="#BBBBBB", linewidth=0.8)
        axis.scatter(loo, values, s=16, color=COLOURS[key], alpha=0.7, linewidth=0)
        axis.set(title=f"{METHODS[key].label}: {said}", xlabel="LOO (nats)", ylabel=METHODS[key].label)
        axis.ticklabel_format(scilimits=(-3, 4))
        found.append(f"{METHODS[key].label} {said}")
    note_below(figure, note)
    return Picture(figure, f"Scatter plots of word scores against LOO, {len(words)} words: {', '.join(found)}.")
