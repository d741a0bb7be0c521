"""Erasing by age: off until it is switched on, told beforehand, and never of somebody who was in touch."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from services.intake.tests.component.test_desk import logged, settled
from services.intake.tests.component.test_people import erase, hold, run_retention, switch_on
from services.intake.tests.service import Intake

from chassis.database import Database
from chassis.recovery.fence import must_read_until
from chassis.testing import FixedClock, eventually
from chassis.wakeup import Wakeup
from contracts import quality as q
from contracts.codec import new_message
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.topics import WORK_ORDERS
from intake.calls import reminders
from intake.calls import reminders as watching
from intake.consumers import on_quality
from intake.privacy import activity_store, retention
from intake.privacy.domain import RetentionOutcome

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=6 * 365)
PHONE = "+8613800000042"
DUE = "/retention-rules/subscribers/due"


@pytest.fixture
async def old(intake: Intake) -> str:
    """Subscriber 111, with whom nothing has happened for six years but an old, closed call, case and order."""
    async with intake.db.statements() as statements:
        await statements.execute("update subscribers set changed_at = $1, created_at = $1", LONG_AGO)
        found = await statements.fetchval("select id from subscribers where subscriber_no = '111'")
        await add_call(statements, "old-call", LONG_AGO, subscriber_id=found)
    return found


async def add_call(statements: Any, call_id: str, at: datetime, **columns: Any) -> None:
    await statements.execute(
        """insert into calls (id, version, direction, channel, state, started_at, changed_at, subscriber_id, caller)
           values ($1, 1, 'inbound', 'phone', 'ended', $2, $2, $3, $4)""",
        call_id,
        at,
        columns.get("subscriber_id"),
        columns.get("caller"),
    )


async def due(intake: Intake, **query: Any) -> dict[str, Any]:
    answer = await intake.get(DUE, "operator", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def run(intake: Intake) -> RetentionOutcome:
    outcome = await run_retention(intake, FixedClock(datetime.now(UTC)))
    assert outcome is not None
    return outcome


async def test_whom_it_would_erase_is_told_and_nobody_is_erased_until_it_is_switched_on(
    intake: Intake, old: str
) -> None:
    page = await due(intake)
    (item,) = page["items"]
    assert (item["subscriber_id"], item["subscriber_no"], item["name"]) == (old, "111", "王**")
    assert item["last_activity"] in ("subscriber", "call")
    assert datetime.fromisoformat(item["last_activity_at"]) == LONG_AGO
    assert (page["count"], page["is_active"], page["keep_days"]) == (1, False, 1825)
    outcome = await run(intake)
    assert (outcome.is_erasing, outcome.subscribers_due, outcome.subscribers_erased) == (False, 1, 0)
    assert await intake.count("subscribers") == 1
    (recorded,) = (await intake.get("/retention-runs", "operator")).json()["items"]
    assert (recorded["is_erasing"], recorded["subscribers_due"], recorded["subscribers_erased"]) == (False, 1, 0)


async def test_once_it_is_switched_on_who_was_told_is_erased_and_the_run_says_so(intake: Intake, old: str) -> None:
    await switch_on(intake)
    assert (await due(intake))["is_active"] is True
    outcome = await run(intake)
    assert (outcome.is_erasing, outcome.subscribers_due, outcome.subscribers_erased) == (True, 1, 1)
    assert await intake.count("subscribers") == 0
    assert (await due(intake))["items"] == []


async def test_a_rule_of_before_the_switch_changes_days_and_switches_nothing_on(intake: Intake, old: str) -> None:
    """An old client knows no switch, and an old row has none."""
    put = await intake.client.put(
        "/v1/retention-rules/subscribers", json={"keep_days": 30}, headers=intake.as_("operator")
    )
    assert (put.json()["keep_days"], put.json()["is_active"]) == (30, False)
    assert (await run(intake)).subscribers_erased == 0
    await switch_on(intake, keep_days=40)
    put = await intake.client.put(
        "/v1/retention-rules/subscribers", json={"keep_days": 50}, headers=intake.as_("operator")
    )
    assert put.json()["is_active"] is True
    rules = {row["data_class"]: row for row in (await intake.get("/retention-rules", "auditor")).json()["items"]}
    assert {name: row["is_active"] for name, row in rules.items()} == {
        "subscribers": True,
        "reveals": True,
        "unknown_callers": True,
    }


YESTERDAY = NOW - timedelta(days=1)
ORDER = """insert into work_orders (id, version, stream_version, status, order_no, subscriber_no, device_type,
    demand_type, urgency, due_at, changed_at, last_hash, body) values ('o-1', 1, 1, 'archived', 'N1', '111', 'digital',
    'test', 0, $1, $1, '', '{}')"""
OLD_ORDER = ORDER.replace("$1, $1", "'2019-01-01', '2019-01-01'")
ACTS = {
    "subscriber": ["update subscribers set changed_at = $1"],
    "call of theirs": [
        """insert into calls (id, version, direction, channel, state, started_at, changed_at, subscriber_id)
           select 'c-1', 1, 'inbound', 'phone', 'ended', $1, $1, id from subscribers"""
    ],
    "call from their number": [
        f"""insert into calls (id, version, direction, channel, state, started_at, changed_at, caller)
            values ('c-1', 1, 'inbound', 'phone', 'ended', $1, $1, '{PHONE}')"""
    ],
    "call from their number written otherwise": [
        """insert into calls (id, version, direction, channel, state, started_at, changed_at, caller)
           values ('c-1', 1, 'inbound', 'phone', 'ended', $1, $1, '13800000042')"""
    ],
    "order": [ORDER],
    "request": [
        OLD_ORDER,
        """insert into requests (id, order_id, kind, reason, state, asked_by, asked_at)
           values ('r-1', 'o-1', 'urge', '', 'granted', 'agent-1', $1)""",
    ],
    "answer to a request": [
        OLD_ORDER,
        """insert into requests (id, order_id, kind, reason, state, asked_by, asked_at, answered_at)
           values ('r-1', 'o-1', 'urge', '', 'granted', 'agent-1', '2019-01-01', $1)""",
    ],
    "link": [
        OLD_ORDER,
        """insert into links (id, order_id, kind, other_order_id, reason, linked_by, linked_at)
           values ('l-1', 'o-2', 'duplicate', 'o-1', '', 'agent-1', $1)""",
    ],
    "link that was undone": [
        OLD_ORDER,
        """insert into links (id, order_id, kind, other_order_id, reason, linked_by, linked_at, undone_at)
           values ('l-1', 'o-1', 'duplicate', 'o-2', '', 'agent-1', '2019-01-01', $1)""",
    ],
    "record": [
        """insert into call_records values ('old-call', 1, '', '', '', '', '', '', '', 'agent-1', $1)""",
    ],
    "settlement": [
        """insert into settlements (id, call_id, outcome, order_was_open, settled_by, settled_at)
           values ('s-1', 'old-call', 'answered', false, 'agent-1', $1)""",
    ],
    "answered referral": [
        """insert into referrals (id, call_id, department, question, asked_by, asked_at, answered_at)
           values ('f-1', 'old-call', 'd', '', 'agent-1', '2019-01-01', $1)""",
    ],
    "referral without an answer": [
        """insert into referrals (id, call_id, department, question, asked_by, asked_at)
           values ('f-1', 'old-call', 'd', '', 'agent-1', $1::timestamptz - interval '10 years')""",
    ],
    "promise without a reply": [
        """insert into cases (id, version, call_id, content, contact, reply_by, opened_by, opened_at)
           values ('a-1', 1, 'old-call', '', '', $1::timestamptz - interval '10 years', 'agent-1', '2019-01-01')""",
    ],
    "case": [
        """insert into cases (id, version, call_id, content, contact, reply_by, opened_by, opened_at, replied_at)
           values ('a-1', 1, 'old-call', '', '', '2019-01-02', 'agent-1', '2019-01-01', $1)""",
    ],
    "follow-up": ["insert into follow_up_activity values ('u-1', '111', $1)"],
    "reveal": [
        """insert into reveals (id, subscriber_id, purpose, revealed_by, revealed_by_name, role, revealed_at)
           select 'v-1', id, 'visit', 'a', 'a', 'agent', $1 from subscribers""",
    ],
    "hold that was lifted": [
        """insert into legal_holds (id, subscriber_id, reason, set_by, set_at, lifted_at)
           select 'h-1', id, '', 's', '2019-01-01', $1 from subscribers""",
    ],
}


@pytest.mark.parametrize("act", ACTS)
async def test_whatever_concerns_a_subscriber_counts_as_activity(intake: Intake, old: str, act: str) -> None:
    await switch_on(intake)
    async with intake.db.statements() as statements:
        for sql in ACTS[act]:
            await statements.execute(sql, *([YESTERDAY] if "$1" in sql else []))
    assert (await due(intake))["items"] == []
    assert (await run(intake)).subscribers_erased == 0
    assert await intake.count("subscribers") == 1


async def test_the_call_of_somebody_else_from_the_same_telephone_is_not_theirs(intake: Intake, old: str) -> None:
    other = await intake.subscriber("222", phones=[PHONE])
    async with intake.db.statements() as statements:
        await add_call(statements, "c-2", YESTERDAY, subscriber_id=other["id"], caller=PHONE)
    assert [item["subscriber_no"] for item in (await due(intake))["items"]] == ["111"]


async def test_who_is_on_hold_or_has_an_open_order_is_not_due(intake: Intake, old: str) -> None:
    await intake.subscriber("222")
    async with intake.db.statements() as statements:
        await statements.execute(OLD_ORDER.replace("'archived'", "'processing'").replace("'111'", "'222'"))
        await statements.execute("update subscribers set changed_at = $1", LONG_AGO)
    await hold(intake, old)
    async with intake.db.statements() as statements:
        # Setting it is activity too: only one that was set long ago shows that the hold itself counts.
        await statements.execute("update legal_holds set set_at = $1", LONG_AGO)
    assert (await due(intake))["items"] == []


async def test_who_calls_between_the_look_and_the_lock_is_kept(
    intake: Intake, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await switch_on(intake)
    look = activity_store.due_subscribers

    async def look_and_be_called(statements: Any, *given: Any, **named: Any) -> Any:
        found = await look(statements, *given, **named)
        await add_call(statements, "c-3", YESTERDAY, subscriber_id=old)
        return found

    monkeypatch.setattr(activity_store, "due_subscribers", look_and_be_called)
    outcome = await run(intake)
    assert (outcome.subscribers_due, outcome.subscribers_erased) == (1, 0)


@pytest.fixture
async def catch_up(intake: Intake) -> Callable[[], Awaitable[None]]:
    """As after a backup was restored: 100 records of work orders are still to be read, until this is called."""
    async with intake.db.statements() as statements:
        await must_read_until(statements, WORK_ORDERS.name, {0: 100})

    async def caught_up() -> None:
        async with intake.db.statements() as statements:
            await statements.execute("update positions set next_offset = restored_until")

    return caught_up


async def test_a_restored_database_erases_no_subscriber_until_it_has_caught_up(
    intake: Intake, old: str, catch_up: Any
) -> None:
    """What happened with them since the backup may be among what it has not read yet."""
    await switch_on(intake)
    clock = FixedClock(datetime.now(UTC))
    assert await run_retention(intake, clock) is None
    assert await intake.count("subscribers") == 1
    await catch_up()
    assert (await run(intake)).subscribers_erased == 1


@pytest.mark.parametrize(("job", "begins_with"), [(retention, "issue_all_missing"), (watching, "look")])
async def test_a_job_of_the_worker_waits_while_a_restored_database_catches_up(
    intake: Intake, job: Any, begins_with: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that ended would make the worker not alive, and nothing would be read any more."""
    work, rounds = getattr(job, begins_with), []

    async def counted(*given: Any, **named: Any) -> Any:
        rounds.append(begins_with)
        return await work(*given, **named)

    monkeypatch.setattr(job, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(job, begins_with, counted)
    reply_by = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    call = await logged(intake)
    await settled(intake, call["id"], outcome="difficult_case", content="x", contact="y", reply_by=reply_by)
    async with intake.db.statements() as statements:
        await statements.execute("delete from sealing_keys")
        await must_read_until(statements, WORK_ORDERS.name, {0: 100})
    settings = intake.app.state.settings
    run_job = retention.retention_of(settings) if job is retention else reminders.watch
    task = asyncio.create_task(run_job(intake.db, Wakeup(intake.db.url)))
    try:
        await eventually(lambda: task.done() or len(rounds) > 1, until=bool)
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("spelling", ["111", "１１１"], ids=["plain", "as stored"])
async def test_a_follow_up_of_a_number_in_its_plain_spelling_is_activity_of_one_stored_in_another(
    intake: Intake, old: str, spelling: str
) -> None:
    """Numbers were stored as they were typed once; a list of follow-ups names them in plain spelling."""
    await switch_on(intake)
    async with intake.db.statements() as statements:
        await statements.execute("update subscribers set subscriber_no = '１１１'")
    planned = replace(PLANNED, subscriber_no=spelling)
    await hear(intake.db, follow_up_event(planned, YESTERDAY))
    assert (await due(intake))["count"] == 0
    assert (await run(intake)).subscribers_erased == 0
    assert (await erase(intake, old)).status_code == 200
    assert await intake.count("follow_up_activity") == 0


async def test_the_list_is_paged_and_can_be_asked_for_other_days(intake: Intake, old: str) -> None:
    for number in ("222", "333"):
        await intake.subscriber(number)
    async with intake.db.statements() as statements:
        await statements.execute("update subscribers set changed_at = $1", NOW - timedelta(days=100))
        await statements.execute("delete from calls")
    assert (await due(intake))["count"] == 0
    found, cursor = [], None
    while True:
        page = await due(intake, keep_days=90, limit=2, **({"cursor": cursor} if cursor else {}))
        assert (page["count"], page["keep_days"]) == (3, 90)
        found += [item["subscriber_no"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert sorted(found) == ["111", "222", "333"]
    broken = await intake.get(DUE, "operator", params={"cursor": "x"})
    assert (broken.status_code, broken.json()["code"]) == (422, "cursor_broken")
    assert (await intake.get(DUE, "operator", params={"keep_days": 0})).status_code == 422
    assert (await intake.get(DUE, "agent")).status_code == 403


async def test_what_was_switched_off_is_kept(intake: Intake) -> None:
    me = (await intake.get("/subscribers")).json()["items"][0]["id"]
    await intake.post(f"/subscribers/{me}/reveals", {"purpose": "visit"}, "auditor")
    body = {"keep_days": 1, "is_active": False}
    await intake.client.put("/v1/retention-rules/reveals", json=body, headers=intake.as_("operator"))
    clock = FixedClock(datetime.now(UTC) + timedelta(days=3))
    outcome = await run_retention(intake, clock)
    assert outcome is not None
    assert outcome.reveals_deleted == 0
    runs = (await intake.get("/retention-runs", "operator", params={"limit": 1})).json()
    assert len(runs["items"]) == 1
    broken = await intake.get("/retention-runs", "operator", params={"cursor": "x"})
    assert broken.json()["code"] == "cursor_broken"


def follow_up_event(body: q.QualityEvent, at: datetime) -> Message:
    return new_message(
        body,
        service=Service.QA,
        subject="o-9",
        actor=Actor("qa", "service"),
        occurred_at=at,
        recorded_at=at,
    )


PLANNED = q.FollowUpPlanned(
    follow_up_id="u-1", project_id="p", cause=q.FollowUpCause.LIST, subscriber_no="111", due_by=NOW
)
ATTEMPTED = q.FollowUpAttempted(
    follow_up_id="u-1", project_id="p", attempt=1, caller_id="agent-1", outcome=q.AttemptOutcome.REACHED
)


async def hear(db: Database, *messages: Message) -> None:
    async with db.begin() as tx:
        await on_quality(messages, tx)


@pytest.mark.parametrize("is_together", [True, False], ids=["one batch", "apart"])
@pytest.mark.parametrize("is_turned", [True, False], ids=["attempt first", "in order"])
async def test_a_follow_up_is_activity_in_whatever_order_its_events_come(
    intake: Intake, old: str, is_together: bool, is_turned: bool
) -> None:
    await hear(intake.db, follow_up_event(PLANNED, LONG_AGO))
    assert (await due(intake))["count"] == 1
    async with intake.db.statements() as statements:
        await statements.execute("delete from follow_up_activity")
    messages = [follow_up_event(PLANNED, LONG_AGO), follow_up_event(ATTEMPTED, YESTERDAY)]
    messages = messages[::-1] if is_turned else messages
    for batch in [messages] if is_together else [[message] for message in messages]:
        await hear(intake.db, *batch)
    await hear(intake.db, *messages)
    assert (await due(intake))["count"] == 0
    async with intake.db.statements() as statements:
        (row,) = await statements.fetch("select * from follow_up_activity")
    assert (row["subscriber_no"], row["last_at"]) == ("111", YESTERDAY)
