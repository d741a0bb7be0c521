"""What fits the type of a partner's event and cannot be true, or is more than is kept."""

import re
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
        is_plain = isinstance(message.body, _STORED_PLAIN)
        yield from _value_mistakes(field.name, getattr(message.body, field.name), is_plain=is_plain)
    yield from _spelling_mistakes(message)
    if isinstance(message.body, p.PartnerOutageReported | p.PartnerOutageRestoreTimeChanged):
        yield from _outage_mistakes(message.body, now)
    if isinstance(message.body, p.PartnerReplayRequested) and not _EARLIEST <= message.body.since <= now:
        yield mistake_at("/since", "is before 2000 or in the future", "早于 2000 年或在未来", "a time that has passed")
    if isinstance(message.body, p.PartnerSubscriberChanged):
        yield from _subscriber_mistakes(message.subject, message.body)
    if isinstance(message.body, p.PartnerCallRated) and (message.body.score or 1) > message.body.highest:
        yield mistake_at("/score", "is outside the scale", "超出评分范围", "1 to highest")
    if isinstance(message.body, p.PartnerAgentStateChanged) and message.subject != f"agent:{message.body.agent}":
        # Under another key their states would no longer stand in one order.
        yield mistake_at("ce_subject", "is not this agent's", "与坐席不符", "agent: and what `agent` says")


_STORED_PLAIN = (
    p.PartnerOrderRequested,
    p.PartnerOrderCancelRequested,
    p.PartnerOrderUrgeRequested,
    p.PartnerOutageReported,
    p.PartnerOutageRestoreTimeChanged,
    p.PartnerOutageRestored,
    p.PartnerSubscriberChanged,
)
"""The events of which texts are stored, in plain spelling."""
_REFERENCES = ("subscriber_no", "territory", "name", "address")
_PROSE = ("content", "reason", "cause", "notes")


def _spelling_mistakes(message: Message) -> Iterator[Mistake]:
    """Of what is stored in plain spelling something is left once it is normalised, and not too much."""
    if not isinstance(message.body, _STORED_PLAIN):
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


_FURTHEST = timedelta(days=3660)
_CLOCK_TOLERANCE = timedelta(minutes=5)


def _outage_mistakes(
    outage: p.PartnerOutageReported | p.PartnerOutageRestoreTimeChanged, now: datetime
) -> Iterator[Mistake]:
    for name in ("began_at", "restore_by"):
        moment = getattr(outage, name, None)
        if moment is not None and not _EARLIEST <= moment <= now + _FURTHEST:
            wrong = "is before 2000 or more than ten years ahead", "早于 2000 年或在十年之后"
            yield mistake_at(f"/{name}", *wrong, "a time with its zone")
    if isinstance(outage, p.PartnerOutageRestoreTimeChanged):
        return
    if not outage.territories:
        yield mistake_at("/territories", "is empty", "为空", "the territories without supply")
    for territory in outage.territories[:MOST_QUEUES]:
        if not plain_reference(territory):
            yield mistake_at("/territories", "has an entry without a visible character", "有一项没有可见字符", "names")
    if outage.began_at is not None and not outage.is_planned and outage.began_at > now + _CLOCK_TOLERANCE:
        right = "a time that has come, or `is_planned`"
        yield mistake_at(
            "/began_at", "is in the future, and the outage is not planned", "非计划停电的开始时间在未来", right
        )


MOST_PHONES = 10
PHONE = re.compile(r"\+?\(?[0-9][0-9 ().-]{1,30}")
KIND = re.compile(r"[a-z_]{1,40}")


def _subscriber_mistakes(subject: str, changed: p.PartnerSubscriberChanged) -> Iterator[Mistake]:
    if subject != f"subscriber:{changed.subscriber_no}":
        # Under another key changes of one subscriber would no longer stand in one order.
        yield mistake_at("ce_subject", "is not this subscriber's", "与用户不符", "subscriber: and the number")
    if all(getattr(changed, name) is None for name in p.SubscriberField):
        yield mistake_at("", "changes nothing", "没有任何变更", "at least one of " + ", ".join(p.SubscriberField))
    phones = changed.phones or ()
    if len(phones) > MOST_PHONES:
        yield mistake_at("/phones", "has too many entries", "项目过多", f"at most {MOST_PHONES}")
    for place, phone in enumerate(phones[:MOST_PHONES]):
        if not PHONE.fullmatch(plain_reference(phone)):
            yield mistake_at(f"/phones/{place}", "is no telephone number", "不是电话号码", "digits, as +8613800001111")
    if changed.kind is not None and not KIND.fullmatch(changed.kind):
        yield mistake_at("/kind", "is no code", "不是代码", "1 to 40 lower-case letters and dashes below")


_RANGES = {"leg": (1, MOST_LEGS), "position": (0, 100_000), "highest": (1, 100), "score": (1, 100)}


def _value_mistakes(name: str, value: Any, *, is_plain: bool) -> Iterator[Mistake]:
    """`is_plain`: texts are stored in plain spelling, which takes a Chinese space for a space."""
    if isinstance(value, tuple):
        if len(value) > MOST_QUEUES:
            yield mistake_at(f"/{name}", "has too many entries", "项目过多", f"at most {MOST_QUEUES}")
        for item in value[:MOST_QUEUES]:
            yield from _value_mistakes(name, item, is_plain=is_plain)
    elif isinstance(value, str) and not isinstance(value, StrEnum):
        is_prose = is_plain and name in _PROSE
        longest = LONGEST_CONTENT if is_prose else LONGEST_TEXT
        lines = value.replace("\u3000", " ") if is_plain else value
        lines = lines.replace("\n", "").replace("\t", "") if is_prose else lines
        is_clean = lines.isprintable()
        if not 0 < len(value) <= longest or not is_clean:
            yield mistake_at(
                f"/{name}", "is empty, too long or not printable", "为空、过长或含不可打印字符", f"1 to {longest}"
            )
    elif isinstance(value, int) and not isinstance(value, bool):
        lowest, highest = (0, LONGEST_MILLISECONDS) if name.endswith("_milliseconds") else _RANGES.get(name, (0, 2**31))
        if not lowest <= value <= highest:
            yield mistake_at(f"/{name}", f"is {value}", "超出范围", f"{lowest} to {highest}")
