"""Any Hugging Face classifier from a folder: its tokenizer reads word pieces, people read words."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from ..checks import as_labels, as_texts, whole_number
from ..text import Batch
from .base import SUBSTITUTES, WordTable, check_encoded
from .pieces import words_of_pieces

UNUSED = re.compile(r"\[unused\d+\]")  # BERT's rows that are kept free
TRIED = ["A fine film.", "", "Dull"]  # unequal in length, one without a word


class Pretrained(nn.Module):
    """A sequence classifier of the Hugging Face library, cut at its word pieces; :func:`pretrained` loads it.

    ``embed`` gives rows of the table of word pieces, before positions, types and LayerNorm; ``logits`` passes them on
    as ``inputs_embeds``. Special tokens are True in a batch's ``mask`` and belong to no word. Float32, in eval mode,
    its weights without gradients.

    Attributes: ``classes``, ``label`` (the folder's name), ``max_words`` (the pieces that the model reads at most,
    special tokens aside), ``model`` and ``tokenizer``. Taught in: *Data and classifiers*.
    """

    words_per_pass = 2_048  # for a gradient the attention of all layers is kept

    def __init__(self, model: nn.Module, tokenizer, label: str):
        super().__init__()
        self.model, self.tokenizer, self.label = model.requires_grad_(False), tokenizer, label
        self.classes = [str(model.config.id2label[number]) for number in range(model.config.num_labels)]
        self.vocabulary = tokenizer.get_vocab()
        self.max_words = _most_tokens(model, tokenizer) - len(tokenizer("")["input_ids"])
        self.eval()

    @property
    def device(self) -> torch.device:
        """Where the classifier computes, and where its batches must be."""
        return self.model.get_input_embeddings().weight.device

    def encode(self, texts: Iterable[str], labels: Iterable[int] | None = None, max_words: int | None = None) -> Batch:
        """Turn texts into a batch, padded on the right: the tokenizer's pieces, and the words they belong to.

        Words are those of :func:`lib.text.tokenise`, but two that share a piece are one. A document is cut after
        ``max_words`` words, or before the first word whose pieces do not all fit. Errors: see :func:`lib.text.encode`.
        """
        texts = as_texts(texts)
        labels = None if labels is None else as_labels(labels, len(texts), self.classes)
        most = self.max_words if max_words is None else whole_number(max_words, "max_words", least=1)
        ids, word_of, words, cut = zip(*(self._document(text, most) for text in texts), strict=True)
        read = [set(row) for row in word_of]
        unknown = [{word for piece, word in zip(*row, strict=True) if piece == self.tokenizer.unk_token_id}
                   for row in zip(ids, word_of, strict=True)]
        return Batch(
            self._padded(ids, self.tokenizer.pad_token_id or 0),
            self._padded([[True] * len(row) for row in ids], False),
            None if labels is None else torch.tensor(labels, dtype=torch.long, device=self.device), list(words),
            self._padded(word_of, -1), self._padded(_which(words, read), False),
            torch.tensor(cut, device=self.device), self._padded(_which(words, unknown), False), self.vocabulary)

    def _padded(self, rows: Iterable[list], value: int | bool) -> Tensor:
        width = max([1, *map(len, rows)])
        return torch.tensor([[*row, *[value] * (width - len(row))] for row in rows], device=self.device)

    def _document(self, text: str, most: int) -> tuple[list[int], list[int], list[str], int]:
        """Token numbers, the word of each (-1: none), the words, and how many of them were cut off."""
        readable = text.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair becomes a question mark
        read = self.tokenizer(readable, return_offsets_mapping=True, return_special_tokens_mask=True, verbose=False)
        tokens = list(zip(read["input_ids"], read["offset_mapping"], read["special_tokens_mask"], strict=True))
        found, numbers = words_of_pieces(text, [place for _, place, special in tokens if not special])
        fits = min([most, *numbers[self.max_words:]])  # a word with a piece that does not fit goes, and all after it
        number = iter(numbers)
        kept = [(token, -1 if special else next(number)) for token, _, special in tokens]
        ids, word_of = zip(*[pair for pair in kept if pair[1] < fits], strict=True) if kept else ((), ())
        words = [text[start:end] for start, end in found[:fits]]
        return list(ids), list(word_of) if words else [-1] * len(ids), words, len(found) - len(words)

    def embed(self, batch: Batch) -> Tensor:
        """Rows of the table of word pieces, [B, T, D].

        Raises ``ValueError`` for a batch that was encoded for another vocabulary, or lies on another device.
        """
        check_encoded(batch, self)
        return self.model.get_input_embeddings()(batch.ids)

    def logits(self, embeddings: Tensor, mask: Tensor) -> Tensor:
        """Class scores before the softmax, [B, C], from embeddings [B, T, D] and mask [B, T]."""
        return self.model(inputs_embeds=embeddings, attention_mask=mask.long()).logits

    @property
    def blocks(self) -> nn.ModuleList:
        """The blocks of the transformer, from the input on.

        Raises ``ValueError`` for a model in which they cannot be found.
        """
        number = getattr(self.model.config, "num_hidden_layers", None)
        lists = [module for module in self.model.modules() if isinstance(module, nn.ModuleList)]
        found = [module for module in lists if len(module) == number]
        if not found:
            raise ValueError(f"The blocks of {self.label} cannot be found: it has no list of {number} modules.")
        return found[0]

    def hidden(self, embeddings: Tensor, mask: Tensor) -> list[Tensor]:
        """What each block is given, and what the last one gives, [B, T, H] each, from embeddings [B, T, D]."""
        found = self.model(inputs_embeds=embeddings, attention_mask=mask.long(), output_hidden_states=True)
        return list(found.hidden_states)

    def inside(self, embeddings: Tensor, mask: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Logits [B, C], what each block is given [B, T, H], and the attention of each [B, heads, T, T]."""
        found = self.model(inputs_embeds=embeddings, attention_mask=mask.long(), output_hidden_states=True,
                           output_attentions=True)
        return found.logits, list(found.hidden_states[:-1]), list(found.attentions)

    def from_block(self, number: int, states: Tensor, mask: Tensor) -> Tensor:
        """Class scores [N, C] if a block is given ``states`` [N, T, H]; those before it are left out."""
        def replaced(block, given, options):
            return (states, *given[1:]), options

        blocks = self.blocks
        holder = next(module for module in self.model.modules() if blocks in module.children())
        name = next(name for name, child in holder.named_children() if child is blocks)
        hook = blocks[number].register_forward_pre_hook(replaced, with_kwargs=True)
        setattr(holder, name, blocks[number:])
        try:
            nothing = states.new_zeros(*states.shape[:2], self.model.get_input_embeddings().weight.shape[1])
            return self.logits(nothing, mask)
        finally:
            setattr(holder, name, blocks)
            hook.remove()

    def forward(self, batch: Batch) -> Tensor:
        return self.logits(self.embed(batch), batch.mask)

    def substitute(self, operator: str) -> Tensor:
        """The vector that stands for a piece, [D]: zero, that of the mask token (else the unknown one), or of padding.

        Raises ``ValueError`` for another operator, and where the tokenizer has no such token.
        """
        if operator not in SUBSTITUTES:
            raise ValueError(f"Unknown substitute {operator!r}: choose one of {', '.join(SUBSTITUTES)}.")
        table, tokenizer = self.model.get_input_embeddings(), self.tokenizer
        if operator == "zero":
            return torch.zeros_like(table.weight[0])
        choices = [tokenizer.mask_token_id, tokenizer.unk_token_id] if operator == "mask" else [tokenizer.pad_token_id]
        token = next((token for token in choices if token is not None), None)
        if token is None:
            raise ValueError(f"The tokenizer of {self.label} has no token for {operator!r}: choose 'zero'.")
        return table(torch.tensor([token], device=self.device))[0].detach()

    def word_table(self) -> WordTable:
        """The table of word pieces; rows of special tokens, and rows that no text leads to, are no words."""
        vectors = self.model.get_input_embeddings().weight.detach()
        names = [f"[row {row}]" for row in range(len(vectors))]  # of rows that the tokenizer does not know
        is_word = torch.zeros(len(vectors), dtype=torch.bool, device=self.device)
        for name, row in self.vocabulary.items():
            names[row] = name
            is_word[row] = UNUSED.fullmatch(name) is None
        is_word[self.tokenizer.all_special_ids] = False
        return WordTable(vectors, names, is_word)


