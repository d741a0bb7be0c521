"""What a sample says about all: unbiased, with an interval that holds."""

import pytest

from qa.sampling.domain.distributions import beta_quantile, student_quantile
from qa.sampling.domain.estimate import (
    IntervalMethod,
    NoInterval,
    Observed,
    estimate_final,
    estimate_mean,
    estimate_share,
)


def test_without_weights_it_is_the_textbook_formula_of_a_simple_random_sample() -> None:
    values = [70.0, 80.0, 85.0, 95.0, 60.0]
    found = estimate_mean([Observed(stratum="s", probability=5 / 50, value=value) for value in values])
    mean = sum(values) / 5
    variance = sum((value - mean) ** 2 for value in values) / 4 * (1 - 5 / 50) / 5
    assert (found.mean, found.weight_sum, found.total) == pytest.approx((mean, 50, mean * 50))
    assert found.standard_error == pytest.approx(variance**0.5)
    assert found.interval_high - found.mean == pytest.approx(2.776445 * variance**0.5)
    assert found.degrees_of_freedom == 4


def test_a_census_has_no_error() -> None:
    found = estimate_mean([Observed(stratum="s", probability=1.0, value=value) for value in (50.0, 70.0)])
    assert (found.mean, found.standard_error) == (60, 0)
    assert (found.interval_low, found.no_interval_because) == (None, NoInterval.ALL_EVALUATED)


def test_the_evaluated_stand_for_those_of_their_stratum_that_were_not() -> None:
    sample = [Observed(stratum="x", probability=0.5, value=value) for value in (80.0, None, 90.0, None)]
    sample += [Observed(stratum="y", probability=0.5, value=value) for value in (10.0, 20.0)]
    found = estimate_mean(sample)
    assert found.weight_sum == 12
    assert found.mean == pytest.approx((80 * 4 + 90 * 4 + 10 * 2 + 20 * 2) / 12)
    assert (found.drawn_count, found.evaluated_count) == (6, 4)


def test_a_stratum_that_nobody_evaluated_is_named() -> None:
    found = estimate_mean(
        [Observed(stratum="x", probability=0.5, value=80.0), Observed(stratum="y", probability=0.5, value=None)]
    )
    assert found.strata_without_evaluation == ("y",)


def test_one_evaluated_recording_has_a_mean_and_no_interval() -> None:
    found = estimate_mean([Observed(stratum="x", probability=0.5, value=80.0)])
    assert (found.mean, found.interval_low, found.no_interval_because) == (80, None, "too_few_evaluated")
    nothing = estimate_mean([])
    assert (nothing.mean, nothing.total, nothing.interval_low) == (None, None, None)


def test_single_recordings_of_many_strata_show_their_spread_together() -> None:
    sample = [Observed(stratum=f"s{n}", probability=0.1, value=float(n)) for n in range(10)]
    together = [Observed(stratum="s", probability=0.1, value=float(n)) for n in range(10)]
    assert estimate_mean(sample).standard_error == pytest.approx(estimate_mean(together).standard_error)


def test_an_interval_does_not_reach_beyond_what_a_value_can_be() -> None:
    sample = [Observed(stratum="s", probability=0.1, value=value) for value in (0.0, 0.0, 0.0, 1.0)]
    free, bound = estimate_mean(sample), estimate_mean(sample, lowest=0.0, highest=1.0)
    assert free.interval_low < 0
    assert (bound.interval_low, bound.interval_high) == (0.0, min(free.interval_high, 1.0))
    assert (bound.mean, bound.standard_error) == (free.mean, free.standard_error)


def shares(*values: float, probability: float = 0.1, stratum: str = "s") -> list[Observed]:
    return [Observed(stratum=stratum, probability=probability, value=value) for value in values]


def test_no_failure_in_six_calls_still_allows_for_many() -> None:
    found = estimate_share(shares(*[0.0] * 6))
    # Clopper and Pearson: 1 − 0.025^(1/6).
    assert (found.mean, found.interval_low) == (0, 0)
    assert found.interval_high == pytest.approx(0.4592581)
    every = estimate_share(shares(*[1.0] * 6))
    assert (every.interval_low, every.interval_high) == (pytest.approx(1 - 0.4592581), 1)


def test_equal_chances_of_one_stratum_give_clopper_and_pearson() -> None:
    found = estimate_share(shares(*[1.0] * 4, *[0.0] * 16, probability=0.001))
    # Their tables for 4 of 20: 0.0573 and 0.4366.
    assert found.effective_count == pytest.approx(19.02, abs=0.02)
    assert (found.interval_low, found.interval_high) == (
        pytest.approx(0.0573, abs=0.006),
        pytest.approx(0.4366, abs=0.01),
    )
    assert found.interval_method is IntervalMethod.KORN_GRAUBARD


