"""What a service with orders adds to its HTTP process."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response

from chassis.commands import Reply
from contracts.lifecycle import Service
from work_orders.commit import Orders
from work_orders.sealing import opening_for
from work_orders.sealing_keys import SealingKeys


def prepare_orders(service: Service) -> Callable[[FastAPI], None]:
    """Puts the service's `Orders` where its routes find them, once the database is there."""

    def prepare(app: FastAPI) -> None:
        prepare_texts(app)
        state = app.state
        state.orders = Orders(
            service,
            state.db,
            state.wakeup,
            state.clock,
            state.sealing_keys,
            catch_up_seconds=state.settings.catch_up_seconds,
        )

    return prepare


def prepare_texts(app: FastAPI) -> None:
    """Lets the service open sealed texts; also those of an answer that it has remembered."""
    state = app.state
    settings = state.settings
    state.sealing_keys = SealingKeys(
        state.db, settings.master_keys, state.wakeup, catch_up_seconds=settings.catch_up_seconds
    )
    state.answer_again = opened_again


async def answered(answer: Reply, request: Request) -> Response:
    """An act's answer with its texts opened; what was remembered of it stays sealed."""
    return (await opened_again(answer, request)).response()


def subject_of(said: Mapping[str, Any]) -> Any:
    """What the texts of an answer are sealed for: the order that it names, or else the thing itself."""
    return said.get("order_id") or said.get("id") or said.get("call_id")


async def opened_again(answer: Reply, request: Request) -> Reply:
    """An answer that was remembered, with its texts opened for the present caller."""
    said = msgspec.json.decode(answer.body)
    subject = subject_of(said)
    if not isinstance(subject, str):
        return answer
    return Reply(answer.status, await opening_for(request).object(subject, answer.body), answer.etag)
