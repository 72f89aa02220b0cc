"""What is explained: the loss, the logit or the probability of one class of each document."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .checks import check_class, whole_number
from .text import Batch

QUANTITIES = ("loss", "logit", "probability")
TARGETS = ("gold", "predicted")
HALF = (torch.float16, torch.bfloat16)


def target_classes(classifier, batch: Batch, target: str | int | Tensor = "gold") -> Tensor:
    """The class each document is explained for, [B].

    ``"gold"`` is the label the document came with, ``"predicted"`` the class with the largest logit, a whole number
    that class for all documents, a tensor [B] the class of each. What is predicted is chosen here, once, on the
    unchanged document: whoever changes the document afterwards passes on what this function gave.

    Raises ``ValueError`` for an unknown target, a class out of range, gold labels that are not there, or a classifier
    that is in training mode. Taught in: *From one-hot to SignedGI*.
    """
    check_eval(classifier)
    if isinstance(target, str) and target == "predicted":
        with torch.no_grad():
            return class_logits(classifier, classifier.embed(batch), batch.mask).argmax(dim=1)
    if isinstance(target, str) and target == "gold":
        if batch.labels is None:
            raise ValueError("These documents have no gold labels: pass labels to encode, or use target='predicted'.")
        target = batch.labels
    if isinstance(target, Tensor) and target.dim() == 1:
        return _class_of_each(classifier, batch, target)
    try:
        index = whole_number(target, "target")
    except ValueError as error:
        raise ValueError(f"Unknown target {target!r}: use 'gold', 'predicted' or the index of a class.") from error
    check_class(index, classifier.classes)
    return torch.full((len(batch),), index, device=batch.ids.device)


def target_of(classifier, batch: Batch, target: str | int | Tensor, rows: Tensor) -> str | int | Tensor:
    """The target for some documents of a batch: if it names the class of each, the classes of these ``rows``."""
    if isinstance(target, Tensor) and target.dim() == 1:
        return _class_of_each(classifier, batch, target)[rows]
    return target


def _class_of_each(classifier, batch: Batch, target: Tensor) -> Tensor:
    if target.shape != (len(batch),):
        raise ValueError(f"{len(target)} classes came for {len(batch)} documents: pass the class of each.")
    for number in target.unique().tolist():
        check_class(number, classifier.classes)
    return target.to(batch.ids.device)


def check_eval(classifier) -> None:
    """Raises ``ValueError`` if a classifier, or any module in it, is in training mode, where dropout is random."""
    parts = [classifier, *vars(classifier).values()] if hasattr(classifier, "__dict__") else [classifier]
    modules = [module for part in parts if isinstance(part, nn.Module) for module in part.modules()]
    if classifier.training or any(module.training for module in modules):
        raise ValueError("The classifier is in training mode, or a part of it is, where dropout makes every score "
                         "random: call classifier.eval() first.")


def class_logits(classifier, embeddings: Tensor, mask: Tensor) -> Tensor:
    """The classifier's logits [N, C] at embeddings [N, T, D].

    Raises ``ValueError`` unless there is one for each class.
    """
    return check_logits(classifier, classifier.logits(embeddings, mask), (len(embeddings),))


def check_logits(classifier, logits: Tensor, of: tuple[int, ...]) -> Tensor:
    """The same logits. Raises ``ValueError`` unless their shape is ``of`` and one for each class."""
    expected = [*of, len(classifier.classes)]
    if list(logits.shape) != expected:
        raise ValueError(f"The logits have shape {list(logits.shape)}, not {expected} with one for each class: "
                         "write a single output z as the two logits 0 and z.")
    return logits


def quantity(logits: Tensor, classes: Tensor, of: str = "loss") -> Tensor:
    r"""The number that is explained, [..., ] from logits [..., C] and classes [...].

    With :math:`z` the logits and :math:`y` the class: ``"logit"`` :math:`z_y`, ``"probability"``
    :math:`p_y = e^{z_y} / \sum_c e^{z_c}`, ``"loss"`` :math:`l_y = -\log p_y` in nats.

    Half precision is raised to float32 first. Raises ``ValueError`` for another name.
    Taught in: *From one-hot to SignedGI*.
    """
    check_quantity(of)
    logits = logits.float() if logits.dtype in HALF else logits
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
