"""The library of the book *Which Words Matter?*: classifiers, explanations of them, and tests of the explanations.

The data goes one way: ``data`` -> ``text`` -> ``classifiers``, ``training`` -> ``attribution`` -> ``faithfulness``,
``agreement``, ``diagnostics`` -> ``experiments`` -> ``results`` -> ``show``. A first explanation needs one call,
:func:`explain_text`.
"""

from . import (
    agreement,
    attribution,
    classifiers,
    data,
    diagnostics,
    experiments,
    faithfulness,
    intervals,
    masking,
    reference,
    results,
    show,
    targets,
    text,
    training,
)
from .explanation import Explanation, explain_text

__version__ = "0.2.0"
__all__ = ["Explanation", "agreement", "attribution", "classifiers", "data", "diagnostics", "experiments",
           "explain_text", "faithfulness", "intervals", "masking", "reference", "results", "show", "targets",
           "text", "training"]
