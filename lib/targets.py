"""What is explained: the loss, the logit or the probability of one class of each document."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .text import Batch

QUANTITIES = ("loss", "logit", "probability")
TARGETS = ("gold", "predicted")


def target_classes(classifier, batch: Batch, target: str | int = "gold") -> Tensor:
    """The class each document is explained for, [B].

    ``"gold"`` is the label the document came with, ``"predicted"`` the class with the largest logit, an integer
    that class for all documents. The class is chosen once, on the unchanged document, and kept.

    Raises ``ValueError`` for an unknown target, a class out of range, gold labels that are not there, or a classifier
    that is not in eval mode. Taught in: *From one-hot to SignedGI*.
    """
    if classifier.training:
        raise ValueError("The classifier is in training mode, where dropout makes every score random: call classifier.eval() first.")
    if target == "predicted":
        with torch.no_grad():
            return classifier(batch).argmax(dim=1)
    if target == "gold":
        if batch.labels is None:
            raise ValueError("These documents have no gold labels: pass labels to encode, or use target='predicted'.")
        for label in batch.labels.unique().tolist():
            _check_class(classifier, label)
        return batch.labels
    if isinstance(target, bool) or not isinstance(target, int):
        raise ValueError(f"Unknown target {target!r}: use 'gold', 'predicted' or the index of a class.")
    _check_class(classifier, target)
    return torch.full((len(batch),), target)


def _check_class(classifier, index: int) -> None:
    if not 0 <= index < len(classifier.classes):
        raise ValueError(f"Class {index} is out of range: the classes are 0 to {len(classifier.classes) - 1} ({', '.join(classifier.classes)}).")


def quantity(logits: Tensor, classes: Tensor, of: str = "loss") -> Tensor:
    r"""The number that is explained, [..., ] from logits [..., C] and classes [...].

    With :math:`z` the logits and :math:`y` the class: ``"logit"`` :math:`z_y`, ``"probability"``
    :math:`p_y = e^{z_y} / \sum_c e^{z_c}`, ``"loss"`` :math:`l_y = -\log p_y` in nats.

    Raises ``ValueError`` for another name. Taught in: *From one-hot to SignedGI*.
    """
    check_quantity(of)
    column = classes[..., None]
    if of == "logit":
        return logits.gather(-1, column).squeeze(-1)
    log_probability = F.log_softmax(logits, dim=-1).gather(-1, column).squeeze(-1)
    return -log_probability if of == "loss" else log_probability.exp()


def support_sign(of: str) -> int:
    """+1 if a larger value speaks for the class (logit, probability), -1 if it speaks against it (loss)."""
    check_quantity(of)
    return -1 if of == "loss" else 1


def check_quantity(of: str) -> None:
    if of not in QUANTITIES:
        raise ValueError(f"Unknown quantity {of!r}: explain one of {', '.join(QUANTITIES)}.")
