"""One kind of progress bar, for whatever takes longer than two seconds."""

from collections.abc import Iterable

from tqdm import tqdm  # plain text: tqdm's bar for notebooks cannot be hidden, and leaves widgets in every page


def progress(steps: Iterable, what: str, total: int | None = None) -> Iterable:
    """Go through ``steps`` and show a bar after two seconds; ``TQDM_DISABLE=1`` hides it, as when pages are built."""
    return tqdm(steps, desc=what, total=total, delay=2, leave=False)
