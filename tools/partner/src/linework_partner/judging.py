"""Judges records as intake would: each for itself, and in the course of its call."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from contracts import conformance
from contracts.conformance import Checked, Course
from contracts.message import Message
from contracts.topics import PARTNER_ID
from linework_partner.records import NoRecords, attributes_of, encoded, parts_of

_NOT_JUDGED = {
    "en": "it corrects an event that is not in this file: whether that was sent cannot be judged here",
    "zh": "它更正的事件不在此文件中：该事件是否发送过，在此无法判断",
}


@dataclass(slots=True)
class Judged:
    """The verdict on a record, with warnings."""

    number: int
    event_id: str | None
    event_type: str | None
    code: str | None = None
    detail: dict[str, str] = field(default_factory=dict)
    mistakes: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    not_judged: dict[str, str] = field(default_factory=dict)
    """Why it cannot be judged here, in both languages; empty if it was judged."""


def judge(records: list[Any], partner: str | None) -> list[Judged]:
    courses: dict[str | None, Course] = {}
    ids: dict[str, Any] = {}
    in_file = {attributes_of(record, number).get("ce_id", "") for number, record in enumerate(records, start=1)}
    found = []
    for number, record in enumerate(records, start=1):
        key, value, headers = parts_of(record, number)
        source = attributes_of(record, number).get("ce_source", "")
        partner = partner or source.removeprefix("/partner/") or "?"
        found.append(_judged(number, key, value, headers, partner, courses, ids, in_file))
    return found


def _judged(
    number: int,
    key: bytes | None,
    value: bytes | None,
    headers: dict[str, str],
    partner: str,
    courses: dict[str | None, Course],
    ids: dict[str, Any],
    in_file: set[str],
) -> Judged:
    if not PARTNER_ID.fullmatch(partner):
        raise NoRecords(f"{partner!r} is not a partner id; set it with --partner.")
    checked = conformance.check_record(key, value, encoded(headers), partner_id=partner, now=datetime.now(UTC))
    judged = Judged(number, checked.event_id, checked.event_type, checked.code)
    judged.mistakes = [asdict(mistake) for mistake in checked.mistakes]
    if checked.message is not None and _corrects_what_is_elsewhere(checked, courses, ids, in_file):
        judged.not_judged = dict(_NOT_JUDGED)
    elif checked.message is not None:
        judged.code = _code_by_course(checked, courses, ids)
    if checked.message is not None:
        judged.warnings = [f"{name} is no field of it: ignored" for name in conformance.unknown_fields(checked.message)]
    if judged.code is not None:
        judged.detail = asdict(conformance.SENTENCES[judged.code])
    return judged


def _corrects_what_is_elsewhere(
    checked: Checked, courses: dict[str | None, Course], ids: dict[str, Any], in_file: set[str]
) -> bool:
    """Records a correction of an event that the file does not have, and that may have been sent before."""
    message = checked.message
    assert message is not None
    corrects = getattr(message.body, "corrects", None)
    if corrects is None or corrects in in_file or message.id in ids:
        return False
    ids[message.id] = _content(message)
    courses.setdefault(message.subject, Course()).know(message.id, message.body)
    return True


def _content(message: Message) -> tuple[Any, ...]:
    return (message.type, message.subject, message.occurred_at, message.data)


def _code_by_course(checked: Checked, courses: dict[str | None, Course], ids: dict[str, Any]) -> str | None:
    message = checked.message
    assert message is not None
    content = _content(message)
    if (known := ids.setdefault(message.id, content)) != content:
        return conformance.ID_REUSED
    course = courses.setdefault(message.subject, conformance.Course())
    is_repeat = known is not content
    return None if is_repeat else course.take(message.id, message.body)
