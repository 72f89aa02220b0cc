"""Curves of many documents or of one: AOPC, deletion, fading a word out, walking from a word to its baseline."""

import itertools
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import seaborn as sns
from torch import Tensor

from ..intervals import bootstrap
from .looks import label_of, looks_of
from .picture import STYLE, Picture, grid, legend_above, note_below, numbers, ordered, plain, wrapped


@matplotlib.rc_context(STYLE)
def aopc_curves(panels: Mapping[str, Mapping[str, Tensor]], note: str = "", seed: int = 0) -> Picture:
    """AOPC against the cut-off K, a panel for each entry: title -> method key -> curves of documents [n, K + 1].

    A line is the mean over documents, its band the 95 % bootstrap interval. The horizontal axis is logarithmic from
    K = 1 on, because most of the difference is made by the first few words. Taught in: *AOPC*.
    """
    figure, axes = grid(len(panels), width=3.0, height=3.3)
    look = looks_of(key for curves in panels.values() for key in curves)
    sentences = []
    for axis, (title, curves) in zip(axes, panels.items(), strict=True):
        ends, last = [], 0
        for key, values in curves.items():
            interval = bootstrap(numbers(values), seed)
            colour, dashes = look[key]
            cutoffs = np.arange(len(interval.mean))
            axis.plot(cutoffs, interval.mean, color=colour, linestyle=dashes, label=plain(label_of(key)), linewidth=1.6)
            axis.fill_between(cutoffs, interval.low, interval.high, color=colour, alpha=0.15, linewidth=0)
            ends.append((label_of(key), interval.mean[-1]))
            last = max(last, len(cutoffs) - 1)
        axis.set_xscale("symlog", linthresh=1, linscale=0.4)
        ticks = [tick for tick in (0, 1, 3, 10, 30, 100, 300) if tick <= last]
        axis.set_xticks(ticks, map(str, ticks))
        axis.set_xticks([], minor=True)
        axis.set(title=wrapped(f"{title} (n = {interval.n})", 2.0), xlabel="words masked, K", xlim=(0, max(1, last)))
        sentences.append(f"{title}, {interval.n} documents, at K = {last}: {ordered(ends)}.")
    axes[0].set_ylabel("AOPC (probability)")
    legend_above(figure, axes)
    note_below(figure, note)
    return Picture(figure, "Line charts of AOPC against the number of masked words K, with 95 % bootstrap bands. "
                           + " ".join(sentences))


@matplotlib.rc_context(STYLE)
def deletion_curves(panels: Mapping[str, Mapping[str, Tensor]], note: str = "") -> Picture:
    """Probability of the class while the words of one document are masked: title -> method key -> curve [K + 1].

    Taught in: *Baselines*.
    """
    figure, axes = grid(len(panels), width=6.5, height=3.4)
    look = looks_of(key for curves in panels.values() for key in curves)
    sentences = []
    for axis, (title, curves) in zip(axes, panels.items(), strict=True):
        for key, values in curves.items():
            curve = numbers(values)
            colour, dashes = look[key]
            axis.plot(np.arange(len(curve)), curve, color=colour, linestyle=dashes, label=plain(label_of(key)))
            below = np.flatnonzero(curve < 0.5)
            said = f"needs {below[0]} words to bring" if len(below) else "never brings"
            sentences.append(f"{label_of(key)} {said} it below one half")
        axis.set(title=wrapped(title, 5.5), xlabel="words masked, k", ylim=(-0.02, 1.02))
    axes[0].set_ylabel("probability of the class")
    legend_above(figure, axes)
    note_below(figure, note)
    return Picture(figure, "Line chart of the probability of the class against the number of masked words. "
                           f"{'; '.join(sentences)}.")


