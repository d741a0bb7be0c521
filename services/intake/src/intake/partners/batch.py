"""A batch of a partner's events while it is taken: what is published because of it, and what is answered."""

from dataclasses import dataclass, field
from datetime import datetime

from chassis.database import Transaction
from chassis.sealing import MasterKeys
from contracts import conformance
from contracts.directory import Names
from contracts.message import Message
from contracts.partners import AcceptedEvent, Mistake, PartnerEventsAccepted
from intake.calls.domain.facts import Fault


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that is not taken, and why."""

    message: Message
    code: str
    detail: Names
    mistakes: tuple[Mistake, ...] = ()


@dataclass(slots=True)
class Taking:
    """A batch of one partner's events while it is taken."""

    tx: Transaction
    partner_id: str
    masters: MasterKeys
    now: datetime
    published: list[Message] = field(default_factory=list)
    """For `calls`."""
    accepted: dict[str, PartnerEventsAccepted] = field(default_factory=dict)
    """By subject."""
    refused: list[Refused] = field(default_factory=list)
    new_agents: set[str] = field(default_factory=set)
    """The partner's names of unregistered agents that are seen for the first time."""

    def accept(self, message: Message, *, faults: tuple[str, ...] = (), **about: str) -> None:
        if (agent := getattr(message.body, "agent", None)) in self.new_agents:
            # Once: from then on the name is on the list at `/v1/partners/{id}/unregistered-agents`.
            self.new_agents.discard(agent)
            faults = tuple(sorted((*faults, Fault.UNKNOWN_AGENT.value)))
        before = self.accepted.get(message.subject)
        events = (*(before.events if before else ()), AcceptedEvent(event_id=message.id, faults=faults))
        self.accepted[message.subject] = PartnerEventsAccepted(events=events, **about)

    def refuse(self, message: Message, code: str, *mistakes: Mistake, detail: Names | None = None) -> None:
        self.refused.append(Refused(message, code, detail or conformance.SENTENCES[code], mistakes))
