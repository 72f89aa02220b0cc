"""The contract is open: a plain class with sub-words and special tokens, every number of it worked out in loops."""

import math

import pytest
import torch
from oracles import ALONE
from pieces import SPECIAL, SUBSTITUTES, Pieces, U, dot, parts
from scipy import stats

import lib
from lib.attribution import explain, explain_all
from lib.attribution.baselines import completeness_gap
from lib.faithfulness import aopc, deletion_curve
from lib.masking import OPERATORS
from lib.show.highlights import Highlight

DOCUMENTS = ["good film ~ a", "bad bad film", "", "~", "a film a good bad a"]
CLASSES = [1, 1, 0, 1, 0]
NORMS = {"sa_l1": abs(U[0]) + abs(U[1]), "sa_l2": math.hypot(*U), "sa_linf": max(U), "sa_raw": sum(U)}


@pytest.fixture(scope="module")
def classifier():
    return Pieces()


@pytest.fixture(scope="module")
def batch(classifier):
    return classifier.encode(DOCUMENTS, CLASSES)


def sums(document: str) -> list[list[float]]:
    return parts(document.split())


def whole(document: str, without=(), operator: str = "zero") -> float:
    """S of a document; the pieces of the words in ``without`` are substituted, or gone."""
    substitute = 0.0 if operator == "delete" else dot(SUBSTITUTES[operator])
    return SPECIAL + sum(substitute if word in without else piece
                         for word, pieces in enumerate(sums(document)) for piece in pieces)


def probability(S: float, label: int) -> float:
    yes = 1 / (1 + math.exp(-S * S / 4))
    return yes if label else 1 - yes


def loss(S: float, label: int) -> float:
    return -math.log(probability(S, label))


def slope(S: float, label: int) -> float:
    """dl/dS: (p_yes - y) dz/dS with z = S^2 / 4."""
    return (probability(S, 1) - label) * S / 2


def check(scores: torch.Tensor, expected) -> None:
    """``expected(document, label, word)`` is the score of a word that has a token; the rest is zero."""
    table = torch.zeros_like(scores)
    for row, (document, label) in enumerate(zip(DOCUMENTS, CLASSES, strict=True)):
        for word, pieces in enumerate(sums(document)):
            table[row, word] = expected(document, label, word) if pieces else 0.0
    torch.testing.assert_close(scores, table, atol=1e-12, rtol=0)


def test_gradient_methods(classifier, batch):
    def gradient(document, label):
        return slope(whole(document), label)
    check(explain(classifier, batch, "gi"), lambda d, y, w: gradient(d, y) * sum(sums(d)[w]))
    check(explain(classifier, batch, "signed_gi"), lambda d, y, w: -gradient(d, y) * sum(sums(d)[w]))
    check(explain(classifier, batch, "signed_gi", of="logit", target=1), lambda d, y, w: whole(d) / 2 * sum(sums(d)[w]))
    for key, norm in NORMS.items():  # each piece has its own gradient; the word's score is the sum over its pieces
        sign = (lambda g: g) if key == "sa_raw" else abs
        check(explain(classifier, batch, key),
              lambda d, y, w, norm=norm, sign=sign: sign(gradient(d, y)) * norm * len(sums(d)[w]))


@pytest.mark.parametrize("operator", OPERATORS)
def test_leave_one_out(classifier, batch, operator):
    check(explain(classifier, batch, "loo", operator=operator),
          lambda d, y, w: loss(whole(d, {w}, operator), y) - loss(whole(d), y))


def test_integrated_gradients(classifier, batch):
    """Of the logit S^2 / 4: from SPECIAL to S the mean slope is (SPECIAL + S) / 4, and a midpoint finds it exactly."""
    scores = explain(classifier, batch, "ig", of="logit", target=1, points=3)
    check(scores, lambda d, y, w: (SPECIAL + whole(d)) / 4 * sum(sums(d)[w]))
    gap = completeness_gap(classifier, batch, scores, of="logit", target=1)
    torch.testing.assert_close(gap, torch.zeros(5, dtype=torch.float64), atol=1e-12, rtol=0)


