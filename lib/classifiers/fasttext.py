"""FastText: the mean of the word vectors, then one linear layer."""

from torch import Tensor, nn

from .base import TextClassifier


class FastText(TextClassifier):
    """A linear classifier on the mean word vector :cite:p:`grave2017`, without the n-gram features of the original.

    ``z = W (1/m sum_i e_i) + b`` with m the number of words of the document. A word masked by a zero vector still
    counts in m. An empty document gets the bias alone.
    Taught in: *Data and classifiers*.
    """

    name = "fasttext"
    label = "FastText"
    words_per_pass = 65_536  # nothing is kept of a word but its vector and a few numbers

    def __init__(self, vocabulary, classes, max_words, dimensions=50):
        super().__init__(vocabulary, classes, max_words, dimensions)
        self.output = nn.Linear(dimensions, len(self.classes))

    def logits(self, embeddings: Tensor, mask: Tensor) -> Tensor:
        words = mask[..., None]
        total = (embeddings * words).sum(dim=1)
        return self.output(total / words.sum(dim=1).clamp(min=1))
