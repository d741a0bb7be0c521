"""Over many draws each recording is drawn as often as its chance says, and the estimate is unbiased."""

import hashlib
import random
from collections import Counter

import pytest

from qa.sampling.domain.draw import Unit, draw
from qa.sampling.domain.estimate import Observed, estimate_mean


def seed_of(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def make_units(*strata: tuple[int, list[int]]) -> list[Unit]:
    """Of each stratum its quota and the sizes of its recordings."""
    return [
        Unit(recording_id=f"r-{place}-{number}", stratum=f"s{place}/agent", size=size, quota=quota)
        for place, (quota, sizes) in enumerate(strata)
        for number, size in enumerate(sizes)
    ]


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
    return [
        Observed(stratum=one.stratum, probability=one.probability, value=scores[one.recording_id])
        for one in draw(units, seed_of(number))
        if one.is_drawn
    ]


def test_over_many_draws_the_average_is_right_and_the_interval_holds_it() -> None:
    units, scores = make_population(11)
    truth = sum(scores.values()) / len(scores)
    rounds = 1500
    found = [estimate_mean(sample_of(units, scores, number)) for number in range(rounds)]
    means = [one.mean for one in found]
    spread = (sum((mean - truth) ** 2 for mean in means) / rounds) ** 0.5
    assert sum(means) / rounds == pytest.approx(truth, abs=5 * spread / rounds**0.5 + 0.05)
    totals = sum(one.total for one in found) / rounds
    assert totals == pytest.approx(sum(scores.values()), rel=0.005)
    covered = sum(one.interval_low <= truth <= one.interval_high for one in found) / rounds
    assert 0.92 <= covered <= 0.98
    unweighted = sum(sum(one.value for one in sample_of(units, scores, n)) / 24 for n in range(200)) / 200
    assert abs(unweighted - truth) > 3 * abs(sum(means) / rounds - truth) + 0.5


def test_over_many_seeds_recordings_are_drawn_as_often_as_their_chances_say() -> None:
    units = make_units((4, [1, 1, 1, 2, 2, 3, 5, 8]), (2, [1] * 9))
    rounds = 4000
    hits = Counter(one.recording_id for number in range(rounds) for one in draw(units, seed_of(number)) if one.is_drawn)
    for one in draw(units, seed_of(0)):
        error = (one.probability * (1 - one.probability) / rounds) ** 0.5
        assert hits[one.recording_id] / rounds == pytest.approx(one.probability, abs=5 * error)
