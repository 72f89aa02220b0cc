"""TextCNN: masking a word changes only the windows that see it, and a maximum over windows is easily mended."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

LINEAR = True  # up to a logarithm in the length, for words masked one after the other
BLOCK = 64  # positions of a block of the running maximum
# Responses computed at once for each of `words_per_pass`; a curve holds some twenty numbers for each.
CELLS_PER_WORD = 128


def one_out(classifier, embeddings: Tensor, mask: Tensor, substitute: Tensor, words_per_pass: int) -> Tensor:
    """Logits of the whole and without each word, [B, T + 1, C].

    Without word i, a filter's maximum is the largest of three: the maximum over the windows before those that see the
    word, the maximum over the windows after them, and the mended responses of the few windows that see it.
    """
    return _logits(classifier, embeddings, mask, _one_out, words_per_pass, substitute)


def in_order(classifier, embeddings: Tensor, mask: Tensor, rank: Tensor, steps: int, substitute: Tensor,
             words_per_pass: int) -> Tensor:
    """Logits with the first k words replaced, [B, steps + 1, C].

    A window of w words lives through w + 1 versions: none of its words masked, one, ..., all. Each version is there
    for an interval of k; the maximum at k is taken over the versions that are there.
    """
    return _logits(classifier, embeddings, mask, _in_order, words_per_pass, substitute, rank, steps)


def _logits(classifier, embeddings: Tensor, mask: Tensor, pool, words_per_pass: int, substitute: Tensor,
            *ranking) -> Tensor:
    """Logits [B, N, C] from what ``pool`` gives, [B, N, filters], for a few filters of a few documents at a time.

    Filters meet only in the last layer, where their parts are added up: so memory stays bounded however long a
    document is. A quarter of a pass at a time stays in the cache of the processor.
    """
    logits = [_logits_of(classifier, embeddings[rows], mask[rows], pool, words_per_pass, substitute,
                         *(each[rows] if isinstance(each, Tensor) else each for each in ranking))
              for rows in _slices(len(embeddings), words_per_pass // 4 // embeddings.shape[1])]
    return torch.cat(logits)


def _logits_of(classifier, embeddings, mask, pool, words_per_pass, substitute, *ranking) -> Tensor:
    change = (substitute - embeddings) * mask[..., None]
    embeddings = embeddings * mask[..., None]
    filters_at_once = CELLS_PER_WORD * words_per_pass // mask.numel()
    logits, column = classifier.output.bias, 0
    for convolution in classifier.convolutions:
        for few in _slices(convolution.out_channels, filters_at_once):
            kernel, bias = convolution.weight[few], convolution.bias[few]
            responses = _responses(embeddings, mask, kernel, bias)
            pooled = pool(responses, kernel, change, *ranking)
            weight = classifier.output.weight[:, column:column + len(kernel)]
            logits = logits + F.relu(pooled) @ weight.T
            column += len(kernel)
    return logits


def _responses(embeddings: Tensor, mask: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Response of each filter to the window that starts at each position, [B, T, filters]; -inf beyond the document."""
    width = kernel.shape[2]
    responses = F.conv1d(_extended(embeddings, width).transpose(1, 2), kernel, bias).transpose(1, 2)
    last = mask.sum(dim=1).clamp(min=width) - width
    start = torch.arange(mask.shape[1], device=mask.device)
    return responses.masked_fill((start > last[:, None])[..., None], -torch.inf)


def _one_out(responses: Tensor, kernel: Tensor, change: Tensor) -> Tensor:
    """Maxima of the whole and without each word, [B, T + 1, filters]."""
    words, width = responses.shape[1], kernel.shape[2]
    beyond = responses.new_full((len(responses), width, responses.shape[2]), -torch.inf)
    framed = torch.cat([beyond, responses, beyond], dim=1)  # the window that starts at i stands at i + width
    before = _running_maximum(framed[:, :words])  # windows that end before word i, and those that start after it
    after = _running_maximum(framed.flip(1)[:, :words + width - 1]).flip(1)[:, :words]
    best = torch.maximum(before, after)
    for offset in range(width):  # word i stands at this offset of the window
        mended = change @ kernel[:, :, offset].T
        mended += framed[:, width - offset: width - offset + words]
        torch.maximum(best, mended, out=best)
    return torch.cat([responses.amax(dim=1, keepdim=True), best], dim=1)


