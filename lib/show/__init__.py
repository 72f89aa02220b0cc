"""What was found, shown: pictures, tables, sentences, coloured words, explorers."""

from . import charts, curves, highlights, histograms, looks, maps, picture, prose, widgets

__all__ = ["charts", "curves", "highlights", "histograms", "looks", "maps", "picture", "prose", "widgets"]
