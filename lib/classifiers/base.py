"""What every classifier has in common: encode a text, embed a batch, compute logits from embeddings."""

import inspect
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torchtext.vocab import Vocab

from ..text import PADDING_ID, UNKNOWN_ID, Batch, encode


class TextClassifier(nn.Module, ABC):
    """A text classifier split where explanations need it: at the embeddings.

    ``embed`` gives one vector a word, ``logits`` computes everything after them. A method that explains the
    classifier uses these two and nothing else.

    Attributes: ``vocabulary``, ``classes`` (names), ``max_words`` (longer documents are cut), ``name`` and
    ``label`` (its name in code and in figures), and after training ``key`` (of its checkpoint), ``report`` (dev accuracy,
    epochs, seconds) and ``source`` (the sentence that says which data).
    Taught in: *Data and classifiers*.
    """

    name: str
    label: str

    def __init__(self, vocabulary: Vocab, classes: list[str], max_words: int, dimensions: int):
        super().__init__()
        self.vocabulary = vocabulary
        self.classes = list(classes)
        self.max_words = max_words
        self.key = ""
        self.report: dict = {}
        self.source = ""
        self.embedding = nn.Embedding(len(vocabulary.itos), dimensions, padding_idx=PADDING_ID)

    @classmethod
    def architecture(cls) -> dict:
        """The options of the constructor and their defaults, e.g. ``{"dimensions": 50, "filters": 100}``."""
        parameters = inspect.signature(cls).parameters.values()
        return {option.name: option.default for option in parameters if option.default is not inspect.Parameter.empty}

    def encode(self, texts: list[str], labels: list[int] | None = None, max_words: int | None = None) -> Batch:
        """Turn texts into a padded batch; ``max_words`` defaults to what the model was trained with.

        Raises ``ValueError`` if a label is not one of the classes; see also :func:`lib.text.encode`.
        """
        for label in labels if labels is not None else []:
            if not 0 <= int(label) < len(self.classes):
                raise ValueError(f"Label {label} is out of range: the classes are 0 to {len(self.classes) - 1} ({', '.join(self.classes)}).")
        return encode(self.vocabulary, texts, labels, self.max_words if max_words is None else max_words)

    def embed(self, batch: Batch) -> Tensor:
        """Word vectors of a batch, [B, T, D]; zero on padding."""
        return self.embedding(batch.ids)

    @abstractmethod
    def logits(self, embeddings: Tensor, mask: Tensor) -> Tensor:
        """Class scores before the softmax, [B, C], from embeddings [B, T, D] and mask [B, T]."""

    def forward(self, batch: Batch) -> Tensor:
        return self.logits(self.embed(batch), batch.mask)

    def unknown_vector(self) -> Tensor:
        """The vector of the unknown word, [D]: what the masking operator "mask" puts in a word's place."""
        return self.embedding.weight[UNKNOWN_ID].detach()


def max_over_words(values: Tensor, mask: Tensor) -> Tensor:
    """Maximum over the positions where ``mask`` is True: values [B, T, H], mask [B, T] -> [B, H].

    A row without any position gives zeros. Where two positions tie, the gradient is shared between them, so that
    no explanation depends on which comes first.
    """
    pooled = values.masked_fill(~mask[..., None], -torch.inf).amax(dim=1)
    return torch.where(mask.any(dim=1)[:, None], pooled, torch.zeros_like(pooled))
