"""Train the last blocks of MiniLM, or load them from the cache."""

import hashlib
import json
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from . import checkpoints, storage
from .checks import whole_number
from .classifiers import minilm
from .classifiers.minilm import MiniLM
from .data import Corpus
from .passes import by_length
from .progress import progress
from .text import Batch

RECIPE = dict(blocks=4, batch_size=32, learning_rate=5e-5, epochs=1, patience=0)
LEAST = dict(blocks=0, batch_size=1, epochs=1, patience=0)


def fit(corpus: Corpus, seed: int = 0, **options) -> MiniLM:
    """MiniLM with a read-out for a corpus, in eval mode; from the cache where it has been trained before.

    What the blocks that stay as they are say of each training document is computed once. The cross-entropy is then
    minimised with Adam, an epoch at a time; the weights with the lowest loss on the development split are kept, and
    more than ``patience`` epochs without a lower one end the training. ``options`` change the recipe. An interrupted
    training begins anew.

    Raises ``ValueError`` for an unknown option, or a number that is too small, ``FileNotFoundError`` without the
    package. Taught in: *A transformer*.
    """
    recipe, seed = _recipe(options), whole_number(seed, "seed")
    key = key_of(corpus, seed, **options)
    classifier = _untrained(corpus, seed, recipe)
    path = checkpoints.find(key)
    if path is not None:
        about, weights = _read(path, key)
        with torch.no_grad():
            for name, parameter in classifier.own_weights().items():
                parameter.copy_(weights[name])
        classifier.report = about["report"]
    else:
        storage.try_out(storage.cache_folder("models"))
        with torch.random.fork_rng(devices=[]):
            classifier.report = _train(classifier, corpus, seed, recipe)
        weights = {name: parameter.detach() for name, parameter in classifier.own_weights().items()}
        about = {"key": key, "recipe": recipe, "report": classifier.report}
        storage.keep(storage.cache_folder("models") / f"{key}.safetensors", storage.seal(about, weights))
    classifier.key, classifier.source = key, corpus.source
    return classifier.requires_grad_(False).eval()


def key_of(corpus: Corpus, seed: int = 0, **options) -> str:
    """The name under which :func:`fit` keeps the weights: a digest of all that decides them."""
    here = Path(__file__).parent
    names = ("minilm", "pretrained", "pieces")
    code = [here / "finetuning.py", *(here / "classifiers" / f"{name}.py" for name in names)]
    decisive = {
        "corpus": corpus.fingerprint, "max_words": corpus.max_words, "recipe": _recipe(options), "seed": seed,
        "weights": minilm.SHA256, "torch": torch.__version__.split("+")[0],
        "code": [storage.source_digest(path) for path in code]}
    digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    return f"{corpus.name}-minilm-{digest[:16]}"


def _recipe(options: dict) -> dict:
    if unknown := sorted(set(options) - set(RECIPE)):
        raise ValueError(f"Unknown option {', '.join(unknown)} for minilm: choose among {', '.join(sorted(RECIPE))}.")
    recipe = RECIPE | options
    return recipe | {option: whole_number(recipe[option], option, least) for option, least in LEAST.items()}


def _read(path: Path, key: str) -> tuple[dict, dict[str, Tensor]]:
    try:
        about, weights = storage.unseal(storage.kept(path))
    except storage.DamagedError as error:
        raise checkpoints.CheckpointError(f"{path} is damaged or no checkpoint of this project: delete it, "
                                          "and it will be trained again.") from error
    if about["key"] != key:
        raise checkpoints.CheckpointError(f"{path} is not the checkpoint its name promises: delete it, "
                                          "and it will be trained again.")
    return about, weights


def _untrained(corpus: Corpus, seed: int, recipe: dict) -> MiniLM:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # decides the weights of the linear layer
        return MiniLM(corpus.classes, corpus.max_words, recipe["blocks"])


