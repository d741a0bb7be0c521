"""The three ways in which FreeSWITCH writes a call record, read into the one shape that `freeswitch.events` takes.

- `mod_json_cdr`: a JSON object with `variables`, and `callflow` with the profile of the caller.
- `mod_xml_cdr`: `<cdr>` with the same, the values of `<variables>` percent-encoded.
- `mod_cdr_csv`: a line of its default template `example` (caller_id_name, caller_id_number, destination_number,
  context, start_stamp, answer_stamp, end_stamp, duration, billsec, hangup_cause, uuid, bleg_uuid, accountcode, and
  whatever stands behind these thirteen). It knows neither queue nor direction: a call in one of the inbound contexts
  came in, any other went out. Its times are the switch's own wall clock.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import msgspec

from linework.bridge.freeswitch import NotACallRecord

Record = Mapping[str, Any]
COLUMNS = (
    "caller_id_name",
    "caller_id_number",
    "destination_number",
    "context",
    "start_stamp",
    "answer_stamp",
    "end_stamp",
    "duration",
    "billsec",
    "hangup_cause",
    "uuid",
    "bleg_uuid",
    "accountcode",
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CsvReading:
    """What has to be known of a switch to read its CSV."""

    zone: ZoneInfo
    inbound_contexts: frozenset[str]


def json_record(content: bytes) -> Record:
    """Raises `NotACallRecord`."""
    try:
        record = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotACallRecord(str(error)) from error
    if not isinstance(record, dict):
        raise NotACallRecord("it is no JSON object")
    said, flow = record.get("variables"), record.get("callflow")
    first = flow[0] if isinstance(flow, list) and flow else flow
    profile = first.get("caller_profile") if isinstance(first, dict) else None
    if isinstance(said, dict) and isinstance(profile, dict):
        return {**record, "variables": _numbers(profile) | said}
    return record


def _numbers(profile: Mapping[str, Any]) -> dict[str, Any]:
    """Who called whom, which stands among the variables only where a dialplan has put it there."""
    return {name: profile[name] for name in ("caller_id_number", "destination_number") if name in profile}


def xml_record(content: bytes) -> Record:
    """Raises `NotACallRecord`, also for a file that is not written to its end yet."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise NotACallRecord("it declares a document type, which no call record has")
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError) as error:
        raise NotACallRecord(f"it is no XML: {error}") from error
    said = root.find("variables")
    if root.tag != "cdr" or said is None:
        raise NotACallRecord("it is no <cdr> with <variables>")
    profile = root.find("callflow/caller_profile")
    numbers = _numbers({one.tag: one.text or "" for one in profile}) if profile is not None else {}
    return {"variables": numbers | {one.tag: unquote(one.text or "") for one in said}}


def csv_record(line: str, reading: CsvReading) -> Record:
    """Raises `NotACallRecord`."""
    try:
        (row,) = csv.reader([line], strict=True, skipinitialspace=True)
    except (csv.Error, ValueError) as error:
        raise NotACallRecord(f"it is no CSV: {error}") from error
    if len(row) < len(COLUMNS):
        raise NotACallRecord(f"it has {len(row)} columns, the template `example` has at least {len(COLUMNS)}")
    said: dict[str, str] = dict(zip(COLUMNS, row, strict=False))
    said["direction"] = "inbound" if said["context"] in reading.inbound_contexts else "outbound"
    for name in ("start", "answer", "end"):
        said[f"{name}_uepoch"] = _microseconds(said[f"{name}_stamp"], reading.zone)
    return {"variables": said}


def _microseconds(stamp: str, zone: ZoneInfo) -> str:
    """A wall clock's `2026-03-02 16:00:00` as the other two formats have it; empty stays empty."""
    if not stamp:
        return ""
    try:
        moment = datetime.fromisoformat(stamp)
        return str(((moment if moment.tzinfo else moment.replace(tzinfo=zone)) - _EPOCH) // _MICROSECOND)
    except (ValueError, OverflowError) as error:
        raise NotACallRecord(f"{stamp!r} is no time") from error
