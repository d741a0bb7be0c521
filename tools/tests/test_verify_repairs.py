"""The stream as the services took it: with repairs in the place of what was repaired."""

from typing import Any

import pytest

from contracts.codec import headers_of
from contracts.lifecycle import Status
from contracts.message import Message
from linework.verify.laws import Findings
from linework.verify.repairs import Repairs, take
from work_orders.testing import Stream

PLACE = ("work-orders", 3, 7)


def row(state: str = "released", repaired: Message | None = None) -> dict[str, Any]:
    mended = {"value": repaired.data.decode(), "headers": headers_of(repaired)} if repaired else None
    return {"state": state, "repaired": mended}


@pytest.fixture
def message() -> Message:
    return Stream("o-1").until(Status.CREATED).messages[0]


def settled(rows: dict[str, dict[str, Any]]) -> tuple[Repairs, list[str]]:
    repairs, findings = Repairs(), Findings()
    take(PLACE, rows, repairs, findings)
    return repairs, [one.what for one in findings.kept]


def test_a_repair_stands_in_the_place_of_the_record(message: Message) -> None:
    repairs, findings = settled({"qa": row(repaired=message), "intake": row(repaired=message)})
    assert repairs.by_place == {PLACE: message}
    assert findings == []


def test_a_record_that_everybody_discarded_was_never_there() -> None:
    repairs, findings = settled({"qa": row("discarded"), "intake": row("discarded")})
    assert (repairs.discarded, repairs.by_place, findings) == ({PLACE}, {}, [])


def test_a_record_that_was_released_as_it_was_read_needs_no_mention() -> None:
    repairs, findings = settled({"qa": row()})
    assert (repairs.discarded, repairs.by_place, findings) == (set(), {}, [])


@pytest.mark.parametrize("other", ["released", "discarded"])
def test_services_that_did_not_do_the_same_are_reported(message: Message, other: str) -> None:
    repairs, findings = settled({"qa": row(repaired=message), "intake": row(other)})
    assert repairs == Repairs()
    assert findings == ["work-orders, partition 3, offset 7 was not settled alike everywhere"]
