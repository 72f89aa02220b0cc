"""Take words out of a document, by one of three operators, and compute what the classifier then says."""

import time

import torch
from torch import Tensor

from ..classifiers.base import label_of
from ..passes import words_at_once
from ..targets import HALF, check_logits, class_logits
from ..text import Batch
from .shortcuts import shortcut_of

OPERATORS = ("zero", "delete", "mask")
MOST_WORD_STEPS = 1_000_000_000  # for one document: LOO of 31,000 words


def remove(classifier, embeddings: Tensor, mask: Tensor, removed: Tensor,
           operator: str = "zero") -> tuple[Tensor, Tensor]:
    """Embeddings [N, T, D] and mask [N, T] of documents without the tokens where ``removed`` [N, T] is True.

    ``"zero"`` sets a word's vector to zero and keeps its position, as Du and Xu do: FastText still divides by the
    number of words, an LSTM still takes the step. ``"mask"`` puts the vector of the unknown word there, or of the
    mask token. ``"delete"`` closes the gap: the document gets shorter. The three do not agree; name the one you use.

    Raises ``ValueError`` for another operator. Taught in: *AOPC*.
    """
    check_operator(operator)
    if operator != "delete":
        substitute = classifier.substitute(operator).to(embeddings)
        return torch.where((removed & mask)[..., None], substitute, embeddings), mask
    kept = mask & ~removed
    order = torch.argsort((~kept).int(), dim=1, stable=True)  # kept words first, in their order
    closed = embeddings.gather(1, order[..., None].expand_as(embeddings))
    left = torch.arange(mask.shape[1], device=mask.device) < kept.sum(dim=1, keepdim=True)
    return closed * left[..., None], left


@torch.no_grad()
def logits_one_out(classifier, batch: Batch, operator: str = "zero", words_per_pass: int | None = None,
                   shortcut: bool = True) -> Tensor:
    """Logits of each document, whole and without each word in turn, [B, W + 1, C]; undefined beyond the words.

    With ``shortcut=False``, or where the classifier has no shortcut, every version goes through the classifier.

    Raises ``ValueError`` for an unknown operator, a document that would take too many steps, and logits in half
    precision, in which what a word changes is lost. Taught in: *What an explanation costs*.
    """
    embeddings, words = classifier.embed(batch), batch.word_mask.shape[1]
    words_per_pass = words_at_once(classifier, words_per_pass)
    found = _shortcut(classifier, batch, words, operator, shortcut)
    if found:
        substitute = classifier.substitute(operator).to(embeddings)
        logits = found.one_out(classifier, embeddings, batch.mask, substitute, words_per_pass)
        return _precise(check_logits(classifier, logits, (len(batch), words + 1)))
    version = torch.arange(1, words + 1, device=embeddings.device).expand(batch.word_mask.shape)
    return _every_version(classifier, batch, embeddings, version, version, words, operator, words_per_pass)


@torch.no_grad()
def logits_in_order(classifier, batch: Batch, rank: Tensor, steps: int, operator: str = "zero",
                    words_per_pass: int | None = None, shortcut: bool = True) -> Tensor:
    """Logits of each document without its words of rank 0 to k - 1, for k = 0..steps: [B, steps + 1, C].

    ``rank`` [B, W] numbers the words of a document from 0, and what has no score after them. A document stays
    where it was when its last word was taken. Options and errors are those of :func:`logits_one_out`.
    Taught in: *What an explanation costs*.
    """
    embeddings = classifier.embed(batch)
    words_per_pass = words_at_once(classifier, words_per_pass)
    found = _shortcut(classifier, batch, steps, operator, shortcut)
    if found:
        substitute = classifier.substitute(operator).to(embeddings)
        logits = found.in_order(classifier, embeddings, batch.mask, rank, steps, substitute, words_per_pass)
        return _precise(check_logits(classifier, logits, (len(batch), steps + 1)))
    last = torch.full_like(rank, steps)
    return _every_version(classifier, batch, embeddings, rank + 1, last, steps, operator, words_per_pass)


