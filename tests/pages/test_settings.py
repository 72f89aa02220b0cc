"""The tables of what the book had to choose, and the review that its first two chapters follow."""

import pandas as pd
import pytest
import small

import lib
from book.paper import plan, settings
from lib.results.kept import COLUMNS

REVIEW = "I don't know why I like this movie so well, but I {} of watching it."


@pytest.fixture
def untrained(monkeypatch):
    """Classifiers with random weights in place of trained ones."""
    monkeypatch.setattr(lib.training, "fit", lambda name, corpus: small.untrained(name, classes=2))


def test_corpora_are_counted_and_a_missing_one_is_named(monkeypatch):
    tiny = small.corpus()
    monkeypatch.setattr(lib.data, "available", lambda name: name != "ag_news")
    monkeypatch.setattr(lib.data, "load", lambda name: tiny)
    head, _, row, *rest = settings.corpora(["imdb", "ag_news"]).data.splitlines()
    longer = sum(len(text.split()) > tiny.max_words for text in tiny.train.texts)
    assert head == "| corpus | classes | train | dev | test | cut after | documents cut |"
    assert row == f"| tiny | bad, good | 40 | 16 | 16 | 12 | {100 * longer / 40:.0f} % |"
    assert "".join(rest).startswith("**AG's News is not available on the machine that built this page.**")


def test_seeds_and_documents_of_the_reference_are_those_of_its_tables(untrained, monkeypatch):
    rows = [("undefined", n, seed) for n, seed in ((500, "0"), (1000, "3"), (1000, "10"), (1000, "all"))]
    cells = {"variant": "main", "dataset": "imdb"}
    table = pd.DataFrame(
        [cells | {"metric": metric, "n": n, "seed": seed} for metric, n, seed in rows], columns=COLUMNS)
    monkeypatch.setattr(settings, "reference", lambda: table)
    monkeypatch.setattr(plan, "live", lambda corpus, name: plan.Experiment(corpus, name, documents=7))
    said = settings.left_open([small.corpus()]).data
    assert "| training seeds | 0 here; 0, 3 and 10 in the reference results |" in said
    assert "| 500 and 1,000 a panel and seed" in said
    assert "| tiny 40 / 16 / 16." in said and "tiny FastText 7, TextCNN 7, BiLSTM 7" in said
    assert f"tiny {len(small.WORDS)}, with the unknown word" in said


def test_recipes_show_every_setting_and_count_what_is_learned(untrained):
    said = settings.recipes(small.corpus()).data
    for name, recipe in lib.training.RECIPES.items():
        assert all(f"| `{key}` |" in said for key in {**recipe, **lib.classifiers.CLASSIFIERS[name].architecture()})
    fasttext = small.untrained("fasttext", classes=2)
    assert settings.learned(fasttext) == 2 * 4 + 2
    assert said.splitlines()[-1].startswith("| weights after the embedding, tiny | 10 | ")


def test_the_first_review_teaches_what_the_first_chapter_says():
    """A reader takes "never get tired" for praise; the TextCNN lacks the negation, and SignedGI says so."""
    imdb = lib.data.load("imdb")
    if "imdb/15780" not in imdb.test.ids:
        pytest.skip("this machine has another test split of IMDB, and the TextCNN may know the review from training")
    textcnn = lib.training.fit("textcnn", imdb)
    texts = [REVIEW.format(phrase) for phrase in ("never get tired", "get tired", "never get enough")]
    batch = textcnn.encode(texts, [1] * 3)
    praise, negated, other = textcnn(batch).softmax(1)[:, 1].tolist()
    assert praise < 0.6
    assert abs(negated - praise) < abs(other - praise) / 2
    score = lib.attribution.explain(textcnn, batch, "signed_gi")[0]
    assert score[[word.lower() for word in batch.words[0]].index("tired")] < 0
