"""What a sample says about all recordings: a weighted average with its interval.

The average is Hájek's: ŷ = Σ w·y / Σ w with w = 1/π (Särndal, Swensson and Wretman 1992, *Model Assisted Survey
Sampling*, §5.7). Horvitz–Thompson's total Σ w·y is given beside it. Its variance is estimated from the residuals
e = (y − ŷ) / Σw in Hájek's form for samples of fixed size and high entropy, stratum by stratum (Deville and Tillé
2005, *Journal of Statistical Planning and Inference* 128, 569–591, formula with c = n/(n−1)·(1−π)):

    V = Σ over strata Σ c·(e/π − B)²,  B = Σ c·e/π / Σ c

A stratum with one evaluated recording has no spread of its own; all such are treated as one stratum, which errs to
the safe side (collapsed strata: Wolter 2007, *Introduction to Variance Estimation*, §2.5). The interval is
Student's with Σ(n−1) degrees of freedom. It ends where a value cannot lie: a share is not below 0.

A drawn recording that was not evaluated makes the others of its stratum stand for it: π·r/n with r evaluated of n
drawn (response homogeneity groups: Särndal et al., §15.6). A stratum without any evaluated one is not covered, and
is named.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A drawn recording: its chance, and its value if it was evaluated."""

    stratum: str
    probability: float
    value: float | None


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
    no_interval_because: str | None = None
    """`too_few_evaluated`, or `not_drawn`."""


@dataclass(frozen=True, slots=True)
class _Weighed:
    stratum: str
    probability: float
    value: float


def estimate(sample: Iterable[Observed], *, lowest: float = -math.inf, highest: float = math.inf) -> Estimate:
    """What a sample says; every value lies between `lowest` and `highest`, and so does the interval."""
    drawn = list(sample)
    weighed, uncovered = _weighed(drawn)
    weight_sum = math.fsum(1 / one.probability for one in weighed)
    total = math.fsum(one.value / one.probability for one in weighed) if weighed else None
    mean = total / weight_sum if total is not None else None
    spread = _variance(weighed, mean, weight_sum) if mean is not None else None
    error = math.sqrt(spread[0]) if spread else None
    degrees = spread[1] if spread else 0
    reach = student_quantile((1 + CONFIDENCE) / 2, degrees) * error if error is not None else None
    return Estimate(
        mean=mean,
        total=total,
        weight_sum=weight_sum,
        standard_error=error,
        interval_low=max(mean - reach, lowest) if mean is not None and reach is not None else None,
        interval_high=min(mean + reach, highest) if mean is not None and reach is not None else None,
        confidence=CONFIDENCE,
        degrees_of_freedom=degrees,
        drawn_count=len(drawn),
        evaluated_count=len(weighed),
        strata_without_evaluation=uncovered,
        no_interval_because=None if reach is not None else "too_few_evaluated",
    )


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
        weighed += [_Weighed(stratum, one.probability * rate, one.value) for one in answered if one.value is not None]
    return weighed, tuple(uncovered)


def _variance(weighed: Sequence[_Weighed], mean: float, weight_sum: float) -> tuple[float, int] | None:
    """Variance and degrees of freedom; None when chance was left a choice but no stratum shows its spread."""
    by_stratum: dict[str, list[_Weighed]] = defaultdict(list)
    for one in weighed:
        by_stratum[one.stratum].append(one)
    groups = [members for members in by_stratum.values() if len(members) > 1]
    single = [members[0] for members in by_stratum.values() if len(members) == 1 and members[0].probability < 1]
    if len(single) == 1:
        # Alone it has no spread to show: it joins the smallest stratum that has.
        chancy = [members for members in groups if any(one.probability < 1 for one in members)]
        if not chancy:
            return None
        smallest = min(chancy, key=len)
        groups = [members for members in groups if members is not smallest] + [[*smallest, single[0]]]
    elif single:
        groups.append(single)
    variance = math.fsum(_of_stratum(members, mean, weight_sum) for members in groups)
    # A census has no chance in it: it adds neither spread nor freedom.
    degrees = sum(len(members) - 1 for members in groups if any(one.probability < 1 for one in members))
    return (variance, degrees) if degrees or variance == 0 else None


def _of_stratum(members: Sequence[_Weighed], mean: float, weight_sum: float) -> float:
    count = len(members)
    factors = [count / (count - 1) * (1 - one.probability) for one in members]
    if not any(factors):
        return 0.0
    expanded = [(one.value - mean) / weight_sum / one.probability for one in members]
    centre = math.fsum(c * e for c, e in zip(factors, expanded, strict=True)) / math.fsum(factors)
    return math.fsum(c * (e - centre) ** 2 for c, e in zip(factors, expanded, strict=True))


def student_quantile(probability: float, degrees: int) -> float:
    """The quantile of Student's t above one half; 0 degrees of freedom means that chance had no choice.

    The distribution function is ∫ cosᵛ⁻¹ over the angle θ = arctan(t/√ν), in closed form (Abramowitz and Stegun
    1964, 26.7.3 and 26.7.4), inverted by bisection.
    """
    if degrees == 0:
        return 0.0
    if degrees > 10_000:
        return NormalDist().inv_cdf(probability)
    whole = _cosine_integral(math.pi / 2, degrees - 1)
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        if 0.5 + 0.5 * _cosine_integral(middle, degrees - 1) / whole < probability:
            low = middle
        else:
            high = middle
    return math.sqrt(degrees) * math.tan((low + high) / 2)


def _cosine_integral(until: float, power: int) -> float:
    """∫ cosᵖ from 0, by reduction: ∫ cosᵖ = cosᵖ⁻¹·sin / p + (p−1)/p · ∫ cosᵖ⁻²."""
    total = until if power % 2 == 0 else math.sin(until)
    for step in range(2 if power % 2 == 0 else 3, power + 1, 2):
        total = math.cos(until) ** (step - 1) * math.sin(until) / step + (step - 1) / step * total
    return total
