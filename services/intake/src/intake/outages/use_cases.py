"""Announcing an outage, and changing or ending it."""

from datetime import datetime

from chassis.commands import Reply
from chassis.unit_of_work import UnitOfWork
from intake.outages import store
from intake.outages.domain import Outage


async def announce_outage(outage: Outage, *, uow: UnitOfWork) -> Reply:
    """From then on a screen pop shows it for callers inside its territories."""
    outage.check_times(outage.restore_by)
    async with uow.command() as command:
        command.reply_with(await store.outages.save(command.tx, outage, changed_at=command.now), status=201)
    return command.reply


async def change_outage(outage_id: str, *, restore_by: datetime | None, is_over: bool, uow: UnitOfWork) -> Reply:
    """Another time of restoration, or the end."""
    async with uow.command() as command:
        present = await store.lock_outage(command.tx, outage_id)
        decided_on = uow.headers.decided_on(present.version)
        outage = present.changed(restore_by=restore_by, is_over=is_over, decided_on=decided_on, now=command.now)
        command.reply_with(await store.outages.save(command.tx, outage, changed_at=command.now))
    return command.reply
