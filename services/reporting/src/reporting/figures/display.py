"""Figures for people: with the digits that matter in their unit, and never zero for a value above zero.

Percentiles come from buckets of 1/64 and means from milliseconds, so that more than three digits say nothing. The
numbers themselves stay beside the texts, for programs.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

_DIGITS = 3
_COUNTED = ("numerator", "denominator")
_VALUES = ("value", "p50", "p90")


def displayed(unit: str, row: Mapping[str, Any]) -> dict[str, str]:
    """The numbers of a row that are known, by name."""
    units = {**dict.fromkeys(_VALUES, unit), **dict.fromkeys(_COUNTED, "")}
    exact = {**row, "value": _exact(row)}
    return {name: text(own, exact[name]) for name, own in units.items() if exact.get(name) is not None}


def _exact(row: Mapping[str, Any]) -> float | int | None:
    """The value is rounded to millionths, where one in ten million would be nothing."""
    return row["numerator"] / row["denominator"] if row.get("denominator") else row["value"]


def text(unit: str, value: float | int) -> str:
    """A value in its unit: shares as percent, all else as a number without a unit, which stands in the heading."""
    if unit == "share":
        return f"{_share(Decimal(repr(value)))}%"
    return f"{value:,}" if isinstance(value, int) else _number(Decimal(repr(value)))


def _share(value: Decimal) -> str:
    """One decimal, and more of what would read as nothing or as all though it is not."""
    percent = value * 100
    return _fixed(percent, max(_decimals(percent, 2), _decimals(100 - percent, 1), 1))


def _number(value: Decimal) -> str:
    """Significant digits; whole numbers keep all of theirs."""
    fixed = _fixed(value, _decimals(value, _DIGITS))
    return fixed.rstrip("0").rstrip(".") if "." in fixed else fixed


def _decimals(value: Decimal, digits: int) -> int:
    """How many decimals show so many significant digits."""
    return max(digits - 1 - value.adjusted(), 0) if value else 0


def _fixed(value: Decimal, places: int) -> str:
    return f"{value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN):,f}"
