"""The paper's reasons as measurements: gradients by dimension and position, deletion that looks again, types, ties."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from oracles import LABELS, NETWORKS, TEXTS, LinearBag, Product, close, differs, is_one_sentence, network
from small import PAPER

from lib.attribution import explain, explain_all, input_gradient
from lib.diagnostics import greedy, largest_share, norms_by_distance, norms_by_position
from lib.faithfulness import aopc, ranks
from lib.masking import logits_without
from lib.targets import quantity

NAN = float("nan")


# --- deletion that looks again ---------------------------------------------------------------------------------------


def slow_greedy(classifier, batch, row, steps):
    """LOO of the loss, asked again after each word; every version computed anew."""
    embeddings = classifier.embed(batch)[row, : len(batch.words[row])]
    gone, order = torch.zeros(1, len(embeddings), dtype=torch.bool), []
    for _ in range(min(steps, len(embeddings))):
        losses = []
        for word in range(len(embeddings)):
            without = gone.clone()
            without[0, word] = True
            losses.append(float(quantity(logits_without(classifier, embeddings, without), batch.labels[row: row + 1]))
                          if not gone[0, word] else -1e9)
        order.append(max(range(len(losses)), key=losses.__getitem__))
        gone[0, order[-1]] = True
    return order


@pytest.mark.parametrize("name", NETWORKS)
def test_greedy_is_loo_asked_again_after_each_word(name):
    classifier = network(name)
    texts = ["good bad film plot not dull", "dull film good"]
    batch = classifier.encode(texts, [1, 0])
    scores = greedy(classifier, batch, steps=4)
    for row, words in enumerate(batch.words):
        expected = slow_greedy(classifier, batch, row, 4)
        assert scores[row].argsort(descending=True)[: len(expected)].tolist() == expected
        assert sorted(scores[row].tolist(), reverse=True)[: len(expected)] == [4.0, 3.0, 2.0, 1.0][: len(expected)]
        assert scores[row, len(words):].eq(0).all()


def test_greedy_sees_words_that_cover_for_each_other():
    # z = max over words of e: with "good" gone "fine" takes its place. LOO of both is 0 at first; asked again it is
    # not.
    class Largest(Product):
        def logits(self, embeddings, mask):
            largest = embeddings[..., 0].masked_fill(~mask, 0.0).amax(dim=1)
            return torch.stack([torch.zeros_like(largest), largest], dim=1)

    classifier = Largest()
    batch = classifier.encode(["film plot film plot"], [1])  # two words with 3, two with 0
    assert explain(classifier, batch, "loo").abs().max() == 0
    chosen = greedy(classifier, batch, steps=2, method="signed_gi")
    assert set(chosen[0].nonzero().flatten().tolist()) == {0, 2}


def test_greedy_never_masks_more_than_there_is_and_leaves_the_batch_alone():
    classifier = network("textcnn")
    batch = classifier.encode(TEXTS, LABELS)
    ids = batch.ids.clone()
    scores = greedy(classifier, batch, steps=30)
    assert torch.equal(batch.ids, ids)
    assert scores.gt(0).sum(dim=1).tolist() == batch.lengths.tolist()


def test_greedy_without_steps_is_refused():
    classifier = LinearBag()
    with pytest.raises(ValueError, match="number of steps is 0") as caught:
        greedy(classifier, classifier.encode(["good"], [1]), steps=0)
    assert is_one_sentence(caught.value)


def test_the_first_steps_of_greedy_deletion_are_never_worse_than_loo_at_the_first_word():
    for name, seed in itertools.product(NETWORKS, range(3)):
        classifier = network(name, seed=seed)
        batch = classifier.encode([TEXTS[0], TEXTS[4]], [1, 0])
        one = [aopc(classifier, batch, scores, K=1)[:, 1]
               for scores in (greedy(classifier, batch, 1), explain(classifier, batch, "loo"))]
        close(*one, 1e-12)


# --- dimensions and positions ----------------------------------------------------------------------------------------


def test_largest_share_by_hand():
    gradient = torch.tensor([[[3.0, -1.0], [1.0, 1.0], [9.0, 9.0]], [[0.0, 0.0], [0.0, 5.0], [0.0, 0.0]],
                             [[0.0, 0.0]] * 3])
    mask = torch.tensor([[True, True, False], [True, True, False], [True, True, True]])
    shares = largest_share(gradient, mask)
    close(shares[:2], torch.tensor([(0.75 + 0.5) / 2, 1.0]), 1e-7)
    assert shares[2].isnan()


def test_norms_by_position_by_hand():
    gradient = torch.tensor([[[1.0], [1.0], [2.0], [4.0]], [[5.0], [5.0], [99.0], [99.0]],
                             [[1.0], [0.0], [0.0], [0.0]]])
    mask = torch.tensor([[True] * 4, [True, True, False, False], [True, False, False, False]])
    found = norms_by_position(gradient, mask, bins=2)
    close(found[:2], torch.tensor([[0.5, 1.5], [1.0, 1.0]]), 1e-7)
    assert found[2].isnan().all(), "fewer words than bins"
    assert norms_by_position(torch.zeros(1, 4, 1), mask[:1], bins=2).isnan().all(), "no gradient at all"


def test_every_word_falls_into_one_bin_and_the_bins_differ_by_one_word_at_most():
    for m, bins in itertools.product(range(10, 40), (3, 10)):
        gradient, mask = torch.ones(1, 45, 2), torch.arange(45)[None] < m
        place = (torch.arange(m) * bins // m).bincount(minlength=bins)
        assert place.sum() == m and place.max() - place.min() <= 1
        close(norms_by_position(gradient, mask, bins), torch.ones(1, bins), 1e-6)


def test_norms_by_distance_by_hand():
    gradient = torch.tensor([[[1.0], [1.0], [2.0], [7.0], [1.0]], [[5.0], [5.0], [99.0], [99.0], [99.0]]])
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    found = norms_by_distance(gradient, mask, borders=(1, 2))  # the ends; one word inside; the middle
    mean = 12 / 5
    close(found[0], torch.tensor([1 / mean, 4 / mean, 2 / mean]), 1e-6)
    assert found[1, 0] == 1 and found[1, 1:].isnan().all(), "two words are two ends"


# --- word types ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_by_type_is_the_gradient_of_the_embedding_row(name):
    classifier = network(name)
    classifier = type(classifier)(classifier.vocabulary, classifier.classes, 256, **{
        option: getattr(classifier, option) for option in ("readout",) if hasattr(classifier, option)}).double().eval()
    batch = classifier.encode([TEXTS[4]], [LABELS[4]])
    F.cross_entropy(classifier(batch), batch.labels).backward()
    rows = classifier.embedding.weight.grad[batch.ids[0]]
    close(input_gradient(classifier, batch, by_type=True).values[0], rows, 1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_by_type_reaches_every_gradient_method_alone_and_together(name):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    together = explain_all(classifier, batch, list(PAPER), by_type=True)
    for key in PAPER:
        if key in ("random", "loo"):
            assert torch.equal(together[key], explain(classifier, batch, key)), "it is no option of these"
            continue
        close(together[key], explain(classifier, batch, key, by_type=True), 1e-12)
        assert differs(together[key], explain(classifier, batch, key))
        assert together[key][~batch.mask].eq(0).all()


def test_without_repeated_words_by_type_changes_nothing():
    classifier = network("textcnn")
    batch = classifier.encode(["good fine film plot not dull", "bad"], [1, 0])
    for key in ("signed_gi", "sa_l1"):
        close(explain(classifier, batch, key, by_type=True), explain(classifier, batch, key), 1e-12)


# --- ties in the order of the text -----------------------------------------------------------------------------------


def test_ties_can_be_broken_in_the_order_of_the_text():
    classifier = network("fasttext")
    batch = classifier.encode(["good fine film plot not dull", "bad bad"], [1, 0])
    assert ranks(batch, torch.zeros(batch.mask.shape), ties="first")[0].tolist() == [0, 1, 2, 3, 4, 5]
    scores = torch.tensor([[0.0, 1, 0, 1, 2, 0], [3, 3, 9, 9, 9, 9]])
    assert ranks(batch, scores, ties="first")[0].tolist() == [3, 1, 4, 2, 0, 5]
    sensitivity = explain(classifier, batch, "sa_l2")
    first, random = (aopc(classifier, batch, sensitivity, ties=ties) for ties in ("first", "random"))
    assert differs(first, random)


def test_other_ways_to_break_ties_are_refused():
    classifier = network("fasttext")
    batch = classifier.encode(["good"], [1])
    with pytest.raises(ValueError, match="Unknown way to break ties 'last'") as caught:
        ranks(batch, torch.zeros(1, 1), ties="last")
    assert is_one_sentence(caught.value)
