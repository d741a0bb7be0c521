"""A partner asks for what it was told, once more."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from services.intake.tests.component.switch import Switch, registered_switch, reminders_on
from services.intake.tests.component.test_partner_orders import WINDOW, ordered, whole_life
from services.intake.tests.service import Intake

from chassis.clock import SystemClock
from contracts import partners as p
from contracts.message import Actor, Message
from intake.partners import replay_store
from intake.partners.domain import Partner
from intake.partners.replaying import look
from intake.partners.use_cases import define_partner

OUT = "partner.pbx.out"


class Ahead(SystemClock):
    """So much later than it is."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        return super().now() + self._ahead


@pytest.fixture
async def partner(intake: Intake) -> Switch:
    return await registered_switch(intake)


async def published_so_far(intake: Intake, partner: Switch) -> list[Message]:
    """What was put out since the last time; Kafka has it from then on."""
    messages = await partner.published(OUT)
    async with intake.db.statements() as statements:
        await statements.execute("delete from outbox where aggregatetype = $1", OUT)
    return messages


async def ask(partner: Switch, since: datetime, event_id: str = "again") -> None:
    await partner.says(partner.event(p.PartnerReplayRequested(since=since), call="replay", event_id=event_id))


async def replayed(intake: Intake, partner: Switch) -> list[Message]:
    """Everything that the worker sends until no replay is running."""
    sent: list[Message] = []
    for seconds in range(1, 100):
        is_running = await look(reminders_on(intake.db, Ahead(timedelta(seconds=seconds))))
        sent += await published_so_far(intake, partner)
        if not is_running:
            return sent
    raise AssertionError("the replay does not end")


def an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


async def test_a_replay_has_every_message_with_its_id_and_the_mark_and_then_an_end(
    intake: Intake, partner: Switch
) -> None:
    await whole_life(intake, await ordered(intake, partner, appointment=WINDOW))
    first = await published_so_far(intake, partner)
    await ask(partner, an_hour_ago())
    (answer,) = await published_so_far(intake, partner)
    *again, end = await replayed(intake, partner)
    assert again == [replace(message, replay_id="again") for message in first]
    assert end.body == p.PartnerReplayEnded(event_id="again", message_count=len(first), is_complete=True)
    assert (answer.subject, end.subject, end.replay_id) == ("replay", "replay", None)


async def test_a_replay_begins_at_its_time(intake: Intake, partner: Switch) -> None:
    order_id = await ordered(intake, partner)
    await published_so_far(intake, partner)
    since = datetime.now(UTC)
    await whole_life(intake, order_id)
    told = await published_so_far(intake, partner)
    await ask(partner, since)
    await published_so_far(intake, partner)
    assert [one.id for one in await replayed(intake, partner)][:-1] == [one.id for one in told]


async def test_ten_years_are_refused_with_the_earliest_time(intake: Intake, partner: Switch) -> None:
    await ask(partner, datetime.now(UTC) - timedelta(days=3652))
    (refused,) = await partner.answers()
    assert (refused.code, refused.mistakes[0].pointer) == ("replay_too_far_back", "/since")
    earliest = datetime.fromisoformat(refused.mistakes[0].right)
    assert timedelta(days=29) < datetime.now(UTC) - earliest <= timedelta(days=30, minutes=1)
    assert not await look(reminders_on(intake.db, SystemClock()))


async def test_one_replay_runs_at_a_time(intake: Intake, partner: Switch) -> None:
    await ordered(intake, partner)
    await ask(partner, an_hour_ago())
    await ask(partner, an_hour_ago(), "meanwhile")
    assert await partner.refusals() == [("meanwhile", "replay_running")]
    await published_so_far(intake, partner)
    await replayed(intake, partner)
    await ask(partner, an_hour_ago(), "afterwards")
    assert await partner.refusals() == []


async def define(intake: Intake, **changes: object) -> None:
    uow = intake.app.state.unit_of_work(Actor("operator-1", "operator"))
    await define_partner(replace(Partner("pbx", "pbx", "pbx"), **changes), uow=uow)


