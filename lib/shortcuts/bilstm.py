"""BiLSTM: versions of a document that agree up to some word share their states up to it."""

import torch
from torch import Tensor, nn

LINEAR = False  # half of the squared length is left
BLOCK = 32  # words read before looking again which versions agree: fewer share more, but start the LSTM more often


def one_out(classifier, embeddings: Tensor, mask: Tensor, substitute: Tensor, words_per_pass: int) -> Tensor:
    """Logits of the whole and without each word, [B, T + 1, C].

    Up to word i, the version without it is the whole document, which is read once: half of all steps are saved. The
    backward LSTM shares what comes after the word in the same way.
    """
    version = torch.arange(1, mask.shape[1] + 1).expand(mask.shape)
    return _logits(classifier, embeddings, mask, version, version, mask.shape[1], substitute, words_per_pass)


def in_order(classifier, embeddings: Tensor, mask: Tensor, rank: Tensor, steps: int, substitute: Tensor,
             words_per_pass: int) -> Tensor:
    """Logits with the first k words replaced, [B, steps + 1, C].

    Of the first t words, the versions k = 0..m show only t + 1 different selections: again half of all steps.
    """
    return _logits(classifier, embeddings, mask, rank + 1, torch.full_like(rank, steps), steps, substitute, words_per_pass)


def _logits(classifier, embeddings, mask, first, last, steps, substitute, words_per_pass) -> Tensor:
    """Logits [B, steps + 1, C] of versions 0..steps of each document; word i is gone in versions first[i]..last[i]."""
    logits = embeddings.new_empty(len(mask), steps + 1, len(classifier.classes))
    for row, words in enumerate(mask.sum(dim=1).tolist()):
        document = embeddings[row, :words], first[row, :words], last[row, :words]
        versions = min(words, steps) + 1
        ahead = _read(classifier.forwards, classifier.readout, *document, versions, substitute, words_per_pass)
        document = (each.flip(0) for each in document)
        back = _read(classifier.backwards, classifier.readout, *document, versions, substitute, words_per_pass)
        logits[row, :versions] = classifier.output(torch.cat([ahead, back], dim=1))
        logits[row, versions:] = logits[row, versions - 1]
    return logits


def _read(lstm: nn.LSTM, readout: str, embeddings: Tensor, first: Tensor, last: Tensor, versions: int, substitute: Tensor,
          words_per_pass: int) -> Tensor:
    """What is read out of an LSTM after each version of a document [m, D]: its last state or its largest, [versions, H].

    ``same`` [versions] numbers the versions by the words read so far: those that agree have one number, and one row
    in the states.
    """
    version = torch.arange(versions)[:, None]
    same = torch.zeros(versions, dtype=torch.long)
    hidden, cell = (embeddings.new_zeros(1, lstm.hidden_size) for _ in range(2))
    largest = torch.full_like(hidden, -torch.inf if len(embeddings) else 0.0)
    for start in range(0, len(embeddings), BLOCK):
        block = slice(start, start + BLOCK)
        gone = (first[block] <= version) & (version <= last[block])
        previous, (same, one_of_each) = same, _agreeing(same, gone)
        parent, gone = previous[one_of_each], gone[one_of_each]
        parts = []
        for rows in torch.arange(len(parent)).split(max(1, words_per_pass // BLOCK)):
            words = torch.where(gone[rows, :, None], substitute, embeddings[block])
            before = parent[rows]
            outputs, (h, c) = lstm(words, (hidden[before][None], cell[before][None]))
            parts.append((h[0], c[0], torch.maximum(largest[before], outputs.amax(dim=1))))
        hidden, cell, largest = (torch.cat(each) for each in zip(*parts))
    return (largest if readout == "max" else hidden)[same]


def _agreeing(same: Tensor, gone: Tensor) -> tuple[Tensor, Tensor]:
    """New numbers for versions that agreed so far and agree in a block of words [N, words], and one version for each number."""
    pattern = (gone.long() << torch.arange(gone.shape[1])).sum(dim=1)
    numbers, same = (pattern + (same << gone.shape[1])).unique(return_inverse=True)
    one_of_each = torch.empty(len(numbers), dtype=torch.long).scatter_(0, same, torch.arange(len(same)))
    return same, one_of_each
