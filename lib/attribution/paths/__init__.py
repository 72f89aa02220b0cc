"""Methods that walk from a baseline to the document and add up gradients on the way: one file each."""

from . import integrated  # each import registers its methods

__all__ = ["integrated"]
