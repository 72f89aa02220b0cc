"""The same classifier in other coordinates: what is a property of the function, and what only of its coordinates?"""

import torch
from torch import Tensor

from .base import TextClassifier


class Turned(TextClassifier):
    r"""A classifier whose embedding space is multiplied by an invertible matrix A, [D, D], undone by its first layer.

    :math:`E' = E A` and :math:`z'(e') = z(e' A^{-1})`: every document keeps its logits, every word gets another vector.
    Raises ``ValueError`` if A has another shape. Taught in: *Sensitivity analysis*.
    """

    def __init__(self, classifier: TextClassifier, A: Tensor):
        dimensions = classifier.embedding.embedding_dim
        if A.shape != (dimensions, dimensions):
            raise ValueError(f"The matrix has shape {list(A.shape)}: the embedding space has {dimensions} dimensions, "
                             f"so it must be [{dimensions}, {dimensions}].")
        super().__init__(classifier.vocabulary, classifier.classes, classifier.max_words, dimensions)
        self.name, self.label, self.source = classifier.name, classifier.label, classifier.source
        weight = classifier.embedding.weight.detach()
        self.classifier = classifier
        self.inverse = torch.linalg.inv(A.double()).to(weight)
        self.embedding = torch.nn.Embedding.from_pretrained(weight @ A.to(weight))
        self.train(classifier.training)

    def logits(self, embeddings: Tensor, mask: Tensor) -> Tensor:
        return self.classifier.logits(embeddings @ self.inverse, mask)


def rotation(dimensions: int, degrees: float, seed: int = 0) -> Tensor:
    """A matrix [D, D], float64, that turns the space by an angle in D / 2 random planes at right angles."""
    on = {"dtype": torch.float64, "device": "cpu"}
    generator = torch.Generator().manual_seed(seed)
    planes = torch.linalg.qr(torch.randn(dimensions, dimensions, generator=generator, **on)).Q
    angle = torch.deg2rad(torch.tensor(float(degrees), **on))
    turn = torch.eye(dimensions, **on)
    for first in range(0, dimensions - 1, 2):
        rows = [[angle.cos(), -angle.sin()], [angle.sin(), angle.cos()]]
        turn[first: first + 2, first: first + 2] = torch.tensor(rows, **on)
    return planes @ turn @ planes.T
