"""Classifiers with random weights: padding and batches change nothing; each equals an independent implementation."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import KIND_NAMES, KINDS, QUICK, WORDS, untrained
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from lib.classifiers.base import max_over_words
from lib.text import UNKNOWN_ID

CLASSIFIERS_AT_HAND = dict(zip(KIND_NAMES, (untrained(name, **options) for name, options in KINDS), strict=True))
each_classifier = pytest.mark.parametrize("classifier", CLASSIFIERS_AT_HAND.values(), ids=KIND_NAMES)
documents = st.lists(st.lists(st.sampled_from([*WORDS[2:], "unknown"]), max_size=9), min_size=1, max_size=5)
LENGTHS = [0, 1, 2, 3, 4, 5, 6, 9]


def encoded(classifier, rows):
    return classifier.encode([" ".join(row) for row in rows])


def of_lengths(lengths, dimensions=4, seed=0):
    """Random embeddings, with noise on the padding too, and the mask of documents of these lengths."""
    embeddings = torch.randn(len(lengths), max(1, *lengths), dimensions, dtype=torch.double,
                             generator=torch.Generator().manual_seed(seed))
    return embeddings, torch.arange(embeddings.shape[1]) < torch.tensor(lengths)[:, None]


def same(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-10)


# --- what holds for all of them --------------------------------------------------------------------------------------


@each_classifier
@QUICK
@given(rows=documents)
def test_a_batch_gives_what_its_documents_give_alone(classifier, rows):
    alone = torch.cat([classifier(encoded(classifier, [row])) for row in rows])
    same(classifier(encoded(classifier, rows)), alone)


@each_classifier
@QUICK
@given(rows=documents, extra=st.integers(1, 8), seed=st.integers(0, 99))
def test_neither_more_padding_nor_what_stands_there_changes_a_logit(classifier, rows, extra, seed):
    batch = encoded(classifier, rows)
    embeddings, mask = classifier.embed(batch), nn.functional.pad(batch.mask, (0, extra))
    noise = 100 * torch.randn(len(rows), mask.shape[1], 4, dtype=torch.double,
                              generator=torch.Generator().manual_seed(seed))
    padded = torch.where(mask[..., None], nn.functional.pad(embeddings, (0, 0, 0, extra)), noise)
    same(classifier.logits(padded, mask), classifier(batch))


@each_classifier
@QUICK
@given(rows=documents, data=st.data())
def test_documents_in_another_order_give_logits_in_that_order(classifier, rows, data):
    order = data.draw(st.permutations(range(len(rows))))
    same(classifier(encoded(classifier, [rows[row] for row in order])), classifier(encoded(classifier, rows))[order])


@each_classifier
def test_padding_gets_no_gradient(classifier):
    embeddings, mask = of_lengths(LENGTHS)
    embeddings.requires_grad_(True)
    gradient, = torch.autograd.grad(classifier.logits(embeddings, mask).sum(), embeddings)
    assert not gradient[~mask].any()
    assert gradient[mask].abs().sum() > 0 and torch.isfinite(gradient).all()


@each_classifier
@pytest.mark.parametrize("text", ["", "film", "a film", "\x00", "qux quux quuux", "😀"])
def test_texts_shorter_than_any_filter_give_finite_logits(classifier, text):
    assert torch.isfinite(classifier(classifier.encode([text]))).all()


@each_classifier
def test_all_empty_documents_are_alike(classifier):
    logits = classifier(classifier.encode(["", "", " "]))
    same(logits, logits[:1].expand(3, -1))


@each_classifier
def test_a_class_more_is_a_logit_more(classifier):
    two = untrained(classifier.name, classes=2)
    assert two(two.encode(["a film"])).shape == (1, 2) and classifier(classifier.encode(["a film"])).shape == (1, 3)


@each_classifier
def test_float32_agrees_with_float64(classifier):
    embeddings, mask = of_lengths(LENGTHS)
    single = copy.deepcopy(classifier).float().logits(embeddings.float(), mask)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), classifier.logits(embeddings, mask), rtol=0, atol=1e-5)


@each_classifier
def test_embeddings_are_rows_of_the_table_and_zero_on_padding(classifier):
    batch = classifier.encode(["a film", "qux"])
    table = classifier.embedding.weight
    expected = torch.stack([table[[WORDS.index("a"), WORDS.index("film")]],
                            torch.stack([table[UNKNOWN_ID], torch.zeros(4, dtype=torch.double)])])
    same(classifier.embed(batch), expected)
    same(classifier.substitute("mask"), table[UNKNOWN_ID])


@each_classifier
def test_texts_are_cut_where_the_classifier_was_trained_unless_told_otherwise(classifier):
    text = "film " * 30
    assert classifier.encode([text]).lengths.tolist() == [classifier.max_words] == [20]
    assert classifier.encode([text], max_words=7).lengths.tolist() == [7]


@each_classifier
@pytest.mark.parametrize("label", [-1, 3, 99])
def test_a_label_out_of_range_is_named(classifier, label):
    classes = r"the classes are 0 to 2 \(class 0, class 1, class 2\)\.$"
    with pytest.raises(ValueError, match=rf"Label {label} is out of range: {classes}"):
        classifier.encode(["a", "film"], [0, label])


@each_classifier
@pytest.mark.parametrize("labels", [[2, 0], np.array([2, 0]), torch.tensor([2, 0])], ids=["list", "array", "tensor"])
def test_labels_may_be_a_list_an_array_or_a_tensor(classifier, labels):
    assert classifier.encode(["a", "film"], labels).labels.tolist() == [2, 0]


# --- each against an independent implementation ----------------------------------------------------------------------


def numbers(tensor):
    return tensor.detach().numpy()


def linear(layer, values):
    return numbers(layer.weight) @ values + numbers(layer.bias)


def test_fasttext_is_a_linear_layer_on_the_mean_vector():
    classifier = CLASSIFIERS_AT_HAND["fasttext"]
    embeddings, mask = of_lengths(LENGTHS)
    logits = numbers(classifier.logits(embeddings, mask))
    for row, length in enumerate(LENGTHS):
        mean = numbers(embeddings)[row, :length].mean(axis=0) if length else np.zeros(4)
        np.testing.assert_allclose(logits[row], linear(classifier.output, mean), atol=1e-10)


def window_by_window(classifier, words):
    """TextCNN for one document [m, D], a window and a filter at a time."""
    features = []
    for width, convolution in zip((3, 4, 5), classifier.convolutions, strict=True):
        weight, bias = numbers(convolution.weight), numbers(convolution.bias)  # [filters, D, width], [filters]
        extended = np.vstack([words, np.zeros((max(0, width - len(words)), words.shape[1]))])
        for number in range(len(bias)):
            answers = [bias[number] + sum(weight[number, :, step] @ extended[start + step] for step in range(width))
                       for start in range(len(extended) - width + 1)]
            features.append(max(0.0, *answers))
    return linear(classifier.output, np.array(features))


def test_textcnn_equals_a_loop_over_its_windows():
    classifier = CLASSIFIERS_AT_HAND["textcnn"]
    embeddings, mask = of_lengths(LENGTHS)
    logits = numbers(classifier.logits(embeddings, mask))
    for row, length in enumerate(LENGTHS):
        np.testing.assert_allclose(logits[row], window_by_window(classifier, numbers(embeddings)[row, :length]),
                                   atol=1e-10)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 6])
def test_textcnn_on_a_single_short_document(length):
    classifier = CLASSIFIERS_AT_HAND["textcnn"]
    embeddings, mask = of_lengths([length], seed=length)
    expected = window_by_window(classifier, numbers(embeddings)[0])
    np.testing.assert_allclose(numbers(classifier.logits(embeddings, mask))[0], expected, atol=1e-10)


def bidirectional(classifier):
    """torch's own bidirectional LSTM with the weights of the two that BiLSTM has."""
    lstm = nn.LSTM(4, classifier.forwards.hidden_size, batch_first=True, bidirectional=True).double()
    weights = {name: value for name, value in classifier.forwards.state_dict().items()}
    weights |= {f"{name}_reverse": value for name, value in classifier.backwards.state_dict().items()}
    lstm.load_state_dict(weights)
    return lstm


