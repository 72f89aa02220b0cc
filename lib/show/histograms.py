"""How single numbers are spread: the lengths of documents, the luck of a random explanation."""

from collections.abc import Mapping

import matplotlib
import numpy as np
from torch import Tensor

from .looks import colour_of, label_of, looks_of
from .picture import STYLE, Picture, grid, legend_above, note_below, numbers, plain, wrapped


@matplotlib.rc_context(STYLE)
def lengths(panels: Mapping[str, tuple[Tensor, int]], note: str = "", most: int = 800) -> Picture:
    """Numbers of words of documents, and where they are cut (dashed): title -> (lengths [n], words that are read).

    Documents of more than ``most`` words are counted in the last bar. Taught in: *Data and classifiers*.
    """
    figure, axes = grid(len(panels), width=3.2, height=2.8)
    sentences = []
    for axis, (title, (found, cut)) in zip(axes, panels.items(), strict=True):
        words = numbers(found).astype(int)
        end = min(most, words.max())
        width = -(-end // 40)  # whole words, so that no bar holds more lengths than its neighbour
        axis.hist(words.clip(max=end), bins=range(0, end + width + 1, width), color="#0072B2", alpha=0.7)
        axis.axvline(cut, color="#222222", linestyle="--")
        axis.set(title=wrapped(f"{title} (n = {len(words):,})", 2.0), xlabel="words")
        sentences.append(f"{title}: median {np.median(words):.0f}, from {words.min()} to {words.max()}, "
                         f"cut after {cut}")
    axes[0].set_ylabel("documents")
    note_below(figure, note)
    return Picture(figure, f"Histograms of the number of words of documents. {'; '.join(sentences)}.")


@matplotlib.rc_context(STYLE)
def luck(values: Tensor, known: Mapping[str, float], label: str, note: str = "") -> Picture:
    """What random permutations of one document reach, [n], and as a line what each method does: method key -> value.

    ``label`` names what was measured. Taught in: *Baselines*.
    """
    drawn = numbers(values)
    figure, (axis,) = grid(1, width=6.5, height=3.2)
    axis.hist(drawn, bins=30, color=colour_of("random"), alpha=0.6, label=f"{label_of('random')}, {len(drawn)} seeds")
    for key, (colour, dashes) in looks_of(known).items():
        axis.axvline(known[key], color=colour, linestyle=dashes, linewidth=2, label=plain(label_of(key)))
    axis.set(xlabel=wrapped(label, 5.5), ylabel="permutations")
    legend_above(figure, [axis])
    note_below(figure, note)
    said = "; ".join(f"{label_of(key)} {value:.3f}" for key, value in known.items())
    return Picture(figure, f"Histogram of {label}, {len(drawn)} random permutations of one document: mean "
                           f"{drawn.mean():.3f}, from {drawn.min():.3f} to {drawn.max():.3f}. Lines: {said}.")
