"""Agreement: correlations against scipy and by their own laws, intervals against scipy and by how often they are right."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from oracles import close, is_one_sentence, properties
from scipy import stats

from lib.agreement import pearson
from lib.intervals import bootstrap, paired_bootstrap

LENGTHS = [12, 3, 7, 40]


def explanations(seed=0, dtype=torch.float64):
    """Two related explanations of four documents, with noise where there are no words."""
    draw = torch.Generator().manual_seed(seed)
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    a, noise = (torch.randn(mask.shape, generator=draw, dtype=dtype) for _ in range(2))
    return a, 0.5 * a + noise, mask


def one(values, other):
    """rho and p of a single document without padding."""
    a, b = torch.tensor([values], dtype=torch.float64), torch.tensor([other], dtype=torch.float64)
    rho, p = pearson(a, b, torch.ones_like(a, dtype=torch.bool))
    return rho.item(), p.item()


# --- correlation --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_equals_scipy_document_by_document(dtype):
    a, b, mask = explanations(dtype=dtype)
    rho, p = pearson(a, b, mask)
    for row, m in enumerate(LENGTHS):
        expected = stats.pearsonr(a[row, :m].double().numpy(), b[row, :m].double().numpy())
        close([rho[row], p[row]], [expected.statistic, expected.pvalue], 1e-12)


def test_by_hand():
    # a = (1, 2, 3), b = (1, 3, 2): deviations (-1, 0, 1) and (-1, 1, 0), so rho = 1 / (sqrt 2 sqrt 2) = 1/2.
    # One degree of freedom: t = (1/2) / sqrt(3/4) = 1/sqrt 3, a Cauchy variable: p = 1 - 2/pi atan(1/sqrt 3) = 2/3.
    close(one([1, 2, 3], [1, 3, 2]), [1 / 2, 2 / 3], 1e-12)


values = st.lists(st.floats(-5, 5, width=32), min_size=4, max_size=12)


@given(a=values, data=st.data(), scale=st.floats(0.01, 100), shift=st.floats(-10, 10))
@properties
def test_scale_and_shift_change_nothing_and_a_sign_turns_it_round(a, data, scale, shift):
    b = data.draw(st.lists(st.floats(-5, 5, width=32), min_size=len(a), max_size=len(a)))
    assume(np.ptp(a) > 1e-2 and np.ptp(b) > 1e-2)
    rho, p = one(a, b)
    assert -1 <= rho <= 1 and 0 <= p <= 1
    close(one([scale * value + shift for value in a], b), [rho, p], 1e-6)
    close(one(a, [-value for value in b]), [-rho, p], 1e-9)
    close(one(b, a), [rho, p], 1e-9)


def test_padding_is_not_read():
    a, b, mask = explanations()
    clean = pearson(a.masked_fill(~mask, 0), b.masked_fill(~mask, 0), mask)
    wild = pearson(a.masked_fill(~mask, math.nan), b.masked_fill(~mask, 1e9), mask)
    assert torch.equal(clean[0], wild[0]) and torch.equal(clean[1], wild[1])


@pytest.mark.parametrize("constant", [[0.0] * 5, [0.3] * 5, [1 + 1e-14, 1, 1, 1, 1], [-7e8] * 4 + [-7e8 - 1e-6]])
def test_undefined_where_an_explanation_is_constant(constant):
    varied = [1.0, 2.0, 4.0, 3.0, 5.0]
    assert np.isnan(one(constant, varied)).all() and np.isnan(one(varied, constant)).all()


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_a_small_but_real_variation_is_not_constant(scale):
    rho, _ = one([scale * value for value in (1, 1 + 1e-9, 1 + 2e-9, 1 + 3e-9)], [1, 2, 3, 4])
    assert rho == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("m, defined", [(0, False), (1, False), (2, False), (3, True)])
def test_three_words_are_needed(m, defined):
    a, b, _ = explanations()
    mask = torch.arange(a.shape[1])[None] < m
    rho, p = pearson(a[:1], b[:1], mask)
    assert rho.shape == (1,) and torch.isnan(rho).item() is not defined and torch.isnan(p).item() is not defined


def test_p_is_a_probability_under_chance():
    # Unrelated explanations: p must be uniform, so that 5 % of documents "agree" at the 5 % level.
    draw = torch.Generator().manual_seed(1)
    a, b = (torch.randn(2000, 10, generator=draw, dtype=torch.float64) for _ in range(2))
    _, p = pearson(a, b, torch.ones(2000, 10, dtype=torch.bool))
    assert stats.kstest(p.numpy(), "uniform").pvalue > 0.01


@pytest.mark.parametrize("cut", [lambda a, b, mask: (a[:, 1:], b, mask), lambda a, b, mask: (a, b[1:], mask), lambda a, b, mask: (a, b, mask[0])])
def test_other_shapes_get_one_clear_sentence(cut):
    with pytest.raises(ValueError, match="Shapes differ") as caught:
        pearson(*cut(*explanations()))
    assert is_one_sentence(caught.value)


# --- bootstrap ----------------------------------------------------------------------------------------------------------


def sample(n=80, seed=0):
    return np.random.default_rng(seed).exponential(size=n)


def test_the_mean_is_the_mean():
    found = bootstrap(sample())
    assert found.mean == pytest.approx(sample().mean(), abs=1e-12)
    assert found.low < found.mean < found.high and found.n == 80 and found.undefined == 0


def test_the_interval_agrees_with_scipy():
    found = bootstrap(sample(), resamples=20_000)
    theirs = stats.bootstrap((sample(),), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1))
    # With 20,000 draws the 2.5 % point of a bell curve is known to 0.019 of its standard deviation; two of them, four times over.
    tolerance = 4 * math.sqrt(2) * 0.019 * theirs.standard_error
    assert found.low == pytest.approx(theirs.confidence_interval.low, abs=tolerance)
    assert found.high == pytest.approx(theirs.confidence_interval.high, abs=tolerance)


def test_documents_without_a_value_are_left_out_and_counted():
    values = sample()
    holes = np.insert(values, [0, 3, 40], math.nan)
    plain, found = bootstrap(values), bootstrap(torch.tensor(holes))
    assert found.n == 80 and found.undefined == 3
    close(found[:3], plain[:3], 1e-12)


def test_a_curve_with_a_hole_is_left_out_whole():
    curves = np.stack([sample(seed=seed) for seed in range(3)], axis=1)
    curves[5, 1] = math.nan
    found = bootstrap(curves)
    assert found.n == 79 and found.undefined == 1
    close(found.mean, np.delete(curves, 5, axis=0).mean(axis=0), 1e-12)


def test_all_points_of_a_curve_share_the_same_documents():
    values = sample()
    curve = bootstrap(np.stack([values, 3 * values + 1], axis=1))
    alone = bootstrap(values)
    close(curve.low, [alone.low, 3 * alone.low + 1], 1e-12)
    close(curve.high, [alone.high, 3 * alone.high + 1], 1e-12)


def test_the_same_seed_gives_the_same_interval_and_leaves_numpy_alone():
    before = np.random.get_state()[1].copy()
    assert bootstrap(sample(), seed=4) == bootstrap(sample(), seed=4)
    assert bootstrap(sample(), seed=4).low != bootstrap(sample(), seed=5).low
    assert (np.random.get_state()[1] == before).all()


def test_one_document_or_equal_documents_have_no_spread():
    for values in ([0.25], [0.25] * 10):
        close(bootstrap(values)[:3], [0.25] * 3, 1e-12)


def test_intervals_hold_the_true_mean_about_95_times_in_100():
    draw = np.random.default_rng(10)
    hits = 0
    for repeat in range(1000):
        found = bootstrap(draw.normal(loc=2.0, size=100), seed=repeat, resamples=300)
        hits += int(found.low <= 2.0 <= found.high)
    # Percentile intervals of 100 values are a touch too narrow (94.4 %); a thousand trials are good for 0.7 % either way.
    assert 0.92 <= hits / 1000 <= 0.97


def test_more_documents_narrow_the_interval_by_their_root():
    few, many = (bootstrap(np.random.default_rng(2).normal(size=n)) for n in (100, 1600))
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(4, rel=0.25)


# --- paired bootstrap ---------------------------------------------------------------------------------------------------


def test_pairs_are_compared_within_documents():
    a = sample()
    b = a - 0.1 + 0.02 * np.random.default_rng(3).normal(size=len(a))
    paired, alone_a, alone_b = paired_bootstrap(a, b), bootstrap(a), bootstrap(b, seed=1)
    assert paired.mean == pytest.approx((a - b).mean(), abs=1e-12) and paired.low > 0
    assert alone_a.low < alone_b.high, "the two intervals overlap, and yet every document prefers a"
    unpaired_width = math.hypot(alone_a.high - alone_a.low, alone_b.high - alone_b.low)
    assert paired.high - paired.low < unpaired_width / 10


def test_the_other_way_round_is_the_mirror_image():
    a, b = sample(seed=1), sample(seed=2)
    there, back = paired_bootstrap(a, b), paired_bootstrap(b, a)
    close([there.mean, there.low, there.high], [-back.mean, -back.high, -back.low], 1e-12)


def test_a_pair_needs_both_values():
    found = paired_bootstrap([1.0, math.nan, 3.0, 4.0], [0.0, 1.0, math.nan, 2.0])
    assert found.mean == pytest.approx(1.5) and (found.n, found.undefined) == (2, 2)


# --- bad input ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nothing", [[], [math.nan, math.nan], np.full((3, 4), math.nan), np.zeros((0, 4))])
def test_nothing_to_average_gets_one_clear_sentence(nothing):
    with pytest.raises(ValueError, match="No document has a defined value") as caught:
        bootstrap(nothing)
    assert is_one_sentence(caught.value)


def test_pairs_of_other_lengths_get_one_clear_sentence():
    with pytest.raises(ValueError, match=r"Shapes differ, \(3,\) and \(2,\)") as caught:
        paired_bootstrap([1, 2, 3], [1, 2])
    assert is_one_sentence(caught.value)
