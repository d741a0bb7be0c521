"""Recordings: folded from facts in any order, found within one's scope, opened for a purpose."""

import itertools
import random
from datetime import timedelta
from urllib.parse import quote

import pytest
from services.qa.tests.centre import Call, Person, agent, auditor, recorded_call, supervisor

from contracts import calls as c
from contracts.lifecycle import Status
from contracts.quality import ListeningPurpose, RecordingOpened
from work_orders.testing import BEGIN, ServiceUnderTest, Stream, make_dispatched


async def test_a_recording_has_the_facts_of_its_call(qa: ServiceUnderTest) -> None:
    await qa.receive(*recorded_call(1, demand_type="complaint", seconds=95, wait=7, order_id="o-1"))
    found = await auditor(qa).get("/recordings/rec-1")
    assert (found["agent_id"], found["queue"], found["demand_type"]) == ("agent-1", "support", "complaint")
    assert (found["length_seconds"], found["wait_milliseconds"], found["talk_milliseconds"]) == (95, 7000, 95_000)
    assert (found["outcomes"], found["order_ids"], found["has_promise"]) == (["work_order"], ["o-1"], False)


async def test_facts_in_any_order_and_repeated_give_the_same_recording(qa: ServiceUnderTest) -> None:
    facts = recorded_call(1, demand_type="complaint", order_id="o-1")
    seen = set()
    for order in itertools.islice(itertools.permutations(facts), 0, 120, 7):
        await qa.rows("truncate call_facts, recordings")
        for message in order:
            await qa.receive(message)
        await qa.receive(*random.Random(4).sample(facts, len(facts)), *facts)
        (row,) = await qa.rows("select body, started_at from recordings")
        seen.add((row["body"], row["started_at"]))
    assert len(seen) == 1


async def test_a_corrected_fact_replaces_what_was_said_before_and_an_older_one_does_not(qa: ServiceUnderTest) -> None:
    call = Call("call-1")
    first = call.says(c.CallAnswered, fact_id="answer", wait_milliseconds=90_000)
    available = call.says(c.RecordingAvailable, recording_id="rec-1", length_milliseconds=1000)
    mended = call.says(c.CallAnswered, fact_id="answer", revision=2, wait_milliseconds=9_000)
    await qa.receive(first, available, mended)
    await qa.receive(first)
    assert (await auditor(qa).get("/recordings/rec-1"))["wait_milliseconds"] == 9_000


