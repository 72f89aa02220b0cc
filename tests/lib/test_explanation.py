"""The front door, from a sentence to scores and a picture."""

import re

import pytest
import torch
from html_page import Page
from oracles import ALONE
from small import CLASSES, KIND_NAMES, KINDS, corpus, fit, untrained

import lib
from lib.attribution import explain
from lib.explanation import explain_text

TEXT = "A Fine film, and it was WARM!"
HOSTILE = "<script>alert(\"x\")</script> 'q' \x00 \x07 😀 &amp; <img src=x onerror=alert(1)> <!-- a film --> </div>"


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIB_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("LIB_MODEL_DIR", raising=False)
        return fit("fasttext", updates=100, learning_rate=0.1, patience=20)


# --- explain_text -------------------------------------------------------------------------------------------


def test_the_words_are_those_of_the_text_as_they_were_spelled(classifier):
    explanation = explain_text(TEXT, classifier)
    assert [word for word, _ in explanation] == ["A", "Fine", "film", ",", "and", "it", "was", "WARM", "!"]
    assert len(explanation) == 9


def test_pairs_are_what_explain_gives(classifier):
    batch = classifier.encode([TEXT])
    scores = explain(classifier, batch, "loo", target="predicted", of="logit")[0].tolist()
    explanation = explain_text(TEXT, classifier, method="loo", of="logit")
    assert list(explanation) == list(zip(batch.words[0], scores, strict=True))
    assert explanation.words == batch.words[0] and explanation.scores == scores


def test_scores_of_a_linear_classifier_add_up_to_its_logit(classifier):
    """For FastText the words' gradient times input adds up to the logit without its bias."""
    explanation = explain_text(TEXT, classifier, of="logit", target="good")
    logit = classifier(classifier.encode([TEXT]))[0, 1] - classifier.output.bias[1]
    assert sum(score for _, score in explanation) == pytest.approx(logit.item(), abs=1e-5)


def test_words_that_decide_the_class_stand_out(classifier):
    assert max(explain_text(TEXT, classifier), key=lambda pair: pair[1])[0] in ("Fine", "WARM")
    mixed = explain_text("A fine plot, and a dull film", classifier, target="good")
    assert min(mixed, key=lambda pair: pair[1])[0] == "dull"


def test_repr_is_a_list_of_pairs(classifier):
    explanation = explain_text("A fine film", classifier)
    assert eval(repr(explanation)) == [(word, pytest.approx(score, abs=1e-4)) for word, score in explanation]


def test_the_explanation_says_what_it_explains(classifier):
    explanation = explain_text("dull and cold", classifier, method="gi")
    probabilities = classifier(classifier.encode(["dull and cold"])).softmax(dim=1)[0]
    assert (explanation.method, explanation.label, explanation.classifier) == ("gi", "bad", "FastText")
    assert explanation.probability == pytest.approx(probabilities[0].item(), abs=1e-6)


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("method", ["signed_gi", "loo", "random"])
def test_a_class_by_name_and_by_index_is_the_same(index, method, classifier):
    named = explain_text(TEXT, classifier, method=method, target=CLASSES[index])
    assert named == explain_text(TEXT, classifier, method=method, target=index)
    probabilities = classifier(classifier.encode([TEXT])).softmax(dim=1)[0]
    assert named.label == CLASSES[index] and named.probability == pytest.approx(probabilities[index].item(), abs=1e-6)


@pytest.mark.parametrize("index", [0, 1])
def test_the_scores_are_those_of_the_class_asked_for(index, classifier):
    batch = classifier.encode([TEXT], [index])
    scores = explain(classifier, batch, "signed_gi", target="gold")[0].tolist()
    assert explain_text(TEXT, classifier, target=CLASSES[index]).scores == scores


@pytest.mark.parametrize(("text", "predicted"), [("a fine film", "good"), ("a dull film", "bad")])
def test_without_a_class_the_predicted_one_is_explained(text, predicted, classifier):
    explanation = explain_text(text, classifier)
    assert explanation == explain_text(text, classifier, target=predicted)
    assert explanation == explain_text(text, classifier, target="predicted")
    assert explanation.probability > 0.5


@pytest.mark.parametrize("method", ALONE)
@pytest.mark.parametrize(("name", "options"), KINDS, ids=KIND_NAMES)
def test_every_method_explains_every_classifier(name, options, method):
    model = untrained(name, **options)
    explanation = explain_text(TEXT, model, method=method)
    assert len(explanation.words) == len(explanation.scores) == 9
    assert torch.isfinite(torch.tensor(explanation.scores)).all() and any(explanation.scores)
    assert Page(explanation._repr_html_()).words == explanation.words


@pytest.mark.parametrize("method", ALONE)
@pytest.mark.parametrize("text", ["", "  ", "\x00", "<br />"])
def test_a_text_without_words_has_an_empty_explanation(text, method, classifier):
    explanation = explain_text(text, classifier, method=method)
    assert list(explanation) == [] and len(explanation) == 0 and repr(explanation) == "[]"
    assert Page(explanation._repr_html_()).words == []