class Read:
    """What the blocks below have said of each document: ``states`` [t, H] each, and the labels [B]."""

    def __init__(self, classifier: MiniLM, batch: Batch):
        self.labels, self.states = batch.labels, [torch.empty(0)] * len(batch)
        below = len(classifier.blocks) - classifier.trained_blocks
        groups = by_length(batch.mask.sum(dim=1), classifier.words_per_pass)
        with torch.no_grad():
            for rows in progress(groups, "reading with the lower blocks"):
                part = batch.take(rows)
                layer = classifier.hidden(classifier.embed(part), part.mask)[below]
                for row, state, mask in zip(rows.tolist(), layer, part.mask, strict=True):
                    self.states[row] = state[mask].clone()

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Padded states [n, T, H], their mask [n, T], and the labels [n]."""
        chosen = [self.states[row] for row in rows.tolist()]
        states = torch.nn.utils.rnn.pad_sequence(chosen, batch_first=True)
        lengths = torch.tensor([len(state) for state in chosen], device=states.device)
        return states, torch.arange(states.shape[1], device=states.device) < lengths[:, None], self.labels[rows]

    @property
    def lengths(self) -> Tensor:
        return torch.tensor([len(state) for state in self.states], device="cpu")


def _train(classifier: MiniLM, corpus: Corpus, seed: int, recipe: dict) -> dict:
    """Train in place; what is to be said about it."""
    started, below = time.perf_counter(), len(classifier.blocks) - recipe["blocks"]
    train, dev = (Read(classifier, classifier.encode(split.texts, split.labels))
                  for split in (corpus.train, corpus.dev))
    own = classifier.own_weights()
    for parameter in own.values():
        parameter.requires_grad_(True)
    optimiser = torch.optim.Adam(own.values(), lr=recipe["learning_rate"])
    best, worse = {"dev_loss": float("inf")}, 0
    for epoch in range(recipe["epochs"]):
        torch.manual_seed(1_000_003 * (seed + 1) + epoch)
        _one_epoch(classifier.train(), below, train, optimiser, recipe, f"{corpus.title}, MiniLM, epoch {epoch + 1}")
        loss, accuracy = _evaluate(classifier.eval(), below, dev)
        if loss < best["dev_loss"]:
            kept = {name: parameter.detach().clone() for name, parameter in own.items()}
            best, worse = {"dev_accuracy": accuracy, "dev_loss": loss, "epochs": epoch + 1}, 0
        else:
            worse += 1
            if worse > recipe["patience"]:
                break
    if "epochs" not in best:
        raise ValueError(f"Training minilm on {corpus.name} gave no finite loss on the development split: "
                         "lower learning_rate.")
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(kept[name])
    return best | {"seconds": round(time.perf_counter() - started, 1), "seed": seed, "trained_on": len(corpus.train)}


def _one_epoch(classifier: MiniLM, below: int, train: Read, optimiser, recipe: dict, label: str) -> None:
    lengths = train.lengths
    pools = torch.randperm(len(lengths)).split(20 * recipe["batch_size"])
    batches = [rows for pool in pools for rows in pool[lengths[pool].argsort(stable=True)].split(recipe["batch_size"])]
    for number in progress(torch.randperm(len(batches)).tolist(), label):
        states, mask, labels = train.take(batches[number])
        optimiser.zero_grad()
        F.cross_entropy(classifier.from_block(below, states, mask), labels).backward()
        optimiser.step()


@torch.no_grad()
def _evaluate(classifier: MiniLM, below: int, dev: Read) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy."""
    loss = correct = 0.0
    for rows in by_length(dev.lengths, classifier.words_per_pass):
        states, mask, labels = dev.take(rows)
        logits = classifier.from_block(below, states, mask)
        loss += F.cross_entropy(logits, labels, reduction="sum").item()
        correct += (logits.argmax(dim=1) == labels).sum().item()
    return loss / len(dev.states), correct / len(dev.states)
