"""Faithfulness: AOPC against a slow loop and by hand on small oracles; ties, short documents and padding."""

import copy
import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import (
    LABELS,
    NETWORKS,
    TEXTS,
    Averaging,
    LinearBag,
    Saturating,
    batches,
    close,
    is_one_sentence,
    network,
    properties,
    widened,
)
from pieces import SPECIAL, SUBSTITUTES, Pieces, dot, parts
from scipy.stats import chisquare

from lib.attribution import explain
from lib.faithfulness import aopc, comprehensiveness, deletion_curve, log_odds, ranks, sufficiency
from lib.masking import OPERATORS
from lib.targets import target_classes


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


def untied_scores(batch, seed=0):
    """Normal random numbers, other ones on padding than zero: nothing there may matter."""
    return torch.randn(batch.mask.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# --- the slow loop ---------------------------------------------------------------------------------------------------


def slow_probability(classifier, vectors, y):
    width = classifier.embedding.embedding_dim
    rows = np.array(vectors) if vectors else np.zeros((1, width))
    there = torch.full((1, len(rows)), bool(vectors))
    z = classifier.logits(torch.tensor(rows)[None], there)[0].detach().numpy()
    return math.exp(z[y]) / sum(math.exp(value) for value in z)


def slow_aopc(classifier, words, scores, y, K, operator):
    """Equation 8 word by word, one document, one k at a time; shares nothing with the library but ``logits``."""
    table = classifier.embedding.weight.detach().numpy()
    vectors = [table[classifier.vocabulary[word]] for word in words]
    best_first = sorted(range(len(words)), key=lambda i: -float(scores[i]))
    total, averages = 0.0, []
    for k in range(K + 1):
        gone = set(best_first[:k])
        if operator == "delete":
            left = [vector for i, vector in enumerate(vectors) if i not in gone]
        else:
            substitute = np.zeros_like(table[0]) if operator == "zero" else table[0]
            left = [substitute if i in gone else vector for i, vector in enumerate(vectors)]
        total += slow_probability(classifier, vectors, y) - slow_probability(classifier, left, y)
        averages.append(total / (k + 1))
    return averages


@pytest.mark.parametrize("K", [None, 0, 3, 12])
@pytest.mark.parametrize("operator", OPERATORS)
def test_aopc_equals_the_slow_loop(name, operator, K):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    scores = untied_scores(batch)
    found = aopc(classifier, batch, scores, K=K, operator=operator)
    longest = 9 if K is None else K
    assert found.shape == (len(TEXTS), longest + 1)
    for row, words in enumerate(batch.words):
        close(found[row], slow_aopc(classifier, words, scores[row], LABELS[row], longest, operator))


@pytest.mark.parametrize("target", ["predicted", 0, 2])
def test_the_class_is_chosen_on_the_whole_document_and_kept(name, target):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    scores = untied_scores(batch)
    classes = target_classes(classifier, batch, target).tolist()
    found = aopc(classifier, batch, scores, target=target)
    for row, words in enumerate(batch.words):
        close(found[row], slow_aopc(classifier, words, scores[row], classes[row], 9, "zero"))


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_aopc_by_hand():
    # LinearBag, three classes, "good film", class 1: p = 1/2, without good 1/5, without both 1/3.
    # Sums of drops 0, 3/10, 3/10 + 1/6 = 7/15, divided by 1, 2, 3. The other way round p = 1/2, 2/3, 1/3: drops 0,
    # -1/6, 0.
    classifier = LinearBag()
    batch = classifier.encode(["good film"], [1])
    close(deletion_curve(classifier, batch, torch.tensor([[2.0, 1.0]])), [[1 / 2, 1 / 5, 1 / 3]], 1e-12)
    close(aopc(classifier, batch, torch.tensor([[2.0, 1.0]])), [[0, 3 / 20, 7 / 45]], 1e-12)
    close(aopc(classifier, batch, torch.tensor([[1.0, 2.0]])), [[0, -1 / 12, 0]], 1e-12)


@pytest.mark.parametrize("operator, without_film, without_good, without_both", [
    ("zero", 4 / 5, 1 / 2, 1 / 2), ("delete", 16 / 17, 1 / 2, 1 / 2), ("mask", 8 / 9, 2 / 3, 4 / 5)])
def test_the_three_operators_by_hand_on_an_average(operator, without_film, without_good, without_both):
    # Averaging, "good film", p = 4/5; see oracles.py. Zeroing still divides by two words, deleting by one.
    # Both masked: margin (ln 4 + ln 4)/2 = ln 4.
    classifier = Averaging()
    batch = classifier.encode(["good film"], [1])
    for scores, first in (([[1.0, 2.0]], without_film), ([[2.0, 1.0]], without_good)):
        curve = deletion_curve(classifier, batch, torch.tensor(scores), operator=operator)
        close(curve, [[4 / 5, first, without_both]], 1e-12)


def test_on_a_sum_zeroing_is_deleting():
    # LinearBag adds word vectors: a zero adds nothing. Its unknown vector is zero as well.
    classifier = LinearBag()
    batch = classifier.encode(["good film plot bad", "plot plot"], [1, 2])
    curves = [deletion_curve(classifier, batch, untied_scores(batch), operator=operator) for operator in OPERATORS]
    close(curves[1], curves[0], 1e-12)
    close(curves[2], curves[0], 1e-12)


def test_loo_of_a_probability_makes_the_largest_first_step(name):
    # By definition no single word, zeroed, lowers the probability more than the one LOO ranks first.
    classifier = network(name)
    labels = [label for text, label in zip(TEXTS, LABELS, strict=True) if text]
    batch = classifier.encode([text for text in TEXTS if text], labels)
    best = aopc(classifier, batch, explain(classifier, batch, "loo"), K=1)[:, 1]
    for seed in range(10):
        assert (aopc(classifier, batch, untied_scores(batch, seed), K=1)[:, 1] <= best + 1e-12).all()


# --- exact rules -----------------------------------------------------------------------------------------------------


def test_saturated_words_cost_nothing_until_the_last_of_them():
    # "good good fine" = 2.2 > 1, "good fine" = 1.4 > 1: no drop at k = 1; then 0.6 and nothing.
    classifier = Saturating()
    curve = deletion_curve(classifier, classifier.encode(["good good fine"], [1]), torch.tensor([[3.0, 2.0, 1.0]]))
    p = [1 / (1 + math.exp(-z)) for z in (1, 1, 0.6, 0)]
    close(curve, [p], 1e-12)


@pytest.mark.parametrize("operator", OPERATORS)
def test_short_documents_stay_at_their_fully_masked_value(name, operator):
    classifier = network(name)
    batch = classifier.encode(["good film", TEXTS[4]], [1, 0])
    curve = deletion_curve(classifier, batch, untied_scores(batch), K=15, operator=operator)
    assert (curve[0, 2:] == curve[0, 2]).all() and (curve[1, 9:] == curve[1, 9]).all()
    assert curve[0, 2] != curve[0, 1] and curve[1, 9] != curve[1, 8]


def test_empty_documents_have_a_flat_curve(name):
    classifier = network(name)
    batch = classifier.encode(["", "good film"], [0, 1])
    curve = deletion_curve(classifier, batch, untied_scores(batch))
    close(curve[0], classifier(batch).softmax(dim=1)[0, 0].detach().expand(3))
    assert (aopc(classifier, batch, untied_scores(batch))[0] == 0).all()
    assert aopc(classifier, classifier.encode([""], [0]), torch.zeros(1, 1)).tolist() == [[0.0]]


@pytest.mark.parametrize("operator", OPERATORS)
def test_the_term_of_no_masked_word_is_exactly_zero(name, operator):
    classifier = network(name, dtype=torch.float32)
    batch = classifier.encode(TEXTS, LABELS)
    assert (aopc(classifier, batch, untied_scores(batch), operator=operator)[:, 0] == 0).all()


@pytest.mark.parametrize("name", NETWORKS)
@given(texts=batches, extra=st.integers(0, 4), operator=st.sampled_from(OPERATORS))
@properties
def test_neither_batch_nor_padding_changes_a_document(name, texts, extra, operator):
    classifier = network(name)
    batch = widened(classifier.encode(texts), extra)
    scores = untied_scores(batch).round()  # with ties
    together = aopc(classifier, batch, scores, K=6, operator=operator, target="predicted")
    assert (together.abs() <= 1).all()
    for row in range(len(texts)):
        alone = batch.take([row])
        one = aopc(classifier, alone, scores[[row], : alone.mask.shape[1]], K=6, operator=operator, target="predicted")
        close(together[[row]], one)


# --- ranks and ties --------------------------------------------------------------------------------------------------


def test_the_highest_score_has_rank_zero_and_padding_comes_last():
    batch = network("fasttext").encode(["good film plot", "bad"])
    found = ranks(batch, torch.tensor([[0.5, -1.0, 2.0], [0.0, 9.0, 9.0]]))
    assert found.tolist() == [[1, 2, 0], [0, 1, 2]]


@given(texts=batches, seed=st.integers(0, 99))
@properties
def test_ranks_number_the_words_and_follow_the_scores(texts, seed):
    batch = network("fasttext").encode(texts)
    scores = untied_scores(batch, seed).round()
    for row, words in enumerate(batch.words):
        order = ranks(batch, scores, seed)[row]
        assert sorted(order.tolist()) == list(range(batch.mask.shape[1]))
        assert sorted(order[: len(words)].tolist()) == list(range(len(words)))
        by_rank = scores[row, : len(words)][order[: len(words)].argsort()]
        assert (by_rank[:-1] >= by_rank[1:]).all()


def test_every_order_of_tied_words_is_equally_likely():
    batch = network("fasttext").encode(["good film plot"])
    counts = Counter(tuple(ranks(batch, torch.zeros(1, 3), seed)[0].tolist()) for seed in range(1200))
    assert len(counts) == 6
    assert chisquare(list(counts.values())).pvalue > 0.01


def test_ties_are_broken_only_among_equals():
    batch = network("fasttext").encode(["good film plot bad"])
    orders = {tuple(ranks(batch, torch.tensor([[1.0, 5.0, 1.0, 0.0]]), seed)[0].tolist()) for seed in range(30)}
    assert orders == {(1, 0, 2, 3), (2, 0, 1, 3)}


def test_ties_depend_on_document_and_seed_only():
    classifier = network("fasttext")
    batch = classifier.encode([TEXTS[4], TEXTS[0], TEXTS[4]])
    tied = torch.zeros(batch.mask.shape)
    first = ranks(batch, tied, seed=3)
    torch.rand(5)
    assert torch.equal(first, ranks(batch, tied, seed=3)) and torch.equal(first[0], first[2])
    assert torch.equal(first[1, :6], ranks(classifier.encode([TEXTS[0]]), torch.zeros(1, 6), seed=3)[0])
    assert not torch.equal(first, ranks(batch, tied, seed=4))


def test_documents_of_one_length_have_orders_of_their_own():
    batch = network("fasttext").encode(["good film plot dull bad", "not a fine film plot"])
    found = [ranks(batch, torch.zeros(2, 5), seed) for seed in range(20)]
    assert sum(torch.equal(first, second) for first, second in found) <= 2


def test_ties_do_not_repeat_the_random_scores():
    # Both shuffle m words; drawn from one generator, the tied order would be Random's own permutation.
    classifier = network("fasttext")
    batch = classifier.encode([TEXTS[4]])
    for seed in range(20):
        tied = ranks(batch, torch.zeros(batch.mask.shape), seed)[0]
        assert not torch.equal(tied.argsort(), explain(classifier, batch, "random", seed=seed)[0].long() - 1)


def test_the_global_random_state_is_untouched():
    classifier = network("textcnn")
    batch = classifier.encode(TEXTS, LABELS)
    before = torch.get_rng_state()
    aopc(classifier, batch, torch.zeros(batch.mask.shape))
    assert torch.equal(before, torch.get_rng_state())


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options, says", [
    ({"operator": "swap"}, "Unknown masking operator 'swap'.*zero, delete, mask"),
    ({"K": -1}, "K is -1"),
    ({"target": "wrong"}, "Unknown target 'wrong'"),
    ({"target": 3}, "Class 3 is out of range"),
])
def test_wrong_options_get_one_clear_sentence(options, says):
    classifier = network("fasttext")
    batch = classifier.encode(TEXTS, LABELS)
    with pytest.raises(ValueError, match=says) as caught:
        aopc(classifier, batch, untied_scores(batch), **options)
    assert is_one_sentence(caught.value)