@torch.no_grad()
def logits_without(classifier, embeddings: Tensor, removed: Tensor, operator: str = "zero",
                   words_per_pass: int | None = None) -> Tensor:
    """Logits of one document in many versions, each anew: embeddings [m, D], removed tokens [N, m] -> [N, C].

    The general path: it serves every classifier and operator, and is the oracle that the shortcuts are tested against.
    """
    logits = []
    rows = max(1, words_at_once(classifier, words_per_pass) // max(1, len(embeddings)))
    for some in removed.split(rows):
        copies = embeddings.expand(len(some), -1, -1)
        logits.append(class_logits(classifier, *remove(classifier, copies, torch.ones_like(some), some, operator)))
    return _precise(torch.cat(logits))


def _every_version(classifier, batch: Batch, embeddings: Tensor, first: Tensor, last: Tensor, steps: int, operator: str,
                   words_per_pass: int) -> Tensor:
    """Logits [B, steps + 1, C] of versions 0..steps of each document; word i is gone in versions first[i]..last[i]."""
    logits = embeddings.new_empty(len(batch), steps + 1, len(classifier.classes))
    for row, tokens in enumerate(batch.mask.sum(dim=1).tolist()):
        words = len(batch.words[row])
        if words == 0:
            logits[row] = _precise(class_logits(classifier, embeddings[row:row + 1], batch.mask[row:row + 1]))
            continue
        document = batch.take([row])
        versions = torch.arange(min(words, steps) + 1, device=embeddings.device)
        for some in versions.split(max(1, words_per_pass // tokens)):
            version = some[:, None]
            gone = (first[row, :words] <= version) & (version <= last[row, :words]) & document.word_mask
            gone = document.by_token(gone[None])[0]
            logits[row, some] = logits_without(classifier, embeddings[row, :tokens], gone, operator, words_per_pass)
        logits[row, len(versions):] = logits[row, len(versions) - 1]  # where it was when its last word was taken
    return logits


def _precise(logits: Tensor) -> Tensor:
    if logits.dtype in HALF:
        raise ValueError(f"The classifier computes in {str(logits.dtype).removeprefix('torch.')}, in which the little "
                         "that a single word changes is rounded away: call classifier.float() first.")
    return logits


def _shortcut(classifier, batch: Batch, steps: int, operator: str, wanted: bool):
    """The shortcut to take, or None for the general path. There are none for "delete"."""
    check_operator(operator)
    found = shortcut_of(classifier) if wanted and operator != "delete" else None
    if found is None or not found.LINEAR:
        _check_cost(classifier, batch, steps)
    return found


def _check_cost(classifier, batch: Batch, steps: int) -> None:
    lengths = batch.mask.sum(dim=1)
    longest = int(lengths.max())
    word_steps = (min(steps, longest) + 1) * longest
    if word_steps <= MOST_WORD_STEPS:
        return
    document = classifier.embed(batch.take([int(lengths.argmax())]))
    hours = word_steps * _seconds_a_step(classifier, document) / 3600
    raise ValueError(f"Masking the words of a document of {longest:,} words takes up to {word_steps:,} word steps "
                     f"through {label_of(classifier)}, about {hours:,.1f} hours here: cut it with max_words, use a "
                     "gradient method, or raise lib.masking.MOST_WORD_STEPS.")


def _seconds_a_step(classifier, embeddings: Tensor, words: int = 256) -> float:
    """Time of a pass through many copies of the beginning of a document [1, T, D], for each word of it."""
    part = embeddings[:, :words].expand(max(1, words_at_once(classifier) // words), -1, -1)
    mask = torch.ones(part.shape[:2], dtype=torch.bool, device=part.device)
    classifier.logits(part, mask)  # the first pass is slower
    started = time.perf_counter()
    classifier.logits(part, mask)
    return (time.perf_counter() - started) / mask.numel()


def check_operator(operator: str) -> None:
    if operator not in OPERATORS:
        raise ValueError(f"Unknown masking operator {operator!r}: choose one of {', '.join(OPERATORS)}.")
