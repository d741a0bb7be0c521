"""Streams of calls, time limits and orders with times that tests choose."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts import calls as c
from contracts.codec import new_message
from contracts.lifecycle import Service, Status
from contracts.limits import SUBJECT, TimeLimitsDefined
from contracts.message import Actor, Message
from work_orders.testing_streams import BEGIN, Stream, make_created


@dataclass
class TimedStream(Stream):
    """The stream of one order; each event happens at `at`, which `after` moves on."""

    at: datetime = BEGIN

    def _next_minute(self) -> datetime:
        return self.at

    def after(self, **step: float) -> "TimedStream":
        self.at += timedelta(**step)
        return self


@dataclass
class CallStream:
    """The stream of one call or agent, as intake writes it: facts in the order in which they became known."""

    subject: str
    messages: list[Message] = field(default_factory=list)

    def add(self, fact: Any, at: datetime, *, recorded_at: datetime | None = None) -> Message:
        message = new_message(
            fact,
            service=Service.INTAKE,
            subject=self.subject,
            actor=Actor("pbx", "partner"),
            occurred_at=at,
            recorded_at=recorded_at or at,
            entity_version=len(self.messages) + 1,
        )
        self.messages.append(message)
        return message


@dataclass
class LimitStream:
    """Sets of time limits as dispatch publishes them."""

    messages: list[Message] = field(default_factory=list)

    def add(self, rules: TimeLimitsDefined, at: datetime, *, recorded_at: datetime | None = None) -> Message:
        message = new_message(
            rules,
            service=Service.DISPATCH,
            subject=SUBJECT,
            actor=Actor("operator-1", "operator"),
            occurred_at=at,
            recorded_at=recorded_at or at,
            entity_version=len(self.messages) + 1,
        )
        self.messages.append(message)
        return message


@pytest.fixture
def make_call() -> Callable[..., CallStream]:
    """`make_call("c-1", at=…, wait=12, talk=90, hold=5, work=20, …)`: an inbound call; without talk it is abandoned."""

    def make(
        call_id: str,
        *,
        at: datetime = BEGIN,
        wait: float,
        talk: float | None = None,
        hold: float = 0,
        work: float | None = None,
        **said: Any,
    ) -> CallStream:
        stream = CallStream(call_id)

        def say(kind: type, seconds: float, **more: Any) -> None:
            fact_id = f"{call_id}:{len(stream.messages)}"
            stream.add(kind(fact_id=fact_id, **{"queue": "service", **said}, **more), at + timedelta(seconds=seconds))

        say(c.CallOffered, 0)
        say(c.CallQueued, 0)
        if talk is None:
            say(c.CallAbandoned, wait, wait_milliseconds=round(wait * 1000))
            return stream
        said = {"agent_id": "a-1", "team": "day", **said}
        say(c.CallAnswered, wait, wait_milliseconds=round(wait * 1000))
        times = {"talk_milliseconds": round(talk * 1000), "hold_milliseconds": round(hold * 1000)}
        say(c.CallEnded, wait + talk + hold, **times)
        if work is not None:
            say(c.AfterCallWorkEnded, wait + talk + hold + work, work_milliseconds=round(work * 1000))
        return stream

    return make


MakeStream = Callable[..., TimedStream]


@pytest.fixture
def make_stream() -> MakeStream:
    """`make_stream("o-1", status, at=…, step=seconds, zone=…)`: an order on its shortest way to a status."""

    def make(
        order_id: str = "o-1",
        status: Status = Status.CREATED,
        *,
        at: datetime = BEGIN,
        step: float = 60,
        **created: Any,
    ) -> TimedStream:
        stream = TimedStream(order_id, at=at)
        for message in Stream(order_id).until(status).messages:
            stream.add(make_created(**created) if message.order_version == 1 else message.body)
            stream.after(seconds=step)
        return stream

    return make
