"""The paper of Du and Xu: what the book computes of it, what it claims, and the one judge of its claims."""

from .verdicts import Verdicts

__all__ = ["Verdicts"]