def _running_maximum(values: Tensor) -> Tensor:
    """Maximum up to each position, [B, T, filters]: within blocks by doubling the reach, then over the blocks before.

    torch.cummax, which also says where the maximum stands, takes several times as long.
    """
    documents, positions, filters = values.shape
    size = min(BLOCK, positions)
    values = F.pad(values, (0, 0, 0, -positions % size), value=-torch.inf).reshape(-1, size, filters)  # a copy
    reach = 1
    while reach < size:
        values[:, reach:] = torch.maximum(values[:, reach:], values[:, :-reach])
        reach *= 2
    values = values.view(documents, -1, size, filters)
    ends = values[:, :-1, -1].cummax(dim=1).values
    values[:, 1:] = torch.maximum(values[:, 1:], ends[:, :, None])
    return values.flatten(1, 2)[:, :positions]


def _in_order(responses: Tensor, kernel: Tensor, change: Tensor, rank: Tensor, steps: int) -> Tensor:
    """Maxima with the first k words masked, k = 0..steps, [B, steps + 1, filters]."""
    versions, first, after_last = _versions(responses, kernel, change, rank, steps)
    return _maximum_over_intervals(versions, first, after_last, steps + 1)


def _versions(responses: Tensor, kernel: Tensor, change: Tensor, rank: Tensor,
              steps: int) -> tuple[Tensor, Tensor, Tensor]:
    """The w + 1 versions of each window [B, T, w + 1, filters], and for which k each is there.

    The k go from ``first`` to before ``after_last``, both [B, T, w + 1].
    """
    documents, words, filters = responses.shape
    width = kernel.shape[2]
    change = _extended(change, width)
    # What masking the word at a position adds to the window where it stands at an offset: [B * positions * w, filters].
    parts = (change @ kernel.permute(1, 2, 0).flatten(1)).reshape(-1, filters)
    masked_at = F.pad(rank + 1, (0, width - 1), value=steps + 1).unfold(1, width, 1)
    masked_at, offset = masked_at.clamp(max=steps + 1).sort(dim=2)  # in the order in which the window loses its words
    place, document = (torch.arange(size, device=rank.device) for size in (words, documents))
    position = place[:, None] + offset + document[:, None, None] * change.shape[1]
    versions = responses.new_empty(documents, words, width + 1, filters)
    versions[:, :, 0] = responses
    for lost in range(width):
        part = parts[(position * width + offset)[..., lost]]
        torch.add(versions[:, :, lost], part, out=versions[:, :, lost + 1])
    first = F.pad(masked_at, (1, 0), value=0)
    after_last = F.pad(masked_at, (0, 1), value=steps + 1)
    return versions, first, after_last


def _maximum_over_intervals(values: Tensor, first: Tensor, after_last: Tensor, points: int) -> Tensor:
    """At each point 0..points - 1 the maximum of the values whose interval holds it: [B, points, filters].

    An interval goes from ``first`` to before ``after_last``. A sparse table, read backwards: every interval is the
    union of two of length 2^level, one from its start and one to its end. They are entered at their level; then
    each level hands its maxima down to the two halves below.
    """
    documents, filters = len(values), values.shape[-1]
    levels = points.bit_length()
    length = after_last - first
    level = torch.frexp(length.clamp(min=1).double()).exponent.long() - 1
    row = (torch.arange(documents, device=first.device)[:, None, None] * levels + level) * points
    nowhere = documents * levels * points  # where the empty intervals go
    table = values.new_full((nowhere + 1, filters), -torch.inf)
    for start in (first, after_last - (1 << level)):
        index = torch.where(length > 0, row + start, nowhere)
        table.scatter_reduce_(0, index.reshape(-1, 1).expand(-1, filters), values.reshape(-1, filters), "amax")
    table = table[:-1].view(documents, levels, points, filters)
    for level in range(levels - 1, 0, -1):
        half = 1 << (level - 1)
        above, below = table[:, level], table[:, level - 1]
        torch.maximum(below, above, out=below)
        torch.maximum(below[:, half:], above[:, :-half], out=below[:, half:])
    return table[:, 0]


def _extended(values: Tensor, width: int) -> Tensor:
    """Zero vectors behind the last word, so that a window starts at every position."""
    return F.pad(values, (0, 0, 0, width - 1))


def _slices(number: int, size: int) -> Iterator[slice]:
    """Slices of a range, ``size`` at a time, at least one."""
    size = max(1, size)
    return (slice(start, start + size) for start in range(0, number, size))
