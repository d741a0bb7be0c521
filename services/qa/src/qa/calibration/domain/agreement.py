"""How far people agree on the same things beyond what chance would give.

With two raters Cohen's kappa (Cohen 1960, *Educational and Psychological Measurement* 20, 37–46); with more Fleiss'
(Fleiss 1971, *Psychological Bulletin* 76, 378–382). Both are (P − Pₑ) / (1 − Pₑ) of the observed agreement P and that
expected by chance Pₑ, which for Cohen comes from each rater's own habits and for Fleiss from those of
all raters together. When all raters give the same answer to everything, chance alone explains all and kappa is not
defined.

Over several items chance is taken within each item (a stratified kappa; Barlow, Lai and Azen 1991, *Statistics in
Medicine* 10, 1465–1472), for items that are all mostly "yes" and items that are all mostly "no" would otherwise look
like agreement: κ = Σ n·(P − Pₑ) / Σ n·(1 − Pₑ), with n the subjects of an item.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class KappaMethod(StrEnum):
    COHEN = "cohen"
    FLEISS = "fleiss"
    COHEN_WITHIN_ITEMS = "cohen_within_items"
    FLEISS_WITHIN_ITEMS = "fleiss_within_items"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    subject_count: int
    rater_count: int
    agreement_millionths: int
    """Of all pairs of raters on all subjects, those that gave the same answer."""
    kappa_millionths: int | None
    """By `kappa_method`; null when it is not defined."""
    kappa_method: KappaMethod | None = None
    """Null in sessions that were closed before it was recorded; their overall kappa pooled all items as one scale."""


Ratings = Sequence[Sequence[str]]
"""`ratings[subject][rater]` is a category; every subject was rated by the same two or more raters."""


def agreement(ratings: Ratings) -> Agreement:
    """Agreement on the subjects of one scale."""
    method = KappaMethod.COHEN if len(ratings[0]) == 2 else KappaMethod.FLEISS
    return _agreement([ratings], method)


def agreement_within_items(items: Sequence[Ratings]) -> Agreement:
    """Agreement on several items, each a scale of its own; every item has at least one subject."""
    method = KappaMethod.COHEN_WITHIN_ITEMS if len(items[0][0]) == 2 else KappaMethod.FLEISS_WITHIN_ITEMS
    return _agreement(items, method)


def _agreement(items: Sequence[Ratings], method: KappaMethod) -> Agreement:
    count = sum(len(ratings) for ratings in items)
    observed = sum(len(ratings) * _observed(ratings) for ratings in items)
    expected = sum(len(ratings) * _expected(ratings) for ratings in items)
    kappa = None if expected == count else (observed - expected) / (count - expected)
    return Agreement(
        subject_count=count,
        rater_count=len(items[0][0]),
        agreement_millionths=round(observed / count * 1_000_000),
        kappa_millionths=None if kappa is None else round(kappa * 1_000_000),
        kappa_method=method,
    )


def _observed(ratings: Ratings) -> Fraction:
    raters = len(ratings[0])
    same = sum(count * (count - 1) for subject in ratings for count in Counter(subject).values())
    return Fraction(same, len(ratings) * raters * (raters - 1))


def _expected(ratings: Ratings) -> Fraction:
    return _expected_of_two(ratings) if len(ratings[0]) == 2 else _expected_of_all(ratings)


def _expected_of_two(ratings: Ratings) -> Fraction:
    first, second = Counter(one[0] for one in ratings), Counter(one[1] for one in ratings)
    return Fraction(sum(count * second[category] for category, count in first.items()), len(ratings) ** 2)


def _expected_of_all(ratings: Ratings) -> Fraction:
    every = Counter(category for subject in ratings for category in subject)
    return Fraction(sum(count * count for count in every.values()), every.total() ** 2)
