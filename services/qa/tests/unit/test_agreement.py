"""Agreement beyond chance, against worked examples from the literature."""

import pytest

from qa.calibration.domain.agreement import agreement

# 10 subjects, 14 raters, 5 categories: counts by subject, the usual worked example of Fleiss' kappa (0.210).
FLEISS = (
    (0, 0, 0, 0, 14),
    (0, 2, 6, 4, 2),
    (0, 0, 3, 5, 6),
    (0, 3, 9, 2, 0),
    (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0),
    (3, 2, 6, 3, 0),
    (2, 5, 3, 2, 2),
    (6, 5, 2, 1, 0),
    (0, 2, 2, 3, 7),
)


def test_two_raters_have_cohens_kappa() -> None:
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    found = agreement(pairs)
    assert (found.agreement_millionths, found.kappa_millionths) == (700_000, 400_000)
    assert (found.subject_count, found.rater_count) == (50, 2)


def test_more_raters_have_fleiss_kappa() -> None:
    ratings = [[str(place) for place, count in enumerate(row) for _ in range(count)] for row in FLEISS]
    found = agreement(ratings)
    assert found.kappa_millionths == pytest.approx(209_931, abs=1)
    assert found.agreement_millionths == pytest.approx(378_022, abs=1)


def test_whoever_always_says_the_same_agrees_and_proves_nothing() -> None:
    found = agreement([("yes", "yes"), ("yes", "yes")])
    assert (found.agreement_millionths, found.kappa_millionths) == (1_000_000, None)


def test_less_agreement_than_chance_gives_is_below_zero() -> None:
    found = agreement([("a", "b"), ("b", "a")])
    assert (found.agreement_millionths, found.kappa_millionths) == (0, -1_000_000)
