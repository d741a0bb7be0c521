"""`linework partner`: validates and registers an external system."""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linework.runtime.commands import StateFolder
from linework.session import in_installation
from linework.stopped import Stopped

if TYPE_CHECKING:
    from contracts.conformance import Checked, Course
    from contracts.message import Message

commands = typer.Typer(help="Connect an external system: validate its events and register it.", no_args_is_help=True)
_PARTNER_ID = "a partner's id as in its topics"
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


@commands.command()
def check(
    file: Annotated[Path, typer.Argument(help="Sample records: a JSON array, or a JSON object per line.")],
    partner: Annotated[
        str | None, typer.Option("--partner", help=f"{_PARTNER_ID}; default: that of the first record.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    chinese: Annotated[bool, typer.Option("--zh", help="Print messages in Chinese.")] = False,
) -> None:
    """Validate sample events against the contract and print errors with corrections. Sends nothing.

    A correction of an event that is not in the file cannot be validated; it is reported as such and not as an error.
    A record is {"key": …, "headers": {…}, "value": {…}}, as it would be on partner.<id>.in, in the order of sending;
    in structured mode the value is the whole event. An event by itself, {"specversion": "1.0", "id": …, "data": {…}},
    is judged as a record in structured mode whose key is its subject.
    The exit status is 1 if there is an error.
    """
    judged = _judge(_records(file), partner)
    wrong = [one for one in judged if one.code is not None]
    if json_output:
        typer.echo(json.dumps([asdict(one) for one in judged], ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(_sentences(judged, "zh" if chinese else "en")))
    raise typer.Exit(1 if wrong or not judged else 0)


@commands.command()
def example(
    structured: Annotated[
        bool, typer.Option("--structured", help="In structured mode: the value is the whole event.")
    ] = False,
) -> None:
    """Print the events of a complete call as sample records to edit and check."""
    from contracts import partners as p
    from contracts.calls import EndedBy
    from contracts.codec import encode, new_partner_message
    from contracts.structured import MEDIA_TYPE, wrap

    at = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    said = [
        (p.PartnerCallOffered(caller="13800001111", line="96123"), 0),
        (p.PartnerCallQueued(queue="support", position=1), 1),
        (p.PartnerCallAnswered(agent="Agent/101", wait_milliseconds=4000), 5),
        (p.PartnerCallEnded(ended_by=EndedBy.CALLER, talk_milliseconds=27_000), 32),
    ]
    for number, (body, seconds) in enumerate(said, start=1):
        moment, event_id = at.replace(second=seconds), f"call-1-{number}"
        message = new_partner_message(body, partner_id="pbx", event_id=event_id, subject="call-1", occurred_at=moment)
        key, value, headers = encode(message)
        kept = {name: text.decode() for name, text in headers if name not in ("ce_recordedtime", "content-type")}
        if structured:
            kept, value = {"content-type": MEDIA_TYPE}, wrap(kept, value)
        record = {"key": key.decode(), "headers": kept, "value": json.loads(value)}
        typer.echo(json.dumps(record, ensure_ascii=False))


@commands.command()
def register(
    partner: Annotated[str, typer.Argument(help=_PARTNER_ID)],
    english: Annotated[str, typer.Option("--en", help="Name in English.")],
    chinese: Annotated[str, typer.Option("--zh", help="Name in Chinese.")],
    events_per_second: Annotated[
        int, typer.Option("--events-per-second", min=1, help="Quota; events beyond it are delayed.")
    ] = 200,
    suspended: Annotated[bool, typer.Option("--suspended", help="Register as inactive: its events wait.")] = False,
    state_folder: StateFolder = None,
) -> None:
    """Register or update a partner in a running installation; its topics are created within seconds."""
    defined = in_installation(
        lambda city: city.intake.define_partner(
            partner, en=english, zh=chinese, events_per_second=events_per_second, is_active=not suspended
        ),
        state_folder,
        patience_seconds=0,
    )
    typer.echo(json.dumps(defined, ensure_ascii=False, indent=2))


@commands.command()
def agents(
    partner: Annotated[str, typer.Argument(help=_PARTNER_ID)],
    json_output: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
    state_folder: StateFolder = None,
) -> None:
    """List the unregistered agents of a partner; register an agent with `PUT /v1/agents/{id}` of intake."""
    found = in_installation(lambda city: city.intake.unregistered_agents(partner), state_folder, patience_seconds=0)
    if json_output:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for agent in found:
        seen_at = datetime.fromisoformat(agent["first_seen_at"]).astimezone().isoformat(" ", "seconds")
        typer.echo(f"{agent['name']}  first seen {seen_at}")
    typer.echo(f"{len(found)} agents are not registered." if found else "Every agent is registered.")


def _records(file: Path) -> list[Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Stopped(f"{file} cannot be read: {error}.") from error
    try:
        if text.lstrip().startswith("["):
            found = json.loads(text)
        else:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise Stopped(f"{file} is neither a JSON array nor one JSON object a line: {error}.") from error
    if not found:
        raise Stopped(f"{file} has no records.")
    return found


def _judge(records: list[Any], partner: str | None) -> list[Judged]:
    from contracts.conformance import Course

    courses: dict[str | None, Course] = {}
    ids: dict[str, Any] = {}
    in_file = {_attributes(record, number).get("ce_id", "") for number, record in enumerate(records, start=1)}
    found = []
    for number, record in enumerate(records, start=1):
        key, value, headers = _parts(record, number)
        source = _attributes(record, number).get("ce_source", "")
        partner = partner or source.removeprefix("/partner/") or "?"
        found.append(_judged(number, key, value, headers, partner, courses, ids, in_file))
    return found


def _attributes(record: Any, number: int) -> dict[str, str]:
    """Of the event, by the names of their headers, in whichever mode it is."""
    from contracts.structured import unwrap

    _, value, headers = _parts(record, number)
    unwrapped = unwrap(value, _pairs(headers))
    return {name: text.decode("utf-8", "replace") for name, text in unwrapped.headers}


def _pairs(headers: dict[str, str]) -> list[tuple[str, bytes]]:
    return [(name, text.encode("utf-8", "replace")) for name, text in headers.items()]


def _parts(record: Any, number: int) -> tuple[bytes | None, bytes | None, dict[str, str]]:
    from contracts.structured import MEDIA_TYPE

    if isinstance(record, dict) and "specversion" in record:
        record = {"key": record.get("subject"), "headers": {"content-type": MEDIA_TYPE}, "value": record}
    if not isinstance(record, dict) or not isinstance(record.get("headers"), dict | list):
        raise Stopped(f'Record {number} is not {{"key": …, "headers": {{…}}, "value": {{…}}}}.')
    headers = {str(name): str(text) for name, text in dict(record["headers"]).items()}
    key, value = record.get("key"), record.get("value")
    content = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return None if key is None else str(key).encode("utf-8", "replace"), content.encode("utf-8", "replace"), headers


def _judged(
    number: int,
    key: bytes | None,
    value: bytes | None,
    headers: dict[str, str],
    partner: str,
    courses: dict[str | None, "Course"],
    ids: dict[str, Any],
    in_file: set[str],
) -> Judged:
    from contracts import conformance
    from contracts.topics import PARTNER_ID

    if not PARTNER_ID.fullmatch(partner):
        raise Stopped(f"{partner!r} is not a partner id; set it with --partner.")
    checked = conformance.check_record(key, value, _pairs(headers), partner_id=partner, now=datetime.now(UTC))
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
    checked: "Checked", courses: dict[str | None, "Course"], ids: dict[str, Any], in_file: set[str]
) -> bool:
    """Records a correction of an event that the file does not have, and that may have been sent before."""
    from contracts.conformance import Course

    message = checked.message
    assert message is not None
    corrects = getattr(message.body, "corrects", None)
    if corrects is None or corrects in in_file or message.id in ids:
        return False
    ids[message.id] = _content(message)
    courses.setdefault(message.subject, Course()).know(message.id, message.body)
    return True


def _content(message: "Message") -> tuple[Any, ...]:
    return (message.type, message.subject, message.occurred_at, message.data)


def _code_by_course(checked: "Checked", courses: dict[str | None, "Course"], ids: dict[str, Any]) -> str | None:
    from contracts import conformance

    message = checked.message
    assert message is not None
    content = _content(message)
    if (known := ids.setdefault(message.id, content)) != content:
        return conformance.ID_REUSED
    course = courses.setdefault(message.subject, conformance.Course())
    is_repeat = known is not content
    return None if is_repeat else course.take(message.id, message.body)


def _sentences(judged: list[Judged], language: str) -> list[str]:
    lines = []
    for one in judged:
        place = f"record {one.number} ({one.event_id or 'without an id'}, {one.event_type or 'without a type'})"
        if one.code is not None:
            lines.append(f"{place}: {one.code}: {one.detail[language]}")
        for mistake in one.mistakes:
            right = f"; right: {mistake['right']}" if mistake["right"] else ""
            lines.append(f"  {mistake['pointer'] or 'the record'}: {mistake['wrong'][language]}{right}")
        lines += [f"{place}: {warning}" for warning in one.warnings]
        if one.not_judged:
            lines.append(f"{place}: {one.not_judged[language]}")
    wrong, not_judged = sum(one.code is not None for one in judged), sum(bool(one.not_judged) for one in judged)
    return [*lines, f"{len(judged)} records, {wrong} wrong" + (f", {not_judged} not judged." if not_judged else ".")]
