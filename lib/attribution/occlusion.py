"""Leave-One-Out: mask one word, see what changes."""

import torch
from torch import Tensor

from ..masking import documents, logits_without
from ..targets import quantity, support_sign, target_classes
from ..text import Batch
from .registry import method


@method("loo", "LOO", signed=True, cost="m + 1 forward", citation="li2016erasure")
@torch.no_grad()
def loo(classifier, batch: Batch, of: str = "loss", target: str | int = "gold", operator: str = "zero") -> Tensor:
    r"""Leave-One-Out :math:`s_i = l_y(x \text{ without } w_i) - l_y(x)`, [B, T]: positive means support.

    Removing a word that helps makes the loss grow. Equation 7 of :cite:t:`du2021` prints the difference the other
    way round; their figures need this one. Of a logit or a probability the difference is turned, so that positive
    stays support. ``operator`` says what removing means (see :func:`lib.masking.remove`).

    Source: :cite:t:`li2016erasure`. Taught in: *From one-hot to SignedGI*.
    """
    classes = target_classes(classifier, batch, target)
    scores = torch.zeros(batch.mask.shape, dtype=classifier.embedding.weight.dtype)
    for row, embeddings in documents(classifier, batch, "leaving words out"):
        m = len(embeddings)
        removed = torch.cat([torch.zeros(1, m, dtype=torch.bool), torch.eye(m, dtype=torch.bool)])
        values = quantity(logits_without(classifier, embeddings, removed, operator), classes[row].expand(m + 1), of)
        scores[row, :m] = support_sign(of) * (values[0] - values[1:])
    return scores
