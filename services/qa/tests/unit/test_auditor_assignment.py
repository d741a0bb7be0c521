"""Recordings are spread over auditors: within capacity, never one's own call, never both of a blind pair."""

from services.qa.tests.unit.builders import AGENT, make_review

from qa.evaluation.domain.assignment import Spread, spread


def reviews(count: int, **overrides):
    return [make_review(id=f"review-{number}", **overrides) for number in range(count)]


def counts(result: Spread) -> dict[str, int]:
    auditors = [auditor for _, auditor in result.pairs]
    return {auditor: auditors.count(auditor) for auditor in auditors}


def test_nobody_is_given_more_than_they_have_room_for() -> None:
    result = spread(reviews(10), {"a": 3, "b": 3})
    assert (counts(result), result.left_count) == ({"a": 3, "b": 3}, 4)


def test_the_one_with_most_room_comes_first_and_names_decide_a_tie() -> None:
    assert [auditor for _, auditor in spread(reviews(5), {"b": 2, "a": 2, "c": 4}).pairs] == ["c", "c", "a", "b", "c"]


def test_nobody_is_given_their_own_call() -> None:
    result = spread(reviews(6), {AGENT: 4, "b": 4})
    assert (counts(result), result.left_count) == ({"b": 4}, 2)


def test_a_blind_pair_goes_to_two_auditors() -> None:
    result = spread(reviews(2, is_double_blind=True), {"a": 5, "b": 5})
    assert [(review.id, auditor) for review, auditor in result.pairs] == [
        ("review-0", "a"),
        ("review-0", "b"),
        ("review-1", "a"),
        ("review-1", "b"),
    ]


def test_a_pair_of_which_one_is_given_out_needs_another_auditor() -> None:
    half = make_review(is_double_blind=True, auditor_ids=("a",))
    assert counts(spread([half], {"a": 5, "b": 1})) == {"b": 1}
    assert spread([half], {"a": 5}).left_count == 1


def test_without_auditors_everything_is_left() -> None:
    assert spread(reviews(2, is_double_blind=True), {}) == Spread((), 4)
    assert spread(reviews(2), {"a": 0}).left_count == 2
