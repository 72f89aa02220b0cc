"""Pictures: curves, histograms, heat maps. One palette, one diverging scale, alt text made from the numbers shown."""

import io
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sized
from html import escape
from urllib.parse import quote

import matplotlib
import numpy as np
import seaborn as sns
import torch
from matplotlib.figure import Figure
from torch import Tensor

from .agreement import bootstrap, pearson
from .attribution import METHODS

# A method has the same colour and dash pattern everywhere (colours of Okabe and Ito, told apart by colour-blind readers).
COLOURS = {"signed_gi": "#0072B2", "loo": "#222222", "random": "#8A8A8A", "gi": "#56B4E9", "sa_raw": "#CC79A7",
           "sa_l1": "#D55E00", "sa_l2": "#E69F00", "sa_linf": "#8C510A", "saliency": "#009E73"}
DASHES = {"signed_gi": "-", "loo": "--", "random": ":", "gi": "-.", "sa_raw": (0, (1, 2)),
          "sa_l1": "-", "sa_l2": "--", "sa_linf": "-.", "saliency": ":"}
# Red supports, blue opposes, white is nothing: safe for colour-blind readers, and signs or dots say the same again.
DIVERGING = "RdBu_r"
STYLE = {**sns.axes_style("ticks"), "axes.grid": True, "grid.color": "#E6E6E6", "axes.spines.top": False,
         "axes.spines.right": False, "font.size": 11, "axes.titlesize": 12, "legend.frameon": False,
         "figure.facecolor": "white", "savefig.facecolor": "white", "svg.hashsalt": "which-words-matter",
         "svg.fonttype": "none"}  # text stays text
DPI = 144


