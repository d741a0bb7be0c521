"""Numbers as a person reads them."""

import pytest

from reporting.figures.display import displayed, text


@pytest.mark.parametrize(
    ("unit", "value", "shown"),
    [
        ("share", 0.0, "0.0%"),
        ("share", 0.000955, "0.096%"),
        ("share", 0.000001, "0.00010%"),
        ("share", 0.5, "50.0%"),
        ("share", 460 / 510, "90.2%"),
        # Nearly all is not all.
        ("share", 0.9996, "99.96%"),
        ("share", 0.999999, "99.9999%"),
        ("share", 1.0, "100.0%"),
        ("share", 1.25, "125.0%"),
        ("seconds", 0.0, "0"),
        ("seconds", 0.000955, "0.000955"),
        ("seconds", 30.0795, "30.1"),
        ("seconds", 99.96, "100"),
        ("seconds", 5439.4875, "5,439"),
        ("seconds", 1_234_567.8, "1,234,568"),
        ("ratio", 0.333333, "0.333"),
        ("ratio", 12.5, "12.5"),
        ("calls", 12_345, "12,345"),
        ("calls", 0, "0"),
        ("seconds", 1e-07, "0.0000001"),
        ("seconds", 1e15, "1,000,000,000,000,000"),
    ],
)
def test_as_many_digits_as_mean_something(unit: str, value: float, shown: str) -> None:
    assert text(unit, value) == shown


def test_a_value_that_was_rounded_to_nothing_is_shown_all_the_same() -> None:
    row = {"value": 0.0, "numerator": 1, "denominator": 10_000_000}
    assert displayed("share", row) == {"value": "0.000010%", "numerator": "1", "denominator": "10,000,000"}


def test_what_a_share_is_made_of_is_no_share_and_what_is_not_known_has_no_text() -> None:
    row = {"queue": "a", "value": None, "numerator": 1234.5, "denominator": 0, "unknown": 3}
    assert displayed("share", row) == {"numerator": "1,234", "denominator": "0"}
