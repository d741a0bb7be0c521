"""What a sample says about all: unbiased, with an interval that holds."""

import hashlib
import random

import pytest

from qa.sampling.domain.draw import Unit, draw
from qa.sampling.domain.estimate import Observed, estimate, student_quantile


def make_population(seed: int) -> tuple[list[Unit], dict[str, float]]:
    """Three agents whose long calls are drawn more often and score worse: an unweighted mean is biased."""
    chance = random.Random(seed)
    units, scores = [], {}
    for agent, count in (("a", 60), ("b", 30), ("c", 45)):
        for number in range(count):
            size = chance.choice([1, 1, 1, 2, 4])
            name = f"{agent}{number}"
            units.append(Unit(recording_id=name, stratum=f"s/{agent}", size=size, quota=8))
            scores[name] = max(0.0, min(100.0, chance.gauss(92 - 6 * size, 5)))
    return units, scores


def sample_of(units: list[Unit], scores: dict[str, float], number: int) -> list[Observed]:
    seed = hashlib.sha256(str(number).encode()).digest()
    return [
        Observed(stratum=one.stratum, probability=one.probability, value=scores[one.recording_id])
        for one in draw(units, seed)
        if one.is_drawn
    ]


def test_over_many_draws_the_average_is_right_and_the_interval_holds_it() -> None:
    units, scores = make_population(11)
    truth = sum(scores.values()) / len(scores)
    rounds = 1500
    found = [estimate(sample_of(units, scores, number)) for number in range(rounds)]
    means = [one.mean for one in found]
    spread = (sum((mean - truth) ** 2 for mean in means) / rounds) ** 0.5
    assert sum(means) / rounds == pytest.approx(truth, abs=5 * spread / rounds**0.5 + 0.05)
    totals = sum(one.total for one in found) / rounds
    assert totals == pytest.approx(sum(scores.values()), rel=0.005)
    covered = sum(one.interval_low <= truth <= one.interval_high for one in found) / rounds
    assert 0.92 <= covered <= 0.98
    unweighted = sum(sum(one.value for one in sample_of(units, scores, n)) / 24 for n in range(200)) / 200
    assert abs(unweighted - truth) > 3 * abs(sum(means) / rounds - truth) + 0.5


def test_without_weights_it_is_the_textbook_formula_of_a_simple_random_sample() -> None:
    values = [70.0, 80.0, 85.0, 95.0, 60.0]
    found = estimate([Observed(stratum="s", probability=5 / 50, value=value) for value in values])
    mean = sum(values) / 5
    variance = sum((value - mean) ** 2 for value in values) / 4 * (1 - 5 / 50) / 5
    assert (found.mean, found.weight_sum, found.total) == pytest.approx((mean, 50, mean * 50))
    assert found.standard_error == pytest.approx(variance**0.5)
    assert found.interval_high - found.mean == pytest.approx(2.776445 * variance**0.5)
    assert found.degrees_of_freedom == 4


def test_a_census_has_no_error() -> None:
    found = estimate([Observed(stratum="s", probability=1.0, value=value) for value in (50.0, 70.0)])
    assert (found.mean, found.standard_error, found.interval_low, found.interval_high) == (60, 0, 60, 60)


def test_the_evaluated_stand_for_those_of_their_stratum_that_were_not() -> None:
    sample = [Observed(stratum="x", probability=0.5, value=value) for value in (80.0, None, 90.0, None)]
    sample += [Observed(stratum="y", probability=0.5, value=value) for value in (10.0, 20.0)]
    found = estimate(sample)
    assert found.weight_sum == 12
    assert found.mean == pytest.approx((80 * 4 + 90 * 4 + 10 * 2 + 20 * 2) / 12)
    assert (found.drawn_count, found.evaluated_count) == (6, 4)


def test_a_stratum_that_nobody_evaluated_is_named() -> None:
    found = estimate(
        [Observed(stratum="x", probability=0.5, value=80.0), Observed(stratum="y", probability=0.5, value=None)]
    )
    assert found.strata_without_evaluation == ("y",)


def test_one_evaluated_recording_has_a_mean_and_no_interval() -> None:
    found = estimate([Observed(stratum="x", probability=0.5, value=80.0)])
    assert (found.mean, found.interval_low, found.no_interval_because) == (80, None, "too_few_evaluated")
    nothing = estimate([])
    assert (nothing.mean, nothing.total, nothing.interval_low) == (None, None, None)


def test_single_recordings_of_many_strata_show_their_spread_together() -> None:
    sample = [Observed(stratum=f"s{n}", probability=0.1, value=float(n)) for n in range(10)]
    together = [Observed(stratum="s", probability=0.1, value=float(n)) for n in range(10)]
    assert estimate(sample).standard_error == pytest.approx(estimate(together).standard_error)


def test_an_interval_does_not_reach_beyond_what_a_value_can_be() -> None:
    sample = [Observed(stratum="s", probability=0.1, value=value) for value in (0.0, 0.0, 0.0, 1.0)]
    free, bound = estimate(sample), estimate(sample, lowest=0.0, highest=1.0)
    assert free.interval_low < 0
    assert (bound.interval_low, bound.interval_high) == (0.0, min(free.interval_high, 1.0))
    assert (bound.mean, bound.standard_error) == (free.mean, free.standard_error)


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [(1, 12.7062047), (2, 4.30265273), (5, 2.57058184), (10, 2.22813885), (30, 2.04227246), (20_000, 1.95996398)],
)
def test_the_quantile_is_that_of_the_tables(degrees: int, expected: float) -> None:
    assert student_quantile(0.975, degrees) == pytest.approx(expected, rel=1e-6)