@pytest.mark.parametrize("spoil, says", [
    (lambda scores: scores[:, :-1], r"shape \[6, 8\], the batch \[6, 9\]"),
    (lambda scores: scores[0], "shape"),
    (lambda scores: scores.index_fill(1, torch.tensor([0]), math.nan), "not finite"),
    (lambda scores: scores.index_fill(1, torch.tensor([0]), math.inf), "not finite"),
])
def test_wrong_scores_get_one_clear_sentence(spoil, says):
    classifier = network("fasttext")
    batch = classifier.encode(TEXTS, LABELS)
    for measure in (lambda scores: ranks(batch, scores), lambda scores: aopc(classifier, batch, scores)):
        with pytest.raises(ValueError, match=says) as caught:
            measure(spoil(untied_scores(batch)))
        assert is_one_sentence(caught.value)


def test_a_broken_embedding_is_reported_with_its_document(name):
    classifier = copy.deepcopy(network(name))
    with torch.no_grad():
        classifier.embedding.weight[classifier.vocabulary["bad"], 2] = math.nan
    batch = classifier.encode(["good film", "a bad film"], [0, 1])
    with pytest.raises(ValueError, match="not finite numbers for document 1") as caught:
        aopc(classifier, batch, explain(classifier, batch, "random"))
    assert is_one_sentence(caught.value)