def test_sequential_integrated_gradients(classifier, batch):
    """All pieces of a word move together: of the logit S^2 / 4 a word gets what it changes, exactly."""
    for baseline in ("zero", "mask"):
        scores = explain(classifier, batch, "sig", of="logit", target=1, points=1, baseline=baseline)
        check(scores, lambda d, y, w, baseline=baseline: (whole(d) ** 2 - whole(d, {w}, baseline) ** 2) / 4)
        gap = completeness_gap(classifier, batch, scores, baseline, of="logit", target=1, per_word=True)
        torch.testing.assert_close(gap, torch.zeros_like(scores), atol=1e-12, rtol=0)


@pytest.mark.parametrize("method", ["dig_greedy", "dig_maxcount", "udig_greedy", "udig_maxcount"])
def test_paths_through_pieces(classifier, batch, method):
    """Special tokens stay where they are, whatever is walked: the trapezoid is exact for a square on a fine path."""
    scores = explain(classifier, batch, method, of="logit", target=1, steps=3, rule="trapezoid")
    gap = completeness_gap(classifier, batch, scores, of="logit", target=1)
    torch.testing.assert_close(gap, torch.zeros(5, dtype=torch.float64), atol=1e-12, rtol=0)
    good, film = lib.attribution.paths.anchors(classifier, batch, method, steps=3)[0][:2]
    assert good[0] == "go" and film[0] == "od" and not {"[CLS]", "[SEP]", "[PAD]"} & {*good, *film}


def test_smoothing_disturbs_words_only(classifier, batch):
    """The gradient of S^2 / 4 is linear in the embeddings, so noise that cancels out would leave it as it is."""
    copies = lib.attribution.smoothing.noisy_copies(batch, classifier.embed(batch), 400, 0.5, 0)
    moved = torch.stack([copy - classifier.embed(batch) for copy in copies])
    assert not moved[:, batch.word_of < 0].any()
    for row in range(5):
        own = classifier.embed(batch)[row, batch.word_of[row] >= 0]
        if own.numel():
            sd = moved[:, row, batch.word_of[row] >= 0].std()
            assert sd.item() == pytest.approx(0.5 * own.std(correction=0).item(), rel=0.1)


def test_random_scores_number_the_words_that_have_one(classifier, batch):
    scores = explain(classifier, batch, "random")
    for row, document in enumerate(DOCUMENTS):
        scored = [word for word, pieces in enumerate(sums(document)) if pieces]
        assert sorted(scores[row, scored].tolist()) == list(range(1, len(scored) + 1))
        assert scores[row].count_nonzero() == len(scored)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("method", ["signed_gi", "loo", "sa_l2"])
def test_aopc(classifier, batch, method, operator):
    scores = explain(classifier, batch, method)
    found = aopc(classifier, batch, scores, operator=operator, ties="first")
    assert found.shape == (5, 7), "K counts the words of the longest document, not its tokens"
    for row, (document, label) in enumerate(zip(DOCUMENTS, CLASSES, strict=True)):
        scored = [word for word, pieces in enumerate(sums(document)) if pieces]
        order = sorted(scored, key=lambda word: -scores[row, word].item())
        total = 0.0
        for k in range(7):
            p = probability(whole(document, set(order[:k]), operator), label)
            total += probability(whole(document), label) - p
            assert found[row, k].item() == pytest.approx(total / (k + 1), abs=1e-12)


def test_rho(classifier, batch):
    scores = explain_all(classifier, batch, ["signed_gi", "loo"])
    rho, p = lib.agreement.pearson(scores["signed_gi"], scores["loo"], batch.word_mask)
    for row, document in enumerate(DOCUMENTS):
        scored = [word for word, pieces in enumerate(sums(document)) if pieces]
        if len(scored) < 3:
            assert rho[row].isnan() and p[row].isnan()
        else:
            expected = stats.pearsonr(scores["signed_gi"][row, scored], scores["loo"][row, scored])
            assert (rho[row].item(), p[row].item()) == pytest.approx(tuple(expected))