def _which(words: Iterable[list[str]], chosen: list[set[int]]) -> list[list[bool]]:
    """For each word of each document, whether its number is among those chosen."""
    return [[place in some for place in range(len(document))] for document, some in zip(words, chosen, strict=True)]


def pretrained(folder: str | Path) -> Pretrained:
    """The classifier in a local folder, as ``save_pretrained`` writes a model and its fast tokenizer.

    Nothing is downloaded. Raises ``FileNotFoundError`` if there is no such folder, and ``ValueError`` if it holds no
    classifier of two or more classes, no fast tokenizer (others do not say where in the text a piece lies), or a model
    that says something else when it is given vectors, or padding. Taught in: *Data and classifiers*.
    """
    folder = Path(folder).expanduser().resolve()
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}: pass one that save_pretrained wrote.")
    with quiet():
        classifier = Pretrained(_model(folder), _tokenizer(folder), folder.name)
        _check_tokenizer(classifier)
        _check_vectors_and_padding(classifier)
    return classifier


def _load(kind, folder: Path, what: str, **options):
    try:
        return kind.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **options)
    except Exception as error:  # whatever its loaders raise
        raise ValueError(f"{folder} holds no {what} that can be read ({_brief(error)}).") from error


def _model(folder: Path) -> nn.Module:
    from transformers import AutoModelForSequenceClassification

    model, found = _load(AutoModelForSequenceClassification, folder, "sequence classifier", output_loading_info=True,
                         dtype=torch.float32, attn_implementation="eager")
    if found["missing_keys"]:
        missing = ", ".join(sorted(found["missing_keys"])[:3])
        raise ValueError(f"The model in {folder} is no sequence classifier: it has no weights for {missing}.")
    if model.config.num_labels < 2 or model.config.problem_type in ("regression", "multi_label_classification"):
        raise ValueError(f"The model in {folder} does not choose one of several classes: it has "
                         f"{model.config.num_labels} output(s), and its problem type is {model.config.problem_type}.")
    return model


