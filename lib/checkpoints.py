"""Keep trained classifiers as safetensors files under a key made of everything that decides them."""

import hashlib
import inspect
import io
import json
import math
from pathlib import Path

import torch

from . import storage, vectors
from .classifiers import CLASSIFIERS, TextClassifier
from .data import Corpus
from .text import vocabulary_from_words


class CheckpointError(ValueError):
    """A checkpoint file that cannot be trusted: truncated, tampered with, or another model's."""


def key_of(name: str, corpus: Corpus, seed: int, recipe: dict) -> str:
    """The name of a checkpoint: a digest of the data, the recipe, the seed, the code that trains, and torch's version.

    If any of them changes, so does the key, and an old checkpoint is not found. Taught in: *Data and classifiers*.
    """
    here = Path(__file__).parent
    kind = inspect.getfile(CLASSIFIERS[name])
    code = [here / "text.py", here / "training.py", here / "classifiers" / "base.py", Path(kind)]
    decisive = {
        "corpus": corpus.fingerprint, "max_words": corpus.max_words, "recipe": recipe, "seed": seed,
        "glove": vectors.GLOVE_SHA256, "torch": torch.__version__.split("+")[0],
        "code": [storage.source_digest(path) for path in code],
    }
    digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    return f"{corpus.name}-{name}-{digest[:16]}"


def save(key: str, classifier: TextClassifier, recipe: dict) -> Path:
    """Keep a trained classifier, and forget the epochs it was resumed from."""
    about = {"key": key, "words": classifier.vocabulary.itos, "classes": classifier.classes, "recipe": recipe,
             "max_words": classifier.max_words, "report": classifier.report}
    path = storage.cache_folder("models") / f"{key}.safetensors"
    storage.keep(path, storage.seal(about, classifier.state_dict()))
    storage.forget(_pause_path(key))
    return path


def find(key: str) -> Path | None:
    """The file of a checkpoint: in the folder ``LIB_MODEL_DIR`` names, else in the user cache, else None.

    Raises :class:`lib.storage.FolderError` if ``LIB_MODEL_DIR`` names no folder.
    """
    ready = storage.named_folder("LIB_MODEL_DIR")
    for folder in [*([ready] if ready else []), storage.cache_folder("models")]:
        path = folder / f"{key}.safetensors"
        if storage.is_kept(path):
            return path
    return None


def receive(key: str, content: bytes) -> None:
    """Hold the file of a checkpoint that another process could not write, unless it is here already."""
    if find(key) is None:
        storage.hold(storage.cache_folder("models") / f"{key}.safetensors", content)


def load(key: str, name: str, corpus: Corpus) -> TextClassifier | None:
    """The classifier kept under a key, in eval mode, or None if there is none.

    Raises :class:`CheckpointError` if the file is truncated, was changed, or holds another model.
    """
    path = find(key)
    if path is None:
        return None
    try:
        about, weights = storage.unseal(storage.kept(path))
    except storage.DamagedError as error:
        raise CheckpointError(f"{path} is damaged or no checkpoint of this project: delete it, "
                              "and it will be trained again.") from error
    if about["key"] != key:
        raise CheckpointError(f"{path} is not the checkpoint its name promises: delete it, "
                              "and it will be trained again.")
    kind = CLASSIFIERS[name]
    options = {option: about["recipe"][option] for option in kind.architecture()}
    with torch.random.fork_rng(devices=[]):  # a new classifier draws weights, though these are replaced at once
        classifier = kind(vocabulary_from_words(about["words"]), about["classes"], about["max_words"], **options)
    classifier.load_state_dict(weights)
    classifier.report = about["report"]
    classifier.key = key
    classifier.source = corpus.source
    return classifier.requires_grad_(False).eval()


def resume(key: str, classifier: TextClassifier, optimiser: torch.optim.Optimizer) -> dict:
    """The state of an interrupted training, put back into classifier and optimiser; a fresh state if there is none.

    A training that begins finds out first whether its weights can be kept.
    """
    path = _pause_path(key)
    storage.try_out(path.parent)
    content = storage.kept(path)
    if content is None:
        return {"epoch": 0, "updates": 0, "worse": 0, "loss": math.inf, "accuracy": 0.0, "best_epoch": 0, "weights": {}}
    if content[:32] != _pause_digest(key, content[32:]):
        raise CheckpointError(f"{path} is damaged: delete it, and the training starts again.")
    paused = torch.load(io.BytesIO(content[32:]), weights_only=True)
    classifier.load_state_dict(paused["classifier"])
    optimiser.load_state_dict(paused["optimiser"])
    return paused["state"]


def pause(key: str, classifier: TextClassifier, optimiser: torch.optim.Optimizer, state: dict) -> None:
    """Keep what is needed to go on after the epoch that just ended."""
    buffer = io.BytesIO()
    torch.save({"classifier": classifier.state_dict(), "optimiser": optimiser.state_dict(), "state": state}, buffer)
    content = buffer.getvalue()
    storage.keep(_pause_path(key), _pause_digest(key, content) + content)


def _pause_path(key: str) -> Path:
    return storage.cache_folder("models") / f"{key}.unfinished"


def _pause_digest(key: str, content: bytes) -> bytes:
    """32 bytes in front of an unfinished training: torch.load itself would not notice a changed byte."""
    return hashlib.sha256(key.encode() + content).digest()
