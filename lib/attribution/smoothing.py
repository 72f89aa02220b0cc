"""SmoothGrad: the gradient averaged over noisy copies of the document."""

import torch
from torch import Tensor

from ..checks import whole_number
from ..seeding import document_generator
from ..targets import target_classes
from ..text import Batch
from .gradients import InputGradient, gradient_at, saliency
from .registry import method


@method("smoothgrad", "SmoothGrad", sign="none", cost="N forward, N backward", citation="smilkov2017")
def smoothgrad(classifier, batch: Batch, of: str = "loss", target: str | int | Tensor = "gold", reduce: str = "l2",
               times_input: bool = False, samples: int = 25, noise: float = 0.1, seed: int = 0,
               words_per_pass: int | None = None) -> Tensor:
    r"""SmoothGrad: one cell of the saliency grid for the gradient averaged over noisy copies, [B, W].

    :math:`\bar g = \frac 1 N \sum_{k=1}^{N} \nabla F(e + \sigma \epsilon_k)`, reduced as
    :func:`lib.attribution.gradients.saliency` reduces a gradient; ``times_input`` multiplies by the clean e. The noise
    is normal, of ``noise`` times the standard deviation of the document's own embedding values (real words only,
    special tokens get none), and decided by the document and the ``seed``. Gradients are averaged first, then reduced:
    where they disagree, they cancel. ``noise=0`` gives the saliency itself. Unsigned, but for ``reduce="sum"`` with
    ``times_input``: as the quantity explained.

    Raises ``ValueError`` for an unknown reduction, no samples, or noise below 0.
    Source: :cite:t:`smilkov2017`. Taught in: *Smoothing*.
    """
    samples, noise = whole_number(samples, "samples", least=1), _not_negative(noise)
    classes = target_classes(classifier, batch, target)
    with torch.no_grad():
        embeddings = classifier.embed(batch)
    mean = torch.zeros_like(embeddings)
    for disturbed in noisy_copies(batch, embeddings, samples, noise, seed):
        mean += gradient_at(classifier, disturbed, batch.mask, classes, of, words_per_pass)[1] / samples
    return saliency(classifier, batch, reduce, times_input, gradient=InputGradient(mean, embeddings, of))


def noisy_copies(batch: Batch, embeddings: Tensor, samples: int, noise: float, seed: int):
    """The embeddings [B, T, D] of the batch under noise, ``samples`` times, one after the other.

    A document's noise does not depend on its batch, nor on the precision of the classifier.
    Taught in: *Smoothing*.
    """
    inside = batch.word_of >= 0
    generators = [document_generator(words, seed, "noise") for words in batch.words]
    deviations = [float(row[chosen].std(correction=0)) if chosen.any() else 0.0
                  for row, chosen in zip(embeddings, inside, strict=True)]
    for _ in range(samples):
        disturbed = embeddings.clone()
        for row, (generator, deviation) in enumerate(zip(generators, deviations, strict=True)):
            place = inside[row]
            epsilon = torch.randn(int(place.sum()), embeddings.shape[2], generator=generator, dtype=torch.float64,
                                  device="cpu")
            disturbed[row, place] += noise * deviation * epsilon.to(embeddings)
        yield disturbed


def _not_negative(noise: float) -> float:
    if not noise >= 0:
        raise ValueError(f"The option noise is {noise!r}: it must be 0 or more, a share of the standard deviation.")
    return float(noise)
