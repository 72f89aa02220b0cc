"""What people say of words: trees are read rightly, and scores are compared with them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import close, is_one_sentence, properties

import lib
from lib.data import DataError, Split, lexicon
from lib.data.trees import Tree, parse, word_labels
from lib.plausibility import plausibility, signed_plausibility

TRAIN = ["(4 (3 (2 a) (4 gem)) (2 .))", "(0 (1 dull) (2 (2 -LRB-) (2 (2 it) (2 's))))", "(2 (2 plain) (2 facts))",
         "(4 (3 (2 A) (4 Gem)) (2 .))", "(1 (2 a\\/b) (1 flop))"]
DEV, TEST = ["(3 (2 the) (3 end))", "(1 (2 a) (1 flop))"], ["(1 (2 a) (1 flop))", "(3 (3 warm) (2 too-tepid))"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, lines in (("train", TRAIN), ("dev", DEV), ("test", TEST)):
        (tmp_path / "sst").mkdir(exist_ok=True)
        (tmp_path / "sst" / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.setenv("LIB_DATA_DIR", str(tmp_path))
    return tmp_path / "sst"


def test_a_tree_has_a_label_for_the_sentence_and_for_each_word():
    assert parse(TRAIN[0]) == Tree(4, ["a", "gem", "."], [2, 4, 2])
    assert parse("(2 (2 The) (2 R  ock))").text == "The R ock"
    assert parse(TRAIN[1]).text == "dull ( it 's" and parse(TRAIN[4]).text == "a/b flop"


@pytest.mark.parametrize("line", ["", "a gem", "(4 gem", "(5 gem)", "(4 (2 a) gem)", "(4 (2 a) (3 gem)) x", "4 (2 a)"])
def test_what_is_no_tree_is_refused(line):
    with pytest.raises(ValueError, match="no labelled tree"):
        parse(line)


def test_sst_leaves_neutral_sentences_out_and_none_stands_twice(folder):
    corpus = lib.data.load("sst")
    assert sorted(corpus.test.texts) == ["a flop", "warm too-tepid"] and corpus.dev.texts == ["the end"]
    assert sorted(corpus.train.texts) == ["a gem .", "a/b flop", "dull ( it 's"]
    labels = dict(zip(corpus.train.texts, corpus.train.labels, strict=True))
    assert labels == {"a gem .": 1, "dull ( it 's": 0, "a/b flop": 0}
    assert corpus.classes == ["negative", "positive"] and "LIB_DATA_DIR" in corpus.source


def test_every_word_has_the_label_of_the_leaf_it_was_cut_from(folder):
    train = lib.data.load("sst").train
    labels = dict(zip(train.texts, word_labels(train), strict=True))
    assert labels["a gem ."] == [2, 4, 2]
    assert lib.text.tokenise("dull ( it 's") == ["dull", "(", "it", "'", "s"]
    assert labels["dull ( it 's"] == [1, 2, 2, 2, 2]
    with pytest.raises(ValueError, match="no sentence of the treebank") as caught:
        word_labels(Split(["another"], [0], ["train/0"]))
    assert is_one_sentence(caught.value)


def test_a_broken_file_is_named_with_its_line(folder):
    (folder / "dev.txt").write_text("(3 (2 the) (3 end))\n(3 (2 the) (3 end)\n", encoding="utf-8")
    with pytest.raises(DataError, match="dev.txt: line 2 is no labelled tree"):
        lib.data.load("sst")


def test_without_its_files_one_sentence_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("LIB_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LIB_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(FileNotFoundError, match=r"sst/\{train,dev,test\}.txt") as caught:
        lib.data.load("sst")
    assert "make data" in str(caught.value)


@pytest.mark.skipif(not lib.data.available("sst"), reason="the treebank is not on this machine")
def test_promises_of_the_treebank():
    test = lib.data.load("sst").test
    assert len(test) == 1821
    labels = word_labels(test)
    assert all(len(row) == len(lib.text.tokenise(text)) for row, text in zip(labels, test.texts, strict=True))
    assert sum(set(row) == {2} for row in labels) == 111


# --- beside scores --------------------------------------------------------------------------------------------------

MASK = torch.tensor([[True] * 4, [True] * 3 + [False], [True] * 4])
VALENCE = torch.tensor([[0.0, 2, -1, 0], [-2, 0, 1, 9], [0, 0, 0, 0]])


def test_sizes_are_compared_without_signs_and_signs_with_them():
    scores = torch.tensor([[0.0, -4, 2, 0], [4, 0, -2, 1], [1, 2, 3, 4]])
    found = plausibility(scores, VALENCE, MASK)
    close(found[:2], [1, 1])
    assert found[2].isnan(), "a sentence of neutral words"
    signed = signed_plausibility(scores, VALENCE, MASK, torch.tensor([True, False, True]))
    close(signed[:2], [-1, 1])


@given(values=st.lists(st.tuples(st.floats(-3, 3), st.integers(-2, 2)), min_size=3, max_size=8))
@properties
def test_the_other_class_with_the_other_sign_is_the_same(values):
    scores, valence = (torch.tensor(column, dtype=torch.float64)[None] for column in zip(*values, strict=True))
    mask, positive = torch.ones_like(scores, dtype=torch.bool), torch.tensor([True])
    one = signed_plausibility(scores, valence, mask, positive)
    torch.testing.assert_close(signed_plausibility(-scores, valence, mask, ~positive), one, equal_nan=True)
    torch.testing.assert_close(plausibility(-scores, valence, mask), plausibility(scores, valence, mask),
                               equal_nan=True)


def test_shapes_must_fit():
    with pytest.raises(ValueError, match="Shapes differ"):
        plausibility(torch.zeros(1, 3), VALENCE, MASK)


# --- the lexicon ----------------------------------------------------------------------------------------------------


def package(folder, text):
    (folder / "vaderSentiment").mkdir()
    (folder / "vaderSentiment" / "__init__.py").write_text("raise SystemExit('imported')")
    (folder / "vaderSentiment" / "vader_lexicon.txt").write_text(text, encoding="utf-8")


@pytest.fixture
def no_lexicon(monkeypatch):
    monkeypatch.setattr(lexicon.importlib.util, "find_spec", lambda name: None)
    lexicon.ratings.cache_clear()
    yield monkeypatch
    lexicon.ratings.cache_clear()


def test_words_get_their_mean_rating_and_others_none(no_lexicon, tmp_path):
    package(tmp_path, "great\t3.1\t0.7\t[2, 4]\nBad\t-2.5\t0.6\t[-3, -2]\n")
    spec = type("Spec", (), {"origin": str(tmp_path / "vaderSentiment" / "__init__.py")})
    no_lexicon.setattr(lexicon.importlib.util, "find_spec", lambda name: spec)
    no_lexicon.setattr(lexicon, "digest", lambda path, algorithm: lexicon.SHA256)
    found = lexicon.valence([["A", "Great", "film"], ["bad"]], width=4)
    close(found, [[0, 3.1, 0, 0], [-2.5, 0, 0, 0]], 1e-6)
    assert lexicon.valence([]).shape == (0, 0)


def test_a_changed_lexicon_is_refused(no_lexicon, tmp_path):
    package(tmp_path, "great\t3.1\t0.7\t[2, 4]\n")
    spec = type("Spec", (), {"origin": str(tmp_path / "vaderSentiment" / "__init__.py")})
    no_lexicon.setattr(lexicon.importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(DataError, match="its SHA-256 is not the one"):
        lexicon.ratings()


def test_without_the_lexicon_one_sentence_says_what_to_install(no_lexicon):
    with pytest.raises(FileNotFoundError, match="vaderSentiment==3.3.2") as caught:
        lexicon.valence([["good"]])
    assert is_one_sentence(caught.value)
