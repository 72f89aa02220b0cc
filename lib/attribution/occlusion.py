"""Leave-One-Out: mask one word, see what changes."""

import torch
from torch import Tensor

from ..masking import logits_one_out
from ..targets import quantity, support_sign, target_classes
from ..text import Batch
from .registry import method


@method("loo", "LOO", sign="support", cost="m + 1 forward", citation="li2016erasure")
@torch.no_grad()
def loo(classifier, batch: Batch, of: str = "loss", target: str | int | Tensor = "gold", operator: str = "zero",
        words_per_pass: int | None = None, shortcut: bool = True) -> Tensor:
    r"""Leave-One-Out :math:`s_i = l_y(x \text{ without } w_i) - l_y(x)`, [B, W]: positive means support.

    Removing a word that helps makes the loss grow. Equation 7 of :cite:t:`du2021` prints the difference the other
    way round; their figures need this one. Of a logit or a probability the difference is turned, so that positive
    stays support. ``operator`` says what removing means (see :func:`lib.masking.remove`); ``shortcut=False`` computes
    every version of a document anew (see :func:`lib.masking.logits_one_out`).

    Source: :cite:t:`li2016erasure`. Taught in: *Baselines*.
    """
    classes = target_classes(classifier, batch, target)
    logits = logits_one_out(classifier, batch, operator, words_per_pass, shortcut)
    values = quantity(logits, classes[:, None].expand(logits.shape[:2]), of)
    return support_sign(of) * (values[:, :1] - values[:, 1:])
