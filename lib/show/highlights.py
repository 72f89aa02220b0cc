"""Words coloured by their scores, as HTML that is safe, readable in light and dark, and clear without colour."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from torch import Tensor

from ..text import Batch
from .looks import label_of, positive_means
from .picture import checked, shortened, writable

# The ends of the diverging scale of lib.show.picture. They are laid over the page's own background, half transparent at
# most, so that the page's own text colour stays readable in light and in dark mode.
SUPPORT, AGAINST = "200, 50, 60", "50, 120, 200"
STRONGEST = 0.5
MARKED = 0.1  # words with less than this share of the largest score get neither colour nor line
# What the two lines say, by what a positive score says of the class; None: nobody told which method this is.
LEGENDS = {
    1: "solid line: supports the class; dashed line: speaks against it; strongest colour ±{limit}",
    -1: "solid line: supports the class (score &lt; 0); dashed line: speaks against it (score &gt; 0); "
        "strongest colour ±{limit}",
    0: "solid line: score &gt; 0{dashed}, strongest colour {limit}; "
       "this method has no sign, so it cannot say for or against",
    None: "solid line: score &gt; 0; dashed line: score &lt; 0; strongest colour ±{limit}",
}


class Highlight:
    """A document whose words are coloured by their scores, [m].

    Red with a solid line under the word: it supports the class. Blue with a dashed line: it speaks against it. Which of
    the two a positive score says follows from the key of the ``method`` and from the quantity explained, ``of`` (by
    default the method's own); without a method, or for one without a sign, red is a positive score. The stronger the
    colour, the larger the score; ``limit`` is the score with full colour, by default the largest of the document.

    Words that are not ``scored`` are pale, ``unknown`` ones italic, and ``cut`` counts those that were cut off at the
    end: :meth:`of_batch` knows all three. Raises ``ValueError`` for scores that do not fit the words or are not finite.
    Taught in: *Looking at explanations*.
    """

    def __init__(self, words: Sequence[str], scores: Sequence[float], title: str = "", method: str | None = None,
                 of: str | None = None, limit: float | None = None, scored: Sequence[bool] | None = None,
                 unknown: Sequence[bool] | None = None, cut: int = 0):
        self.scored = [True] * len(words) if scored is None else list(scored)
        self.unknown = [False] * len(words) if unknown is None else list(unknown)
        self.cut = int(cut)
        self.scores = np.where(self.scored, checked(words, scores, self.scored), 0.0)
        self.words = [writable(word) for word in words]
        self.title = writable(title)
        self.positive = None if method is None else positive_means(method, of)
        self.limit = float(np.abs(self.scores).max(initial=0) if limit is None else limit) or 1.0
        if not 0 < self.limit < np.inf:
            raise ValueError(f"The limit is {self.limit}: the score with full colour must be positive and finite.")

    @classmethod
    def of_batch(cls, batch: Batch, scores: Tensor, title: str = "", method: str | None = None, of: str | None = None,
                 limit: float | None = None, row: int = 0) -> "Highlight":
        """One document of a batch, from the scores of all, [B, W], with what the batch knows of its words."""
        words = batch.words[row]
        unknown = None if batch.unknown is None else batch.unknown[row, : len(words)].tolist()
        scored = batch.word_mask[row, : len(words)].tolist()
        cut = 0 if batch.cut is None else batch.cut[row]
        return cls(words, scores[row, : len(words)], title, method, of, limit, scored, unknown, cut)

    @property
    def signed(self) -> bool:
        """Whether the sign of a score is shown."""
        return self.positive != 0

    @property
    def alt(self) -> str:
        """What the colours show, in words."""
        if not any(self.scored):
            return f"{self.title}: no words." if self.title else "No words."
        order = [i for i in np.argsort(-self.scores, kind="stable") if self.scored[i]]
        text = f"{self.title}: highest scores " if self.title else "Highest scores "
        text += ("(against the class) " if self.positive == -1 else "") + self._named(order[:3])
        if self.signed and (self.scores < 0).any():
            text += f"; lowest {self._named([i for i in order[::-1][:3] if self.scores[i] < 0])}"
        return text + (f"; {self._rest()}." if self.cut else ".")

    def _rest(self) -> str:
        return f"{self.cut:,} more word{'' if self.cut == 1 else 's'} cut off, not read"

    def _named(self, places: Sequence[int]) -> str:
        return ", ".join(f"{shortened(self.words[i])} {self.scores[i]:.3g}" for i in places)

    def _word(self, place: int) -> str:
        score = self.scores[place]
        styles, hints = [], [f"{score:+.3g}" if self.signed else f"{score:.3g}"]
        share = min(abs(score) / self.limit, 1.0)
        if share >= MARKED:
            red = score < 0 if self.positive == -1 else score > 0
            colour, line = (SUPPORT, "solid") if red else (AGAINST, "dashed")
            styles += [f"background-color: rgba({colour}, {STRONGEST * share:.2f})",
                       f"border-bottom: 2px {line} rgb({colour})", "border-radius: 2px", "padding: 0 1px"]
        if self.unknown[place]:
            styles, hints = [*styles, "font-style: italic"], [*hints, "unknown word"]
        if not self.scored[place]:
            styles, hints = ["opacity: 0.6"], ["not read"]
        style = f'style="{"; ".join(styles)}" ' if styles else ""
        return f'<span {style}title="{", ".join(hints)}">{escape(self.words[place])}</span>'

    def _legend(self) -> str:
        dashed = "; dashed line: score &lt; 0" if (self.scores < 0).any() else ""
        legend = LEGENDS[self.positive].format(limit=f"{self.limit:.3g}", dashed=dashed)
        legend += "; italic: a word that the classifier does not know" if any(self.unknown) else ""
        return legend + ("; pale: not read by the classifier" if not all(self.scored) else "")

    def _repr_html_(self) -> str:
        words = " ".join(self._word(place) for place in range(len(self.words)))
        words += f" <small>… ({self._rest()})</small>" if self.cut else ""
        title = f"<strong>{escape(self.title)}</strong><br>" if self.title else ""
        return (f'<div class="word-scores" role="group" aria-label="{escape(self.alt)}" '
                'style="line-height: 1.9; margin: 0.8em 0; overflow-wrap: anywhere">'
                f"{title}{words}<br><small>{self._legend()}</small></div>")

    def __repr__(self) -> str:
        return self.alt


class Masked:
    """A document with some of its words masked, and what is left of the probability of the class.

    Masked words are grey and struck through. ``before`` and ``probability`` are those of the whole and of the masked
    document. Raises ``ValueError`` if there is not a mark for each word. Taught in: *Baselines*.
    """

    def __init__(self, words: Sequence[str], masked: Sequence[bool], probability: float, before: float, target: str,
                 title: str):
        if len(words) != len(masked):
            raise ValueError(f"{len(words)} words came with {len(masked)} marks: pass one for each word.")
        self.words, self.masked = [writable(word) for word in words], list(masked)
        self.probability, self.before = probability, before
        self.target, self.title = writable(target), writable(title)

    @property
    def alt(self) -> str:
        """What the picture shows, in words."""
        return (f"{self.title}: {sum(self.masked)} of {len(self.words)} words masked; probability of {self.target} "
                f"{self.probability:.3f}, {self.before:.3f} before.")

    def _repr_html_(self) -> str:
        words = " ".join(f'<s style="opacity: 0.6">{escape(word)}</s>' if gone else escape(word)
                         for word, gone in zip(self.words, self.masked, strict=True))
        frame = "border: 1px solid currentColor; border-radius: 3px; height: 0.8em; margin: 0.4em 0"
        filled = f"background: currentColor; opacity: 0.55; height: 100%; width: {100 * self.probability:.1f}%"
        bar = f'<div aria-hidden="true" style="{frame}"><div style="{filled}"></div></div>'
        return (f'<div class="masked-words" role="group" aria-label="{escape(self.alt)}" '
                'style="line-height: 1.6; overflow-wrap: anywhere">'
                f"<strong>{escape(self.title)}</strong>: {sum(self.masked)} of {len(self.words)} words masked, "
                f"probability of {escape(self.target)} <strong>{self.probability:.3f}</strong>{bar}{words}</div>")

    def __repr__(self) -> str:
        return self.alt


class SideBySide:
    """Several highlights next to each other, below each other where the page is narrow."""

    def __init__(self, *highlights: Highlight):
        self.highlights = highlights

    def _repr_html_(self) -> str:
        columns = "".join(f'<div style="flex: 1 1 12em; min-width: 0">{highlight._repr_html_()}</div>'
                          for highlight in self.highlights)
        return f'<div style="display: flex; flex-wrap: wrap; gap: 0 2em">{columns}</div>'

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.highlights))


def side_by_side(batch: Batch, scores: Mapping[str, Tensor], before: str = "", of: str | None = None,
                 row: int = 0) -> SideBySide:
    """One document of a batch under several methods: method key -> scores of all documents [B, W].

    ``before`` stands in front of the method's name, ``of`` is the quantity explained, by default that of each method.
    Taught in: *Looking at explanations*.
    """
    return SideBySide(*(Highlight.of_batch(batch, values, f"{before}{label_of(key)}", key, of, row=row)
                        for key, values in scores.items()))
