"""Agreement beyond chance, against worked examples from the literature."""

import pytest

from qa.calibration.domain.agreement import KappaMethod, agreement, agreement_within_items

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


def yes_no(both: int, first: int, second: int, neither: int) -> list[tuple[str, str]]:
    pairs = {("yes", "yes"): both, ("yes", "no"): first, ("no", "yes"): second, ("no", "no"): neither}
    return [pair for pair, count in pairs.items() for _ in range(count)]


def test_over_several_items_chance_is_taken_within_each_item() -> None:
    # One item is mostly "yes" and the other mostly "no"; in each of them the raters agree little beyond chance.
    polite, faulty = yes_no(16, 2, 1, 1), yes_no(1, 1, 2, 16)
    found = agreement_within_items([polite, faulty])
    # By hand: Po = 17/20 in both; Pe = (18·17 + 2·3)/400 = 0.78; kappa = 0.07/0.22, as in each item.
    assert found.kappa_millionths == round(0.07 / 0.22 * 1_000_000)
    assert found.kappa_millionths == agreement(polite).kappa_millionths == agreement(faulty).kappa_millionths
    assert agreement([*polite, *faulty]).kappa_millionths == 700_000
    assert (found.subject_count, found.agreement_millionths) == (40, 850_000)


def test_an_overall_kappa_lies_among_those_of_its_items() -> None:
    items = [yes_no(8, 2, 1, 9), yes_no(15, 2, 2, 1), yes_no(3, 1, 0, 6)]
    kappas = [agreement(ratings).kappa_millionths for ratings in items]
    assert min(kappas) < agreement_within_items(items).kappa_millionths < max(kappas)


def test_an_item_that_all_answer_alike_weighs_nothing() -> None:
    item = yes_no(4, 2, 1, 3)
    alone = agreement_within_items([item])
    with_unanimous = agreement_within_items([item, [("yes", "yes")] * 10])
    assert with_unanimous.kappa_millionths == alone.kappa_millionths
    assert agreement_within_items([[("yes", "yes")]]).kappa_millionths is None


def test_the_method_is_named() -> None:
    assert agreement([("a", "a")]).kappa_method is KappaMethod.COHEN
    assert agreement([("a", "a", "b")]).kappa_method is KappaMethod.FLEISS
    assert agreement_within_items([[("a", "b")]]).kappa_method is KappaMethod.COHEN_WITHIN_ITEMS
    assert agreement_within_items([[("a", "b", "a")]]).kappa_method is KappaMethod.FLEISS_WITHIN_ITEMS
