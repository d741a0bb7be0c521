"""A page is cut from one row more than it has, and the next one starts behind its last row."""

import pytest

from chassis.paging import from_cursor, page_of

ROWS = [("a", 1), ("b", 2), ("c", 3)]


@pytest.mark.parametrize("limit", [3, 4])
def test_the_last_page_has_no_cursor(limit: int) -> None:
    assert page_of("rows", ROWS, limit, lambda row: row) == (ROWS, None)


def test_a_page_before_the_last_ends_with_a_cursor_behind_its_last_row() -> None:
    shown, cursor = page_of("rows", ROWS, 2, lambda row: row)
    assert shown == ROWS[:2]
    assert cursor is not None
    assert from_cursor("rows", cursor, str, int) == ("b", 2)


def test_an_empty_list_is_an_empty_page() -> None:
    assert page_of("rows", [], 2, lambda row: row) == ([], None)
