"""Exact shortcuts: what a classifier says without some of its words, computed from what it says about the whole.

A shortcut belongs to one class, as it stands in :mod:`lib.classifiers`: a class derived from it, or an object with a
``logits`` of its own, takes the general path. Each module here offers

- ``one_out(classifier, embeddings, mask, substitute, words_per_pass)``: logits of a batch, whole and with each word in
  turn replaced by the vector ``substitute`` [D]: [B, T + 1, C]
- ``in_order(classifier, embeddings, mask, rank, steps, substitute, words_per_pass)``: logits with the words of the ``k``
  lowest ranks replaced, k = 0..steps: [B, steps + 1, C]

says with ``LINEAR`` whether the cost grows with the number of words or with its square, and may offer
``gradient_times_input(classifier, embeddings, mask, classes, of)``, [B, T]. What ``one_out`` gives on padding is not defined.
The general path, :mod:`lib.masking`, is the oracle that they are tested against.
Taught in: *What an explanation costs*.
"""

from types import ModuleType

from ..classifiers import BiLSTM, FastText, TextClassifier, TextCNN
from . import bilstm, fasttext, textcnn

SHORTCUTS = {FastText: fasttext, TextCNN: textcnn, BiLSTM: bilstm}


def shortcut_of(classifier: TextClassifier) -> ModuleType | None:
    """The shortcut of a classifier, or None if there is none."""
    return None if "logits" in vars(classifier) else SHORTCUTS.get(type(classifier))