async def test_a_replay_that_may_have_no_more_says_where_the_next_one_goes_on(intake: Intake, partner: Switch) -> None:
    for number in range(4):
        await ordered(intake, partner, f"PO-{number}")
    first = await published_so_far(intake, partner)
    await define(intake, replay_messages=3, replay_per_second=2)
    await ask(partner, an_hour_ago())
    await published_so_far(intake, partner)
    *some, end = await replayed(intake, partner)
    assert (len(some), end.body.is_complete) == (3, False)
    await ask(partner, end.body.next_since, "onwards")
    await published_so_far(intake, partner)
    *rest, end = await replayed(intake, partner)
    assert {one.id for one in some + rest} >= {one.id for one in first}
    assert end.body.is_complete


async def test_a_step_waits_until_kafka_has_the_one_before(intake: Intake, partner: Switch) -> None:
    for number in range(3):
        await ordered(intake, partner, f"PO-{number}")
    await define(intake, replay_per_second=1)
    await published_so_far(intake, partner)
    await ask(partner, an_hour_ago())
    await published_so_far(intake, partner)
    for seconds in (1, 10, 20):
        assert await look(reminders_on(intake.db, Ahead(timedelta(seconds=seconds))))
    assert len(await partner.published(OUT)) == 1


async def test_a_step_that_fails_is_sent_again_as_a_whole(
    intake: Intake, partner: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ordered(intake, partner)
    first = await published_so_far(intake, partner)
    await ask(partner, an_hour_ago())
    await published_so_far(intake, partner)

    async def dies(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(replay_store, "end", dies)
        with pytest.raises(ConnectionError):
            await look(reminders_on(intake.db, Ahead(timedelta(seconds=1))))
    assert await partner.published(OUT) == []
    assert [one.id for one in await replayed(intake, partner)][:-1] == [one.id for one in first]


async def test_a_disabled_partner_is_replayed_nothing_until_it_is_active(intake: Intake, partner: Switch) -> None:
    await ordered(intake, partner)
    await ask(partner, an_hour_ago())
    await published_so_far(intake, partner)
    await define(intake, is_active=False)
    assert await look(reminders_on(intake.db, Ahead(timedelta(hours=1))))
    assert await partner.published(OUT) == []
    await define(intake)
    assert len(await replayed(intake, partner)) == 2


async def test_what_a_partner_missed_while_it_was_disabled_is_in_a_replay(intake: Intake, partner: Switch) -> None:
    order_id = await ordered(intake, partner)
    await define(intake, is_active=False)
    await whole_life(intake, order_id)
    await define(intake)
    await ask(partner, an_hour_ago())
    await published_so_far(intake, partner)
    *again, _ = await replayed(intake, partner)
    statuses = [one.body.status for one in again if isinstance(one.body, p.PartnerOrderStatusChanged)]
    assert statuses == ["dispatched", "completed", "archived"]


async def test_a_replay_brings_nothing_back_of_an_erased_subscriber(intake: Intake, partner: Switch) -> None:
    await whole_life(intake, await ordered(intake, partner, appointment=WINDOW))
    subscriber_id = (await intake.get("/subscribers?subscriber_no=111")).json()["items"][0]["id"]
    await intake.post(f"/subscribers/{subscriber_id}/erasure", {"ground": "subscriber_asked"}, "supervisor")
    await ask(partner, an_hour_ago())
    await published_so_far(intake, partner)
    *again, _ = await replayed(intake, partner)
    told = [one.body for one in again if isinstance(one.body, p.PartnerOrderStatusChanged)]
    assert [one.appointment for one in told] == [None] * 3
    assert "2026-12-03" not in str([one.data for one in again])


async def test_messages_are_forgotten_after_the_partners_days(intake: Intake, partner: Switch) -> None:
    await ordered(intake, partner)
    await define(intake, replay_days=2)
    assert await intake.count("partner_messages") == 1
    await look(reminders_on(intake.db, Ahead(timedelta(days=1))))
    assert await intake.count("partner_messages") == 1
    await look(reminders_on(intake.db, Ahead(timedelta(days=2, minutes=1))))
    assert await intake.count("partner_messages") == 0
