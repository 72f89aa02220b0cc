"""BiLSTM: versions of a document that agree up to some word share their states up to it."""

import torch
from torch import Tensor, nn

LINEAR = False  # half of the squared length is left
BLOCK = 24  # words read before looking again which versions agree: fewer share more, but start the LSTM more often


def one_out(classifier, embeddings: Tensor, mask: Tensor, substitute: Tensor, words_per_pass: int) -> Tensor:
    """Logits of the whole and without each word, [B, T + 1, C].

    Before word i, the version without it is the whole document, which is read once: about half of all steps are saved,
    in blocks of ``BLOCK`` words. The backward LSTM shares what comes after the word in the same way.
    """
    version = torch.arange(1, mask.shape[1] + 1, device=mask.device).expand(mask.shape)
    return _logits(classifier, embeddings, mask, version, version, mask.shape[1], substitute, words_per_pass)


def in_order(classifier, embeddings: Tensor, mask: Tensor, rank: Tensor, steps: int, substitute: Tensor,
             words_per_pass: int) -> Tensor:
    """Logits with the first k words replaced, [B, steps + 1, C].

    Of the first t words, the versions k = 0..m show only t + 1 different selections: again about half of all steps.
    """
    last = torch.full_like(rank, steps)
    return _logits(classifier, embeddings, mask, rank + 1, last, steps, substitute, words_per_pass)


def _logits(classifier, embeddings, mask, first, last, steps, substitute, words_per_pass) -> Tensor:
    """Logits [B, steps + 1, C] of versions 0..steps of each document; word i is gone in versions first[i]..last[i].

    Documents that take equally many blocks are read together.
    """
    logits = embeddings.new_empty(len(mask), steps + 1, classifier.output.out_features)
    lengths = mask.sum(dim=1)
    blocks = -(-lengths // BLOCK)
    for number in blocks.unique().tolist():
        rows = (blocks == number).nonzero().squeeze(1)
        words = slice(int(lengths[rows].max()))
        versions = lengths[rows].clamp(max=steps) + 1
        each_row = torch.arange(len(rows), device=mask.device)
        document = each_row.repeat_interleave(versions)
        version = torch.cat([torch.arange(each, device=mask.device) for each in versions.tolist()])
        inputs = embeddings[rows, words], first[rows, words], last[rows, words]
        backwards = each_row[:, None], classifier._reversal(mask[rows, words])
        states = [_read(lstm, classifier.readout, *values, lengths[rows], document, version, substitute, words_per_pass)
                  for lstm, values in ((classifier.forwards, inputs),
                                       (classifier.backwards, [each[backwards] for each in inputs]))]
        found = classifier.output(torch.cat(states, dim=1))
        end = versions.cumsum(0) - 1
        logits[rows] = found[end][:, None]  # after its last word was taken a document stays where it is
        logits[rows[document], version] = found
    return logits


def _read(lstm: nn.LSTM, readout: str, embeddings: Tensor, first: Tensor, last: Tensor, lengths: Tensor,
          document: Tensor, version: Tensor, substitute: Tensor, words_per_pass: int) -> Tensor:
    """What is read out of an LSTM after each version of documents [B, T, D]: its last state or its largest, [N, H].

    ``document`` and ``version`` [N] say which version of which document a row is. ``same`` [N] numbers the rows by the
    words read so far: those that agree have one number, and one row in the states.
    """
    same = document
    hidden, cell = (embeddings.new_zeros(len(lengths), lstm.hidden_size) for _ in range(2))
    kept = torch.where(lengths[:, None] == 0, 0.0, torch.full_like(hidden, -torch.inf))
    for start in range(0, embeddings.shape[1], BLOCK):
        block = slice(start, start + BLOCK)
        gone = (first[document, block] <= version[:, None]) & (version[:, None] <= last[document, block])
        previous, (same, one_of_each) = same, _agreeing(same, gone)
        parts = []
        # Nothing is kept for a backward pass: twice as many go through at once.
        for rows in one_of_each.split(max(1, 2 * words_per_pass // BLOCK)):
            of, before = document[rows], previous[rows]
            words = torch.where(gone[rows, :, None], substitute, embeddings[of, block])
            outputs, (h, c) = lstm(words, (hidden[before][None], cell[before][None]))
            parts.append((h[0], c[0], _keep(readout, kept[before], outputs, lengths[of] - start)))
        hidden, cell, kept = (torch.cat(each) for each in zip(*parts, strict=True))
    return kept[same]


def _keep(readout: str, kept: Tensor, outputs: Tensor, left: Tensor) -> Tensor:
    """What to keep of a block [N, words, H] of documents that have ``left`` [N] words left at its start."""
    position = torch.arange(outputs.shape[1], device=outputs.device)
    if readout == "last":
        ends = (position == left[:, None] - 1)[..., None]
        return torch.where(ends.any(dim=1), (outputs * ends).sum(dim=1), kept)
    if (left < outputs.shape[1]).any():
        outputs = outputs.masked_fill((position >= left[:, None])[..., None], -torch.inf)
    return torch.maximum(kept, outputs.amax(dim=1))


def _agreeing(same: Tensor, gone: Tensor) -> tuple[Tensor, Tensor]:
    """New numbers for rows that agreed so far and agree in a block of words [N, words], and one row for each number."""
    pattern = (gone.long() << torch.arange(gone.shape[1], device=gone.device)).sum(dim=1)
    numbers, same = (pattern + (same << gone.shape[1])).unique(return_inverse=True)
    one_of_each = torch.empty_like(numbers).scatter_(0, same, torch.arange(len(same), device=same.device))
    return same, one_of_each
