"""Intervals: against scipy, by how often they are right, and as they are written."""

import math

import numpy as np
import pytest
import torch
from oracles import close, is_one_sentence
from scipy import stats

from lib.intervals import Interval, bootstrap, paired_bootstrap, two_level, wilson

# --- bootstrap ------------------------------------------------------------------------------------------------------


def sample(n=80, seed=0):
    return np.random.default_rng(seed).exponential(size=n)


def test_the_mean_is_the_mean():
    found = bootstrap(sample())
    assert found.mean == pytest.approx(sample().mean(), abs=1e-12)
    assert found.low < found.mean < found.high and found.n == 80 and found.undefined == 0


def test_the_interval_agrees_with_scipy():
    found = bootstrap(sample(), resamples=20_000)
    theirs = stats.bootstrap((sample(),), np.mean, method="percentile", n_resamples=20_000,
                             rng=np.random.default_rng(1))
    # With 20,000 draws the 2.5 % point of a bell curve is known to 0.019 of its standard deviation; two of them,
    # four times over.
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


def test_equal_documents_have_no_spread():
    close(bootstrap([0.25] * 10)[:3], [0.25] * 3, 1e-12)


@pytest.mark.parametrize("values", [[0.25], [math.nan, 0.25, math.nan], [[0.25, 0.5]]])
def test_of_one_document_no_interval_is_known(values):
    found = bootstrap(values)
    assert found.n == 1 and found.undefined == len(values) - 1
    close(np.ravel(found.mean), np.ravel(values)[~np.isnan(np.ravel(values))], 1e-12)
    assert np.shape(found.low) == np.shape(found.mean) and np.isnan(found.low).all() and np.isnan(found.high).all()


def test_intervals_hold_the_true_mean_about_95_times_in_100():
    draw = np.random.default_rng(10)
    hits = 0
    for repeat in range(1000):
        found = bootstrap(draw.normal(loc=2.0, size=100), seed=repeat, resamples=300)
        hits += int(found.low <= 2.0 <= found.high)
    # Percentile intervals of 100 values are a touch too narrow (94.4 %); a thousand trials are good for 0.7 %.
    assert 0.92 <= hits / 1000 <= 0.97


def test_more_documents_narrow_the_interval_by_their_root():
    few, many = (bootstrap(np.random.default_rng(2).normal(size=n)) for n in (100, 1600))
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(4, rel=0.25)


# --- paired bootstrap -----------------------------------------------------------------------------------------------


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


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nothing", [[], [math.nan, math.nan], np.full((3, 4), math.nan), np.zeros((0, 4))])
def test_nothing_to_average_gets_one_clear_sentence(nothing):
    with pytest.raises(ValueError, match="No document has a defined value") as caught:
        bootstrap(nothing)
    assert is_one_sentence(caught.value)


def test_pairs_of_other_lengths_get_one_clear_sentence():
    with pytest.raises(ValueError, match=r"Shapes differ, \(3,\) and \(2,\)") as caught:
        paired_bootstrap([1, 2, 3], [1, 2])
    assert is_one_sentence(caught.value)


def test_one_number_is_no_sample():
    with pytest.raises(ValueError, match="a value for each document") as caught:
        bootstrap(0.3)
    assert is_one_sentence(caught.value)


# --- shares ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count, n", [(0, 20), (20, 20), (7, 20), (1, 1)])
def test_a_share_has_wilsons_interval(count, n):
    found, z = wilson(np.arange(n) < count), stats.norm.ppf(0.975)
    share = count / n
    centre, half = share + z**2 / (2 * n), z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    close(found[:3], [share, (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)], 1e-12)
    assert (found.n, found.undefined) == (n, 0)


def test_all_hits_do_not_make_a_miss_impossible():
    assert bootstrap([1.0] * 200).low == 1 and wilson([1.0] * 200).low == pytest.approx(0.981, abs=5e-4)


def test_undefined_documents_are_not_in_the_share():
    assert wilson([1, math.nan, 0, 1]) == wilson([True, False, True])._replace(undefined=1)
    assert wilson(torch.tensor([1, 0, 1])) == wilson([1, 0, 1])


@pytest.mark.parametrize("hits", [[0.5, 1.0], [2, 0], [[1, 0], [0, 1]], [], [math.nan]])
def test_a_share_counts_yes_and_no_only(hits):
    with pytest.raises(ValueError) as caught:
        wilson(hits)
    assert is_one_sentence(caught.value)


# --- as they are written --------------------------------------------------------------------------------------------


