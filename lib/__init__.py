"""The library of the book *Which Words Matter?*: classifiers, explanations of them, and tests of the explanations.

The data goes one way: ``data`` -> ``text`` -> ``classifiers``, ``training`` -> ``attribution`` -> ``faithfulness``,
``agreement``, ``diagnostics`` -> ``figures``, ``charts``, ``highlights``, ``widgets``; ``experiments`` runs all of it over many
documents, and ``reference`` is what that gave. A first explanation needs one call, :func:`explain_text`.
"""

from . import (agreement, attribution, charts, data, diagnostics, experiments, faithfulness, figures, highlights, masking, prose, reference,
               targets, text, training, widgets)
from .explanation import Explanation, explain_text

__version__ = "0.1.0"
__all__ = ["Explanation", "agreement", "attribution", "charts", "data", "diagnostics", "experiments", "explain_text", "faithfulness", "figures",
           "highlights", "masking", "prose", "reference", "targets", "text", "training", "widgets"]
