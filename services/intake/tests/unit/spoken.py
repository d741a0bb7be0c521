"""A switch and an agent in unit tests: what they say becomes a call, without a database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from contracts import calls as c
from intake.calls.domain.call import Author, Call
from intake.calls.domain.legs import Agent, KnownFact

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
AGENTS = {"Agent/101": Agent("chen", "day")}


def reported(said: Any, at: float = 0, event_id: str = "e") -> KnownFact:
    """What the switch reports, so many seconds after the beginning."""
    moment = BEGIN + timedelta(seconds=at)
    return KnownFact(fact_id=f"pbx:{event_id}", event_id=event_id, occurred_at=moment, received_at=moment, said=said)


def a_call(*events: tuple[Any, float]) -> Call:
    """A call of which the switch reported these, as the events e-1, e-2 and so on, in this order."""
    call = Call(id="c-1", partner_id="pbx", reference="1")
    for number, (said, at) in enumerate(events, start=1):
        call.report(reported(said, at, f"e-{number}"))
    return call


def published(call: Call) -> list[c.CallFact]:
    """What the call publishes, in order; it then counts as written."""
    publication = call.publish(AGENTS, {"test"})
    call.changed.clear()
    return [fact.published for _, fact in publication.facts if fact.published]


def facts(call: Call) -> dict[str, Any]:
    """What stands published of the call, by event id."""
    published(call)
    return {fact.event_id: fact.published for fact in call.facts}


def author(name: str = "agent-1", at: float = 60) -> Author:
    ids = count(1)
    return Author(Agent(name, "day"), BEGIN + timedelta(seconds=at), lambda: f"{name}-{next(ids)}")


def kinds(bodies: Sequence[c.CallFact]) -> list[str]:
    return [type(body).__name__ for body in bodies]
