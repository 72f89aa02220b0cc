"""Take words out of a document: three operators, and the general way to compute what the classifier then says."""

import torch
from torch import Tensor

from .progress import progress
from .text import Batch

OPERATORS = ("zero", "delete", "mask")
WORDS_PER_PASS = 32_768  # word positions in one forward pass: bounds the memory, whatever the document length


def remove(classifier, embeddings: Tensor, mask: Tensor, removed: Tensor, operator: str = "zero") -> tuple[Tensor, Tensor]:
    """Embeddings [N, T, D] and mask [N, T] of documents without the words where ``removed`` [N, T] is True.

    ``"zero"`` sets the word's vector to zero and keeps its position, as Du and Xu do: FastText still divides by the
    number of words, an LSTM still takes the step. ``"mask"`` puts the vector of the unknown word there.
    ``"delete"`` closes the gap: the document gets shorter. The three do not agree; name the one you use.

    Raises ``ValueError`` for another operator. Taught in: *AOPC*.
    """
    check_operator(operator)
    gone = (removed & mask)[..., None]
    if operator == "zero":
        return embeddings.masked_fill(gone, 0.0), mask
    if operator == "mask":
        return torch.where(gone, classifier.unknown_vector(), embeddings), mask
    kept = mask & ~removed
    order = torch.argsort((~kept).int(), dim=1, stable=True)  # kept words first, in their order
    closed = embeddings.gather(1, order[..., None].expand_as(embeddings))
    left = torch.arange(mask.shape[1]) < kept.sum(dim=1, keepdim=True)
    return closed * left[..., None], left


@torch.no_grad()
def logits_without(classifier, embeddings: Tensor, removed: Tensor, operator: str = "zero") -> Tensor:
    """Logits of one document in many versions: embeddings [m, D], removed words [N, m] -> [N, C].

    Works for every classifier and is the oracle that faster ways are tested against. The rows go through the
    classifier a few at a time, so that memory stays bounded.
    """
    rows = max(1, WORDS_PER_PASS // max(1, len(embeddings)))
    logits = []
    for part in removed.split(rows):
        copies = embeddings.expand(len(part), -1, -1)
        logits.append(classifier.logits(*remove(classifier, copies, torch.ones_like(part), part, operator)))
    return torch.cat(logits)


def documents(classifier, batch: Batch, what: str):
    """Row number and embeddings [m, D] of each document of a batch that has words, without padding."""
    with torch.no_grad():
        embeddings = classifier.embed(batch)
    for row, length in progress(enumerate(batch.lengths.tolist()), what, len(batch)):
        if length:
            yield row, embeddings[row, :length]


def check_operator(operator: str) -> None:
    if operator not in OPERATORS:
        raise ValueError(f"Unknown masking operator {operator!r}: choose one of {', '.join(OPERATORS)}.")
