"""What a spreadsheet could take for a formula is written as text."""

import pytest

from contracts.spreadsheets import csv_cell


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("before", ["", " ", "\u3000", "\u00a0", "\u200b", "\ufeff", "\u202e ", "\x00"])
def test_a_text_that_begins_like_a_formula_gets_an_apostrophe(before: str, sign: str) -> None:
    text = f"{before}{sign}1+1"
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "  ", "咨询", "1-1", "a=b", "'=1", "10001", "（＝）"])
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert csv_cell(text) == text