def test_a_share_never_has_an_interval_of_no_width() -> None:
    for sample in (shares(0.0), shares(1.0), shares(0.0, 0.0), [*shares(1.0, 1.0), *shares(0.0, 0.0, stratum="t")]):
        found = estimate_share(sample)
        assert found.interval_low < found.interval_high


def test_unequal_weights_make_an_effective_sample_smaller() -> None:
    equal = estimate_share(shares(0.0, 0.0, 0.0, 0.0))
    unequal = estimate_share([*shares(0.0, 0.0, probability=0.01), *shares(0.0, 0.0, probability=0.5)])
    assert equal.effective_count == pytest.approx(4)
    assert unequal.effective_count == pytest.approx((100 + 100 + 2 + 2) ** 2 / (2 * 100**2 + 2 * 2**2))
    assert unequal.interval_high > equal.interval_high


def test_what_was_drawn_with_certainty_adds_no_uncertainty() -> None:
    sample = [*shares(*[1.0] * 10, probability=1.0, stratum="mandatory"), *shares(0.0, 0.0, probability=0.2)]
    found = estimate_share(sample)
    # Ten of twenty are known; of the other ten the interval of 0 of 2 tells: 0 to 0.842.
    assert (found.interval_low, found.interval_high) == (0.5, pytest.approx(0.5 + 0.5 * (1 - 0.025**0.5)))


def test_equal_scores_show_no_spread_and_have_no_interval() -> None:
    found = estimate_mean(shares(90.1, 90.1, 90.1, probability=0.3), lowest=0.0, highest=100.0)
    assert (found.mean, found.interval_low) == (pytest.approx(90.1), None)
    assert found.no_interval_because is NoInterval.NO_SPREAD


def test_rare_faults_widen_the_interval_of_final_scores() -> None:
    values = (88.0, 90.0, 92.0, 91.0, 89.0, 90.0)
    student, found = estimate_mean(shares(*values)), estimate_final(shares(*values), highest=100.0)
    assert found.mean == student.mean
    assert found.interval_method is IntervalMethod.FAULTS_AND_SCORES
    # No fault among six allows for up to 1 − 0.0125^(1/6) of them, which would cost as much of the score.
    assert found.interval_low < student.interval_low * 0.0125 ** (1 / 6)
    assert student.interval_high < found.interval_high <= 100
    faulty = [*shares(*values), Observed(stratum="s", probability=0.1, value=0.0, is_fatal=True)]
    assert estimate_final(faulty, highest=100.0).interval_low < found.interval_low


def test_all_faults_leave_no_score_to_judge() -> None:
    sample = [Observed(stratum="s", probability=0.1, value=0.0, is_fatal=True) for _ in range(3)]
    assert estimate_final(sample, highest=100.0).no_interval_because is NoInterval.TOO_FEW_EVALUATED


def test_the_bias_of_small_quotas_is_given() -> None:
    fixed = estimate_mean([*shares(80.0, 90.0), *shares(70.0, 60.0, probability=0.5, stratum="t")])
    assert fixed.largest_bias_in_errors == pytest.approx(0)
    unequal = [*shares(80.0, probability=0.1), *shares(90.0, probability=0.4)]
    found = estimate_mean(unequal)
    # Σw = 10 + 2.5; c = 2(1 − π); B = Σ c·w/Σ c = (1.8·10 + 1.2·2.5)/3 = 7; V = 1.8·3² + 1.2·4.5² = 40.5.
    assert found.largest_bias_in_errors == pytest.approx(40.5**0.5 / 12.5)


@pytest.mark.parametrize(
    ("probability", "a", "b", "expected"),
    # Clopper and Pearson's limits of 1 of 10 and 5 of 10 in the usual tables.
    [(0.025, 1, 10, 0.0025286), (0.975, 2, 9, 0.4450161), (0.025, 5, 6, 0.1870860), (0.975, 6, 5, 0.8129140)],
)
def test_the_quantile_of_the_beta_distribution_is_that_of_the_tables(
    probability: float, a: float, b: float, expected: float
) -> None:
    assert beta_quantile(probability, a, b) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [(1, 12.7062047), (2, 4.30265273), (5, 2.57058184), (10, 2.22813885), (30, 2.04227246), (20_000, 1.95996398)],
)
def test_the_quantile_is_that_of_the_tables(degrees: int, expected: float) -> None:
    assert student_quantile(0.975, degrees) == pytest.approx(expected, rel=1e-6)
