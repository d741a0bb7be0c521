"""What was once published decodes to the same for ever."""

import hashlib
import json
from dataclasses import MISSING, fields, replace
from pathlib import Path

import pytest

from contracts.catalogue import CATALOGUE
from contracts.chain import event_hash, verify_chain
from contracts.codec import decode
from contracts.lifecycle import Status
from contracts.message import Message
from contracts.order import WorkOrder, apply
from contracts_tooling.golden import MESSAGES, read, record_missing, text_of

FOLDER = Path(__file__).parents[1] / "golden"
FILES = sorted(FOLDER.rglob("*.json"))
EVENT_FILES = [file for file in FILES if "event_hash" in json.loads(file.read_text(encoding="utf-8"))]
ENDS = {
    "whole-life": Status.ARCHIVED,
    "cancelled": Status.CANCELLED,
    "sent-back": Status.REDISPATCHING,
    "sealed": Status.CANCELLED,
}


def _name(file: Path) -> str:
    return file.relative_to(FOLDER).with_suffix("").as_posix()


def _timeline(name: str) -> list[Message]:
    return [decode(*read(file)) for file in FILES if file.parent.name == name]


def _optional(body: type) -> set[str]:
    return {field.name for field in fields(body) if field.default is not MISSING}


def _said(message: Message) -> set[str]:
    """The optional fields of a body that say something else than their default."""
    defaults = {field.name: field.default for field in fields(message.body)}
    return {name for name in _optional(type(message.body)) if getattr(message.body, name) != defaults[name]}


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_a_recorded_message_decodes_to_what_was_meant(file: Path) -> None:
    expected, found = MESSAGES[_name(file)], decode(*read(file))
    # The bytes and the hash over them are the recording's: a later field with a default is not in them.
    assert replace(found, data=b"", prev_hash=None) == replace(expected, data=b"", prev_hash=None)


@pytest.mark.parametrize("file", EVENT_FILES, ids=_name)
def test_the_hash_of_a_recorded_event_is_the_recorded_one(file: Path) -> None:
    assert event_hash(decode(*read(file))) == json.loads(file.read_text(encoding="utf-8"))["event_hash"]


@pytest.mark.parametrize("name", ENDS)
def test_a_recorded_timeline_verifies_and_folds_to_its_end(name: str) -> None:
    timeline = _timeline(name)
    verify_chain(timeline)
    order: WorkOrder | None = None
    for message in timeline:
        order = apply(order, message)
    assert order is not None
    assert (order.status, order.version) == (ENDS[name], len(timeline))


def test_every_type_is_recorded() -> None:
    recorded = {decode(*read(file)).type for file in FILES}
    assert {entry.type for entry in CATALOGUE} <= recorded


def test_a_type_with_optional_fields_is_recorded_bare_and_full() -> None:
    messages = [decode(*read(file)) for file in FILES]
    bare = {message.type for message in messages if not _said(message)}
    full = {message.type for message in messages if _said(message) == _optional(type(message.body))}
    # Of these two the one shape differs from the other by a single flag.
    single = {"linework.directory.device_type.v1", "linework.directory.demand_type.v1"}
    rich = {entry.type for entry in CATALOGUE if _optional(entry.body)} - single
    # The one always says a ruling or a reason, the other what has changed.
    assert rich - bare == {"linework.work_order.redispatch_requested.v1", "linework.partner.subscriber_changed.v1"}
    assert rich - full == {"linework.work_order.redispatch_requested.v1"}


def test_every_expected_message_has_its_file_and_every_file_its_message() -> None:
    assert {_name(file) for file in FILES} == set(MESSAGES)


def test_no_recorded_file_was_ever_changed() -> None:
    sums = {}
    for line in (FOLDER / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, name = line.split("  ")
        sums[name] = digest
    assert sums == {f"{_name(file)}.json": hashlib.sha256(file.read_bytes()).hexdigest() for file in FILES}


def test_recording_adds_what_is_missing_and_leaves_what_is_there(tmp_path: Path) -> None:
    there = tmp_path / "requests" / "01-cancel_requested.json"
    there.parent.mkdir()
    there.write_text("as it was", encoding="utf-8")
    assert set(record_missing(tmp_path)) == set(MESSAGES) - {"requests/01-cancel_requested"}
    assert there.read_text(encoding="utf-8") == "as it was"
    assert record_missing(tmp_path) == []
    name = "whole-life/01-created"
    assert (tmp_path / f"{name}.json").read_text(encoding="utf-8") == text_of(MESSAGES[name])
    assert len((tmp_path / "SHA256SUMS").read_text(encoding="utf-8").splitlines()) == len(MESSAGES) - 1
