"""Where messages come from: the service, actor, time and cause that all messages of one command share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.codec import new_message
from contracts.lifecycle import Service
from contracts.message import Actor, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What the messages of one command have in common; `message` makes one of them."""

    service: str
    """The name of the service that writes them."""
    actor: Actor
    recorded_at: datetime
    occurred_at: datetime | None = None
    """When it was done, if not at `recorded_at`."""
    correlation_id: str | None = None
    causation_id: str | None = None
    """The id of the message that this follows from."""
    traceparent: str | None = None

    @classmethod
    def caused_by(cls, cause: Message, *, service: str, now: datetime, actor: Actor | None = None) -> "Origin":
        """For messages that follow from another one: by its actor at its time, or by `actor` at `now`."""
        return cls(
            service=service,
            actor=actor or cause.actor,
            recorded_at=now,
            occurred_at=None if actor else cause.occurred_at,
            correlation_id=cause.correlation_id,
            causation_id=cause.id,
            traceparent=cause.traceparent,
        )

    def message(
        self,
        body: Any,
        *,
        subject: str,
        order_version: int | None = None,
        entity_version: int | None = None,
        prev_hash: str | None = None,
        occurred_at: datetime | None = None,
    ) -> Message:
        """A message ready to be sent; order events need `order_version`, and `prev_hash` from version 2 on.

        Raises `MalformedMessage` where every reader would.
        """
        return new_message(
            body,
            service=Service(self.service),
            subject=subject,
            actor=self.actor,
            occurred_at=occurred_at or self.occurred_at or self.recorded_at,
            recorded_at=self.recorded_at,
            order_version=order_version,
            entity_version=entity_version,
            prev_hash=prev_hash,
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
            traceparent=self.traceparent,
        )
