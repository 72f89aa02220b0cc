"""Which word a piece of a word belongs to, from where both lie in the text."""

from bisect import bisect_left, bisect_right
from itertools import accumulate

from ..text import spans


def words_of_pieces(text: str, places: list[tuple[int, int]]) -> tuple[list[tuple[int, int]], list[int]]:
    """Where the words of a text start and end, those that share a piece joined, and the number of each piece's word.

    ``places`` says where the pieces start and end. A piece belongs to the word where its first character lies, spaces
    aside; what :func:`lib.text.tokenise` drops belongs to the word before. In a text without words all numbers are 0.
    """
    words = spans(text)
    starts, ends = [start for start, _ in words], [end for _, end in words]
    owners, joined = [], set()
    for start, end in places:
        while start < len(text) and text[start].isspace():
            start += 1
        owner = bisect_right(ends, start)  # the first word that ends after this character
        if owner == len(words) or starts[owner] >= max(end, start + 1):
            owner = max(0, owner - 1)
        owners.append(owner)
        joined.update(range(owner + 1, bisect_left(starts, end)))  # with the word before them
    firsts = [word for word in range(len(words)) if word not in joined]
    lasts = [word - 1 for word in [*firsts[1:], len(words)]]
    number = list(accumulate(int(word > 0 and word not in joined) for word in range(len(words)))) or [0]
    whole = [(starts[first], ends[last]) for first, last in zip(firsts, lasts, strict=bool(words))]
    return whole, [number[owner] for owner in owners]
