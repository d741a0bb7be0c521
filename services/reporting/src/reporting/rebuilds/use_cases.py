"""Commands on rebuilds: one is asked for, one is switched to."""

from typing import Any

from chassis.unit_of_work import UnitOfWork
from chassis.wakeup import JOBS
from reporting.rebuilds import store
from reporting.rebuilds.domain import RebuildUnderWay, check_differences, check_is_ready
from reporting.record import event_store
from reporting.record.event_store import lock_stream
from reporting.tables import SETS


async def request_rebuild(*, uow: UnitOfWork) -> Any:
    """Asks for a rebuild, which a worker carries out; one that was ready and not switched to is superseded.

    Raises `RebuildUnderWay`.
    """
    async with uow.command() as command:
        state = await lock_stream(command.tx)
        running = await store.find_under_way(command.tx)
        if running is not None:
            raise RebuildUnderWay(rebuild_id=running["id"])
        await event_store.follow(command.tx, None)
        target = next(name for name in SETS if name != state.live)
        rebuild = await store.add_rebuild(command.tx, target, by=command.actor.sub, at=command.now)
    uow.wakeup.send(JOBS)
    return rebuild


async def switch_to_rebuild(rebuild_id: int, *, accepts_differences: bool, uow: UnitOfWork) -> Any:
    """Shows the rebuilt set from this commit on; the set shown before is not kept up any longer.

    Raises `RebuildNotFound`, `RebuildNotReady` or `RebuildDiffers`.
    """
    # First without the stream's lock: a comparison holds its row for as long as it takes.
    async with uow.db.statements() as statements:
        check_is_ready(rebuild_id, (await store.get_rebuild(statements, rebuild_id))["state"])
    async with uow.command() as command:
        await lock_stream(command.tx)
        rebuild = await store.lock_rebuild(command.tx, rebuild_id)
        check_is_ready(rebuild_id, rebuild["state"])
        check_differences(rebuild_id, rebuild["difference_count"], are_accepted=accepts_differences)
        await event_store.show(command.tx, rebuild["target"])
        return await store.note_switched(command.tx, rebuild_id, by=command.actor.sub, at=command.now)
