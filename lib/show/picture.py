"""What all pictures share: one palette, one diverging scale, a figure with its alt text, small helpers."""

import io
from base64 import b64encode
from collections.abc import Iterable, Sized
from html import escape
from urllib.parse import quote

import matplotlib
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

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
        self.alt = writable(alt)

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


def grid(panels: int, width: float, height: float):
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


def legend_above(figure: Figure, axes) -> None:
    """One legend for all panels, out of the way of the curves; a panel may lack some of the lines."""
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels())}
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=4)


def note_below(figure: Figure, note: str) -> None:
    """Where the data came from, in small print: every figure says it."""
    if note:
        figure.supxlabel(note, fontsize=8, color="#555555", wrap=True)


def ordered(values: Iterable[tuple[str, float]], most: int | None = None) -> str:
    """Names and numbers from the largest down: "LOO 0.52, SignedGI 0.50". A word may stand there twice."""
    ranked = sorted(values, key=lambda item: -item[1])[:most]
    return ", ".join(f"{name} {value:.2f}" for name, value in ranked)


def relative(values: np.ndarray) -> np.ndarray:
    return values / (np.abs(values).max(initial=0) or 1.0)


def check_words(words: Sized, values: Sized) -> None:
    if len(words) == 0:
        raise ValueError("There are no words to draw: the document is empty.")
    if len(values) != len(words):
        raise ValueError(f"{len(words)} words came with {len(values)} scores: pass the scores of this document without padding.")


def plain(word: str) -> str:
    """A dollar sign would start a formula in matplotlib."""
    return writable(word).replace("$", r"\$")


def writable(text: str) -> str:
    """Half of a surrogate pair, as broken emoji leave behind, can be neither drawn nor written: a question mark instead."""
    return text.encode("utf-8", "replace").decode("utf-8")
