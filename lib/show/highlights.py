"""Words coloured by their scores, as HTML that is safe, readable in light and dark, and clear without colour."""

from collections.abc import Sequence
from html import escape

import numpy as np

# The ends of the diverging scale of lib.show.picture. They are laid over the page's own background, half transparent at
# most, so that the page's own text colour stays readable in light and in dark mode.
SUPPORT, AGAINST = "200, 50, 60", "50, 120, 200"
STRONGEST = 0.5
MARKED = 0.1  # words with less than this share of the largest score get neither colour nor line


class Highlight:
    """A document whose words are coloured by their scores.

    Red with a solid line under the word: positive, for a signed method it supports the class. Blue with a dashed
    line: negative. The stronger the colour, the larger the score; ``limit`` is the score with full colour, by default
    the largest of the document. Taught in: *Looking at explanations*.
    """

    def __init__(self, words: Sequence[str], scores: Sequence[float], title: str = "", signed: bool = True, limit: float | None = None):
        if len(words) != len(scores):
            raise ValueError(f"{len(words)} words came with {len(scores)} scores: pass the scores of this document without padding.")
        self.words = list(words)
        self.scores = np.asarray(scores, dtype=float)
        self.title = title
        self.signed = signed
        self.limit = float(limit if limit is not None else np.abs(self.scores).max(initial=0)) or 1.0

    @property
    def alt(self) -> str:
        """What the colours show, in words."""
        if not self.words:
            return f"{self.title}: no words." if self.title else "No words."
        order = np.argsort(-self.scores, kind="stable")
        best = ", ".join(f"{self.words[i]} {self.scores[i]:.3g}" for i in order[:3])
        text = f"{self.title}: highest scores {best}" if self.title else f"Highest scores {best}"
        if self.signed and (self.scores < 0).any():
            worst = ", ".join(f"{self.words[i]} {self.scores[i]:.3g}" for i in order[::-1][:3] if self.scores[i] < 0)
            text += f"; lowest {worst}"
        return text + "."

    def _word(self, word: str, score: float) -> str:
        share = min(abs(score) / self.limit, 1.0)
        hint = f'title="{score:+.3g}"' if self.signed else f'title="{score:.3g}"'
        if share < MARKED:
            return f"<span {hint}>{escape(word)}</span>"
        colour, line = (SUPPORT, "solid") if score > 0 else (AGAINST, "dashed")
        style = (f"background-color: rgba({colour}, {STRONGEST * share:.2f}); border-bottom: 2px {line} rgb({colour}); "
                 "border-radius: 2px; padding: 0 1px")
        return f'<span style="{style}" {hint}>{escape(word)}</span>'

    def _legend(self) -> str:
        if not self.signed:
            return f"solid line: score &gt; 0, strongest colour {self.limit:.3g}; this method has no sign, so it cannot say for or against"
        return f"solid line: supports the class; dashed line: speaks against it; strongest colour ±{self.limit:.3g}"

    def _repr_html_(self) -> str:
        words = " ".join(self._word(word, score) for word, score in zip(self.words, self.scores))
        title = f"<strong>{escape(self.title)}</strong><br>" if self.title else ""
        return (f'<div class="word-scores" role="group" aria-label="{escape(self.alt)}" style="line-height: 1.9; margin: 0.8em 0">'
                f"{title}{words}<br><small>{self._legend()}</small></div>")

    def __repr__(self) -> str:
        return self.alt


class Masked:
    """A document with some of its words masked, and what is left of the probability of the class.

    Masked words are grey and struck through. ``before`` and ``probability`` are those of the whole and of the masked
    document. Taught in: *AOPC*.
    """

    def __init__(self, words: Sequence[str], masked: Sequence[bool], probability: float, before: float, target: str, title: str):
        if len(words) != len(masked):
            raise ValueError(f"{len(words)} words came with {len(masked)} marks: pass one for each word.")
        self.words, self.masked = list(words), list(masked)
        self.probability, self.before = probability, before
        self.target, self.title = target, title

    @property
    def alt(self) -> str:
        """What the picture shows, in words."""
        return (f"{self.title}: {sum(self.masked)} of {len(self.words)} words masked; probability of {self.target} "
                f"{self.probability:.3f}, {self.before:.3f} before.")

    def _repr_html_(self) -> str:
        words = " ".join(f'<s style="opacity: 0.6">{escape(word)}</s>' if gone else escape(word) for word, gone in zip(self.words, self.masked))
        bar = (f'<div aria-hidden="true" style="border: 1px solid currentColor; border-radius: 3px; height: 0.8em; margin: 0.4em 0">'
               f'<div style="background: currentColor; opacity: 0.55; height: 100%; width: {100 * self.probability:.1f}%"></div></div>')
        return (f'<div class="masked-words" role="group" aria-label="{escape(self.alt)}" style="line-height: 1.6">'
                f"<strong>{escape(self.title)}</strong>: {sum(self.masked)} of {len(self.words)} words masked, "
                f"probability of {escape(self.target)} <strong>{self.probability:.3f}</strong>{bar}{words}</div>")

    def __repr__(self) -> str:
        return self.alt


class SideBySide:
    """Several highlights next to each other, below each other where the page is narrow."""

    def __init__(self, *highlights: Highlight):
        self.highlights = highlights

    def _repr_html_(self) -> str:
        columns = "".join(f'<div style="flex: 1 1 12em; min-width: 0">{highlight._repr_html_()}</div>' for highlight in self.highlights)
        return f'<div style="display: flex; flex-wrap: wrap; gap: 0 2em">{columns}</div>'

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.highlights))