@pytest.mark.parametrize("method", ALONE)
def test_one_word(method, classifier):
    explanation = explain_text("Clever", classifier, method=method)
    assert explanation.words == ["Clever"] and len(explanation.scores) == 1


def test_only_unknown_words(classifier):
    explanation = explain_text("Qux quux QUUUX", classifier)
    assert explanation.words == ["Qux", "quux", "QUUUX"]
    assert len(set(explanation.scores)) == 1, "the same vector three times, in a bag of words, has the same score"


def test_a_long_text_is_explained_up_to_where_the_classifier_reads(classifier):
    assert len(explain_text("film " * 50, classifier)) == classifier.max_words == 12


def test_what_was_cut_off_or_is_unknown_is_shown(classifier):
    explanation = explain_text("film qux " * 25, classifier)
    assert explanation.cut == 38 and explanation.unknown == [False, True] * 6 and explanation.scored == [True] * 12
    shown = explanation._repr_html_()
    assert "38 more words cut off, not read" in shown and shown.count("unknown word") == 6


def test_options_reach_the_method(classifier):
    first, second = (explain_text(TEXT, classifier, method="random", seed=seed) for seed in (1, 2))
    assert first != second


@pytest.mark.parametrize(("options", "error", "sentence"), [
    ({"method": "magic"}, ValueError, "Unknown method 'magic': choose one of random, "),
    ({"target": "brilliant"}, ValueError,
     "Unknown class 'brilliant': choose one of bad, good, its index, or 'predicted'"),
    ({"target": "gold"}, ValueError, "Unknown class 'gold'"),
    ({"target": 2}, ValueError, r"Class 2 is out of range: the classes are 0 to 1 \(bad, good\)"),
    ({"target": -1}, ValueError, "Class -1 is out of range"),
    ({"target": 0.5}, ValueError, "Unknown target 0.5"),
    ({"target": "brilliant", "method": "random"}, ValueError, "Unknown class 'brilliant'"),
    ({"target": 2, "method": "random"}, ValueError, "Class 2 is out of range"),
    ({"of": "logits"}, ValueError, "Unknown quantity 'logits': explain one of loss, logit, probability"),
    ({"steps": 3}, ValueError, "Unknown option steps for signed_gi"),
    ({"text": ["a film"]}, TypeError, "A text must be a string, not list"),
    ({"text": None}, TypeError, "A text must be a string, not NoneType"),
])
def test_what_explain_text_refuses(options, error, sentence, classifier):
    with pytest.raises(error, match=sentence) as caught:
        explain_text(**{"text": TEXT, "classifier": classifier, **options})
    assert "\n" not in str(caught.value)


def test_an_unknown_classifier_or_data_set_is_named(monkeypatch):
    with pytest.raises(ValueError, match="There is no data set 'imbd': the data sets are imdb, "):
        explain_text(TEXT, corpus="imbd")
    monkeypatch.setattr(lib.data, "load", lambda name: corpus())
    with pytest.raises(ValueError, match="Unknown classifier 'gpt': choose one of fasttext, textcnn, bilstm"):
        explain_text(TEXT, "gpt")


def test_nan_in_an_embedding_is_reported():
    broken = untrained("fasttext")
    broken.embedding.weight[broken.vocabulary["film"]] = torch.nan
    with pytest.raises(ValueError, match="scores that are not finite numbers for document 0 .* look for NaN"):
        explain_text("a film", broken)


def test_a_classifier_may_be_named_and_is_then_trained_or_loaded(monkeypatch):
    asked = []
    monkeypatch.setattr(lib.data, "load", lambda name: asked.append(name) or corpus())
    monkeypatch.setattr(lib.training, "fit", lambda name, data: asked.append(name) or untrained("fasttext", classes=2))
    assert explain_text("a film", "bilstm", "bbc_news").words == ["a", "film"]
    assert asked == ["bbc_news", "bilstm"]


# --- hostile text -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ALONE)
def test_hostile_text_is_shown_and_not_obeyed(method, classifier):
    classifier = untrained("fasttext")  # random weights: every word has some score, and none is in the vocabulary
    explanation = explain_text(HOSTILE, classifier, method=method)
    page = Page(explanation._repr_html_())
    assert {tag for tag, _ in page.elements} <= {"div", "span", "strong", "br", "small"}
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert page.words == explanation.words and "<script>alert" in page.words and "😀" in page.words


def test_the_picture_of_an_explanation_has_its_title(classifier):
    picture = explain_text("a fine film", classifier).picture()
    assert re.fullmatch(r"FastText, good with probability [01]\.\d{3}: SignedGI", picture.title) and picture.signed
    assert not explain_text("a fine film", classifier, method="sa_l2").picture().signed


@pytest.mark.parametrize(("of", "meaning"), [("loss", -1), ("logit", 1), ("probability", 1)])
def test_what_a_positive_score_says_follows_from_the_quantity(of, meaning, classifier):
    assert explain_text("a fine film", classifier, method="gi", of=of).picture().positive == meaning
    assert explain_text("a fine film", classifier, method="signed_gi", of=of).picture().positive == 1
    assert explain_text("a fine film", classifier, method="gi").picture().positive == -1, "its own quantity is the loss"
