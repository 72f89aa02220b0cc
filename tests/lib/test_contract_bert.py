"""The contract holds for a transformer: a BERT with random weights, whose pieces are masked by hand."""

from dataclasses import replace

import pytest
import torch
from folders import saved
from oracles import ALONE, close

from lib.agreement import pearson
from lib.attribution import explain, explain_all
from lib.classifiers import pretrained
from lib.diagnostics import greedy
from lib.faithfulness import aopc, deletion_curve
from lib.masking import OPERATORS
from lib.text import Batch

TEXTS = ["The plot is wonderful, but unbelievable!", "films", "", "zzz acting zzz \u200d film",
         "a film but a film . the acting is thin"]
LABELS = [1, 0, 2, 1, 0]
GRADIENTS = ["saliency", "sa_raw", "sa_l1", "sa_l2", "sa_linf", "gi", "signed_gi"]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """In float64, so that equal means equal to 1e-9."""
    return pretrained(saved(tmp_path_factory.mktemp("models") / "bert", "bert")).double()


@pytest.fixture(scope="module")
def batch(classifier):
    return classifier.encode(TEXTS, LABELS)


def without(classifier, text: str, words: list[int], operator: str) -> torch.Tensor:
    """Logits [C] of a text without some of its words: every piece of theirs is replaced, or left out, by hand."""
    batch = classifier.encode([text])
    table = classifier.model.bert.embeddings.word_embeddings.weight
    stand_in = {"zero": torch.zeros(8), "mask": table[classifier.tokenizer.mask_token_id]}
    rows = []
    for token, word in zip(batch.ids[0].tolist(), batch.word_of[0].tolist(), strict=True):
        if word not in words:
            rows.append(table[token])
        elif operator != "delete":
            rows.append(stand_in[operator].double())
    with torch.no_grad():
        return classifier.model(inputs_embeds=torch.stack(rows)[None]).logits[0]


def widened(batch: Batch, extra: int) -> Batch:
    """The same documents with more padding, and other token numbers where there is none."""
    ids, word_of = (torch.nn.functional.pad(values, (0, extra), value=value) for values, value in
                    ((batch.ids, 7), (batch.word_of, -1)))
    mask = torch.nn.functional.pad(batch.mask, (0, extra))
    return replace(batch, ids=ids, mask=mask, word_of=word_of)


def test_the_documents_have_all_that_sub_words_bring(batch):
    assert batch.words[0] == ["The", "plot", "is", "wonderful", ",", "but", "unbelievable", "!"]
    assert batch.word_of[0].tolist() == [-1, 0, 1, 2, 3, 3, 3, 4, 5, 6, 6, 6, 7, -1]
    assert batch.word_mask[3].tolist()[:5] == [True, True, True, False, True]
    assert batch.lengths.tolist() == [8, 1, 0, 4, 10]


@pytest.mark.parametrize("method", [*ALONE, "ca_lig"])
def test_special_tokens_padding_and_words_without_pieces_never_get_a_score(method, classifier, batch):
    scores = explain(classifier, batch, method)
    assert scores.shape == batch.word_mask.shape == (5, 10)
    assert not scores[~batch.word_mask].any()
    if method == "sa_raw":
        assert scores.abs().max() < 1e-15, "LayerNorm ignores what all dimensions have in common: the slopes cancel out"
    else:
        assert (scores[batch.word_mask].abs() > 1e-9).all()


@pytest.mark.parametrize("method", GRADIENTS)
def test_a_words_score_is_the_sum_over_its_pieces(method, classifier, batch):
    """With a gradient that torch computes for the model itself, of the loss of the gold class."""
    embeddings = classifier.embed(batch).detach().requires_grad_(True)
    logits = classifier.model(inputs_embeds=embeddings, attention_mask=batch.mask.long()).logits
    loss = torch.nn.functional.cross_entropy(logits, batch.labels, reduction="sum")
    gradient, = torch.autograd.grad(loss, embeddings)
    embeddings = embeddings.detach()
    length = gradient.pow(2).sum(-1).sqrt()
    of_a_piece = {"sa_raw": gradient.sum(-1), "sa_l1": gradient.abs().sum(-1), "sa_l2": length, "saliency": length,
                  "sa_linf": gradient.abs().amax(-1), "gi": (gradient * embeddings).sum(-1),
                  "signed_gi": -(gradient * embeddings).sum(-1)}
    for row, words in enumerate(batch.words):
        expected = [of_a_piece[method][row, batch.word_of[row] == word].sum().item() for word in range(len(words))]
        close(explain(classifier, batch, method)[row, : len(words)], expected, 1e-9)