async def test_a_list_is_narrowed_paged_and_in_the_order_of_time(qa: ServiceUnderTest) -> None:
    for number in range(7):
        at = BEGIN + timedelta(minutes=number)
        kind = "complaint" if number % 2 else "fault_repair"
        await qa.receive(*recorded_call(number, agent_id=f"agent-{number % 3}", demand_type=kind, at=at))
    found, cursor = [], None
    while True:
        page = await supervisor(qa).get("/recordings", limit=2, **({"cursor": cursor} if cursor else {}))
        found += [one["id"] for one in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == [f"rec-{number}" for number in reversed(range(7))]
    narrowed = await supervisor(qa).get("/recordings", demand_type="complaint", agent_id="agent-0")
    assert [one["id"] for one in narrowed["items"]] == ["rec-3"]
    until = (BEGIN + timedelta(minutes=2)).isoformat()
    assert [one["id"] for one in (await supervisor(qa).get("/recordings", to=until))["items"]] == ["rec-1", "rec-0"]


async def test_a_cursor_of_one_list_is_none_of_another(qa: ServiceUnderTest) -> None:
    await qa.receive(*recorded_call(1), *recorded_call(2))
    cursor = (await auditor(qa).get("/recordings", limit=1))["next_cursor"]
    for path in ("/evaluations", "/follow-ups", "/typical-cases"):
        assert await auditor(qa).refused("GET", path, cursor=cursor) == (422, "cursor_broken")


async def test_an_agent_finds_and_opens_their_own_recordings_only(qa: ServiceUnderTest) -> None:
    await qa.receive(*recorded_call(1, agent_id="agent-1"), *recorded_call(2, agent_id="agent-2"))
    mine = agent(qa, "agent-1")
    assert [one["id"] for one in (await mine.get("/recordings"))["items"]] == ["rec-1"]
    assert (await mine.get("/recordings", agent_id="agent-2"))["items"] == []
    assert await mine.refused("GET", "/recordings/rec-2") == (404, "recording_not_found")
    assert await mine.refused("POST", "/recordings/rec-2/open", {"purpose": "training"}) == (404, "recording_not_found")
    assert await qa.sent() == []


async def test_areas_in_the_token_narrow_to_calls_about_their_orders(qa: ServiceUnderTest) -> None:
    north, south = Stream("o-1").until(Status.DISPATCHED), Stream("o-2").until(Status.CREATED)
    south.add(make_dispatched(work_area_id="south", staff_ids=("south-1",)))
    await qa.receive(*north.messages, *south.messages)
    await qa.receive(*recorded_call(1, order_id="o-1"), *recorded_call(2, order_id="o-2"), *recorded_call(3))
    narrow = Person(qa, "auditor", areas=["north"])
    assert [one["id"] for one in (await narrow.get("/recordings"))["items"]] == ["rec-1"]
    assert (await narrow.get("/recordings/rec-1"))["id"] == "rec-1"
    for hidden in ("rec-2", "rec-3"):
        assert await narrow.refused("GET", f"/recordings/{hidden}") == (404, "recording_not_found")
        assert (await narrow.refused("POST", f"/recordings/{hidden}/open", {"purpose": "legal"}))[0] == 404


async def test_opening_a_recording_is_recorded_and_published_once(qa: ServiceUnderTest) -> None:
    qa.app.state.settings.recordings_url = "https://pbx.example/play/{recording_id}"
    await qa.receive(*recorded_call(1))
    body = {"purpose": "complaint", "note": "用户投诉态度"}
    opened = await auditor(qa).post("/recordings/rec-1/open", body, key="k-1")
    assert opened == {"recording_id": "rec-1", "call_id": "call-1", "url": "https://pbx.example/play/rec-1"}
    assert await auditor(qa).post("/recordings/rec-1/open", body, key="k-1") == opened
    (message,) = await qa.sent()
    assert message.subject == "rec-1"
    assert message.actor.sub == "auditor-1"
    assert message.body == RecordingOpened(recording_id="rec-1", call_id="call-1", purpose=ListeningPurpose.COMPLAINT)
    (line,) = (await supervisor(qa).get("/recordings/rec-1/openings"))["items"]
    assert (line["opened_by"], line["purpose"], line["note"]) == ("auditor-1", "complaint", "用户投诉态度")


@pytest.mark.parametrize("recording_id", ["/var/lib/录音/2026 03/a?b#c.wav", "🎧", "rec:%2e", "a/openings/b"])
async def test_a_recording_is_opened_by_whatever_name_its_switch_gave_it(
    qa: ServiceUnderTest, recording_id: str
) -> None:
    qa.app.state.settings.recordings_url = "https://pbx.example/play/{recording_id}?now"
    call = Call("call-1")
    available = call.says(c.RecordingAvailable, recording_id=recording_id, length_milliseconds=1000, started_at=BEGIN)
    await qa.receive(call.says(c.CallAnswered, wait_milliseconds=0), available)
    path = f"/recordings/{quote(recording_id, safe='')}"
    assert (await auditor(qa).get(path))["id"] == recording_id
    opened = await auditor(qa).post(f"{path}/open", {"purpose": "evaluation"})
    # Its name is one part of the address and can be no other.
    assert opened["url"] == f"https://pbx.example/play/{quote(recording_id, safe='')}?now"
    (line,) = (await supervisor(qa).get(f"{path}/openings"))["items"]
    assert line["opened_by"] == "auditor-1"
    assert (await supervisor(qa).get("/evaluations", recording_id=recording_id))["items"] == []


@pytest.mark.parametrize("role", ["dispatcher", "technician", "operator", "partner"])
async def test_who_has_nothing_to_do_with_quality_finds_no_recordings(qa: ServiceUnderTest, role: str) -> None:
    await qa.receive(*recorded_call(1))
    somebody = Person(qa, role)
    for method, path in (("GET", ""), ("GET", "/rec-1"), ("POST", "/rec-1/open"), ("GET", "/rec-1/openings")):
        assert await somebody.refused(method, f"/recordings{path}") == (403, "role_not_allowed")
