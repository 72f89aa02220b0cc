"""What users do to classifiers, batches and options: it works, or one sentence says why not."""

import copy

import numpy as np
import pandas
import pytest
import torch
from oracles import ALONE, LABELS, NETWORKS, TEXTS, LinearBag, is_one_sentence, network
from pieces import Pieces
from torch import nn
from torch.nn.utils import parametrizations, prune

from lib.attribution import METHODS, explain, explain_all
from lib.attribution.registry import method
from lib.checks import as_keys, as_labels, as_texts, whole_number
from lib.diagnostics import greedy
from lib.faithfulness import aopc, deletion_curve
from lib.masking.shortcuts import shortcut_of
from lib.text import encode, vocabulary_from_words


def refused(kind, match):
    return pytest.raises(kind, match=match)


# --- a class that is predicted is chosen once, on the unchanged document -------------------------------------


def test_the_predicted_class_is_that_of_the_whole_document():
    classifier = LinearBag(3)
    batch = classifier.encode(["good film", "film film plot", "bad"])
    predicted = classifier(batch).argmax(dim=1)
    assert len(predicted.unique()) > 1
    scores = explain(classifier, batch, "loo", target="predicted")
    torch.testing.assert_close(scores, explain(classifier, batch, "loo", target=predicted))
    curve = deletion_curve(classifier, batch, scores, target="predicted")
    torch.testing.assert_close(curve, deletion_curve(classifier, batch, scores, target=predicted))
    gone = classifier(classifier.encode(["", "", ""])).argmax(dim=1)
    assert (gone != predicted).any(), "the class of what is left is another: choosing it again would show"
    last = classifier(classifier.encode([""])).softmax(dim=1)[0, predicted]
    torch.testing.assert_close(curve[:, -1], last.detach())
    torch.testing.assert_close(greedy(classifier, batch, 2, target="predicted"),
                               greedy(classifier, batch, 2, target=predicted))


def test_the_predicted_class_is_chosen_once_for_all_methods():
    classifier = Counting(network("fasttext"))
    explain_all(classifier, classifier.encode(TEXTS), ["sa_l1", "gi", "saliency"], target="predicted")
    assert classifier.calls == 2, "one pass to predict, one for the gradient they share"


class Counting:
    """A plain wrapper that counts the passes through a classifier."""

    def __init__(self, classifier):
        self.inner, self.calls, self.training = classifier, 0, False
        self.classes, self.device = classifier.classes, classifier.device
        self.encode, self.embed, self.substitute = classifier.encode, classifier.embed, classifier.substitute

    def logits(self, embeddings, mask):
        self.calls += 1
        return self.inner.logits(embeddings, mask)


@pytest.mark.parametrize("rows", [[0, 1], [0, 1, 0, 1, 0, 7]])
def test_the_classes_of_each_document_must_fit(rows):
    classifier = network("fasttext")
    batch = classifier.encode(TEXTS)
    with refused(ValueError, "2 classes came for 6 documents|Class 7 is out of range") as caught:
        explain(classifier, batch, "loo", target=torch.tensor(rows))
    assert is_one_sentence(caught.value)


# --- a shortcut only where it computes what the classifier would ---------------------------------------------


def swapped(classifier):
    classifier.output = nn.Sequential(classifier.output, nn.Tanh())


def hooked(classifier):
    classifier.output.register_forward_hook(lambda module, given, found: 2 * found)


def forward_replaced(classifier):
    linear = classifier.output
    classifier.output.forward = lambda x: nn.functional.linear(x, 3 * linear.weight, linear.bias)


def without_bias(classifier):
    classifier.output = nn.Linear(classifier.output.in_features, 3, bias=False, dtype=torch.float64)


def pruned(classifier):
    prune.l1_unstructured(classifier.output, "weight", 0.5)


def normalised(classifier):
    parametrizations.weight_norm(classifier.output)


def logits_replaced(classifier):
    inner = classifier.logits
    classifier.logits = lambda embeddings, mask: 3 * inner(embeddings, mask)