def test_greedy_deletion(classifier, batch):
    found = lib.diagnostics.greedy(classifier, batch, 2)
    for row, (document, label) in enumerate(zip(DOCUMENTS, CLASSES, strict=True)):
        gone, expected = set(), [0.0] * len(sums(document))
        for step in range(2):
            left = [w for w, pieces in enumerate(sums(document)) if pieces and w not in gone]
            if left:
                best = max(left, key=lambda w: loss(whole(document, gone | {w}), label))
                expected[best] = 2.0 - step
                gone |= {best}
        assert found[row, :len(expected)].tolist() == expected


def test_every_method_is_the_same_alone_and_in_company(classifier, batch):
    together = explain_all(classifier, batch, ALONE)
    for row, document in enumerate(DOCUMENTS):
        alone = explain_all(classifier, classifier.encode([document], [CLASSES[row]]), ALONE)
        for key, scores in alone.items():
            same = together[key][row, :scores.shape[1]].double()
            torch.testing.assert_close(same, scores[0].double(), atol=1e-12, rtol=0)
            assert not together[key][row, scores.shape[1]:].any()
        taken = explain_all(classifier, batch.take([row]), ALONE)
        assert all(torch.allclose(taken[key].double(), alone[key].double(), atol=1e-12) for key in ALONE)


def test_words_and_tokens_of_a_batch(batch):
    assert batch.lengths.tolist() == [3, 3, 0, 0, 6]
    values = torch.arange(batch.ids.numel(), dtype=torch.float64).view_as(batch.ids)
    by_loop = torch.zeros(batch.word_mask.shape, dtype=torch.float64)
    for row, place in batch.mask.nonzero().tolist():
        if batch.word_of[row, place] >= 0:
            by_loop[row, batch.word_of[row, place]] += values[row, place]
    assert torch.equal(batch.by_word(values), by_loop)
    assert torch.equal(batch.by_word(torch.stack([values, 2 * values], 2)), torch.stack([by_loop, 2 * by_loop], 2))
    chosen = batch.word_mask.clone()
    chosen[:, 0] = False
    assert torch.equal(batch.by_token(chosen), (batch.word_of > 0) & batch.mask)
    versions = torch.stack([chosen, ~chosen], dim=1)
    assert torch.equal(batch.by_token(versions)[:, 1], batch.word_of == 0)


@pytest.mark.parametrize("rows", [[4, 1], torch.tensor([4, 1]), [False, True, False, False, True], [-1], []])
def test_take(batch, rows):
    taken = batch.take(rows)
    numbers = [1, 4] if len(rows) == 5 else [int(row) for row in rows]
    assert taken.words == [batch.words[row] for row in numbers]
    assert taken.ids.shape == taken.mask.shape == taken.word_of.shape and len(taken.labels) == len(numbers)
    for place, row in enumerate(numbers):
        length = int(batch.mask[row].sum())
        assert torch.equal(taken.ids[place, :length], batch.ids[row, :length]) and not taken.mask[place, length:].any()
        assert torch.equal(taken.word_mask[place], batch.word_mask[row, :taken.word_mask.shape[1]])


@pytest.mark.parametrize("rows", [[5], [-6], [True, False], [0.5], [[0]]])
def test_rows_that_are_not_there(batch, rows):
    with pytest.raises(IndexError):
        batch.take(rows)


def test_pictures_and_the_front_door(classifier, batch):
    scores = explain(classifier, batch, "signed_gi")
    assert "film" in Highlight.of_batch(batch, scores, method="signed_gi")._repr_html_()
    found = lib.explain_text("good film ~ a", classifier)
    assert [word for word, _ in found] == ["good", "film", "~", "a"] and found.label == "yes"
    assert found.scores[0] > found.scores[1] > found.scores[2] == 0
    assert "Pieces" in found._repr_html_()


def test_a_curve_starts_at_the_whole_document(classifier, batch):
    curve = deletion_curve(classifier, batch, explain(classifier, batch, "loo"), K=3)
    expected = [probability(whole(d), y) for d, y in zip(DOCUMENTS, CLASSES, strict=True)]
    assert curve[:, 0].tolist() == pytest.approx(expected)
