"""Who does something, and what came with it."""

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.commands import CommandHeaders
from chassis.database import Database
from chassis.request_context import RequestContext
from chassis.sealing import MasterKeys
from chassis.wakeup import Wakeup
from contracts.message import Actor
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


def doing_of(context: OrderContext) -> Doing:
    caller, masters = context.caller, context.state.sealing_keys.masters
    return Doing(caller.actor, context.headers, context.db, context.clock, context.wakeup, masters, caller.areas)


def scope_of(context: RequestContext) -> Scope:
    return Scope(context.caller.sub, context.caller.areas)
