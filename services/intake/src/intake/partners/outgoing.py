"""What intake tells partners: made, kept for a replay and put into the outbox in one place."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.lifecycle import Service
from contracts.message import Actor, Message
from contracts.order import WorkOrder
from contracts.origin import Origin

_INTAKE = Actor("intake", "service")
_IDS = uuid.UUID("3c0b9d1e-61f7-5b1c-8a54-0a7d5be1f2c4")


@dataclass(slots=True)
class PartnerOrder:
    """An order that a partner asked for, as far as messages about it need it."""

    order_id: str
    partner_id: str
    reference: str
    subject: str
    is_active: bool
    """Whether the partner is: one that is disabled is told nothing."""
    order: WorkOrder | None = None
    reply_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to a partner; one that is disabled does not get it, and can ask for it later."""

    partner_id: str
    message: Message
    order_id: str | None = None
    is_active: bool = True


def derived_id(*names: str) -> str:
    """An id that is computed from what it stands for: whoever does the same again gets the same id."""
    return str(uuid.uuid5(_IDS, "\n".join(names)))


def to_partner(
    body: object,
    subject: str,
    now: datetime,
    *,
    cause: str | None = None,
    occurred_at: datetime | None = None,
    message_id: str | None = None,
) -> Message:
    origin = Origin(service=Service.INTAKE.value, actor=_INTAKE, recorded_at=now, causation_id=cause)
    message = origin.message(body, subject=subject, occurred_at=occurred_at)
    return message if message_id is None else replace(message, id=message_id)