def test_missing_gold_labels_get_one_clear_sentence():
    classifier = network("fasttext")
    batch = classifier.encode(TEXTS)
    with pytest.raises(ValueError, match="no gold labels"):
        aopc(classifier, batch, untied_scores(batch))


# --- shares of the words ----------------------------------------------------------------------------------------------


def test_comprehensiveness_and_sufficiency_by_hand():
    # As in test_aopc_by_hand: p = 1/2, without good 1/5, without film 2/3, without both 1/3. A third of two words is
    # one word at least; all of them are both.
    classifier = LinearBag()
    batch = classifier.encode(["good film"], [1])
    scores = torch.tensor([[2.0, 1.0]])
    close(comprehensiveness(classifier, batch, scores, (1 / 3, 1.0)), [[1 / 2 - 1 / 5, 1 / 2 - 1 / 3]], 1e-12)
    close(sufficiency(classifier, batch, scores, (1 / 3, 1.0)), [[1 / 2 - 2 / 3, 0]], 1e-12)


def test_log_odds_by_hand():
    classifier = LinearBag()
    batch = classifier.encode(["good film"], [1])
    scores = torch.tensor([[2.0, 1.0]])
    close(log_odds(classifier, batch, scores, (0.2, 1.0), "zero"), [[math.log(2 / 5), math.log(2 / 3)]], 1e-12)
    assert log_odds(classifier, batch, scores).shape == (1, 1)


