"""What all pictures share: one palette, one diverging scale, a figure with its alt text, small helpers."""

import io
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from textwrap import fill
from urllib.parse import quote

import matplotlib
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

# A method has the same colour and dashes everywhere (colours of Okabe and Ito, told apart by colour-blind readers).
COLOURS = {"signed_gi": "#0072B2", "loo": "#222222", "random": "#8A8A8A", "gi": "#56B4E9", "sa_raw": "#CC79A7",
           "sa_l1": "#D55E00", "sa_l2": "#E69F00", "sa_linf": "#8C510A", "saliency": "#009E73"}
DASHES = {"signed_gi": "-", "loo": "--", "random": ":", "gi": "-.", "sa_raw": (0, (1, 2)),
          "sa_l1": "-", "sa_l2": "--", "sa_linf": "-.", "saliency": ":"}
# Red supports, blue opposes, white is nothing: safe for colour-blind readers, and signs or dots say the same again.
DIVERGING = "RdBu_r"
STYLE = {**sns.axes_style("ticks"), "axes.grid": True, "grid.color": "#E6E6E6", "axes.spines.top": False,
         "axes.spines.right": False, "font.size": 11, "axes.titlesize": 11, "legend.frameon": False,
         "figure.facecolor": "white", "savefig.facecolor": "white", "svg.hashsalt": "which-words-matter",
         "svg.fonttype": "none"}  # text stays text
DPI = 144
WIDEST = 7.5  # inches: in a wider figure the labels would shrink on the page until nobody can read them
MOST_WORDS = 400


class Picture:
    """A matplotlib figure with the alt text that says what it shows; a notebook displays both."""

    def __init__(self, figure: Figure, alt: str):
        self.figure = figure
        self.alt = writable(alt)

    def png(self) -> bytes:
        """The picture as a PNG file; but for heat maps of 256 colours, which look the same and weigh a third."""
        full, small, about = io.BytesIO(), io.BytesIO(), PngInfo()
        self.figure.savefig(full, dpi=DPI, bbox_inches="tight")
        about.add_text("Description", self.alt)
        image = Image.open(full).convert("RGB")
        if not any(axis.images for axis in self.figure.axes):
            image = image.quantize(256, dither=Image.Dither.NONE)
        image.save(small, "PNG", optimize=True, pnginfo=about)
        return small.getvalue()

    @matplotlib.rc_context(STYLE)
    def _repr_html_(self) -> str:
        """The picture as part of a page, drawn in lines: many of them, as in an explorer, weigh little."""
        buffer = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        self.figure.savefig(buffer, format="svg", bbox_inches="tight", metadata=nothing)
        picture = quote(" ".join(buffer.getvalue().split()), safe=" <>/:;=,.()-")
        style = "max-width: 100%; height: auto"
        return f'<img src="data:image/svg+xml,{picture}" alt="{escape(self.alt)}" style="{style}">'

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {"image/png": b64encode(self.png()).decode(), "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt}}


def grid(panels: int, width: float, height: float, columns: int = 3):
    """Axes in rows of at most ``columns``, on a figure that no notebook displays by itself; sizes in inches a panel."""
    if panels == 0:
        raise ValueError("There is nothing to draw: pass at least one panel.")
    columns = min(panels, columns)
    lines = -(-panels // columns)
    figure = Figure(figsize=(min(width * columns, WIDEST), height * lines), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False).flatten()
    for axis in axes[panels:]:
        axis.set_visible(False)
    return figure, axes[:panels]


def legend_above(figure: Figure, axes) -> None:
    """One legend for all panels, out of the way of the curves; a panel may lack some of the lines."""
    handles = {name: handle for axis in axes for handle, name in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=4)


def note_below(figure: Figure, note: str) -> None:
    """Where the data came from, in small print: every figure says it."""
    if note:
        figure.supxlabel(wrapped(note, 1.2 * figure.get_figwidth(), most=1000), fontsize=9, color="#555555")


def ordered(values: Iterable[tuple[str, float]], most: int | None = None) -> str:
    """Names and numbers from the largest down: "LOO 0.52, SignedGI 0.50". A word may stand there twice."""
    ranked = sorted(values, key=lambda item: -item[1])[:most]
    return ", ".join(f"{shortened(name)} {value:.2f}" for name, value in ranked)


def relative(values: np.ndarray) -> np.ndarray:
    return values / (np.abs(values).max(initial=0) or 1.0)


def numbers(values) -> np.ndarray:
    """Scores or curves as numbers of numpy, wherever they were computed."""
    return np.asarray(values.detach().cpu().double() if isinstance(values, Tensor) else values, dtype=float)


def scores_of(words: Sequence[str], scores) -> np.ndarray:
    """The scores of one document as numbers, [m] or [m, D].

    Raises ``ValueError`` without words, with more than can be drawn, if there are not as many scores as words, or if
    one is no finite number; ``TypeError`` if the words are one string.
    """
    if len(words) == 0:
        raise ValueError("There are no words to draw: the document is empty.")
    if len(words) > MOST_WORDS:
        raise ValueError(f"{len(words):,} words are too many for one picture: choose at most {MOST_WORDS} of them.")
    return checked(words, scores)


def checked(words: Sequence[str], scores, scored: Sequence[bool] | None = None) -> np.ndarray:
    """As :func:`scores_of`, for any number of words; words that are not ``scored`` may have any score."""
    if isinstance(words, str):
        raise TypeError("The words are one string: pass a list of words, e.g. batch.words[0].")
    values = numbers(scores)
    if len(values) != len(words):
        raise ValueError(f"{len(words)} words came with {len(values)} scores: "
                         "pass the scores of this document without padding.")
    counted = np.ones(len(words), dtype=bool) if scored is None else np.asarray(scored, dtype=bool)
    bad = counted & ~np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    if bad.any():
        word = shortened(words[int(bad.argmax())])
        raise ValueError(f"The score of the word {word!r} is not a finite number: such a score cannot be shown.")
    return values


def wrapped(text: str, inches: float, most: int = 200) -> str:
    """A title or the label of an axis on as many lines as its panel needs; 13 letters take an inch."""
    return plain(fill(shortened(text, most), max(8, int(13 * inches))), most + most // 8)


def plain(text: str, most: int = 60) -> str:
    """Text for matplotlib: there "$" starts a formula, a first "_" hides from legends, and length costs memory."""
    text = shortened(text, most).replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def shortened(text: str, most: int = 30) -> str:
    """A word or title as far as it can be shown."""
    text = writable(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def writable(text) -> str:
    """Text that can be drawn and written: a question mark for half an emoji, and for control characters."""
    whole = str(text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return re.sub("[\x00-\x08\x0b-\x1f\x7f\ufffd]", "?", whole)
