"""One message as a reader sees it: what happened, to whom, when, by whom, after what.

The attributes are those of CloudEvents 1.0 with Linework's extensions; `codec` puts them on Kafka.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: the token's subject, the role they acted in, the name a colleague knows them by."""

    sub: str
    role: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    id: str
    type: str
    source: str
    subject: str
    """The order or entity; also the Kafka key."""
    occurred_at: datetime
    recorded_at: datetime
    actor: Actor
    data: bytes
    """The JSON exactly as it travels: the chain covers these bytes."""
    body: Any = None
    """The decoded event, request or entity; None for a type this reader does not know."""
    order_version: int | None = None
    entity_version: int | None = None
    prev_hash: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None
    replay_id: str | None = None
    """Of a message to a partner that is sent once more: the event that asked for the replay."""

    @property
    def service(self) -> str:
        """The writing service, from a source such as `/linework/dispatch`."""
        return self.source.rsplit("/", 1)[-1]
