"""Curves of many documents or of one: AOPC, deletion, fading a word out."""

from collections.abc import Mapping

import matplotlib
import numpy as np
import seaborn as sns
from torch import Tensor

from ..attribution import METHODS
from ..intervals import bootstrap
from .picture import COLOURS, DASHES, STYLE, Picture, grid, legend_above, note_below, ordered, plain


@matplotlib.rc_context(STYLE)
def aopc_curves(panels: Mapping[str, Mapping[str, Tensor]], note: str = "", seed: int = 0) -> Picture:
    """AOPC against the cut-off K, a panel for each entry: title -> method key -> curves of documents [n, K + 1].

    A line is the mean over documents, its band the 95 % bootstrap interval. The horizontal axis is logarithmic from
    K = 1 on, because most of the difference is made by the first few words. Taught in: *AOPC*.
    """
    figure, axes = grid(len(panels), width=3.0, height=3.3)
    sentences = []
    for axis, (title, curves) in zip(axes, panels.items()):
        ends = []
        for key, values in curves.items():
            interval = bootstrap(values, seed)
            cutoffs = np.arange(len(interval.mean))
            axis.plot(cutoffs, interval.mean, color=COLOURS[key], linestyle=DASHES[key], label=METHODS[key].label, linewidth=1.6)
            axis.fill_between(cutoffs, interval.low, interval.high, color=COLOURS[key], alpha=0.15, linewidth=0)
            ends.append((METHODS[key].label, interval.mean[-1]))
        axis.set_xscale("symlog", linthresh=1, linscale=0.4)
        ticks = [tick for tick in (0, 1, 3, 10, 30, 100, 300) if tick < len(cutoffs)]
        axis.set_xticks(ticks, map(str, ticks))
        axis.set_xticks([], minor=True)
        axis.set(title=f"{title} (n = {interval.n})", xlabel="words masked, K", xlim=(0, max(1, len(cutoffs) - 1)))
        sentences.append(f"{title}, {interval.n} documents, at K = {len(cutoffs) - 1}: {ordered(ends)}.")
    axes[0].set_ylabel("AOPC (probability)")
    legend_above(figure, axes)
    note_below(figure, note)
    return Picture(figure, "Line charts of AOPC against the number of masked words K, with 95 % bootstrap bands. " + " ".join(sentences))


@matplotlib.rc_context(STYLE)
def deletion_curves(panels: Mapping[str, Mapping[str, Tensor]], note: str = "") -> Picture:
    """Probability of the class while the words of one document are masked: title -> method key -> curve [K + 1].

    Taught in: *AOPC*.
    """
    figure, axes = grid(len(panels), width=6.5, height=3.4)
    sentences = []
    for axis, (title, curves) in zip(axes, panels.items()):
        for key, curve in curves.items():
            axis.plot(np.arange(len(curve)), curve, color=COLOURS[key], linestyle=DASHES[key], label=METHODS[key].label)
            half = int((np.asarray(curve) < 0.5).argmax()) if (np.asarray(curve) < 0.5).any() else None
            sentences.append(f"{METHODS[key].label} {f'needs {half} words to bring it below one half' if half is not None else 'never brings it below one half'}")
        axis.set(title=title, xlabel="words masked, k", ylim=(-0.02, 1.02))
    axes[0].set_ylabel("probability of the class")
    legend_above(figure, axes)
    note_below(figure, note)
    return Picture(figure, f"Line chart of the probability of the gold class against the number of masked words. {'; '.join(sentences)}.")


@matplotlib.rc_context(STYLE)
def fading_curves(panels: Mapping[str, Mapping[str, tuple[Tensor, float]]], steps: Tensor, note: str = "") -> Picture:
    """The loss while single words are faded out, with its tangent: title -> word -> (loss at each step [n], slope).

    The end of the solid line minus its beginning is LOO, the end of the dashed line minus its beginning is SignedGI.
    Taught in: *From one-hot to SignedGI*.
    """
    figure, axes = grid(len(panels), width=3.0, height=2.7)
    colours = sns.color_palette("colorblind")
    sentences = []
    for axis, (title, words) in zip(axes, panels.items()):
        parts = []
        for colour, (word, (loss, slope)) in zip(colours, words.items()):
            axis.plot(steps, loss, color=colour, label=plain(word))
            axis.plot(steps, loss[0] + slope * steps, color=colour, linestyle="--", linewidth=1)
            parts.append(f"without {word!r} it changes by {float(loss[-1] - loss[0]):+.3f} (tangent {slope:+.3f})")
        axis.set(title=title, xlabel="t: word whole (0) to gone (1)")
        axis.legend(fontsize=9)
        sentences.append(f"{title}: the loss is {float(loss[0]):.3f} with all words; {'; '.join(parts)}.")
    axes[0].set_ylabel("loss (nats)")
    note_below(figure, note)
    return Picture(figure, "Line charts of the loss while one word is faded out, and its tangent. " + " ".join(sentences))
