"""What a service with orders adds to its HTTP process."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response

from chassis.commands import Reply
from chassis.http import unit_of_work
from work_orders.changes import ChangeFeed
from work_orders.sealing import opening_for
from work_orders.sealing_keys import SealingKeys
from work_orders.time_limits import KnownRuleSets
from work_orders.unit_of_work import OrderUnitOfWork


def prepare_orders(app: FastAPI, *, locks_keys: bool = False) -> None:
    """Gives the service's commands and routes what work on orders takes, once the database is there.

    `locks_keys` is that of the units of work.
    """
    prepare_texts(app)
    state = app.state
    state.change_feed = ChangeFeed(state.db, state.wakeup, kept=timedelta(hours=state.settings.changes_kept_hours))
    state.time_limits = KnownRuleSets()
    state.unit_of_work = partial(
        unit_of_work,
        app,
        OrderUnitOfWork,
        locks_keys=locks_keys,
        sealing_keys=app.state.sealing_keys,
        time_limits=app.state.time_limits,
        catch_up_seconds=app.state.settings.catch_up_seconds,
    )


def prepare_texts(app: FastAPI) -> None:
    """Lets the service open sealed texts; also those of a reply that it has stored."""
    state = app.state
    settings = state.settings
    state.sealing_keys = SealingKeys(
        state.db, settings.master_keys, state.wakeup, catch_up_seconds=settings.catch_up_seconds
    )
    state.answer_again = opened_again
    state.traced_parameters = {"order_id": "linework.order_id"}


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
