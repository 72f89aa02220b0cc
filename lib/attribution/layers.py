"""CA-LIG style: what flows through each block of a transformer, weighed by where its attention matters."""

import torch
from torch import Tensor

from ..targets import quantity, target_classes
from ..text import Batch
from .paths.integrated import mean_gradient
from .registry import method


class FromBlock:
    """The rest of a transformer: a classifier that is given the input of one block in the place of embeddings.

    Taught in: *Layer by layer*.
    """

    def __init__(self, classifier, block: int):
        self.classifier, self.block = classifier, block
        self.classes, self.training = classifier.classes, classifier.training
        if hasattr(classifier, "words_per_pass"):
            self.words_per_pass = classifier.words_per_pass

    def logits(self, states: Tensor, mask: Tensor) -> Tensor:
        """Class scores, [N, C], from the input [N, T, H] of the block."""
        return self.classifier.from_block(self.block, states, mask)


@method("ca_lig", "CA-LIG style", sign="support", cost="n L forward, n L backward, L blocks",
        citation="mersha2026", needs="blocks")
def ca_lig(classifier, batch: Batch, target: str | int | Tensor = "gold", points: int = 20,
           words_per_pass: int | None = None) -> Tensor:
    r"""Context-aware layer-wise Integrated Gradients, a reading in their spirit, [B, W], in units of the logit.

    :math:`s_i = \frac 1 L \sum_{l=1}^{L} \mathrm{LIG}^l_i\, w^l_i`. :math:`\mathrm{LIG}^l_i` are Integrated Gradients
    of the logit :math:`z_y` with respect to the input of block l, from zero, over ``points`` midpoints; the weight
    :math:`w^l_i` is the column sum, over the tokens that are read, of the mean over heads of
    :math:`A \odot \max(0, \partial z_y / \partial A)` with the attention A, scaled to mean 1 over these tokens, or 1
    where all of it is 0. Special tokens carry weight and get no score. Positive supports the class. The scores do not
    promise to add up to anything.

    Raises ``ValueError`` for a classifier without transformer blocks.
    Source: in the spirit of :cite:t:`mersha2026`. Taught in: *Layer by layer*.
    """
    if not hasattr(classifier, "from_block"):
        raise ValueError("CA-LIG goes through the blocks of a transformer, and this classifier has none: "
                         "use ig, or a classifier from a Hugging Face folder.")
    classes = target_classes(classifier, batch, target)
    with torch.no_grad():
        embeddings = classifier.embed(batch)
    states, weights = attention_weights(classifier, embeddings, batch.mask, classes)
    scores = torch.zeros_like(embeddings[..., 0])
    for block, (state, weight) in enumerate(zip(states, weights, strict=True)):
        mean = mean_gradient(FromBlock(classifier, block), torch.zeros_like(state), state, batch.mask, classes, "logit",
                             points, "midpoint", words_per_pass)
        scores += (state * mean).sum(dim=2) * weight
    return batch.by_word(scores / len(states))


def attention_weights(classifier, embeddings: Tensor, mask: Tensor,
                      classes: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """The input of each block, [B, T, H], and the weight of each token in it, [B, T], mean 1 over tokens that are read.

    The weight counts attention that raises the logit of the class. Taught in: *Layer by layer*.
    """
    with torch.inference_mode(False), torch.enable_grad():
        mask, classes = (each.clone() if each.is_inference() else each for each in (mask, classes))
        logits, states, attentions = classifier.inside(embeddings.detach().clone().requires_grad_(True), mask)
        gradients = torch.autograd.grad(quantity(logits, classes, "logit").sum(), attentions)
    weights = []
    for attention, gradient in zip(attentions, gradients, strict=True):
        relevant = (attention.detach() * gradient.clamp(min=0)).mean(dim=1)  # [B, T, T], mean over heads
        column = (relevant * mask[:, :, None]).sum(dim=1).masked_fill(~mask, 0)
        mean = column.sum(dim=1, keepdim=True) / mask.sum(dim=1, keepdim=True).clamp(min=1)
        weights.append(torch.where(mean > 0, column / torch.where(mean > 0, mean, 1), mask.to(column)))
    return [state.detach() for state in states], weights
