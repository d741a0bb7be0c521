"""Up to where an order's past is shown to a work area."""

import pytest

from reporting.record.visibility import FOR_EVER, NEVER, shown_before

# where the order was dispatched to which area, the areas of who asks, and from where on nothing is shown
CASES = [
    ([], {"a"}, NEVER),
    ([(2, "b")], {"a"}, NEVER),
    ([(2, "a")], set(), NEVER),
    ([(2, "a")], {"a"}, FOR_EVER),
    ([(2, "b"), (5, "a")], {"a"}, FOR_EVER),
    ([(2, "a"), (5, "b")], {"a"}, 5),
    ([(2, "a"), (5, "b"), (8, "c")], {"a"}, 5),
    ([(2, "a"), (5, "b"), (8, "c")], {"a", "b"}, 8),
    ([(2, "a"), (5, "b"), (8, "c")], {"b"}, 8),
    ([(2, "a"), (5, "b"), (8, "a")], {"a"}, FOR_EVER),
    ([(2, "a"), (5, "b"), (8, "a"), (9, "c")], {"a"}, 9),
    ([(2, "a"), (5, "a"), (8, "b")], {"a"}, 8),
]


@pytest.mark.parametrize(("dispatches", "areas", "before"), CASES)
def test_an_area_sees_what_was_until_the_order_was_dispatched_elsewhere(
    dispatches: list[tuple[int, str]], areas: set[str], before: int
) -> None:
    assert shown_before(dispatches, areas) == before
