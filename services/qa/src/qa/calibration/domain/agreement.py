"""How far people agree on the same things beyond what chance would give.

With two raters Cohen's kappa (Cohen 1960, *Educational and Psychological Measurement* 20, 37–46); with more Fleiss'
(Fleiss 1971, *Psychological Bulletin* 76, 378–382). Both are (P − Pₑ) / (1 − Pₑ) of the observed agreement P and that
expected by chance Pₑ, which for Cohen comes from each rater's own habits and for Fleiss from everybody's together.
When everybody gives the same answer to everything, chance alone explains all and kappa is not defined.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    subject_count: int
    rater_count: int
    agreement_millionths: int
    """Of all pairs of raters on all subjects, those that gave the same answer."""
    kappa_millionths: int | None
    """Cohen's of two raters, Fleiss' of more; null when it is not defined."""


def agreement(ratings: Sequence[Sequence[str]]) -> Agreement:
    """`ratings[subject][rater]` is a category; every subject was rated by the same two or more raters."""
    raters = len(ratings[0])
    observed = _observed(ratings)
    expected = _expected_of_two(ratings) if raters == 2 else _expected_of_all(ratings)
    kappa = None if expected == 1 else (observed - expected) / (1 - expected)
    return Agreement(
        subject_count=len(ratings),
        rater_count=raters,
        agreement_millionths=round(observed * 1_000_000),
        kappa_millionths=None if kappa is None else round(kappa * 1_000_000),
    )


def _observed(ratings: Sequence[Sequence[str]]) -> Fraction:
    raters = len(ratings[0])
    same = sum(count * (count - 1) for subject in ratings for count in Counter(subject).values())
    return Fraction(same, len(ratings) * raters * (raters - 1))


def _expected_of_two(ratings: Sequence[Sequence[str]]) -> Fraction:
    first, second = Counter(one[0] for one in ratings), Counter(one[1] for one in ratings)
    return Fraction(sum(count * second[category] for category, count in first.items()), len(ratings) ** 2)


def _expected_of_all(ratings: Sequence[Sequence[str]]) -> Fraction:
    every = Counter(category for subject in ratings for category in subject)
    return Fraction(sum(count * count for count in every.values()), every.total() ** 2)