@pytest.mark.parametrize("operator", OPERATORS)
def test_loo_masks_all_pieces_of_a_word_together(operator, classifier, batch):
    scores = explain(classifier, batch, "loo", operator=operator)
    for row, text in enumerate(TEXTS):
        loss = -without(classifier, text, [], operator).log_softmax(0)[LABELS[row]]
        expected = [-without(classifier, text, [word], operator).log_softmax(0)[LABELS[row]] - loss
                    for word in range(len(batch.words[row]))]
        close(scores[row, : len(expected)], torch.tensor(expected, dtype=torch.float64), 1e-9)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("method", ["signed_gi", "loo", "random"])
def test_the_curve_masks_words_from_the_highest_score(method, operator, classifier, batch):
    scores = explain(classifier, batch, method)
    curve, area = (measure(classifier, batch, scores, operator=operator) for measure in (deletion_curve, aopc))
    assert curve.shape == area.shape == (5, 11), "K is the longest document in words, not in pieces"
    for row, text in enumerate(TEXTS):
        read = batch.word_mask[row].nonzero().flatten().tolist()
        order = sorted(read, key=lambda word, row=row: -float(scores[row, word]))
        versions = [without(classifier, text, order[:k], operator) for k in range(11)]
        expected = torch.stack(versions).softmax(1)[:, LABELS[row]]
        close(curve[row], expected, 1e-9)
        close(area[row], [(expected[0] - expected[: K + 1]).sum() / (K + 1) for K in range(11)], 1e-9)


def test_rho_counts_words(classifier, batch):
    found = explain_all(classifier, batch, ["signed_gi", "loo"])
    rho, p = pearson(found["signed_gi"], found["loo"], batch.word_mask)
    assert rho.isnan().tolist() == [False, True, True, False, False]
    read = batch.word_mask[3]
    pair = torch.stack([found[key][3, read] for key in ("signed_gi", "loo")])
    assert pair.shape == (2, 4)
    close(rho[3], torch.corrcoef(pair)[0, 1], 1e-9)


@pytest.mark.parametrize("method", [*ALONE, "ca_lig"])
def test_padding_and_batching_change_nothing(method, classifier, batch):
    together = explain(classifier, batch, method)
    padded = explain(classifier, widened(batch, 6), method)
    few_at_a_time = explain(classifier, batch, method, words_per_pass=20)
    close(padded, together, 1e-9)
    close(few_at_a_time, together, 1e-9)
    for row, text in enumerate(TEXTS):
        alone = explain(classifier, classifier.encode([text], [LABELS[row]]), method)[0]
        close(alone, together[row, : len(alone)], 1e-9)


@pytest.mark.parametrize("operator", OPERATORS)
def test_padding_and_batching_do_not_change_a_curve(operator, classifier, batch):
    scores = explain(classifier, batch, "signed_gi")
    together = aopc(classifier, batch, scores, operator=operator)
    close(aopc(classifier, widened(batch, 6), scores, operator=operator), together, 1e-9)
    close(aopc(classifier, batch, scores, operator=operator, words_per_pass=20), together, 1e-9)
    rows = [4, 0]
    close(aopc(classifier, batch.take(rows), scores[rows], operator=operator, K=10), together[rows], 1e-9)


def test_a_deletion_that_looks_again_takes_words(classifier, batch):
    scores = greedy(classifier, batch, 2)
    loo = explain(classifier, batch, "loo")
    largest = [sorted(row.tolist(), reverse=True)[:3] for row in scores]
    assert largest == [[2, 1, 0], [2, 0, 0], [0, 0, 0], [2, 1, 0], [2, 1, 0]]
    first = loo.masked_fill(~batch.word_mask, -torch.inf).argmax(dim=1)
    assert all(scores[row, first[row]] == 2 for row in (0, 1, 3, 4))


def test_dropout_that_is_on_is_refused(tmp_path):
    classifier = pretrained(saved(tmp_path, "bert"))
    batch = classifier.encode(TEXTS, LABELS)
    classifier.model.dropout.train()
    with pytest.raises(ValueError, match="is in training mode, or a part of it is"):
        explain(classifier, batch, "loo")
