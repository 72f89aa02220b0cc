"""Heat maps of one document: its gradient, its word scores."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from torch import Tensor

from .looks import label_of, positive_means
from .picture import DIVERGING, STYLE, Picture, grid, note_below, ordered, plain, relative, scores_of, wrapped


@matplotlib.rc_context(STYLE)
def gradient_map(words: Sequence[str], gradient: Tensor | Mapping[str, Tensor], title: str = "",
                 note: str = "") -> Picture:
    """The gradient of one document as a heat map: a row for each word, a column for each embedding dimension [m, D].

    Several gradients, title -> [m, D], stand side by side on one scale. It is centred at 0; a dot marks clearly
    negative cells, so that the sign can be seen without colour. Raises ``ValueError`` without words, or if there are
    not as many rows as words. Taught in: *Why word-level gradients*, *The FastText counterexample*.
    """
    panels = gradient if isinstance(gradient, Mapping) else {title: gradient}
    panels = {name: scores_of(words, values) for name, values in panels.items()}
    limit = max(np.abs(values).max(initial=0) for values in panels.values()) or 1.0
    figure, axes = grid(len(panels), width=7.5, height=0.9 + 0.28 * len(words))
    sentences = []
    for axis, (name, values) in zip(axes, panels.items(), strict=True):
        image = axis.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto")
        rows, columns = np.nonzero(values < -0.25 * limit)
        axis.plot(columns, rows, ".", color="white", markersize=2.5)
        axis.set(title=wrapped(name, 6 / len(panels)), xlabel="embedding dimension", yticks=range(len(words)))
        axis.set_yticklabels([plain(word, most=30) for word in words] if axis is axes[0] else [])
        axis.grid(False)
        sizes = ordered(zip(words, np.abs(values).sum(axis=1), strict=True), 3)
        sentences.append(f"{f'{name}. ' if name else ''}Heat map of the gradient, {len(words)} words by "
                         f"{values.shape[1]} dimensions. Largest sum of absolute values: {sizes}.")
    figure.colorbar(image, ax=list(axes), label="gradient (dots: negative)", pad=0.02)
    note_below(figure, note)
    return Picture(figure, " ".join(sentences))


def score_map(words: Sequence[str], scores: Mapping[str, Tensor], title: str = "", note: str = "",
              of: str | None = None, others: Mapping[str, Tensor] | None = None) -> Picture:
    """Word scores of several methods for one document: a row for each method key, a column for each word [m].

    Each row is divided by its largest absolute value, because the units of the methods differ. Red with "+" supports
    the class, blue with "−" speaks against it: so a method whose positive scores speak against it, as the gradient
    times the input of a loss, is drawn and named with its sign turned. Methods without a sign have colours and no
    marks; marks stand in the cells that matter (a tenth of the largest value and more). ``of`` is the quantity
    explained, by default that of each method. ``others`` are rows that are no method's, such as what people said: name
    -> values [m], positive in favour of the class. They stand first. Raises ``ValueError`` without words, or if there
    are not as many scores as words. Taught in: *Looking at explanations*.
    """
    return score_maps(words, {title: (scores, None)}, note, of, others)


@matplotlib.rc_context(STYLE)
def score_maps(words: Sequence[str], panels: Mapping[str, tuple[Mapping[str, Tensor], float | None]], note: str = "",
               of: str | None = None, others: Mapping[str, Tensor] | None = None) -> Picture:
    """Several maps below each other: title -> (method key -> scores [m], the score with full colour).

    Colours and marks are those of :func:`score_map`; a tenth of full colour is the least that is marked. None divides
    each row by its largest absolute value. The ends of a scale are pointed where scores lie beyond it, and the alt text
    counts them. ``others`` stand first in each map. Taught in: *Looking at explanations*.
    """
    first = [(name, scores_of(words, values), True) for name, values in (others or {}).items()]
    most = max((len(scores) for scores, _ in panels.values()), default=0)
    figure, axes = _sheet(words, len(panels), len(first) + most)
    sentences = []
    for axis, (title, (scores, limit)) in zip(axes, panels.items(), strict=True):
        rows = [*first, *_turned(words, scores, of)]
        if limit is None:
            rows = [(name, relative(values), signed) for name, values, signed in rows]
            tops = [f"{name}: {ordered(zip(words, values, strict=True), 2)}" for name, values, _ in rows]
            said = f"each row divided by its largest value. Highest words: {'; '.join(tops)}."
            label, beyond = "score / largest", 0
        else:
            values = np.array([found for _, found, _ in rows])
            row, column = divmod(int(np.abs(values).argmax()), len(words))
            label, beyond = "score", int((np.abs(values) > limit * (1 + 1e-9)).sum())
            said = (f"full colour at {limit:.2f}, {beyond} cells beyond it; the largest absolute score is "
                    f"{np.abs(values).max():.2f}, {rows[row][0]} of {words[column]!r}.")
        image = _draw(axis, words, rows, limit or 1)
        axis.set_title(wrapped(title, figure.get_figwidth() - 1))
        figure.colorbar(image, ax=axis, label=label, pad=0.02, extend="both" if beyond else "neither")
        sentences.append(f"{f'{title}. ' if title else ''}Heat map of word scores, {len(words)} words, {said}")
    for axis in axes[:-1]:
        axis.set_xticklabels([])
    note_below(figure, note)
    return Picture(figure, " ".join(sentences))


def _turned(words: Sequence[str], scores: Mapping[str, Tensor], of: str | None) -> list[tuple[str, np.ndarray, bool]]:
    """Of each method its name, its scores so that positive supports the class, and whether their sign says anything."""
    signs = [positive_means(key, of) for key in scores]
    return [(f"{'−' if sign < 0 else ''}{label_of(key)}", (sign or 1) * scores_of(words, values), sign != 0)
            for sign, (key, values) in zip(signs, scores.items(), strict=True)]


def _sheet(words: Sequence[str], panels: int, rows: int):
    """Axes below each other, as wide as the words need."""
    figure, axes = grid(panels, width=7.5, height=1.4 + 0.34 * rows, columns=1)
    figure.set_figwidth(1.6 + 0.42 * len(words))
    return figure, axes


def _draw(axis, words: Sequence[str], rows: Sequence[tuple[str, np.ndarray, bool]], limit: float):
    """The map itself, with the sign of each cell that matters, readable on its colour."""
    values = np.array([found for _, found, _ in rows])
    image = axis.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto")
    signed = np.array([[signed] for *_, signed in rows])
    for row, column in zip(*np.nonzero(signed & (np.abs(values) >= 0.1 * limit)), strict=True):
        value = values[row, column]
        colour = "white" if abs(value) > 0.6 * limit else "#222222"
        axis.text(column, row, "+" if value > 0 else "−", ha="center", va="center", color=colour)
    axis.set_yticks(range(len(rows)), [plain(name) for name, *_ in rows])
    axis.set_xticks(range(len(words)), [plain(word, most=30) for word in words], rotation=60, ha="right")
    axis.grid(False)
    return image