class Picture:
    """A matplotlib figure with the alt text that says what it shows; a notebook displays both."""

    def __init__(self, figure: Figure, alt: str):
        self.figure = figure
        self.alt = _writable(alt)

    def png(self) -> bytes:
        """The picture as a PNG file."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, dpi=DPI, bbox_inches="tight", metadata={"Description": self.alt})
        return buffer.getvalue()

    @matplotlib.rc_context(STYLE)
    def _repr_html_(self) -> str:
        """The picture as part of a page, drawn in lines: many of them, as in an explorer, weigh little."""
        buffer = io.StringIO()
        self.figure.savefig(buffer, format="svg", bbox_inches="tight", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        picture = quote(" ".join(buffer.getvalue().split()), safe=" <>/:;=,.()-")
        return f'<img src="data:image/svg+xml,{picture}" alt="{escape(self.alt)}" style="max-width: 100%; height: auto">'

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {"image/png": b64encode(self.png()).decode(), "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt}}


@matplotlib.rc_context(STYLE)
def aopc_curves(panels: Mapping[str, Mapping[str, Tensor]], note: str = "", seed: int = 0) -> Picture:
    """AOPC against the cut-off K, a panel for each entry: title -> method key -> curves of documents [n, K + 1].

    A line is the mean over documents, its band the 95 % bootstrap interval. The horizontal axis is logarithmic from
    K = 1 on, because most of the difference is made by the first few words. Taught in: *AOPC*.
    """
    figure, axes = _grid(len(panels), width=3.0, height=3.3)
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
        sentences.append(f"{title}, {interval.n} documents, at K = {len(cutoffs) - 1}: {_ordered(ends)}.")
    axes[0].set_ylabel("AOPC (probability)")
    _legend_above(figure, axes)
    _note(figure, note)
    return Picture(figure, "Line charts of AOPC against the number of masked words K, with 95 % bootstrap bands. " + " ".join(sentences))


@matplotlib.rc_context(STYLE)
def deletion_curves(panels: Mapping[str, Mapping[str, Tensor]], note: str = "") -> Picture:
    """Probability of the class while the words of one document are masked: title -> method key -> curve [K + 1].

    Taught in: *AOPC*.
    """
    figure, axes = _grid(len(panels), width=6.5, height=3.4)
    sentences = []
    for axis, (title, curves) in zip(axes, panels.items()):
        for key, curve in curves.items():
            axis.plot(np.arange(len(curve)), curve, color=COLOURS[key], linestyle=DASHES[key], label=METHODS[key].label)
            half = int((np.asarray(curve) < 0.5).argmax()) if (np.asarray(curve) < 0.5).any() else None
            sentences.append(f"{METHODS[key].label} {f'needs {half} words to bring it below one half' if half is not None else 'never brings it below one half'}")
        axis.set(title=title, xlabel="words masked, k", ylim=(-0.02, 1.02))
    axes[0].set_ylabel("probability of the class")
    _legend_above(figure, axes)
    _note(figure, note)
    return Picture(figure, f"Line chart of the probability of the gold class against the number of masked words. {'; '.join(sentences)}.")


@matplotlib.rc_context(STYLE)
def fading_curves(panels: Mapping[str, Mapping[str, tuple[Tensor, float]]], steps: Tensor, note: str = "") -> Picture:
    """The loss while single words are faded out, with its tangent: title -> word -> (loss at each step [n], slope).

    The end of the solid line minus its beginning is LOO, the end of the dashed line minus its beginning is SignedGI.
    Taught in: *From one-hot to SignedGI*.
    """
    figure, axes = _grid(len(panels), width=3.0, height=2.7)
    colours = sns.color_palette("colorblind")
    sentences = []
    for axis, (title, words) in zip(axes, panels.items()):
        parts = []
        for colour, (word, (loss, slope)) in zip(colours, words.items()):
            axis.plot(steps, loss, color=colour, label=_plain(word))
            axis.plot(steps, loss[0] + slope * steps, color=colour, linestyle="--", linewidth=1)
            parts.append(f"without {word!r} it changes by {float(loss[-1] - loss[0]):+.3f} (tangent {slope:+.3f})")
        axis.set(title=title, xlabel="t: word whole (0) to gone (1)")
        axis.legend(fontsize=9)
        sentences.append(f"{title}: the loss is {float(loss[0]):.3f} with all words; {'; '.join(parts)}.")
    axes[0].set_ylabel("loss (nats)")
    _note(figure, note)
    return Picture(figure, "Line charts of the loss while one word is faded out, and its tangent. " + " ".join(sentences))


@matplotlib.rc_context(STYLE)
def rho_histograms(panels: Mapping[str, Mapping[str, Tensor]], note: str = "") -> Picture:
    """How the correlations with LOO are spread over documents, a panel for each entry: title -> method key -> rho [n].

    Documents whose correlation is undefined (NaN) are counted in the legend of the panel, not drawn.
    Taught in: *Agreement with LOO*.
    """
    figure, axes = _grid(len(panels), width=3.0, height=2.7)
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
    _note(figure, note)
    return Picture(figure, "Histograms of the Pearson correlation with LOO. " + " ".join(sentences))


@matplotlib.rc_context(STYLE)
def gradient_map(words: list[str], gradient: Tensor, title: str = "", note: str = "") -> Picture:
    """The gradient of one document as a heat map: a row for each word, a column for each embedding dimension [m, D].

    The scale is centred at 0; a dot marks clearly negative cells, so that the sign can be seen without colour.
    Raises ``ValueError`` without words, or if there are not as many rows as words. Taught in: *Why word-level gradients*.
    """
    values = np.asarray(gradient, dtype=float)
    _check_words(words, values)
    limit = np.abs(values).max(initial=0) or 1.0
    figure, (axis,) = _grid(1, width=7.5, height=0.9 + 0.28 * len(words))
    image = axis.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto")
    rows, columns = np.nonzero(values < -0.25 * limit)
    axis.plot(columns, rows, ".", color="white", markersize=2.5)
    axis.set(title=_plain(title), xlabel="embedding dimension", yticks=range(len(words)), yticklabels=[_plain(word) for word in words])
    axis.grid(False)
    figure.colorbar(image, ax=axis, label="gradient (dots: negative)", pad=0.02)
    _note(figure, note)
    norms = zip(words, np.abs(values).sum(axis=1))
    alt = f"Heat map of the gradient, {len(words)} words by {values.shape[1]} dimensions. Largest sum of absolute values: {_ordered(norms, 3)}."
    return Picture(figure, f"{title}. {alt}" if title else alt)


@matplotlib.rc_context(STYLE)
def score_map(words: list[str], scores: Mapping[str, Tensor], title: str = "", note: str = "") -> Picture:
    """Word scores of several methods for one document: a row for each method key, a column for each word [m].

    Each row is divided by its largest absolute value, because the units of the methods differ. Of the methods
    whose sign means something, it is printed in the cells that matter (a tenth of the largest value and more). Raises
    ``ValueError`` without words, or if there are not as many scores as words. Taught in: *Looking at explanations*.
    """
    for values in scores.values():
        _check_words(words, values)
    rows = np.array([_relative(np.asarray(values, dtype=float)) for values in scores.values()])
    figure, (axis,) = _grid(1, width=1.6 + 0.42 * len(words), height=1.4 + 0.34 * len(scores))
    image = axis.imshow(rows, cmap=DIVERGING, vmin=-1, vmax=1, aspect="auto")
    signed = np.array([[METHODS[key].signed] for key in scores])
    for row, column in zip(*np.nonzero(signed & (np.abs(rows) >= 0.1))):
        value = rows[row, column]
        axis.text(column, row, "+" if value > 0 else "−", ha="center", va="center", color="white" if abs(value) > 0.6 else "#222222")
    axis.set(title=_plain(title), yticks=range(len(scores)), yticklabels=[METHODS[key].label for key in scores])
    axis.set_xticks(range(len(words)), [_plain(word) for word in words], rotation=60, ha="right")
    axis.grid(False)
    figure.colorbar(image, ax=axis, label="score / largest", pad=0.02)
    _note(figure, note)
    tops = [f"{METHODS[key].label}: {_ordered(zip(words, row), 2)}" for key, row in zip(scores, rows)]
    alt = f"Heat map of word scores, {len(words)} words, each row divided by its largest value. Highest words: " + "; ".join(tops) + "."
    return Picture(figure, f"{title}. {alt}" if title else alt)


@matplotlib.rc_context(STYLE)
def word_bars(scores: Mapping[str, Mapping[str, float]], title: str = "", note: str = "") -> Picture:
    """A bar for each word: method key -> word -> score. The highest three of each method are named in the alt text.

    Taught in: *The FastText counterexample*.
    """
    figure, axes = _grid(len(scores), width=3.4, height=0.9 + 0.24 * max(map(len, scores.values())))
    tops = []
    for axis, (key, words) in zip(axes, scores.items()):
        rows = range(len(words))
        axis.barh(rows, list(words.values()), color=COLOURS[key], height=0.7)
        axis.axvline(0, color="#222222", linewidth=0.8)
        axis.set(title=METHODS[key].label, yticks=rows, yticklabels=[_plain(word) for word in words], xlabel="sum over occurrences")
        axis.invert_yaxis()
        tops.append(f"{METHODS[key].label}: {_ordered(words.items(), 3)}")
    figure.suptitle(_plain(title))
    _note(figure, note)
    return Picture(figure, f"{title}. Bar charts of word scores. Highest: {'; '.join(tops)}.")


@matplotlib.rc_context(STYLE)
def agreement_scatter(words: list[str], scores: Mapping[str, Tensor], note: str = "") -> Picture:
    """Scores of one document against its LOO scores, a point for each word: method key -> score [m]; one key is "loo".

    Taught in: *Agreement with LOO*.
    """
    loo = scores["loo"]
    others = {key: values for key, values in scores.items() if key != "loo"}
    figure, axes = _grid(len(others), width=3.4, height=3.2)
    found = []
    for axis, (key, values) in zip(axes, others.items()):
        _check_words(words, values)
        rho = float(pearson(values[None], loo[None], torch.ones(1, len(words), dtype=torch.bool))[0])
        said = "ρ undefined" if np.isnan(rho) else f"ρ = {rho:.2f}"
        axis.axhline(0, color="#BBBBBB", linewidth=0.8)
        axis.axvline(0, color="#BBBBBB", linewidth=0.8)
        axis.scatter(loo, values, s=16, color=COLOURS[key], alpha=0.7, linewidth=0)
        axis.set(title=f"{METHODS[key].label}: {said}", xlabel="LOO (nats)", ylabel=METHODS[key].label)
        axis.ticklabel_format(scilimits=(-3, 4))
        found.append(f"{METHODS[key].label} {said}")
    _note(figure, note)
    return Picture(figure, f"Scatter plots of word scores against LOO, {len(words)} words: {', '.join(found)}.")


def _grid(panels: int, width: float, height: float):
    """A row of axes (at most three; more start a second row) on a figure that no notebook displays by itself."""
    if panels == 0:
        raise ValueError("There is nothing to draw: pass at least one panel.")
    columns = min(panels, 3)
    lines = -(-panels // columns)
    figure = Figure(figsize=(width * columns, height * lines), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False).flatten()
    for axis in axes[panels:]:
        axis.set_visible(False)
    return figure, axes[:panels]


def _legend_above(figure: Figure, axes) -> None:
    """One legend for all panels, out of the way of the curves; a panel may lack some of the lines."""
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels())}
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=4)


def _note(figure: Figure, note: str) -> None:
    """Where the data came from, in small print: every figure says it."""
    if note:
        figure.supxlabel(note, fontsize=8, color="#555555", wrap=True)


def _ordered(values: Iterable[tuple[str, float]], most: int | None = None) -> str:
    """Names and numbers from the largest down: "LOO 0.52, SignedGI 0.50". A word may stand there twice."""
    ranked = sorted(values, key=lambda item: -item[1])[:most]
    return ", ".join(f"{name} {value:.2f}" for name, value in ranked)


def _relative(values: np.ndarray) -> np.ndarray:
    return values / (np.abs(values).max(initial=0) or 1.0)


def _check_words(words: Sized, values: Sized) -> None:
    if len(words) == 0:
        raise ValueError("There are no words to draw: the document is empty.")
    if len(values) != len(words):
        raise ValueError(f"{len(words)} words came with {len(values)} scores: pass the scores of this document without padding.")


def _plain(word: str) -> str:
    """A dollar sign would start a formula in matplotlib."""
    return _writable(word).replace("$", r"\$")


def _writable(text: str) -> str:
    """Half of a surrogate pair, as broken emoji leave behind, can be neither drawn nor written: a question mark instead."""
    return text.encode("utf-8", "replace").decode("utf-8")
