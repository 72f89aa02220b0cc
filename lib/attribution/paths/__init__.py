"""Methods that walk from a baseline to the document and add up gradients on the way: one file each."""

from . import discretized, integrated, sequential  # each import registers its methods
from .walks import anchors

__all__ = ["anchors", "discretized", "integrated", "sequential"]
