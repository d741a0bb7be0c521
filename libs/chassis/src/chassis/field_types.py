"""Text fields of request models: any script, no control characters, normalised spelling.

Each type is normalised by `contracts.plain_text` before it is stored, compared or searched; list filters use the same
types.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

from chassis.field_errors import InvalidValue
from contracts.plain_text import plain_line, plain_name, plain_prose, plain_reference

_KEPT_IN_TEXT = "\n\t"
# Of the categories Cc and Cs: surrogates cannot be written as UTF-8; the other controls break terminals, CSV and the
# database.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_FURTHEST = timedelta(days=3660)
_CLOCK_TOLERANCE = timedelta(minutes=5)


def _without_control_characters(text: str) -> str:
    if (found := _CONTROL.search(text)) is not None:
        code = f"U+{ord(found[0]):04X}"
        raise InvalidValue(f"control character {code} is not allowed", f"不允许控制字符 {code}")
    return text


def _one_line(text: str) -> str:
    if any(character in text for character in _KEPT_IN_TEXT):
        raise InvalidValue("line breaks and tabs are not allowed here", "此处不允许换行符和制表符")
    return _without_control_characters(text)


def _in_living_memory(moment: datetime) -> datetime:
    if not EARLIEST <= moment <= datetime.now(UTC) + _FURTHEST:
        raise InvalidValue("the time is before 2000 or more than ten years ahead", "时间早于 2000 年或在十年之后")
    return moment.astimezone(UTC)


def not_in_the_future(moment: datetime) -> datetime:
    if moment > datetime.now(UTC) + _CLOCK_TOLERANCE:
        raise InvalidValue("the time is in the future", "时间在未来")
    return _in_living_memory(moment)


def _spelt(spell: Callable[[str], str], most: int) -> AfterValidator:
    """In one spelling, which may be shorter than what was typed, or longer: ㎞ is two letters."""

    def validate(text: str) -> str:
        plain = spell(text)
        # Ends with the first character that shows: to normalise all of a text takes 2 µs for each of its characters.
        if not any(map(plain_reference, plain)):
            raise InvalidValue("there is no visible character", "没有可见字符")
        if len(plain) > most:
            raise InvalidValue(f"longer than {most} characters once it is normalised", f"规范化后超过 {most} 个字符")
        return plain

    return AfterValidator(validate)


_LONGEST_LINE, _LONGEST_PROSE = 200, 4000
_ONE_LINE = (
    StringConstraints(min_length=1, max_length=_LONGEST_LINE, strip_whitespace=True),
    AfterValidator(_one_line),
)

Line = Annotated[str, *_ONE_LINE, _spelt(plain_line, _LONGEST_LINE)]
"""A title, a label: one line, 1 to 200 characters."""

Reference = Annotated[str, *_ONE_LINE, _spelt(plain_reference, _LONGEST_LINE)]
"""A number, an id, a reference: one line, 1 to 200 characters."""

Name = Annotated[str, *_ONE_LINE, _spelt(plain_name, _LONGEST_LINE)]
"""A person's name or address: one line, 1 to 200 characters."""

Prose = Annotated[
    str,
    StringConstraints(min_length=1, max_length=_LONGEST_PROSE, strip_whitespace=True),
    AfterValidator(_without_control_characters),
    _spelt(plain_prose, _LONGEST_PROSE),
]
"""Free text: 1 to 4,000 characters, line breaks allowed."""

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""An identifier that operators choose: letters, digits, dot, dash, underscore, at most 64."""

Moment = Annotated[AwareDatetime, AfterValidator(_in_living_memory)]
"""A time with its zone, from 2000 to ten years ahead."""

PastMoment = Annotated[AwareDatetime, AfterValidator(not_in_the_future)]
"""A time with its zone, from 2000 until this moment (five minutes of clock difference are let pass)."""


class Body(BaseModel):
    """A request body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")
