"""What ten people said of each of 7,500 words: the lexicon of VADER (Hutto and Gilbert 2014)."""

import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from ..text import plain
from .files import DataError, digest

PACKAGE, REQUIREMENT = "vaderSentiment", "vaderSentiment==3.3.2"
SHA256 = "1ec9c6e9ee19aade328f8beb393a6afa71a5bb3acf7d3cc22d4ef568df374bf5"


def valence(words: Sequence[Sequence[str]], width: int | None = None) -> Tensor:
    """The mean of ten ratings of each word, [B, W], from -4, very negative, to 4; 0 where nobody was asked.

    People saw the word alone. Of the words that are not in the lexicon most are neutral, and all count as neutral.
    ``width`` is W, by default the number of words of the longest document.
    Raises ``FileNotFoundError`` if the package is not installed, :class:`lib.data.files.DataError` if it was changed.
    Source: :cite:t:`hutto2014`. Taught in: *Against human judgement*.
    """
    found = torch.zeros(len(words), max([0, *map(len, words)]) if width is None else width, device="cpu")
    for row, document in enumerate(words):
        for place, word in enumerate(document):
            found[row, place] = ratings().get(plain(word), 0.0)
    return found


@lru_cache(maxsize=1)
def ratings() -> dict[str, float]:
    """The mean rating of each word of the lexicon. Errors: see :func:`valence`."""
    spec = importlib.util.find_spec(PACKAGE)
    path = Path(spec.origin).parent / "vader_lexicon.txt" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise FileNotFoundError(f"The lexicon of VADER is nowhere on this machine: install {REQUIREMENT}.")
    if digest(path, "sha256") != SHA256:
        raise DataError(f"{path}: its SHA-256 is not the one this book was made with; expected {SHA256}. Install the "
                        f"package again: pip install --force-reinstall --no-deps {REQUIREMENT}.")
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return {word.lower(): float(mean) for word, mean, *_ in rows}
