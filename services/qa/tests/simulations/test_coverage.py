"""Published intervals hold the truth as often as they say, over simulated populations and many draws of each."""

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from qa.sampling.domain.draw import Drawn, Unit, draw
from qa.sampling.domain.estimate import (
    MEASURED_COVERAGE,
    Estimate,
    IntervalMethod,
    Observed,
    estimate_final,
    estimate_mean,
    estimate_share,
)

ROUNDS = 150


@dataclass(frozen=True, slots=True)
class Call:
    raw: float
    is_fatal: bool

    @property
    def final(self) -> float:
        return 0.0 if self.is_fatal else self.raw


@dataclass(frozen=True, slots=True)
class Population:
    """Agents of different skill with 15 to 40 calls each; calls that are drawn more often are worse."""

    agents: int
    quota: int
    sizes: Sequence[int]
    fatal_share: float

    def make(self) -> tuple[list[Unit], dict[str, Call]]:
        chance = random.Random(7)
        units, calls = [], {}
        for agent in range(self.agents):
            skill = chance.gauss(88, 4)
            for number in range(chance.randint(15, 40)):
                name, size = f"{agent}-{number}", chance.choice(self.sizes)
                units.append(Unit(recording_id=name, stratum=f"s/{agent}", size=size, quota=self.quota))
                raw = min(100.0, max(0.0, chance.gauss(skill - 2 * min(size, 4), 6)))
                calls[name] = Call(raw, chance.random() < self.fatal_share * (1 + min(size, 4) / 4))
        return units, calls


POPULATIONS = (
    Population(agents=3, quota=1, sizes=(1,), fatal_share=0.1),
    Population(agents=3, quota=2, sizes=(1, 1, 2, 4), fatal_share=0.1),
    Population(agents=8, quota=1, sizes=(1, 1, 2, 4), fatal_share=0.02),
    Population(agents=8, quota=2, sizes=(1, 1, 2, 4), fatal_share=0.1),
    Population(agents=8, quota=3, sizes=(1,), fatal_share=0.08),
    Population(agents=8, quota=2, sizes=(1, 1, 1, 20), fatal_share=0.3),
    Population(agents=20, quota=2, sizes=(1,), fatal_share=0.05),
)

Estimator = Callable[[Sequence[Observed]], Estimate]
KINDS: dict[IntervalMethod, tuple[Callable[[Call], float], Estimator]] = {
    IntervalMethod.STUDENT: (lambda call: call.raw, lambda sample: estimate_mean(sample, lowest=0, highest=100)),
    IntervalMethod.KORN_GRAUBARD: (lambda call: float(call.is_fatal), estimate_share),
    IntervalMethod.FAULTS_AND_SCORES: (lambda call: call.final, lambda sample: estimate_final(sample, highest=100)),
}


@pytest.fixture(scope="module", params=POPULATIONS, ids=str)
def drawn(request: pytest.FixtureRequest) -> tuple[dict[str, Call], list[list[Drawn]]]:
    units, calls = request.param.make()
    seeds = (hashlib.sha256(str(number).encode()).digest() for number in range(ROUNDS))
    return calls, [[one for one in draw(units, seed) if one.is_drawn] for seed in seeds]


@pytest.mark.parametrize("method", list(IntervalMethod))
def test_an_interval_holds_the_truth_as_often_as_it_says(
    drawn: tuple[dict[str, Call], list[list[Drawn]]], method: IntervalMethod
) -> None:
    (calls, samples), (value_of, estimate) = drawn, KINDS[method]
    truth = sum(map(value_of, calls.values())) / len(calls)
    found = [estimate([_observed(one, calls[one.recording_id], value_of) for one in sample]) for sample in samples]
    told = [one for one in found if one.interval_low is not None]
    assert all(one.interval_method is method for one in told)
    assert len(told) > 0.9 * ROUNDS
    covered = sum(one.interval_low <= truth <= one.interval_high for one in told) / len(told)
    assert covered >= MEASURED_COVERAGE[method]


def _observed(one: Drawn, call: Call, value_of: Callable[[Call], float]) -> Observed:
    return Observed(stratum=one.stratum, probability=one.probability, value=value_of(call), is_fatal=call.is_fatal)
