"""Keep trained classifiers as safetensors files under a key made of everything that decides them."""

import hashlib
import io
import json
import math
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

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
    code = [here / "text.py", here / "training.py", here / "classifiers" / "base.py", here / "classifiers" / f"{name}.py"]
    decisive = {
        "corpus": corpus.fingerprint, "max_words": corpus.max_words, "recipe": recipe, "seed": seed,
        "glove": vectors.GLOVE_SHA256, "torch": torch.__version__.split("+")[0],
        "code": [hashlib.sha256(path.read_bytes()).hexdigest() for path in code],
    }
    digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    return f"{corpus.name}-{name}-{digest[:16]}"


def save(key: str, classifier: TextClassifier, recipe: dict) -> Path:
    """Write a trained classifier, whole or not at all, and forget the epochs it was resumed from."""
    weights = {name: value.contiguous() for name, value in classifier.state_dict().items()}
    about = json.dumps({"key": key, "words": classifier.vocabulary.itos, "classes": classifier.classes, "recipe": recipe,
                        "max_words": classifier.max_words, "report": classifier.report})
    path = storage.cache_folder("models") / f"{key}.safetensors"
    with storage.whole_file(path) as temporary:
        save_file(weights, temporary, metadata={"about": about, "digest": _digest(about, weights)})
    _pause_path(key).unlink(missing_ok=True)
    return path


def find(key: str) -> Path | None:
    """The file of a checkpoint: in the folder ``LIB_MODEL_DIR`` names, else in the user cache, else None."""
    folders = [Path(os.environ["LIB_MODEL_DIR"])] if os.environ.get("LIB_MODEL_DIR") else []
    for folder in [*folders, storage.cache_folder("models")]:
        path = folder / f"{key}.safetensors"
        if path.is_file():
            return path
    return None


def load(key: str, name: str, corpus: Corpus) -> TextClassifier | None:
    """The classifier kept under a key, in eval mode, or None if there is none.

    Raises :class:`CheckpointError` if the file is truncated, was changed, or holds another model.
    """
    path = find(key)
    if path is None:
        return None
    about, weights = _read(path)
    if about["key"] != key:
        raise CheckpointError(f"{path} is not the checkpoint its name promises: delete it, and it will be trained again.")
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
    """The state of an interrupted training, put back into classifier and optimiser; a fresh state if there is none."""
    path = _pause_path(key)
    fresh = {"epoch": 0, "updates": 0, "worse": 0, "loss": math.inf, "accuracy": 0.0, "best_epoch": 0, "weights": {}}
    if not path.is_file():
        return fresh
    content = path.read_bytes()
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
    with storage.whole_file(_pause_path(key)) as temporary:
        temporary.write_bytes(_pause_digest(key, content) + content)


def _pause_path(key: str) -> Path:
    return storage.cache_folder("models") / f"{key}.unfinished"


def _pause_digest(key: str, content: bytes) -> bytes:
    """32 bytes in front of an unfinished training: torch.load itself would not notice a changed byte."""
    return hashlib.sha256(key.encode() + content).digest()


def _read(path: Path) -> tuple[dict, dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata, weights = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}
        if metadata["digest"] != _digest(metadata["about"], weights):
            raise ValueError("the digest differs")
        return json.loads(metadata["about"]), weights
    except (SafetensorError, OSError, TypeError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged or no checkpoint of this project: delete it, and it will be trained again.") from error


def _digest(about: str, weights: dict[str, Tensor]) -> str:
    """SHA-256 over all that a checkpoint says: safetensors itself would not notice a changed byte."""
    digest = hashlib.sha256(about.encode())
    for name in sorted(weights):
        value = weights[name]
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode() + value.numpy().tobytes())
    return digest.hexdigest()
