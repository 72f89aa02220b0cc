"""The earlier name of :mod:`lib.results.kept`, which the README shows."""

from .results.kept import pooled
from .results.kept import table as results

__all__ = ["pooled", "results"]
