"""Estimates from a sample for all recordings in the frame: a weighted average with its interval.

The average is Hájek's: ŷ = Σ w·y / Σ w with w = 1/π (Särndal, Swensson and Wretman 1992, *Model Assisted Survey
Sampling*, §5.7). Horvitz–Thompson's total Σ w·y is given beside it. Its variance is estimated from the residuals
e = (y − ŷ) / Σw in Hájek's form for samples of fixed size and high entropy, stratum by stratum (Deville and Tillé
2005, *Journal of Statistical Planning and Inference* 128, 569–591, formula with c = n/(n−1)·(1−π)):

    V = Σ over strata Σ c·(e/π − B)²,  B = Σ c·e/π / Σ c

A stratum with one evaluated recording has no spread of its own; all such are treated as one stratum, which errs to
the safe side (collapsed strata: Wolter 2007, *Introduction to Variance Estimation*, §2.5).

**Means** have Student's interval with Σ(n−1) degrees of freedom, and none where no spread was seen. Samples are
small and chances unequal, so it covers the truth less often than 95 %.

**Shares** have an exact interval with an effective sample size (Korn and Graubard 1998, *Survey Methodology* 24,
193–201), for the recordings that chance decided about; those that were drawn with certainty add no uncertainty:

    n* = min(n_K, p(1−p)/V) · (t(n−1)/t(d))²,  low = β(α/2; n*p, n*(1−p)+1),  high = β(1−α/2; n*p+1, n*(1−p))

with n_K = (Σw)²/Σw² (Kish 1965, *Survey Sampling*, §11.7), d = Σ(n−1) degrees of freedom and β the quantile of the beta
distribution. Where no spread was seen n* = n_K: no failure in six calls still allows for many.

**Final scores** are 0 after a fatal fault, so rare faults decide about them and Student's interval covers the truth in
as few as 56 % of the samples. Their mean is (1−q)·m with q the share of fatal faults and m the mean score of the
others; both have their interval at 97.5 % (Bonferroni's inequality), and the products of the limits are the interval.

Where everything was evaluated nothing is uncertain, and there is no interval. Every interval carries the coverage that
was measured in the worst of the simulated populations (`MEASURED_COVERAGE`, held by `tests/unit/test_coverage.py`).

**Bias.** A weighted average is a ratio, whose bias is at most cv(Σw) standard errors (Cochran 1977, *Sampling
Techniques*, §6.8); with a quota of one or two recordings and unequal chances that is not small, and is given.

A drawn recording that was not evaluated makes the others of its stratum stand for it: π·r/n with r evaluated of n
drawn (response homogeneity groups: Särndal et al., §15.6). A stratum without any evaluated one is not covered, and
is named.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from qa.sampling.domain.distributions import beta_quantile, student_quantile

CONFIDENCE = 0.95
_OF_BOTH = 1 - (1 - CONFIDENCE) / 2


class IntervalMethod(StrEnum):
    STUDENT = "student"
    KORN_GRAUBARD = "korn_graubard"
    FAULTS_AND_SCORES = "faults_and_scores"


class NoInterval(StrEnum):
    """Why there is no interval."""

    NOT_DRAWN = "not_drawn"
    TOO_FEW_EVALUATED = "too_few_evaluated"
    NO_SPREAD = "no_spread"
    """All evaluated recordings that were drawn by chance have the same value: no variance can be estimated."""
    ALL_EVALUATED = "all_evaluated"
    """Nothing was left to chance, so the average is the truth of these recordings."""


MEASURED_COVERAGE = {
    IntervalMethod.STUDENT: 0.78,
    IntervalMethod.KORN_GRAUBARD: 0.92,
    IntervalMethod.FAULTS_AND_SCORES: 0.95,
}
"""How often an interval held the truth in the worst of the simulated populations (docs/quality.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A drawn recording: its chance, and its value if it was evaluated."""

    stratum: str
    probability: float
    value: float | None
    is_fatal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    mean: float | None
    """Hájek's weighted average; null without any evaluated recording."""
    total: float | None
    """Horvitz–Thompson's total."""
    weight_sum: float
    """For how many recordings the evaluated ones stand."""
    standard_error: float | None
    interval_low: float | None
    interval_high: float | None
    confidence: float
    degrees_of_freedom: int
    drawn_count: int
    evaluated_count: int
    strata_without_evaluation: tuple[str, ...]
    no_interval_because: NoInterval | None = None
    interval_method: IntervalMethod | None = None
    measured_coverage: float | None = None
    """How often such an interval held the truth in the worst simulated population; below 0.93 it is approximate."""
    effective_count: float | None = None
    """Of a share: how many recordings drawn with equal chances would say as much."""
    largest_bias_in_errors: float | None = None
    """The bias of the average is at most so many standard errors; above 0.1 it is not negligible."""


@dataclass(frozen=True, slots=True)
class _Weighed:
    stratum: str
    probability: float
    value: float
    is_fatal: bool

    @property
    def is_certain(self) -> bool:
        return self.probability >= 1


@dataclass(frozen=True, slots=True)
class _Spread:
    variance: float
    degrees: int

    @property
    def error(self) -> float:
        return math.sqrt(self.variance)


@dataclass(frozen=True, slots=True)
class _Interval:
    low: float
    high: float
    method: IntervalMethod
    effective_count: float | None = None


def estimate_mean(sample: Iterable[Observed], *, lowest: float = -math.inf, highest: float = math.inf) -> Estimate:
    """The average of values between `lowest` and `highest`, within which its interval ends too."""
    return _estimate(sample, lambda weighed: _clipped(_student(weighed), lowest, highest))


def estimate_share(sample: Iterable[Observed]) -> Estimate:
    """The share of recordings with the value 1; every value is 0 or 1."""
    return _estimate(sample, _korn_graubard)


def estimate_final(sample: Iterable[Observed], *, highest: float) -> Estimate:
    """The average of final scores, from 0 to `highest`; `is_fatal` where a fatal fault made the score 0."""
    return _estimate(sample, lambda weighed: _clipped(_faults_and_scores(weighed), 0.0, highest))


def _estimate(
    sample: Iterable[Observed], interval_of: Callable[[Sequence[_Weighed]], _Interval | NoInterval]
) -> Estimate:
    drawn = list(sample)
    weighed, uncovered = _weighed(drawn)
    spread = _spread(weighed, _residuals(weighed)) if weighed else None
    interval = interval_of(weighed) if weighed else NoInterval.TOO_FEW_EVALUATED
    found = interval if isinstance(interval, _Interval) else None
    return Estimate(
        mean=_mean(weighed) if weighed else None,
        total=math.fsum(one.value / one.probability for one in weighed) if weighed else None,
        weight_sum=_weight(weighed),
        standard_error=spread.error if spread else None,
        interval_low=found.low if found else None,
        interval_high=found.high if found else None,
        confidence=CONFIDENCE,
        degrees_of_freedom=spread.degrees if spread else 0,
        drawn_count=len(drawn),
        evaluated_count=len(weighed),
        strata_without_evaluation=uncovered,
        no_interval_because=interval if isinstance(interval, NoInterval) else None,
        interval_method=found.method if found else None,
        measured_coverage=MEASURED_COVERAGE[found.method] if found else None,
        effective_count=found.effective_count if found else None,
        largest_bias_in_errors=_largest_bias(weighed) if weighed else None,
    )


def _student(weighed: Sequence[_Weighed], confidence: float = CONFIDENCE) -> _Interval | NoInterval:
    if all(one.is_certain for one in weighed):
        return NoInterval.ALL_EVALUATED
    mean, spread = _mean(weighed), _spread(weighed, _residuals(weighed))
    if spread is None:
        return NoInterval.TOO_FEW_EVALUATED
    # Equal values leave only the rounding of the sums.
    if spread.error <= 1e-9 * max(1.0, abs(mean)):
        return NoInterval.NO_SPREAD
    reach = student_quantile((1 + confidence) / 2, spread.degrees) * spread.error
    return _Interval(mean - reach, mean + reach, IntervalMethod.STUDENT)


def _korn_graubard(weighed: Sequence[_Weighed], confidence: float = CONFIDENCE) -> _Interval | NoInterval:
    certain = [one for one in weighed if one.is_certain]
    chancy = [one for one in weighed if not one.is_certain]
    if not chancy:
        return NoInterval.ALL_EVALUATED
    share, count, tail = _mean(chancy), _effective_count(chancy, confidence), (1 - confidence) / 2
    # By the values and not by the share, whose rounding may miss 0 or 1.
    has_ones, has_zeros = any(one.value for one in chancy), not all(one.value for one in chancy)
    low = beta_quantile(tail, count * share, count * (1 - share) + 1) if has_ones else 0.0
    high = beta_quantile(1 - tail, count * share + 1, count * (1 - share)) if has_zeros else 1.0
    known, unknown = math.fsum(one.value for one in certain), _weight(chancy)
    whole = len(certain) + unknown
    return _Interval(
        (known + unknown * low) / whole,
        (known + unknown * high) / whole,
        IntervalMethod.KORN_GRAUBARD,
        effective_count=count,
    )


def _faults_and_scores(weighed: Sequence[_Weighed]) -> _Interval | NoInterval:
    faults = _korn_graubard([replace(one, value=float(one.is_fatal)) for one in weighed], _OF_BOTH)
    others = [one for one in weighed if not one.is_fatal]
    scores = _student(others, _OF_BOTH) if others else NoInterval.TOO_FEW_EVALUATED
    if isinstance(faults, NoInterval):
        return faults
    if scores is NoInterval.ALL_EVALUATED:
        scores = _Interval(_mean(others), _mean(others), IntervalMethod.STUDENT)
    if isinstance(scores, NoInterval):
        return scores
    low, high = (1 - faults.high) * scores.low, (1 - faults.low) * scores.high
    return _Interval(low, high, IntervalMethod.FAULTS_AND_SCORES)


def _clipped(interval: _Interval | NoInterval, lowest: float, highest: float) -> _Interval | NoInterval:
    if isinstance(interval, NoInterval):
        return interval
    return replace(interval, low=max(interval.low, lowest), high=min(interval.high, highest))


def _effective_count(chancy: Sequence[_Weighed], confidence: float) -> float:
    """n* of the module's formula."""
    kish = _weight(chancy) ** 2 / math.fsum(one.probability**-2 for one in chancy)
    share, spread = _mean(chancy), _spread(chancy, _residuals(chancy))
    # Equal values leave only the rounding of the sums.
    if spread is None or len({one.value for one in chancy}) == 1 or spread.variance < 1e-18:
        return kish
    quantile = (1 + confidence) / 2
    freedom = student_quantile(quantile, len(chancy) - 1) / student_quantile(quantile, spread.degrees)
    return min(kish, share * (1 - share) / spread.variance) * freedom**2


def _largest_bias(weighed: Sequence[_Weighed]) -> float | None:
    weight = _weight(weighed)
    spread = _spread(weighed, [1 / weight for _ in weighed])
    return spread.error if spread else None


def _weighed(drawn: Sequence[Observed]) -> tuple[list[_Weighed], tuple[str, ...]]:
    strata: dict[str, list[Observed]] = defaultdict(list)
    for one in drawn:
        strata[one.stratum].append(one)
    weighed, uncovered = [], []
    for stratum, members in sorted(strata.items()):
        answered = [one for one in members if one.value is not None]
        if not answered:
            uncovered.append(stratum)
        rate = len(answered) / len(members)
        weighed += [
            _Weighed(stratum, one.probability * rate, one.value, one.is_fatal)
            for one in answered
            if one.value is not None
        ]
    return weighed, tuple(uncovered)


def _weight(weighed: Iterable[_Weighed]) -> float:
    return math.fsum(1 / one.probability for one in weighed)


def _mean(weighed: Sequence[_Weighed]) -> float:
    return math.fsum(one.value / one.probability for one in weighed) / _weight(weighed)


def _residuals(weighed: Sequence[_Weighed]) -> list[float]:
    mean, weight = _mean(weighed), _weight(weighed)
    return [(one.value - mean) / weight for one in weighed]


def _spread(weighed: Sequence[_Weighed], values: Sequence[float]) -> _Spread | None:
    """The variance of the estimated total of `values`; None when chance had a choice and no stratum shows spread."""
    groups = _groups([(one, value / one.probability) for one, value in zip(weighed, values, strict=True)])
    if groups is None:
        return None
    variance = math.fsum(_variance_of(members) for members in groups)
    # A census has no chance in it: it adds neither spread nor freedom.
    degrees = sum(len(members) - 1 for members in groups if any(not one.is_certain for one, _ in members))
    return _Spread(variance, degrees) if degrees or variance == 0 else None


_Expanded = tuple[_Weighed, float]


def _groups(units: Sequence[_Expanded]) -> list[list[_Expanded]] | None:
    """The strata, those with a single recording taken together."""
    by_stratum: dict[str, list[_Expanded]] = defaultdict(list)
    for unit in units:
        by_stratum[unit[0].stratum].append(unit)
    groups = [members for members in by_stratum.values() if len(members) > 1]
    single = [members[0] for members in by_stratum.values() if len(members) == 1 and not members[0][0].is_certain]
    if len(single) == 1:
        # Alone it has no spread to show: it joins the smallest stratum that has.
        chancy = [members for members in groups if any(not one.is_certain for one, _ in members)]
        if not chancy:
            return None
        smallest = min(chancy, key=len)
        return [members for members in groups if members is not smallest] + [[*smallest, single[0]]]
    return [*groups, single] if single else groups


def _variance_of(members: Sequence[_Expanded]) -> float:
    count = len(members)
    factors = [count / (count - 1) * (1 - min(one.probability, 1.0)) for one, _ in members]
    if not any(factors):
        return 0.0
    centre = math.fsum(c * e for c, (_, e) in zip(factors, members, strict=True)) / math.fsum(factors)
    return math.fsum(c * (e - centre) ** 2 for c, (_, e) in zip(factors, members, strict=True))
