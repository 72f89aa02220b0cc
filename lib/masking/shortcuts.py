"""Exact shortcuts: what a classifier says without some of its words, computed from what it says about the whole.

A shortcut belongs to one class, as it stands in :mod:`lib.classifiers`, and to the layers that class was written with.
A class derived from it, an object with methods of its own, another kind of layer in a layer's place, a hook: all of
these take the general path. Each module here offers

- ``one_out(classifier, embeddings, mask, substitute, words_per_pass)``: logits of a batch, whole and with each word in
  turn replaced by the vector ``substitute`` [D]: [B, T + 1, C]
- ``in_order(classifier, embeddings, mask, rank, steps, substitute, words_per_pass)``: logits with the words of the
  ``k`` lowest ranks replaced, k = 0..steps: [B, steps + 1, C]

says with ``LINEAR`` whether the cost grows with the number of words or with its square, and may offer
``gradient_times_input(classifier, embeddings, mask, classes, of)``, [B, T]. What ``one_out`` gives on padding is not
defined. The general path, :mod:`lib.masking`, is the oracle that they are tested against.
Taught in: *What an explanation costs*.
"""

import re
from types import ModuleType

from torch import nn

from ..classifiers import BiLSTM, FastText, TextCNN
from . import bilstm, fasttext, textcnn

SHORTCUTS = {FastText: fasttext, TextCNN: textcnn, BiLSTM: bilstm}
# The layers that a shortcut reads, and how torch writes down layers of the kind it was derived for.
LAYERS = {
    FastText: {"output": nn.Linear},
    TextCNN: {"convolutions": nn.ModuleList, **{f"convolutions.{place}": nn.Conv1d for place in range(3)},
              "dropout": nn.Dropout, "output": nn.Linear},
    BiLSTM: {"forwards": nn.LSTM, "backwards": nn.LSTM, "dropout": nn.Dropout, "output": nn.Linear},
}
WRITTEN = {
    nn.Linear: r"Linear\(in_features=\d+, out_features=\d+, bias=True\)",
    nn.Conv1d: r"Conv1d\(\d+, \d+, kernel_size=\(\d+,\), stride=\(1,\)\)",
    nn.LSTM: r"LSTM\(\d+, \d+, batch_first=True\)",
}
_LOGITS = {kind: kind.logits for kind in SHORTCUTS}
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def shortcut_of(classifier) -> ModuleType | None:
    """The shortcut of a classifier, or None where it might not compute what the classifier would."""
    kind = type(classifier)
    return SHORTCUTS[kind] if kind in SHORTCUTS and _as_written(classifier) else None


def _as_written(classifier: nn.Module) -> bool:
    """Whether a classifier has just the layers it was written with, and nobody put anything before, behind or for them.

    The embedding matrix may be anything: shortcuts start from what ``embed`` gives.
    """
    kind = type(classifier)
    layers = {name: layer for name, layer in classifier.named_modules()
              if name.partition(".")[0] not in ("", "embedding")}
    return (kind.logits is _LOGITS[kind] and "logits" not in vars(classifier)
            and {name: type(layer) for name, layer in layers.items()} == LAYERS[kind]
            and all(_plain(layer) for layer in layers.values())
            and not nn.modules.module._has_any_global_hook())


def _plain(layer: nn.Module) -> bool:
    return (re.fullmatch(WRITTEN.get(type(layer), ".*"), repr(layer), re.DOTALL) is not None
            and "forward" not in vars(layer) and not any(getattr(layer, hooks) for hooks in _HOOKS))
