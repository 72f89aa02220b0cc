"""What was found: the numbers of this build beside the reference results that are kept with the library."""

from .answers import Answers
from .asked import END, Number, Panel, Results
from .numbers import label

__all__ = ["END", "Answers", "Number", "Panel", "Results", "label"]