CHANGES = [swapped, hooked, forward_replaced, without_bias, pruned, normalised, logits_replaced]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["fasttext", "textcnn", "bilstm"])
def test_whatever_is_done_to_a_layer_is_seen(name, change):
    classifier = copy.deepcopy(network(name))
    assert shortcut_of(classifier) is not None
    change(classifier)
    classifier.requires_grad_(False).eval()
    batch = classifier.encode(TEXTS, LABELS)
    assert shortcut_of(classifier) is None
    scores = explain_all(classifier, batch, ["loo", "signed_gi"])
    whole = explain_all(classifier, batch, ["loo", "signed_gi"], shortcut=False)
    for key in scores:
        torch.testing.assert_close(scores[key], whole[key])
    curves = [aopc(classifier, batch, scores["loo"], shortcut=shortcut) for shortcut in (True, False)]
    torch.testing.assert_close(*curves)


@pytest.mark.parametrize("change", [
    lambda c: setattr(c.convolutions[0], "stride", (2,)), lambda c: setattr(c, "dropout", nn.Tanh()),
    lambda c: setattr(c, "more", nn.Linear(1, 1))], ids=["stride", "another layer", "one more layer"])
def test_layers_of_a_textcnn_that_are_others(change):
    classifier = copy.deepcopy(network("textcnn"))
    change(classifier)
    assert shortcut_of(classifier) is None


def test_another_lstm_in_an_lstms_place():
    classifier = copy.deepcopy(network("bilstm")).float()
    old = classifier.forwards
    classifier.forwards = nn.LSTM(old.input_size, old.hidden_size, num_layers=2, batch_first=True)
    classifier.requires_grad_(False).eval()
    assert shortcut_of(classifier) is None
    batch = classifier.encode(TEXTS, LABELS)
    torch.testing.assert_close(explain(classifier, batch, "loo"), explain(classifier, batch, "loo", shortcut=False))


def test_a_quantised_classifier_is_explained_as_it_computes():
    classifier = copy.deepcopy(network("textcnn")).float()
    quantised = torch.ao.quantization.quantize_dynamic(classifier, {nn.Linear}, dtype=torch.qint8).eval()
    batch = quantised.encode(TEXTS, LABELS)
    scores = explain(quantised, batch, "loo")
    assert not torch.equal(scores, explain(classifier, batch, "loo"))
    torch.testing.assert_close(scores, explain(quantised, batch, "loo", shortcut=False))


def test_a_hook_for_all_modules_is_seen():
    classifier = network("fasttext")
    handle = nn.modules.module.register_module_forward_hook(lambda module, given, found: None)
    try:
        assert shortcut_of(classifier) is None
    finally:
        handle.remove()
    assert shortcut_of(classifier) is not None


# --- in training mode, a little ------------------------------------------------------------------------------


def test_a_part_in_training_mode_is_refused():
    classifier = copy.deepcopy(network("textcnn"))
    classifier.dropout.train()
    batch = classifier.encode(TEXTS, LABELS)
    for call in (lambda c: explain(c, batch, "signed_gi"), lambda c: explain(c, batch, "loo"),
                 lambda c: aopc(c, batch, torch.zeros(batch.mask.shape))):
        for refusing in (classifier, Counting(classifier)):
            with refused(ValueError, "in training mode") as caught:
                call(refusing)
            assert is_one_sentence(caught.value)


# --- logits and classes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_one_output_and_several_class_names(name):
    classifier = copy.deepcopy(network(name))
    classifier.output = nn.Linear(classifier.output.in_features, 1, dtype=torch.float64)
    classifier.requires_grad_(False).eval()
    batch = classifier.encode(TEXTS, [0] * len(TEXTS))
    scores = torch.zeros(batch.mask.shape)
    calls = (lambda: explain(classifier, batch, "signed_gi"), lambda: explain(classifier, batch, "loo"),
             lambda: explain(classifier, batch, "loo", target="predicted"), lambda: aopc(classifier, batch, scores))
    for call in calls:
        with refused(ValueError, "write a single output z as the two logits 0 and z"):
            call()


# --- another's batch, a method that gives one number a document ----------------------------------------------


