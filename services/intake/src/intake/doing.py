"""Who does something, and what came with it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from chassis import outbox
from chassis.clock import Clock
from chassis.commands import CommandHeaders
from chassis.database import Database, Transaction
from chassis.sealing import MasterKeys
from chassis.unit_of_work import Command
from chassis.wakeup import Wakeup
from contracts.lifecycle import Service
from contracts.message import Actor
from contracts.origin import Origin
from intake.scope_store import Scope
from work_orders.routes import OrderContext


@dataclass(frozen=True, slots=True)
class Doing:
    """Who does something with a call, and what came with it."""

    actor: Actor
    headers: CommandHeaders
    db: Database
    clock: Clock
    wakeup: Wakeup
    masters: MasterKeys | None = None
    """Needed by whatever writes an order or asks its custodian."""
    areas: tuple[str, ...] | None = None
    """The work areas that the actor may see; None for all."""

    @property
    def scope(self) -> Scope:
        return Scope(self.actor.sub, self.areas)

    @contextlib.asynccontextmanager
    async def within(self, tx: Transaction) -> AsyncIterator[Command]:
        """A command inside a transaction that is open already."""
        origin = Origin(
            service=Service.INTAKE.value,
            actor=self.actor,
            recorded_at=self.clock.now(),
            correlation_id=self.headers.correlation_id,
            traceparent=self.headers.traceparent,
        )
        command = Command(tx, self.headers, origin)
        yield command
        await outbox.add(tx, command.messages)


def doing_of(context: OrderContext) -> Doing:
    caller, masters = context.caller, context.state.sealing_keys.masters
    return Doing(caller.actor, context.headers, context.db, context.clock, context.wakeup, masters, caller.areas)