def test_the_published_convention_counts_tokens_deletes_and_drops_special_ones():
    """Seven tokens of three words: a fifth of them is one word, a tenth none. S and p as in tests/lib/pieces.py."""
    classifier = Pieces()
    batch = classifier.encode(["good film a"], [1])
    (go, od), (fi, lm), (a,) = parts(["good", "film", "a"])
    scores = torch.tensor([[1.0, 2.0, 0.0]])  # film first

    def p(S):
        return 1 / (1 + math.exp(-S * S / 4))

    whole = p(SPECIAL + go + od + fi + lm + a)
    how = {"shares": (0.1, 0.2), "convention": "published"}
    close(comprehensiveness(classifier, batch, scores, **how), [[0, whole - p(SPECIAL + go + od + a)]], 1e-12)
    close(sufficiency(classifier, batch, scores, **how), [[0, whole - p(fi + lm)]], 1e-12)
    masked = p(SPECIAL + go + od + a + 2 * dot(SUBSTITUTES["mask"]))
    close(log_odds(classifier, batch, scores, **how), [[0, math.log(masked / whole)]], 1e-12)
    close(log_odds(classifier, batch, scores, (0.1,)), [[math.log(masked / whole)]], 1e-12)
    with pytest.raises(ValueError, match="Unknown convention 'ours'"):
        sufficiency(classifier, batch, scores, convention="ours")


@pytest.mark.parametrize("operator", OPERATORS)
def test_comprehensiveness_is_the_drop_of_the_deletion_curve(name, operator):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    scores = untied_scores(batch)
    curve = deletion_curve(classifier, batch, scores, operator=operator)
    for words_per_pass in (None, 1):
        found = comprehensiveness(classifier, batch, scores, (0.2, 0.5), operator, words_per_pass=words_per_pass)
        for row, m in enumerate(batch.lengths.tolist()):
            close(found[row], torch.stack([curve[row, 0] - curve[row, max(1, int(share * m))]
                                           for share in (0.2, 0.5)]), 1e-10)


def test_to_keep_the_best_words_is_to_mask_the_worst(name):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    scores = untied_scores(batch)
    curve = deletion_curve(classifier, batch, -scores)
    found = sufficiency(classifier, batch, scores, (0.5,))
    for row, m in enumerate(batch.lengths.tolist()):
        close(found[row, 0], curve[row, 0] - curve[row, m - max(1, m // 2) if m else 0], 1e-10)


def test_a_share_must_be_a_share():
    classifier = LinearBag()
    batch = classifier.encode(["good film"], [1])
    for shares in ((0.0,), (1.5,)):
        with pytest.raises(ValueError, match="above 0 and at most 1") as caught:
            sufficiency(classifier, batch, torch.zeros(1, 2), shares)
        assert is_one_sentence(caught.value)
