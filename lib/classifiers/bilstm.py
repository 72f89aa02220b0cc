"""BiLSTM: one LSTM reads the document forwards, another backwards."""

import torch
from torch import Tensor, nn

from .base import TextClassifier, max_over_words

READOUTS = ("max", "last")


class BiLSTM(TextClassifier):
    """A bidirectional LSTM :cite:p:`hochreiter1997`; ``readout`` says what the linear layer sees of its states.

    ``"max"``: the maximum over positions of each state dimension; ``"last"``: the state each direction ends in.
    The backward LSTM reads each document reversed by its own length, so padding always comes after the words and
    can change nothing. An empty document gets a zero state.
    Taught in: *Data and classifiers*.
    """

    name = "bilstm"
    label = "BiLSTM"

    def __init__(self, vocabulary, classes, max_words, dimensions=50, hidden=64, dropout=0.5, readout="max"):
        super().__init__(vocabulary, classes, max_words, dimensions)
        if readout not in READOUTS:
            raise ValueError(f"Unknown readout {readout!r}: choose one of {', '.join(READOUTS)}.")
        self.readout = readout
        self.forwards = nn.LSTM(dimensions, hidden, batch_first=True)
        self.backwards = nn.LSTM(dimensions, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(2 * hidden, len(self.classes))

    def logits(self, embeddings: Tensor, mask: Tensor) -> Tensor:
        reversal = self._reversal(mask)
        ahead = self.forwards(embeddings)[0]
        back = self.backwards(_reorder(embeddings, reversal))[0]
        state = self._read_max(ahead, back, mask) if self.readout == "max" else self._read_last(ahead, back, mask)
        return self.output(self.dropout(state))

    def hidden(self, embeddings: Tensor, mask: Tensor) -> list[Tensor]:
        """The embeddings [B, T, D], and at each word the states of both LSTMs, [B, T, 2 H]."""
        reversal = self._reversal(mask)
        back = self.backwards(_reorder(embeddings, reversal))[0]
        return [embeddings, torch.cat([self.forwards(embeddings)[0], _reorder(back, reversal)], dim=2)]

    @staticmethod
    def _read_max(ahead: Tensor, back: Tensor, mask: Tensor) -> Tensor:
        # A maximum over positions does not mind their order: the backward states need not be turned round again.
        return torch.cat([max_over_words(ahead, mask), max_over_words(back, mask)], dim=1)

    @staticmethod
    def _read_last(ahead: Tensor, back: Tensor, mask: Tensor) -> Tensor:
        lengths = mask.sum(dim=1)
        last = (lengths - 1).clamp(min=0)[:, None, None].expand(-1, 1, ahead.shape[2])
        states = torch.cat([ahead.gather(1, last), back.gather(1, last)], dim=2).squeeze(1)
        return states * (lengths > 0)[:, None]

    @staticmethod
    def _reversal(mask: Tensor) -> Tensor:
        """Position each position is read from when every document is reversed by its own length, [B, T]."""
        positions = torch.arange(mask.shape[1], device=mask.device)
        reversed_positions = mask.sum(dim=1, keepdim=True) - 1 - positions
        return torch.where(mask, reversed_positions, positions)


def _reorder(values: Tensor, order: Tensor) -> Tensor:
    return values.gather(1, order[..., None].expand_as(values))