def test_an_interval_is_written_in_the_form_of_a_number():
    found = Interval(0.512, 0.4849, 0.5351, 10)
    assert f"{found:.2f}" == "0.51 [0.48, 0.54]"
    assert f"{found:+.3f}" == "+0.512 [+0.485, +0.535]"
    assert f"{found}" == "0.512 [0.485, 0.535]"
    assert f"{-found:+.2f}" == "-0.51 [-0.54, -0.48]"
    assert f"{bootstrap([0.25, 0.25]):.1%}" == "25.0% [25.0%, 25.0%]"


def test_what_is_not_known_is_written_as_such():
    assert f"{bootstrap([0.514]):.2f}" == "0.51 [undefined: 1 document]"
    assert f"{Interval(math.nan, math.nan, math.nan, 0):.2f}" == "undefined"
    with pytest.raises(ValueError, match="whole curve") as caught:
        format(bootstrap(np.eye(3)), ".2f")
    assert is_one_sentence(caught.value)


@pytest.mark.parametrize("low, high, side", [(0.001, 0.2, "above"), (-0.2, -0.001, "below"), (0.0, 0.2, "undecided"),
                                             (-0.2, 0.0, "undecided"),
                                             (-0.1, 0.1, "undecided"), (math.nan, math.nan, "undecided")])
def test_the_side_of_zero_is_that_of_the_whole_interval(low, high, side):
    assert Interval(0.1, low, high, 5).side == side
    turned = {"above": "below", "below": "above", "undecided": "undecided"}[side]
    assert (-Interval(0.1, low, high, 5)).side == turned


def test_an_interval_cannot_be_changed():
    with pytest.raises(AttributeError):
        bootstrap([1, 2]).low = 0


# --- training seeds and documents -----------------------------------------------------------------------------------


def test_two_level_by_hand():
    # Seeds' means 2 and 4: s = sqrt(2), t(1) = 12.706; documents' means 2, 3, 4: v = 1. Arm: sqrt(t^2 + 1.96^2 / 3).
    found = two_level([[1, 2, 3], [3, 4, 5]])
    arm = math.sqrt(12.7062047 ** 2 * 2 / 2 + 1.96 ** 2 / 3)
    close(found[:3], [3, 3 - arm, 3 + arm], 1e-6)
    assert (found.n, found.undefined) == (3, 0)


def crossed(draw, seeds, seed_sd, n=200):
    """Documents and seeds that both move a value, and each document by something of its own under each seed."""
    return (draw.normal(size=n) + draw.normal(size=(seeds, 1)) * seed_sd / math.sqrt(n)
            + 0.5 * draw.normal(size=(seeds, n)))


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("seed_sd", [1, 4, 10])
def test_two_level_intervals_hold_the_mean_as_often_as_they_say(seeds, seed_sd):
    """However much more the seeds differ than chance in documents would make them, and as few as three of them."""
    draw = np.random.default_rng(0)
    found = [two_level(crossed(draw, seeds, seed_sd)) for _ in range(800)]
    covered = np.mean([one.low <= 0 <= one.high for one in found])
    assert 0.93 <= covered <= 0.99


def test_with_five_seeds_they_are_narrower_than_an_envelope_and_hold_more():
    draw, envelope, two = np.random.default_rng(1), [], []
    for _ in range(300):
        values = crossed(draw, 5, 4)
        parts = [bootstrap(one, resamples=400) for one in values]
        envelope.append((min(one.low for one in parts), max(one.high for one in parts)))
        two.append(two_level(values)[1:3])
    widths = [np.mean(np.diff(ends, axis=1)) for ends in (envelope, two)]
    assert widths[1] < widths[0]


def test_two_level_shares_stay_between_0_and_1_and_never_say_certain():
    sure = two_level(np.ones((5, 200)), share=True)
    assert sure.mean == sure.high == 1 and 0.97 < sure.low < 1
    found = two_level([[1, 0, 0, 1], [1, 1, 0, 1]], share=True)
    assert found.mean == pytest.approx(0.625) and 0 <= found.low < found.mean < found.high <= 1


def test_two_level_leaves_out_what_is_undefined():
    hole = np.array([[1.0, 2, np.nan, np.nan], [3, 4, 5, np.nan]])
    found = two_level(hole)
    assert found.mean == pytest.approx((1.5 + 4) / 2) and (found.n, found.undefined) == (3, 1)
    assert math.isnan(two_level([[1, 2, 3]]).low), "one seed tells nothing of the chance in training"


@pytest.mark.parametrize("values, share, words", [
    ([1, 2, 3], False, "a row for each training seed"), ([[1, 2], [np.nan, np.nan]], False, "no defined value"),
    ([[0.5, 1], [1, 0]], True, "True or False")])
def test_two_level_refuses_what_it_cannot_use(values, share, words):
    with pytest.raises(ValueError, match=words) as caught:
        two_level(values, share)
    assert is_one_sentence(caught.value)
