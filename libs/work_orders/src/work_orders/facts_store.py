"""The facts about orders that a service has received, each once, by the id of its message."""

from collections.abc import Sequence
from typing import Any

from chassis.database import columns_of, unnest_of
from chassis.one_statement import Part, execute_together
from chassis.unit_of_work import Command
from contracts.facts import KINDS
from contracts.message import Message
from work_orders.tables import ORDER_FACTS

COLUMNS = columns_of(ORDER_FACTS.c)
_ADD = f"insert into order_facts ({COLUMNS}) select * from {unnest_of(ORDER_FACTS.c)} on conflict (id) do nothing"


def is_fact(message: Message) -> bool:
    return type(message.body) in KINDS


def kept_by(messages: Sequence[Message]) -> Part:
    """Keeps the facts; one that is delivered again changes nothing."""
    return Part(_ADD, [list(column) for column in zip(*map(_row_of, messages), strict=True)])


async def keep(command: Command, message: Message) -> None:
    """Keeps a fact and publishes it, with a command that holds the order's row."""
    await execute_together(command.tx, [kept_by([message])])
    command.messages.append(message)


def _row_of(message: Message) -> tuple[Any, ...]:
    """The values of `COLUMNS`."""
    return (
        message.id,
        message.subject,
        KINDS[type(message.body)].value,
        message.service,
        message.actor.sub,
        message.actor.role,
        message.actor.name,
        message.occurred_at,
        message.recorded_at,
        message.data.decode(),
    )