@pytest.mark.parametrize("readout", ["max", "last"])
def test_bilstm_equals_the_bidirectional_lstm_of_torch_on_packed_sequences(readout):
    classifier = CLASSIFIERS_AT_HAND[f"bilstm-{readout}"]
    lengths = [length for length in LENGTHS if length]  # a packed sequence cannot be empty
    embeddings, mask = of_lengths(lengths)
    states, (last, _) = bidirectional(classifier)(pack_padded_sequence(embeddings, lengths, batch_first=True,
                                                                       enforce_sorted=False))
    highest = pad_packed_sequence(states, batch_first=True, padding_value=-torch.inf)[0].amax(dim=1)
    state = highest if readout == "max" else torch.cat([last[0], last[1]], dim=1)
    same(classifier.logits(embeddings, mask), classifier.output(state))


@pytest.mark.parametrize("name", ["bilstm-max", "bilstm-last"])
def test_bilstm_reads_an_empty_document_as_a_zero_state(name):
    classifier = CLASSIFIERS_AT_HAND[name]
    embeddings, mask = of_lengths([0, 3])
    same(classifier.logits(embeddings, mask)[0], classifier.output.bias)


def test_an_unknown_readout_is_refused():
    with pytest.raises(ValueError, match=r"Unknown readout 'mean': choose one of max, last\.$"):
        untrained("bilstm", readout="mean")


