"""A batch of a partner's events while it is ingested: what is published because of it, and what is answered."""

from dataclasses import dataclass, field
from datetime import datetime

from chassis.commands import NO_HEADERS
from chassis.database import Transaction
from chassis.sealing import MasterKeys
from chassis.unit_of_work import Command
from contracts import conformance
from contracts.directory import Names
from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.origin import Origin
from contracts.partners import AcceptedEvent, Mistake, PartnerEventsAccepted
from contracts.refusals import Refusal, Unavailable
from intake.calls.domain.facts import Fault


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """An event that is refused, and why."""

    message: Message
    code: str
    detail: Names
    mistakes: tuple[Mistake, ...] = ()


@dataclass(slots=True)
class PartnerBatch:
    """A batch of one partner's events while it is ingested."""

    command: Command
    """By the partner, in the transaction of the consumer."""
    masters: MasterKeys
    accepted: dict[str, PartnerEventsAccepted] = field(default_factory=dict)
    """By subject."""
    refused: list[RefusedMessage] = field(default_factory=list)
    new_agents: set[str] = field(default_factory=set)
    """The partner's names of unregistered agents that are seen for the first time."""

    @classmethod
    def of(cls, partner_id: str, tx: Transaction, masters: MasterKeys, now: datetime) -> "PartnerBatch":
        origin = Origin(service=Service.INTAKE.value, actor=Actor(partner_id, "partner"), recorded_at=now)
        return cls(Command(tx, NO_HEADERS, origin), masters)

    @property
    def tx(self) -> Transaction:
        return self.command.tx

    @property
    def now(self) -> datetime:
        return self.command.now

    @property
    def partner_id(self) -> str:
        return self.command.actor.sub

    def fact_id(self, message: Message) -> str:
        """The id that an event has as a fact: another partner may have used the same event id."""
        return f"{self.partner_id}:{message.id}"

    def accept(self, message: Message, *, faults: tuple[str, ...] = (), **about: str) -> None:
        if (agent := getattr(message.body, "agent", None)) in self.new_agents:
            # Once: from then on the name is on the list at `/v1/partners/{id}/unregistered-agents`.
            self.new_agents.discard(agent)
            faults = tuple(sorted((*faults, Fault.UNKNOWN_AGENT.value)))
        before = self.accepted.get(message.subject)
        events = (*(before.events if before else ()), AcceptedEvent(event_id=message.id, faults=faults))
        self.accepted[message.subject] = PartnerEventsAccepted(events=events, **about)

    def refuse_by(self, message: Message, refusal: Refusal, *mistakes: Mistake) -> None:
        """Refuses an event as a command over HTTP would be; raises what is no fault of the partner's."""
        if isinstance(refusal, Unavailable):
            raise refusal
        self.refuse(message, refusal.code, *mistakes, detail=Names(refusal.message("en"), refusal.message("zh")))

    def refuse(self, message: Message, code: str, *mistakes: Mistake, detail: Names | None = None) -> None:
        self.refused.append(RefusedMessage(message, code, detail or conformance.SENTENCES[code], mistakes))