def test_a_batch_of_another_vocabulary_is_refused():
    classifier = network("fasttext")
    other = encode(vocabulary_from_words(["<unk>", "<pad>", "film", "good"]), TEXTS, LABELS)
    with refused(ValueError, "encoded by another classifier"):
        explain(classifier, other, "signed_gi")
    same = encode(vocabulary_from_words(classifier.vocabulary.itos), TEXTS, LABELS)
    assert torch.equal(explain(classifier, same, "gi"), explain(classifier, classifier.encode(TEXTS, LABELS), "gi"))


def test_one_number_a_document_is_not_one_a_word(monkeypatch):
    monkeypatch.setattr("lib.attribution.registry.METHODS", METHODS)

    @method("per_document", "Per document", sign="none", cost="none", citation="du2021")
    def per_document(classifier, batch):
        return torch.ones(len(batch))
    try:
        classifier = network("fasttext")
        batch = classifier.encode(["good film", "bad film"])  # as many documents as words
        with refused(ValueError, "gave scores of shape"):
            explain(classifier, batch, "per_document")
    finally:
        del METHODS["per_document"]


# --- precision -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", NETWORKS)
def test_half_precision(name, dtype):
    classifier = copy.deepcopy(network(name)).to(dtype)
    batch = classifier.encode(TEXTS, LABELS)
    zeros = torch.zeros(batch.mask.shape)
    for call in (lambda: explain(classifier, batch, "loo"), lambda: aopc(classifier, batch, zeros)):
        with refused(ValueError, r"call classifier\.float\(\) first") as caught:
            call()
        assert is_one_sentence(caught.value)
    exact = explain(network(name), batch, "signed_gi")
    near = explain(classifier, batch, "signed_gi").double()
    assert (near - exact).abs().max() < 0.05 * exact.abs().max()


@pytest.mark.parametrize("name", NETWORKS)
def test_inside_inference_mode(name):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    expected = explain_all(classifier, batch, ALONE)
    with torch.inference_mode():
        inside = explain_all(classifier, classifier.encode(TEXTS, LABELS), ALONE)
        curve = aopc(classifier, batch, inside["loo"])
    for key in ALONE:
        torch.testing.assert_close(inside[key].clone(), expected[key])
    torch.testing.assert_close(curve.clone(), aopc(classifier, batch, expected["loo"]))


def test_weights_made_in_inference_mode():
    with torch.inference_mode():
        classifier = copy.deepcopy(network("textcnn"))
    with refused(ValueError, "weights were made in torch.inference_mode") as caught:
        explain(classifier, classifier.encode(TEXTS, LABELS), "sa_l2")
    assert is_one_sentence(caught.value)


# --- containers and numbers ----------------------------------------------------------------------------------


FRAME = pandas.DataFrame({"text": ["good film", "bad", "dull plot"], "label": [1, 0, 0]}, index=[7, 3, 5])


@pytest.mark.parametrize("texts, labels", [
    (FRAME["text"], FRAME["label"]), (FRAME["text"][FRAME["label"] < 2], np.array([1, 0, 0])),
    (tuple(FRAME["text"]), (1.0, False, np.int64(0))), ((text for text in FRAME["text"]), torch.tensor([1, 0, 0])),
    (np.array(FRAME["text"]), iter([True, 0, 0])), (FRAME["text"].to_numpy(dtype=str), FRAME["label"].astype("int8"))])
def test_containers_in_which_texts_have_an_order(texts, labels):
    batch = network("fasttext").encode(texts, labels)
    assert batch.words == [["good", "film"], ["bad"], ["dull", "plot"]] and batch.labels.tolist() == [1, 0, 0]


@pytest.mark.parametrize("texts", [FRAME, {"text": ["good"]}, {"good", "film"}, "good film", b"good film", 3, None])
def test_containers_that_are_something_else(texts):
    with refused(TypeError, "encode expects a list of texts|came as a") as caught:
        as_texts(texts)
    assert is_one_sentence(caught.value)


@pytest.mark.parametrize("labels", [[0.7, 1], [float("nan"), 1], ["one", 1], [None, 1], [0, 5], [-1, 0], [1]])
def test_labels_that_are_no_class_numbers(labels):
    with refused(ValueError, "no class number|out of range|came with 1 labels") as caught:
        as_labels(labels, 2, ["no", "yes"])
    assert is_one_sentence(caught.value)