def test_dropout_acts_in_training_only():
    classifier = untrained("textcnn", filters=20)
    batch = classifier.encode(["a fine film , and it was warm"])
    same(classifier(batch), classifier(batch))
    classifier.train()
    assert not torch.equal(classifier(batch), classifier(batch))


# --- the maximum over words ------------------------------------------------------------------------------------------


def test_ties_share_the_gradient():
    values = torch.tensor([[[1.0], [3.0], [3.0], [9.0]], [[3.0], [2.0], [3.0], [3.0]]], requires_grad=True)
    mask = torch.tensor([[True, True, True, False], [True, True, True, False]])
    highest = max_over_words(values, mask)
    highest.sum().backward()
    assert highest.tolist() == [[3.0], [3.0]]
    assert values.grad.squeeze(2).tolist() == [[0, 0.5, 0.5, 0], [0.5, 0, 0.5, 0]]


def test_an_empty_row_has_maximum_zero_and_no_gradient():
    values = torch.tensor([[[5.0], [7.0]], [[-4.0], [-6.0]]], requires_grad=True)
    highest = max_over_words(values, torch.tensor([[False, False], [True, True]]))
    highest.sum().backward()
    assert highest.tolist() == [[0.0], [-4.0]]
    assert values.grad.squeeze(2).tolist() == [[0, 0], [1, 0]]


@QUICK
@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_the_maximum_is_that_of_each_document(lengths, seed):
    values, mask = of_lengths(lengths, seed=seed)
    expected = torch.stack([values[row, :length].max(dim=0).values for row, length in enumerate(lengths)])
    assert torch.equal(max_over_words(values, mask), expected)


@pytest.mark.parametrize("name", ["textcnn", "bilstm-max"])
def test_the_hidden_layer_leads_to_the_logits(name):
    """Its maximum over the words is what the last layer is given."""
    classifier = CLASSIFIERS_AT_HAND[name]
    batch = classifier.encode(["a fine film , and warm !", "dull", "a film"])
    embeddings, states = classifier.hidden(classifier.embed(batch), batch.mask)
    torch.testing.assert_close(embeddings, classifier.embed(batch))
    top = states.masked_fill(~batch.mask[..., None], -torch.inf).amax(dim=1)
    torch.testing.assert_close(classifier.output(top), classifier(batch))