def _tokenizer(folder: Path):
    from transformers import AutoTokenizer

    tokenizer = _load(AutoTokenizer, folder, "tokenizer")
    if not tokenizer.is_fast:
        raise ValueError(f"The tokenizer in {folder} is not a fast one, so it does not say where in a text a piece "
                         "lies: only classifiers with a fast tokenizer can be explained.")
    return tokenizer


def _most_tokens(model: nn.Module, tokenizer) -> int:
    """How many tokens a model has positions for; RoBERTa's table keeps some rows for padding."""
    tables = [module for name, module in model.named_modules()
              if name.endswith("position_embeddings") and isinstance(module, nn.Embedding)]
    rows = [table.num_embeddings - (0 if table.padding_idx is None else table.padding_idx + 1) for table in tables]
    told = getattr(model.config, "max_position_embeddings", None)
    return min([tokenizer.model_max_length, *(rows or [told] if told else rows)])


def _check_tokenizer(classifier: Pretrained) -> None:
    """Without its files a tokenizer comes out nearly empty, and no error says so."""
    rows, last = classifier.model.get_input_embeddings().num_embeddings, max(classifier.vocabulary.values())
    if set(classifier.vocabulary) <= set(classifier.tokenizer.all_special_tokens):
        raise ValueError(f"The tokenizer of {classifier.label} knows no piece of a word: save its files beside the "
                         "model, with tokenizer.save_pretrained.")
    if last >= rows:
        raise ValueError(f"The tokenizer of {classifier.label} numbers pieces from 0 to {last}, the model has "
                         f"vectors for {rows}: they do not belong together.")


@torch.no_grad()
def _check_vectors_and_padding(classifier: Pretrained) -> None:
    """Raises ``ValueError`` unless documents have the logits of the model's own road, by vectors, padded and alone."""
    batch = classifier.encode(TRIED)
    try:
        read = classifier.tokenizer(TRIED, padding=True, return_tensors="pt").to(classifier.device)
        expected = classifier.model(**read).logits
        padded = classifier.logits(classifier.embed(batch), batch.mask)
        alone = [classifier.logits(classifier.embed(one), one.mask) for one in map(batch.take, ([0], [1], [2]))]
    except Exception as error:  # whatever a model raises that takes no vectors, or no padding
        raise ValueError(f"The classifier {classifier.label} cannot be explained: it takes no vectors in the place "
                         f"of word pieces, or no padding ({_brief(error)}).") from error
    worst = max(float((expected - found).abs().max()) for found in (padded, torch.cat(alone)))
    if not worst <= 1e-4 * float(expected.abs().max()):
        raise ValueError(f"The classifier {classifier.label} cannot be explained: its logits change by {worst:.2g} "
                         "when it is given vectors in the place of word pieces, or padding.")


def _brief(error: Exception) -> str:
    """The first sentence of somebody else's message."""
    return " ".join(str(error).split()).partition(". ")[0][:100].rstrip(". ") or type(error).__name__


@contextmanager
def quiet() -> Iterator[None]:
    """Without the progress bars and reports of transformers, which would stand in a page."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
