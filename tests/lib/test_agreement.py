"""Agreement: correlations against scipy and by their own laws."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from oracles import close, is_one_sentence, properties
from scipy import stats

from lib.agreement import pearson, same_sign

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


# --- correlation ----------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("cut", [lambda a, b, mask: (a[:, 1:], b, mask), lambda a, b, mask: (a, b[1:], mask),
                                 lambda a, b, mask: (a, b, mask[0])])
def test_other_shapes_get_one_clear_sentence(cut):
    with pytest.raises(ValueError, match="Shapes differ") as caught:
        pearson(*cut(*explanations()))
    assert is_one_sentence(caught.value)


# --- signs ------------------------------------------------------------------------------------------------------------


def test_same_sign_counts_the_words_to_which_both_give_one():
    a = torch.tensor([[1.0, -2, 0, 3, 9], [0, 0, 1, -1, 5]])
    b = torch.tensor([[0.1, 2, -1, 4, -9], [1, 2, 0, 0, 5]])
    mask = torch.tensor([[True] * 4 + [False]] * 2)
    found = same_sign(a, b, mask)
    assert found[0] == pytest.approx(2 / 3) and found[1].isnan()
    with pytest.raises(ValueError, match="Shapes differ") as caught:
        same_sign(a, b[:, :3], mask)
    assert is_one_sentence(caught.value)