def test_class_names_that_are_numbers():
    with refused(ValueError, r"0 to 1 \(1, 2\)"):
        as_labels([4], 1, [1, 2])


def test_whole_numbers_of_any_kind():
    classifier = network("fasttext")
    batch = classifier.encode(TEXTS, LABELS, max_words=np.int64(5))
    scores = explain(classifier, batch, "loo", target=np.int32(1), words_per_pass=np.int64(9))
    torch.testing.assert_close(scores, explain(classifier, batch, "loo", target=1))
    curve = aopc(classifier, batch, scores, K=np.int64(3), seed=np.int64(2), target=torch.tensor(1))
    torch.testing.assert_close(curve, aopc(classifier, batch, scores, K=3, seed=2, target=1))
    assert torch.equal(greedy(classifier, batch, np.int64(2)), greedy(classifier, batch, 2))
    for wrong in (2.5, "3", True, None):
        with refused(ValueError, "must be a whole number"):
            whole_number(wrong, "K")


def test_scores_that_are_whole_numbers():
    classifier = network("fasttext")
    batch = classifier.encode(TEXTS, LABELS)
    scores = torch.arange(batch.mask.numel()).view_as(batch.mask)
    torch.testing.assert_close(aopc(classifier, batch, scores), aopc(classifier, batch, scores.double()))


def test_one_key_is_a_list_of_one():
    classifier = network("fasttext")
    batch = classifier.encode(TEXTS, LABELS)
    assert as_keys("loo") == ["loo"] and list(explain_all(classifier, batch, "loo")) == ["loo"]


def test_a_curve_of_ten_million_columns():
    classifier = network("fasttext")
    batch = classifier.encode(TEXTS, LABELS)
    with refused(ValueError, "K is 10,000,000, the longest document has 9 words") as caught:
        aopc(classifier, batch, torch.zeros(batch.mask.shape), K=10**7)
    assert is_one_sentence(caught.value)


def test_no_documents_have_no_scores():
    classifier = network("textcnn")
    nothing = classifier.encode(TEXTS, LABELS).take([])
    assert explain(classifier, nothing, "signed_gi").shape == (0, 1)


# --- text as people type it ----------------------------------------------------------------------------------


@pytest.mark.parametrize("typed, plain", [
    ("\u201cgood\u201d", "good"), ("\u2018good\u2019", "' good '"), ("\ufeffgood film", "good film"),
    ("good\u2026", "good ."), ("go\u00adod", "good"), ("good\u2014bad", "good - bad"), ("\u00abgood\u00bb", "good"),
    ("GOOD\u200bfilm", "good film")])
def test_known_words_stay_known(typed, plain):
    classifier = Words()
    found, expected = (encode(classifier.vocabulary, [text]) for text in (typed, plain))
    assert torch.equal(found.ids, expected.ids) and not found.unknown.any()


def test_accents_may_be_composed_or_not():
    vocabulary = vocabulary_from_words(["<unk>", "<pad>", "caf\u00e9"])
    for typed in ("caf\u00e9", "cafe\u0301", "CAFE\u0301"):
        assert encode(vocabulary, [typed]).ids.tolist() == [[2]]


def test_words_that_are_unknown_and_words_that_are_cut_are_told():
    batch = encode(Words().vocabulary, ["good zzz film", "bad " * 501], max_words=256)
    assert batch.unknown[0, :3].tolist() == [False, True, False] and batch.cut.tolist() == [0, 245]


class Words:
    vocabulary = vocabulary_from_words(["<unk>", "<pad>", *"good bad film ' . -".split()])


def test_plain_classes_need_nothing_more():
    """The stub has no embedding, label, vocabulary or module: nothing asks for one."""
    classifier = Pieces()
    assert not any(hasattr(classifier, name) for name in ("embedding", "label", "vocabulary", "modules", "state_dict"))
    assert explain(classifier, classifier.encode(["good film"]), "loo", target="predicted").shape == (1, 2)
