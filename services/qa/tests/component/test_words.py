"""Words about a subscriber: sealed in every table and open in every answer; unreadable or gone after an erasure."""

import json
from typing import Any

import pytest
from services.qa.tests.centre import (
    GOOD,
    YES_NO_FORM,
    Person,
    agent,
    auditor,
    changed,
    plan_body,
    recorded_call,
    supervisor,
)
from services.qa.tests.component.test_follow_up import HAPPY, completed
from services.qa.tests.component.test_follow_up import _project as project

from chassis.testing import FixedClock
from contracts.codec import new_message
from contracts.lifecycle import Service
from contracts.message import Actor
from contracts.sealing import SealingKeyDestroyed
from work_orders.testing import BEGIN, ServiceUnderTest

WORDS = "住在三单元，孩子生病"
ERASED = "(erased with the subscriber's data)"


async def everything_in(qa: ServiceUnderTest) -> str:
    """Every row of every table, as text."""
    tables = await qa.rows("select tablename from pg_tables where schemaname = 'public'")
    rows = [str(dict(row)) for (name,) in tables for row in await qa.rows(f'select * from "{name}"')]
    return "\n".join(rows)


async def destroy_key(qa: ServiceUnderTest, subscriber_id: str = "s-1") -> None:
    """What intake tells at an erasure."""
    gone = new_message(
        SealingKeyDestroyed(subscriber_id=subscriber_id, ground="subscriber_asked"),
        service=Service.INTAKE,
        subject=subscriber_id,
        actor=Actor("supervisor", "supervisor"),
        occurred_at=BEGIN,
        recorded_at=BEGIN,
        entity_version=1_000,
    )
    await qa.receive(gone)
    qa.app.state.sealing_keys.forget()


@pytest.fixture
async def qa(qa: ServiceUnderTest):
    """With the subscriber's key as it was, whatever a test has done to it."""
    kept = await qa.rows("select * from sealing_keys")
    yield qa
    await qa.rows("delete from sealing_keys")
    for row in kept:
        await qa.rows("insert into sealing_keys values ($1, $2, $3, $4)", *row)


class Said:
    """Everything that can be typed in quality about the call and the order of one subscriber."""

    def __init__(self, qa: ServiceUnderTest, clock: FixedClock) -> None:
        self.qa = qa
        self.clock = clock

    async def about_a_call(self, subscriber_id: str | None) -> list[Any]:
        """The answers of the acts: opened, collected, evaluated, appealed against, decided."""
        qa = self.qa
        await qa.receive(*recorded_call(1, subscriber_id=subscriber_id))
        opened = await auditor(qa).post("/recordings/rec-1/open", {"purpose": "evaluation", "note": WORDS})
        case = {"recording_id": "rec-1", "kind": "exemplary", "title": WORDS, "lesson": WORDS}
        collected = await auditor(qa).post("/typical-cases", case, key="case")
        plan = await supervisor(qa).post("/sampling-plans", plan_body(self.clock.now()))
        self.clock.advance(hours=2)
        await supervisor(qa).post(f"/sampling-plans/{plan['id']}/draw", version=1)
        await supervisor(qa).put("/auditors/auditor-1", {})
        await supervisor(qa).post("/evaluation-forms/service/versions", YES_NO_FORM)
        day = {"form_id": "service", "day_on": "2026-03-02"}
        await supervisor(qa).post(f"/sampling-plans/{plan['id']}/assignments", day)
        (one,) = (await auditor(qa).get("/evaluations", state="assigned"))["items"]
        path = f"/evaluations/{one['id']}"
        work = {"answers": GOOD, "remark": WORDS}
        submitted = await auditor(qa).post(f"{path}/submit", work, version=one["version"], key="hand-in")
        appealed = await agent(qa).post(f"{path}/appeals", {"reason": WORDS}, version=submitted["version"])
        judge = Person(qa, "supervisor", "judge")
        verdict = {"is_overturned": True, "answers": changed(GOOD, solved=1), "remark": WORDS}
        decided = await judge.post(f"/appeals/{appealed['id']}/decide", verdict, version=1)
        read = await supervisor(qa).get(path)
        lists = [await supervisor(qa).get(f"/{name}") for name in ("evaluations", "appeals", "typical-cases")]
        assert opened["recording_id"] == "rec-1"
        openings = await supervisor(qa).get("/recordings/rec-1/openings")
        again = await auditor(qa).post(f"{path}/submit", work, version=one["version"], key="hand-in")
        assert again == submitted
        return [collected, submitted, appealed, decided, read, openings, *lists]

    async def about_an_order(self) -> list[Any]:
        """The answers of the acts: attempted, answered, a finding closed."""
        qa = self.qa
        await project(qa, calls_from="00:00", calls_until="23:59", retry_after_minutes=1)
        await qa.receive(*completed("o-1").messages)
        self.clock.advance(hours=1)
        taken = await agent(qa).post("/follow-up-projects/p-1/take")
        path = f"/follow-ups/{taken['id']}"
        attempt = {"outcome": "no_answer", "note": WORDS}
        tried = await agent(qa).post(f"{path}/attempts", attempt, version=taken["version"])
        self.clock.advance(minutes=5)
        taken = await agent(qa).post("/follow-up-projects/p-1/take")
        replies = [{"question": "content", "scale": 1}, HAPPY[1], {"question": "wish", "text": WORDS}]
        answered = {"subscriber_no": "111", "replies": replies, "note": WORDS}
        done = await agent(qa).post(f"{path}/complete", answered, version=taken["version"])
        (finding,) = (await supervisor(qa).get("/findings"))["items"]
        closed = await supervisor(qa).post(f"/findings/{finding['id']}/close", {"remark": WORDS}, version=1)
        lists = [await supervisor(qa).get(f"/{name}") for name in ("follow-ups", "findings")]
        return [tried, done, closed, await agent(qa).get(path), *lists]


