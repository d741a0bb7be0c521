"""Values as a reader sees them: text for a page, and a number with its form for a spreadsheet."""

import re
from dataclasses import dataclass
from enum import StrEnum

from reporting.figures import display
from reporting.metrics import Metric, MetricKind
from reporting.reports.content import Cell
from reporting.reports.words import Language

NONE = "—"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_LONGEST_IN_HOURS = 2 * _DAY
_UNITS = (("d", "h", "min", "s"), ("天", "小时", "分", "秒"))
_LARGEST_CHANGE = 9.99
"""A larger change only means that the value before was close to zero."""


class NumberForm(StrEnum):
    TEXT = "text"
    COUNT = "count"
    SHARE = "share"
    TIME = "time"
    RATIO = "ratio"
    CHANGE = "change"
    """A relative change: 0.12 is 12 % more."""
    POINTS = "points"
    """A difference of shares in percentage points."""


@dataclass(frozen=True, slots=True)
class Shown:
    text: str
    number: float | int | None = None
    """For a spreadsheet; of a time in seconds, of points in hundredths."""
    form: NumberForm = NumberForm.TEXT
    sign: str = ""
    """The signs of its footnotes."""


def form_of(metric: Metric) -> NumberForm:
    if metric.unit == "seconds":
        return NumberForm.TIME
    if metric.kind is MetricKind.COUNT:
        return NumberForm.COUNT
    return NumberForm.SHARE if metric.unit == "share" else NumberForm.RATIO


def value_text(form: NumberForm, value: float | None, language: str, *, is_short: bool = False) -> str:
    """As a sentence has it, or short as a cell of a table."""
    if value is None:
        return NONE
    match form:
        case NumberForm.COUNT:
            return f"{value:,.0f}"
        case NumberForm.SHARE:
            return display.text("share", value)
        case NumberForm.TIME:
            text = duration(value, language)
            return _shortened(text) if is_short else text
        case NumberForm.CHANGE:
            return signed(min(value, _LARGEST_CHANGE) * 100, "%", is_more=value > _LARGEST_CHANGE)
        case NumberForm.POINTS:
            points = " pp" if is_short else " 个百分点" if language == Language.ZH else " percentage points"
            return signed(value * 100, points)
    return f"{value:,.2f}"


def signed(number: float, unit: str, *, is_more: bool = False) -> str:
    rounded = round(number, 1)
    if is_more:
        return f"> {rounded:+,.0f}{unit}"
    return f"±0.0{unit}" if rounded == 0 else f"{rounded:+,.1f}{unit}"


def duration(seconds: float, language: str) -> str:
    """Seconds below a minute, then minutes, hours and days with the unit below."""
    days, hours, minutes, unit = _UNITS[language == Language.ZH]
    if abs(seconds) < 9.95 and seconds != round(seconds):
        return f"{seconds:.1f} {unit}"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} {unit}"
    if whole < _HOUR:
        return f"{whole // _MINUTE} {minutes} {whole % _MINUTE:02} {unit}"
    if whole < _LONGEST_IN_HOURS:
        over, rest = divmod(round(whole / _MINUTE), 60)
        return f"{over:,} {hours} {rest:02} {minutes}"
    over, rest = divmod(round(whole / _HOUR), 24)
    return f"{over:,} {days} {rest} {hours}"


def _shortened(duration_text: str) -> str:
    """`10 min 18 s` as `10m 18s`, `10 分 18 秒` as `10分18秒`."""
    if duration_text.isascii():
        return re.sub(r" (min|[a-z])", lambda unit: unit.group(1)[0], duration_text)
    return duration_text.replace(" ", "")


def shown(metric: Metric, value: float | None, language: str, sign: str = "") -> Shown:
    form = form_of(metric)
    return Shown(value_text(form, value, language, is_short=True), value, form, sign)


def change(metric: Metric, now: Cell | None, then: Cell | None) -> tuple[NumberForm, float] | None:
    """How a figure has moved: shares by points, all else relatively; None where there is nothing to compare."""
    if now is None or then is None or now.value is None or then.value is None:
        return None
    if form_of(metric) is NumberForm.SHARE:
        return NumberForm.POINTS, now.value - then.value
    return (NumberForm.CHANGE, now.value / then.value - 1) if then.value else None


def shown_change(metric: Metric, now: Cell | None, then: Cell | None, language: str) -> Shown:
    moved = change(metric, now, then)
    if moved is None:
        return Shown(NONE)
    form, number = moved
    return Shown(value_text(form, number, language, is_short=True), number, form)