@matplotlib.rc_context(STYLE)
def fading_curves(panels: Mapping[str, Mapping[str, tuple[Tensor, float]]], steps: Tensor, note: str = "") -> Picture:
    """The loss while single words are faded out, with its tangent: title -> word -> (loss at each step [n], slope).

    The end of the solid line minus its beginning is LOO, the end of the dashed line minus its beginning is SignedGI.
    Taught in: *From one-hot to SignedGI*, *When does SignedGI get the sign wrong?*
    """
    figure, axes = grid(len(panels), width=3.0, height=2.7)
    steps = numbers(steps)
    sentences = []
    for axis, (title, words) in zip(axes, panels.items(), strict=True):
        parts, colours = [], itertools.cycle(sns.color_palette("colorblind"))
        for word, (values, slope) in words.items():
            loss, slope, colour = numbers(values), float(slope), next(colours)
            axis.plot(steps, loss, color=colour, label=plain(word, most=30))
            axis.plot(steps, loss[0] + slope * steps, color=colour, linestyle="--", linewidth=1)
            parts.append(f"without {word!r} it changes by {loss[-1] - loss[0]:+.3f} (tangent {slope:+.3f})")
        axis.set(title=wrapped(title, 2.0), xlabel="t: whole (0) to gone (1)")
        axis.legend(fontsize=9)
        sentences.append(f"{title}: the loss is {loss[0]:.3f} with all words; {'; '.join(parts)}.")
    axes[0].set_ylabel("loss (nats)")
    note_below(figure, note)
    return Picture(figure, f"Line charts of the loss while a word is faded out, and its tangent. {' '.join(sentences)}")


@matplotlib.rc_context(STYLE)
def walks(panels: Mapping[str, tuple[Sequence[str], Tensor, Tensor]], named: int = 5, note: str = "") -> Picture:
    """Paths from one word to its baseline, in two dimensions: title -> (anchors, their vectors [n, D], points [P, D]).

    The points go from the word to the baseline. Across stands the share of the straight way that a point has covered,
    1 at the word; up stands the direction in which the anchors of all panels together lie farthest from that way. Of
    the anchors the first ``named`` are written down. Taught in: *Walking through words*.
    """
    figure, axes = grid(len(panels), width=3.2, height=3.1, columns=2)
    (_, _, some), *_ = panels.values()
    word, baseline = numbers(some[0]), numbers(some[-1])
    way = (word - baseline) / np.square(word - baseline).sum()
    aside = [_aside(numbers(vectors) - baseline, way) for _, vectors, _ in panels.values()]
    across = np.linalg.svd(np.concatenate(aside), full_matrices=False)[2][0]
    sentences = []
    for axis, (title, (names, vectors, points)) in zip(axes, panels.items(), strict=True):
        anchors, path = numbers(vectors) - baseline, numbers(points) - baseline
        axis.plot([0, 1], [0, 0], color="#222222", linestyle="--", linewidth=1, label="straight line")
        axis.plot(path @ way, path @ across, color="#0072B2", marker="o", markersize=2.5, linewidth=1, label="path")
        axis.scatter(anchors @ way, anchors @ across, s=12, color="#D55E00", marker="x", linewidth=0.8, label="anchors")
        for name, place in list(zip(names, anchors, strict=True))[:named]:
            axis.annotate(plain(name, most=16), (place @ way, place @ across), fontsize=9, xytext=(3, 3),
                          textcoords="offset points")
        axis.set(title=wrapped(title, 2.6), xlabel="share of the straight way")
        outside = np.mean((anchors @ way < 0) | (anchors @ way > 1))
        sentences.append(f"{title}: over {', '.join(names[1:named + 1])}; {outside:.0%} of the anchors lie beyond the "
                         "ends of the straight line")
    axes[0].set_ylabel("away from it")
    legend_above(figure, axes)
    note_below(figure, note)
    return Picture(figure, f"Paths from {panels[title][0][0]} to the baseline, in two dimensions. "
                           f"{'. '.join(sentences)}.")


def _aside(vectors: np.ndarray, way: np.ndarray) -> np.ndarray:
    """What of each vector [n, D] is at right angles to the straight way, whose share a product with ``way`` gives."""
    return vectors - np.outer(vectors @ way, way / np.square(way).sum())
