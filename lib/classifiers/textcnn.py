"""TextCNN: windows of three, four and five words, the maximum of each filter over time."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .base import TextClassifier, max_over_words


class TextCNN(TextClassifier):
    """The convolutional network of :cite:t:`kim2014`: widths 3, 4, 5, ``filters`` of each, max over time, dropout.

    A window counts if all its words are words of the document. A document shorter than a window is first extended
    with zero vectors to one window, as padding would; so the result never depends on how far a batch is padded.
    Taught in: *Data and classifiers*.
    """

    name = "textcnn"
    label = "TextCNN"
    widths = (3, 4, 5)

    def __init__(self, vocabulary, classes, max_words, dimensions=50, filters=100, dropout=0.5):
        super().__init__(vocabulary, classes, max_words, dimensions)
        self.convolutions = nn.ModuleList(nn.Conv1d(dimensions, filters, width) for width in self.widths)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(filters * len(self.widths), len(self.classes))

    def logits(self, embeddings: Tensor, mask: Tensor) -> Tensor:
        shortfall = max(0, max(self.widths) - embeddings.shape[1])
        words = F.pad((embeddings * mask[..., None]).transpose(1, 2), (0, shortfall))
        pooled = [max_over_words(convolution(words).transpose(1, 2), self._windows(words.shape[2], mask, width))
                  for width, convolution in zip(self.widths, self.convolutions, strict=True)]
        # The ReLU grows with its argument, so taking the maximum first gives the same number with less work.
        return self.output(self.dropout(F.relu(torch.cat(pooled, dim=1))))

    def hidden(self, embeddings: Tensor, mask: Tensor) -> list[Tensor]:
        """The embeddings [B, T, D], and what the filters say of the window that begins at each word, [B, T, H].

        Zero where no whole window begins.
        """
        shortfall = max(0, max(self.widths) - embeddings.shape[1])
        words = F.pad((embeddings * mask[..., None]).transpose(1, 2), (0, shortfall))
        found = []
        for width, convolution in zip(self.widths, self.convolutions, strict=True):
            inside = self._windows(words.shape[2], mask, width)[:, :mask.shape[1], None]
            said = F.relu(convolution(words)).transpose(1, 2)[:, :mask.shape[1]] * inside
            found.append(F.pad(said, (0, 0, 0, mask.shape[1] - said.shape[1])))
        return [embeddings, torch.cat(found, dim=2)]

    @staticmethod
    def _windows(positions: int, mask: Tensor, width: int) -> Tensor:
        """Which of the windows of a padded row lie inside its document, [B, positions - width + 1]."""
        lengths = mask.sum(dim=1).clamp(min=width)
        return torch.arange(positions - width + 1, device=mask.device) <= (lengths - width)[:, None]
