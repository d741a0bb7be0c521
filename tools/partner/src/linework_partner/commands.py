"""What both `linework partner` and `linework-partner` offer: `check` and `example`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linework_partner.example_kinds import ExampleKind
from linework_partner.records import read_records

if TYPE_CHECKING:
    from linework_partner.judging import Judged

PARTNER_ID_HELP = "a partner's id as in its topics"


def check(
    file: Annotated[Path, typer.Argument(help="Sample records: a JSON array, or a JSON object per line.")],
    partner: Annotated[
        str | None, typer.Option("--partner", help=f"{PARTNER_ID_HELP}; default: that of the first record.")
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
    from linework_partner.judging import judge

    judged = judge(read_records(file), partner)
    wrong = [one for one in judged if one.code is not None]
    if json_output:
        typer.echo(json.dumps([asdict(one) for one in judged], ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(_sentences(judged, "zh" if chinese else "en")))
    raise typer.Exit(1 if wrong or not judged else 0)


def example(
    kind: Annotated[ExampleKind, typer.Argument(help="What the events are about.")] = ExampleKind.CALL,
    structured: Annotated[
        bool, typer.Option("--structured", help="In structured mode: the value is the whole event.")
    ] = False,
) -> None:
    """Print the events of a call, an order, an outage, a subscriber or a replay as sample records to edit and check."""
    from contracts.codec import encode
    from contracts.structured import MEDIA_TYPE, wrap
    from linework_partner.examples import example_of

    for message in example_of(kind):
        key, value, headers = encode(message)
        kept = {name: text.decode() for name, text in headers if name not in ("ce_recordedtime", "content-type")}
        if structured:
            kept, value = {"content-type": MEDIA_TYPE}, wrap(kept, value)
        record = {"key": key.decode(), "headers": kept, "value": json.loads(value)}
        typer.echo(json.dumps(record, ensure_ascii=False))


def _sentences(judged: list["Judged"], language: str) -> list[str]:
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
