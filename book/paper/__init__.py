"""The paper of Du and Xu: what the book computes of it, what it claims, the one judge of its claims, what was found."""

from .findings import finding
from .verdicts import Verdicts

__all__ = ["Verdicts", "finding"]