@pytest.fixture
def said(qa: ServiceUnderTest, clock: FixedClock) -> Said:
    return Said(qa, clock)


async def test_what_is_typed_is_sealed_in_every_table_and_open_in_every_answer(
    qa: ServiceUnderTest, said: Said
) -> None:
    answers = [*await said.about_a_call("s-1"), *await said.about_an_order()]
    for answer in answers:
        assert WORDS in json.dumps(answer, ensure_ascii=False), answer
    assert WORDS not in await everything_in(qa)


async def test_after_an_erasure_nobody_reads_the_words_and_everything_else_stays(
    qa: ServiceUnderTest, said: Said
) -> None:
    await said.about_a_call("s-1")
    await said.about_an_order()
    await destroy_key(qa)
    for name in ("evaluations", "appeals", "typical-cases", "follow-ups", "findings"):
        (item,) = (await supervisor(qa).get(f"/{name}"))["items"]
        assert item["sealed_text"] == "erased", item
        assert ERASED in json.dumps(item)
    (evaluation,) = (await supervisor(qa).get("/evaluations"))["items"]
    assert [one["scores"]["final_hundredths"] for one in evaluation["revisions"]] == [10_000, 5_500]
    refused = await auditor(qa).refused("POST", "/recordings/rec-1/open", {"purpose": "legal", "note": WORDS})
    assert refused == (409, "subscriber_erased")


async def test_words_about_a_call_that_turns_out_to_be_theirs_go_with_them(qa: ServiceUnderTest, said: Said) -> None:
    """Typed while nobody knew who had called, they are in plain: whose they are is known before the erasure."""
    await said.about_a_call(None)
    assert WORDS in await everything_in(qa)
    await qa.rows("update recordings set body = jsonb_set(body::jsonb, '{subscriber_id}', to_jsonb('s-1'::text))::json")
    await destroy_key(qa)
    await qa.rows("delete from idempotency_keys")  # kept for some days: docs/privacy.md
    assert WORDS not in await everything_in(qa)
    (evaluation,) = (await supervisor(qa).get("/evaluations"))["items"]
    assert [one["remark"] for one in evaluation["revisions"]] == ["", ""]


async def test_a_text_that_is_moved_to_another_thing_does_not_open(qa: ServiceUnderTest, said: Said) -> None:
    await said.about_an_order()
    (sealed,) = await qa.rows("select body->>'remark' as remark from findings")
    moved = json.dumps(
        [{"attempt": 1, "outcome": "busy", "by": "x", "at": BEGIN.isoformat(), "note": sealed["remark"]}]
    )
    await qa.rows("update follow_ups set body = jsonb_set(body::jsonb, '{attempts}', $1::jsonb)::json", moved)
    (shown,) = (await supervisor(qa).get("/follow-ups"))["items"]
    assert shown["attempts"][0]["note"] == "(cannot be read)"
