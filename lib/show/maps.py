"""Heat maps of one document: its gradient, its word scores."""

from collections.abc import Mapping

import matplotlib
import numpy as np
from torch import Tensor

from .looks import label_of, positive_means
from .picture import DIVERGING, STYLE, Picture, grid, note_below, ordered, plain, relative, scores_of, wrapped


@matplotlib.rc_context(STYLE)
def gradient_map(words: list[str], gradient: Tensor, title: str = "", note: str = "") -> Picture:
    """The gradient of one document as a heat map: a row for each word, a column for each embedding dimension [m, D].

    The scale is centred at 0; a dot marks clearly negative cells, so that the sign can be seen without colour.
    Raises ``ValueError`` without words, or if there are not as many rows as words.
    Taught in: *Why word-level gradients*.
    """
    values = scores_of(words, gradient)
    limit = np.abs(values).max(initial=0) or 1.0
    figure, (axis,) = grid(1, width=7.5, height=0.9 + 0.28 * len(words))
    image = axis.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto")
    rows, columns = np.nonzero(values < -0.25 * limit)
    axis.plot(columns, rows, ".", color="white", markersize=2.5)
    axis.set(title=wrapped(title, 6), xlabel="embedding dimension", yticks=range(len(words)))
    axis.set_yticklabels([plain(word, most=30) for word in words])
    axis.grid(False)
    figure.colorbar(image, ax=axis, label="gradient (dots: negative)", pad=0.02)
    note_below(figure, note)
    norms = zip(words, np.abs(values).sum(axis=1), strict=True)
    alt = (f"Heat map of the gradient, {len(words)} words by {values.shape[1]} dimensions. "
           f"Largest sum of absolute values: {ordered(norms, 3)}.")
    return Picture(figure, f"{title}. {alt}" if title else alt)


@matplotlib.rc_context(STYLE)
def score_map(words: list[str], scores: Mapping[str, Tensor], title: str = "", note: str = "",
              of: str | None = None) -> Picture:
    """Word scores of several methods for one document: a row for each method key, a column for each word [m].

    Each row is divided by its largest absolute value, because the units of the methods differ. Red with "+" supports
    the class, blue with "−" speaks against it: so a method whose positive scores speak against it, as the gradient
    times the input of a loss, is drawn and named with its sign turned. Methods without a sign have colours and no
    marks; marks stand in the cells that matter (a tenth of the largest value and more). ``of`` is the quantity
    explained, by default that of each method. Raises ``ValueError`` without words, or if there are not as many scores
    as words. Taught in: *Looking at explanations*.
    """
    signs = {key: positive_means(key, of) for key in scores}
    names = [f"−{label_of(key)}" if signs[key] < 0 else label_of(key) for key in scores]
    rows = np.array([(signs[key] or 1) * relative(scores_of(words, values)) for key, values in scores.items()])
    figure, (axis,) = grid(1, width=1.6 + 0.42 * len(words), height=1.4 + 0.34 * len(scores))
    figure.set_figwidth(1.6 + 0.42 * len(words))
    image = axis.imshow(rows, cmap=DIVERGING, vmin=-1, vmax=1, aspect="auto")
    signed = np.array([[sign != 0] for sign in signs.values()])
    for row, column in zip(*np.nonzero(signed & (np.abs(rows) >= 0.1)), strict=True):
        _mark(axis, row, column, rows[row, column])
    axis.set(title=wrapped(title, figure.get_figwidth() - 1), yticks=range(len(scores)))
    axis.set_yticklabels([plain(name) for name in names])
    axis.set_xticks(range(len(words)), [plain(word, most=30) for word in words], rotation=60, ha="right")
    axis.grid(False)
    figure.colorbar(image, ax=axis, label="score / largest", pad=0.02)
    note_below(figure, note)
    tops = [f"{name}: {ordered(zip(words, row, strict=True), 2)}" for name, row in zip(names, rows, strict=True)]
    alt = (f"Heat map of word scores, {len(words)} words, each row divided by its largest value. "
           f"Highest words: {'; '.join(tops)}.")
    return Picture(figure, f"{title}. {alt}" if title else alt)


def _mark(axis, row: int, column: int, share: float) -> None:
    """The sign of a cell, readable on its colour."""
    colour = "white" if abs(share) > 0.6 else "#222222"
    axis.text(column, row, "+" if share > 0 else "−", ha="center", va="center", color=colour)
