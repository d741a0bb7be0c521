"""A partner's switch in tests: what it says goes through intake's own consumer, and what came of it can be read."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from services.intake.tests.service import Intake

from chassis.clock import Clock
from chassis.database import Database
from chassis.parking import RawRecord
from chassis.sealing import MasterKeys
from chassis.subscribe import Consumer
from chassis.testing import MASTER_KEYS
from chassis.unit_of_work import UnitOfWork
from chassis.wakeup import Wakeup
from contracts import partners as p
from contracts.codec import decode, encode, new_partner_message
from contracts.message import Actor, Message
from intake.calls.reminders import REMINDERS
from intake.partners.domain import Partner
from intake.partners.ingest_calls import call_id_of
from intake.partners.subscriptions import subscription_of
from intake.partners.use_cases import define_partner

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)


class _Silent:
    def send(self, _: Any) -> None:
        """No relay waits to be woken."""


def reminders_on(db: Database, clock: Clock) -> UnitOfWork:
    """The unit of work of the worker's reminders, at the time of the clock."""
    return UnitOfWork(service="intake", db=db, clock=clock, wakeup=cast(Wakeup, _Silent()), actor=REMINDERS)


@dataclass
class Switch:
    db: Database
    partner_id: str = "pbx"
    offset: int = 0
    said: int = 0
    messages: dict[str, Message] = field(default_factory=dict)

    @property
    def consumer(self) -> Consumer:
        return Consumer(subscription_of(self.partner_id, MasterKeys.parse(MASTER_KEYS)), service="intake", db=self.db)

    def event(self, body: Any, at: float = 0, *, call: str = "c-1", event_id: str = "") -> Message:
        """An event of a call, so many seconds after the beginning."""
        self.said += 1
        message = new_partner_message(
            body,
            partner_id=self.partner_id,
            event_id=event_id or f"e-{self.said}",
            subject=f"agent:{body.agent}" if isinstance(body, p.PartnerAgentStateChanged) else call,
            occurred_at=BEGIN + timedelta(seconds=at),
        )
        self.messages[message.id] = message
        return message

    async def says(self, *messages: Message) -> None:
        """One batch from Kafka."""
        await self.sends(*(encode(message) for message in messages))

    async def sends(self, *records: tuple[Any, Any, Any], at: int | None = None) -> None:
        """The same with records as they are; `at` delivers from an offset again."""
        if at is not None:
            self.offset = at
        topic = f"partner.{self.partner_id}.in"
        raw = []
        for key, value, headers in records:
            raw.append(RawRecord(topic, 0, self.offset, key, value, tuple(headers)))
            self.offset += 1
        await self.consumer.apply(raw)

    async def published(self, topic: str) -> list[Message]:
        async with self.db.statements() as statements:
            rows = await statements.fetch(
                "select aggregateid, payload, headers from outbox where aggregatetype = $1 order by id", topic
            )
        return [
            decode(
                row["aggregateid"].encode(),
                row["payload"],
                [(name, text.encode()) for name, text in json.loads(row["headers"]).items()],
            )
            for row in rows
        ]

    async def facts(self, call: str = "c-1") -> dict[str, Any]:
        """What `calls` says of a call: the latest revision of each fact, by the id of the event it came of."""
        call_id = call_id_of(self.partner_id, call)
        found: dict[str, Any] = {}
        versions = []
        for message in await self.published("calls"):
            if message.subject == call_id:
                versions.append(message.entity_version)
                found[message.body.fact_id.split(":", 1)[1]] = message.body
        assert versions == list(range(1, len(versions) + 1))
        return found

    async def answers(self) -> list[Any]:
        return [message.body for message in await self.published(f"partner.{self.partner_id}.out")]

    async def refusals(self) -> list[tuple[str | None, str]]:
        return [(one.event_id, one.code) for one in await self.answers() if isinstance(one, p.PartnerEventRefused)]

    async def count(self, table: str) -> int:
        async with self.db.statements() as statements:
            return await statements.fetchval(f"select count(*) from {table}")


async def registered_switch(intake: Intake) -> Switch:
    """A registered partner on the database of a whole intake."""
    uow = intake.app.state.unit_of_work(Actor("operator-1", "operator"))
    await define_partner(Partner("pbx", "pbx", "pbx"), uow=uow)
    return Switch(intake.db)
