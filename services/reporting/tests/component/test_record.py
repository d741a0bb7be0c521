"""Timeline, proof and record over HTTP, and the script that verifies a proof."""

import copy
import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.chain import event_hash
from contracts.lifecycle import Status
from reporting.record import event_store
from work_orders.testing import make_dispatched, make_rejected

SCRIPT = Path(__file__).parents[2] / "verify_timeline.py"


@pytest.fixture
async def stream(reporting, make_stream):
    """An order that north sent back and south has."""
    stream = make_stream(status=Status.REDISPATCHING)
    stream.add(make_dispatched(work_area_id="south", staff_ids=("south-1",)))
    stream.ask()
    await reporting.receive(*stream.messages)
    return stream


async def test_the_timeline_tells_who_did_what_when_with_its_hashes(reporting, stream):
    answer = await reporting.get("/work-orders/o-1/timeline", "agent")
    items = answer.json()["items"]
    assert [item["order_version"] for item in items] == [1, 2, 3, 4, 5, None]
    assert [item["hash"] for item in items[:5]] == [event_hash(message) for message in stream.messages[:5]]
    assert [item["prev_hash"] for item in items[1:5]] == [item["hash"] for item in items[:4]]
    rejected = {"reason": "wrong_trade", "explanation": make_rejected().explanation, "device": None}
    assert items[2]["data"] == rejected
    assert items[2]["actor"] == {"sub": "technician-1", "role": "technician", "name": ""}
    assert items[2]["occurred_at"] == "2026-03-02T08:02:00.000000Z"
    assert items[5]["type"] == "linework.work_order.cancel_requested.v1"


@pytest.mark.parametrize("what", ["timeline", "proof"])
async def test_whoever_had_the_order_sees_it_and_a_foreign_area_does_not(reporting, stream, what):
    path = f"/work-orders/o-1/{what}"
    assert (await reporting.get(path, "technician", ["north"])).status_code == 200
    assert (await reporting.get(path, "technician", ["south"])).status_code == 200
    foreign = await reporting.get(path, "technician", ["east"])
    assert (foreign.status_code, foreign.json()["code"]) == (404, "work_order_not_found")
    assert (await reporting.get(path, "technician")).status_code == 404
    assert (await reporting.get(path, "dispatcher", ["east"])).status_code == 404
    assert (await reporting.get(path, "partner")).status_code == 403
    assert (await reporting.get(f"/work-orders/none/{what}", "operator")).status_code == 404


async def test_a_version_on_its_way_is_waited_for_and_then_said_to_be_missing(reporting, stream):
    assert (await reporting.get("/work-orders/o-1/timeline", "agent", at_least=5)).status_code == 200
    late = await reporting.get("/work-orders/o-1/timeline", "agent", at_least=6)
    assert (late.status_code, late.json()["code"]) == (503, "not_caught_up")


async def test_the_record_is_read_page_by_page_to_its_end(reporting, stream):
    after, read = 0, []
    while items := (page := (await reporting.get("/events", "operator", after=after, limit=4)).json())["items"]:
        read += items
        after = page["next_after"]
    assert [item["place"] for item in read] == [1, 2, 3, 4, 5, 6]
    assert [item["id"] for item in read] == [message.id for message in stream.messages]
    assert [item["data"].encode() for item in read] == [message.data for message in stream.messages]
    assert page["next_after"] == 6
    assert (await reporting.get("/events", "supervisor")).status_code == 200
    assert (await reporting.get("/events", "agent")).status_code == 403


async def test_the_record_is_read_to_its_end_by_following_its_links(reporting, stream):
    page = await reporting.get("/events", "operator", limit=4, topic="work-orders")
    assert page.headers["link"] == '</v1/events?limit=4&topic=work-orders&after=4>; rel="next"'
    page = await reporting.get("/events", "operator", after=6)
    assert (page.json()["items"], page.headers.get("link")) == ([], None)


async def test_a_page_of_the_record_is_bounded_in_bytes_and_none_is_left_out(reporting, stream, monkeypatch):
    monkeypatch.setattr(event_store, "_PAGE_BYTES", len(stream.messages[0].data) + 1)
    after, pages = 0, []
    while items := (page := (await reporting.get("/events", "operator", after=after)).json())["items"]:
        pages.append(len(items))
        after = page["next_after"]
    assert pages[0] == 2  # the second message begins within the bound
    assert sum(pages) == len(stream.messages)


def _verify(file: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-I", SCRIPT, file, *arguments], capture_output=True, text=True, check=False, timeout=30
    )


async def test_the_script_verifies_an_exported_proof(reporting, stream, tmp_path):
    answer = await reporting.get("/work-orders/o-1/proof", "auditor")
    assert answer.headers["content-disposition"] == 'attachment; filename="timeline-o-1.json"'
    file = tmp_path / "proof.json"
    file.write_bytes(answer.content)
    final_hash = event_hash(stream.messages[4])
    assert answer.json()["final_hash"] == final_hash
    for arguments in ([], [final_hash]):
        verified = _verify(file, *arguments)
        assert (verified.returncode, verified.stdout) == (0, f"intact: 5 events, final hash {final_hash}\n")
    assert _verify(file, "0" * 64).returncode == 1


async def test_whatever_is_changed_in_a_proof_is_found(reporting, stream):
    proof = (await reporting.get("/work-orders/o-1/proof", "auditor")).json()
    verify = runpy.run_path(str(SCRIPT))["verify"]
    assert verify(proof) == proof["final_hash"]
    changed = 0
    for place, event in enumerate(proof["events"]):
        for name, value in event.items():
            tampered = copy.deepcopy(proof)
            tampered["events"][place][name] = (value or 0) + 1 if isinstance(value, int) else f"{value}x"
            with pytest.raises(ValueError):
                verify(tampered)
            changed += 1
    assert changed == 5 * 12


@pytest.mark.parametrize(
    "tamper",
    [
        lambda events: events.pop(),
        lambda events: events.pop(0),
        lambda events: events.pop(2),
        lambda events: events.reverse(),
        lambda events: events.append(events[0]),
        lambda events: events.clear(),
    ],
)
async def test_events_taken_out_or_moved_are_found(reporting, stream, tamper, tmp_path):
    proof = (await reporting.get("/work-orders/o-1/proof", "auditor")).json()
    tamper(proof["events"])
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof), encoding="utf-8")
    verified = _verify(file)
    assert verified.returncode == 1
    assert verified.stderr.startswith("NOT verified")
