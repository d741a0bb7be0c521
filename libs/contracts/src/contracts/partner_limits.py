"""What fits the type of a partner's event and cannot be true, or is more than is kept."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from contracts import partners as p
from contracts.directory import Names
from contracts.message import Message
from contracts.partners import Mistake
from contracts.plain_text import plain_reference

LONGEST_MILLISECONDS = 7 * 24 * 3600 * 1000
LONGEST_TEXT = 200
LONGEST_CONTENT = 4000
MOST_LEGS = 100
MOST_QUEUES = 100
_EARLIEST = datetime.fromisoformat("2000-01-01T00:00:00Z")
_AHEAD = timedelta(days=1)


def mistake_at(pointer: str, en: str, zh: str, right: str = "") -> Mistake:
    return Mistake(pointer, Names(en, zh), right)


def limit_mistakes(message: Message, now: datetime) -> Iterator[Mistake]:
    """The mistakes of a message that could be read."""
    if not _EARLIEST <= message.occurred_at <= now + _AHEAD:
        yield mistake_at(
            "ce_time", "is before 2000 or more than a day ahead", "早于 2000 年或超前一天以上", "the time it happened"
        )
    for field in fields(message.body):
        is_prose = field.name in _PROSE and isinstance(message.body, _ABOUT_ORDERS)
        yield from _value_mistakes(field.name, getattr(message.body, field.name), is_prose=is_prose)
    yield from _spelling_mistakes(message)
    if isinstance(message.body, p.PartnerCallRated) and (message.body.score or 1) > message.body.highest:
        yield mistake_at("/score", "is outside the scale", "超出评分范围", "1 to highest")
    if isinstance(message.body, p.PartnerAgentStateChanged) and message.subject != f"agent:{message.body.agent}":
        # Under another key their states would no longer stand in one order.
        yield mistake_at("ce_subject", "is not this agent's", "与坐席不符", "agent: and what `agent` says")


_ABOUT_ORDERS = (p.PartnerOrderRequested, p.PartnerOrderCancelRequested, p.PartnerOrderUrgeRequested)
_REFERENCES = ("subscriber_no", "territory")
_PROSE = ("content", "reason")


def _spelling_mistakes(message: Message) -> Iterator[Mistake]:
    """Of what is stored in plain spelling something is left once it is normalised, and not too much."""
    if not isinstance(message.body, _ABOUT_ORDERS):
        return
    texts = {f"/{name}": getattr(message.body, name, None) for name in _REFERENCES}
    for pointer, text in {"ce_subject": message.subject, **texts}.items():
        if text and not 0 < len(plain_reference(text)) <= LONGEST_TEXT:
            yield mistake_at(
                pointer,
                "has no visible character, or is too long once it is normalised",
                "没有可见字符，或规范化后过长",
                f"1 to {LONGEST_TEXT} characters",
            )
    for name in _PROSE:
        prose = getattr(message.body, name, None)
        if prose and not plain_reference(prose):
            right = f"1 to {LONGEST_CONTENT} characters"
            yield mistake_at(f"/{name}", "has no visible character", "没有可见字符", right)


_RANGES = {"leg": (1, MOST_LEGS), "position": (0, 100_000), "highest": (1, 100), "score": (1, 100)}


def _value_mistakes(name: str, value: Any, *, is_prose: bool = False) -> Iterator[Mistake]:
    if isinstance(value, tuple):
        if len(value) > MOST_QUEUES:
            yield mistake_at(f"/{name}", "has too many entries", "项目过多", f"at most {MOST_QUEUES}")
        for item in value[:MOST_QUEUES]:
            yield from _value_mistakes(name, item)
    elif isinstance(value, str) and not isinstance(value, StrEnum):
        longest = LONGEST_CONTENT if is_prose else LONGEST_TEXT
        lines = value.replace("\n", "").replace("\t", "") if is_prose else value
        is_clean = lines.isprintable()
        if not 0 < len(value) <= longest or not is_clean:
            yield mistake_at(
                f"/{name}", "is empty, too long or not printable", "为空、过长或含不可打印字符", f"1 to {longest}"
            )
    elif isinstance(value, int) and not isinstance(value, bool):
        lowest, highest = (0, LONGEST_MILLISECONDS) if name.endswith("_milliseconds") else _RANGES.get(name, (0, 2**31))
        if not lowest <= value <= highest:
            yield mistake_at(f"/{name}", f"is {value}", "超出范围", f"{lowest} to {highest}")
