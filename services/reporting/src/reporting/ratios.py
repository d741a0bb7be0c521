"""Limits that people set for shares: a share is from 0 to 1, so one of 80 means 80 % and is a slip."""

from contracts.directory import Names
from contracts.refusals import Invalid


class ShareBeyondOne(Invalid):
    """{measure}: {value} is above 1; a share is between 0 and 1 (80 % is 0.8)."""

    zh = "{measure}：{value} 大于 1；比例应在 0 与 1 之间，80% 应为 0.8。"


def check_share(measure: Names, *values: float | None) -> None:
    """Raises `ShareBeyondOne`."""
    for value in values:
        if value is not None and value > 1:
            raise ShareBeyondOne(measure=measure, value=value)
