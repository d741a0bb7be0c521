"""Parses FreeSWITCH's three call record formats into the input of `freeswitch.events`.

- `mod_json_cdr`: a JSON object with `variables`, and `callflow` with the profiles of the caller. A transfer or a
  bridge to an agent adds a profile in front, with other numbers: the first profile describes the leg's origin.
- `mod_xml_cdr`: `<cdr>` with the same, the values of `<variables>` percent-encoded.
- `mod_cdr_csv`: a line of its default template `example` (caller_id_name, caller_id_number, destination_number,
  context, start_stamp, answer_stamp, end_stamp, duration, billsec, hangup_cause, uuid, bleg_uuid, accountcode, and
  further columns are ignored). It has neither queue nor leg. Times are the switch's wall clock.
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
class SwitchSettings:
    """What has to be known of a switch to read its records."""

    zone: ZoneInfo
    """Of the wall clock in CSV."""
    inbound_contexts: frozenset[str]
    """Calls in these dialplan contexts are inbound, all others outbound."""


def json_record(content: bytes) -> Record:
    """Raises `NotACallRecord`."""
    try:
        record = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotACallRecord(str(error)) from error
    if not isinstance(record, dict):
        raise NotACallRecord("it is no JSON object")
    variables, flows = record.get("variables"), record.get("callflow")
    found = [flow for flow in (flows if isinstance(flows, list) else [flows]) if isinstance(flow, dict)]
    first = min(reversed(found), key=lambda flow: _index(flow.get("profile_index")), default={})
    profile = first.get("caller_profile")
    if not isinstance(variables, dict):
        return record
    if "%" in str(variables.get("start_stamp")):  # with `encode-values`; a time shows it, other values may not
        variables = {name: unquote(value) if isinstance(value, str) else value for name, value in variables.items()}
    return {**record, "variables": (_arrival(profile) if isinstance(profile, dict) else {}) | variables}


def _index(text: Any) -> int:
    """Profiles are numbered from 1; the oldest is the last."""
    return int(text) if str(text).isascii() and str(text).isdigit() and len(str(text)) < 9 else 0


def _arrival(profile: Mapping[str, Any]) -> dict[str, Any]:
    """How a leg came about: a variable that exists only if a dialplan has set it."""
    names = ("caller_id_number", "destination_number", "context")
    found = {name: profile[name] for name in names if name in profile}
    # What is inside is the profile of the leg for which this one was made.
    return found | ({"originator": "of its profile"} if profile.get("originator") else {})


def xml_record(content: bytes) -> Record:
    """Raises `NotACallRecord`, also for a file that is not written to its end yet."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise NotACallRecord("it declares a document type, which no call record has")
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError) as error:
        raise NotACallRecord(f"it is no XML: {error}") from error
    variables = root.find("variables")
    if root.tag != "cdr" or variables is None:
        raise NotACallRecord("it is no <cdr> with <variables>")
    flows = reversed(root.findall("callflow"))
    first = min(flows, key=lambda flow: _index(flow.get("profile_index")), default=None)
    profile = first.find("caller_profile") if first is not None else None
    values = {one.tag: one.text or "" for one in profile if not len(one)} if profile is not None else {}
    if profile is not None and profile.find("originator/*") is not None:
        values["originator"] = "a profile"
    return {"variables": _arrival(values) | {one.tag: unquote(one.text or "") for one in variables}}


def csv_record(line: str, settings: SwitchSettings) -> Record:
    """Raises `NotACallRecord`."""
    try:
        (row,) = csv.reader([line], strict=True, skipinitialspace=True)
    except (csv.Error, ValueError) as error:
        raise NotACallRecord(f"it is no CSV: {error}") from error
    if len(row) < len(COLUMNS):
        raise NotACallRecord(f"it has {len(row)} columns, the template `example` has at least {len(COLUMNS)}")
    variables: dict[str, str] = dict(zip(COLUMNS, row, strict=False))
    variables["direction"] = "inbound" if variables["context"] in settings.inbound_contexts else "outbound"
    for name in ("start", "answer", "end"):
        variables[f"{name}_uepoch"] = _microseconds(variables[f"{name}_stamp"], settings.zone)
    return {"variables": variables}


def _microseconds(stamp: str, zone: ZoneInfo) -> str:
    """A wall clock's `2026-03-02 16:00:00` as the other two formats have it; empty stays empty."""
    if not stamp:
        return ""
    try:
        moment = datetime.fromisoformat(stamp)
        return str(((moment if moment.tzinfo else moment.replace(tzinfo=zone)) - _EPOCH) // _MICROSECOND)
    except (ValueError, OverflowError) as error:
        raise NotACallRecord(f"{stamp!r} is no time") from error
