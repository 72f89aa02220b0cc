"""Heat maps of one document: its gradient, its word scores."""

from collections.abc import Mapping

import matplotlib
import numpy as np
from torch import Tensor

from ..attribution import METHODS
from .picture import DIVERGING, STYLE, Picture, check_words, grid, note_below, ordered, plain, relative


@matplotlib.rc_context(STYLE)
def gradient_map(words: list[str], gradient: Tensor, title: str = "", note: str = "") -> Picture:
    """The gradient of one document as a heat map: a row for each word, a column for each embedding dimension [m, D].

    The scale is centred at 0; a dot marks clearly negative cells, so that the sign can be seen without colour.
    Raises ``ValueError`` without words, or if there are not as many rows as words. Taught in: *Why word-level gradients*.
    """
    values = np.asarray(gradient, dtype=float)
    check_words(words, values)
    limit = np.abs(values).max(initial=0) or 1.0
    figure, (axis,) = grid(1, width=7.5, height=0.9 + 0.28 * len(words))
    image = axis.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto")
    rows, columns = np.nonzero(values < -0.25 * limit)
    axis.plot(columns, rows, ".", color="white", markersize=2.5)
    axis.set(title=plain(title), xlabel="embedding dimension", yticks=range(len(words)), yticklabels=[plain(word) for word in words])
    axis.grid(False)
    figure.colorbar(image, ax=axis, label="gradient (dots: negative)", pad=0.02)
    note_below(figure, note)
    norms = zip(words, np.abs(values).sum(axis=1))
    alt = f"Heat map of the gradient, {len(words)} words by {values.shape[1]} dimensions. Largest sum of absolute values: {ordered(norms, 3)}."
    return Picture(figure, f"{title}. {alt}" if title else alt)


@matplotlib.rc_context(STYLE)
def score_map(words: list[str], scores: Mapping[str, Tensor], title: str = "", note: str = "") -> Picture:
    """Word scores of several methods for one document: a row for each method key, a column for each word [m].

    Each row is divided by its largest absolute value, because the units of the methods differ. Of the methods
    whose sign means something, it is printed in the cells that matter (a tenth of the largest value and more). Raises
    ``ValueError`` without words, or if there are not as many scores as words. Taught in: *Looking at explanations*.
    """
    for values in scores.values():
        check_words(words, values)
    rows = np.array([relative(np.asarray(values, dtype=float)) for values in scores.values()])
    figure, (axis,) = grid(1, width=1.6 + 0.42 * len(words), height=1.4 + 0.34 * len(scores))
    image = axis.imshow(rows, cmap=DIVERGING, vmin=-1, vmax=1, aspect="auto")
    signed = np.array([[METHODS[key].signed] for key in scores])
    for row, column in zip(*np.nonzero(signed & (np.abs(rows) >= 0.1))):
        value = rows[row, column]
        axis.text(column, row, "+" if value > 0 else "−", ha="center", va="center", color="white" if abs(value) > 0.6 else "#222222")
    axis.set(title=plain(title), yticks=range(len(scores)), yticklabels=[METHODS[key].label for key in scores])
    axis.set_xticks(range(len(words)), [plain(word) for word in words], rotation=60, ha="right")
    axis.grid(False)
    figure.colorbar(image, ax=axis, label="score / largest", pad=0.02)
    note_below(figure, note)
    tops = [f"{METHODS[key].label}: {ordered(zip(words, row), 2)}" for key, row in zip(scores, rows)]
    alt = f"Heat map of word scores, {len(words)} words, each row divided by its largest value. Highest words: " + "; ".join(tops) + "."
    return Picture(figure, f"{title}. {alt}" if title else alt)
