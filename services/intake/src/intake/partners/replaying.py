"""Sends running replays, a second of messages at a time, so that live messages go out between them.

A step is one transaction: the messages in the outbox, and how far the replay is. The next step waits until Kafka has
the messages of this one, so that the outbox holds no more than that however long a replay is. A worker that is killed
has sent a step as a whole or not at all.
"""

import asyncio
import logging
from dataclasses import replace

from chassis import outbox
from chassis.clock import SystemClock
from chassis.database import Database
from chassis.recovery.fence import is_passing
from chassis.unit_of_work import Command, UnitOfWork
from chassis.wakeup import PUBLISH, Wakeup
from contracts.lifecycle import Service
from contracts.message import Actor
from contracts.topics import PARTNER_OUT, topic_of_partner
from intake.partners import replay_store as store
from intake.partners.outgoing import to_partner
from intake.partners.replays import Replay, most_of_next
from intake.partners.store import get_partner

log = logging.getLogger(__name__)

_LOOK_SECONDS = 5.0
_STEP_SECONDS = 0.2
_FORGOTTEN_AT_ONCE = 1000


async def send_replays(db: Database, wakeup: Wakeup) -> None:
    """Sends replays, and forgets messages that are too old for one, for as long as the worker runs."""
    actor = Actor(Service.INTAKE.value, "service")
    uow = UnitOfWork(service=Service.INTAKE, db=db, clock=SystemClock(), wakeup=wakeup, actor=actor)
    while True:
        mark = wakeup.mark()
        try:
            is_running = await look(uow)
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("replays failed, retrying: %s: %s", type(error).__name__, error)
            is_running = True
        if is_running:
            await asyncio.sleep(_STEP_SECONDS)
        else:
            await wakeup.wait(_LOOK_SECONDS, mark)


async def look(uow: UnitOfWork) -> bool:
    """One round: a step of each replay that is due; whether a replay is running afterwards."""
    while await _step(uow):
        pass
    async with uow.db.statements() as statements:
        await store.forget_old(statements, uow.clock.now(), _FORGOTTEN_AT_ONCE)
        return await store.is_any_running(statements)


async def _step(uow: UnitOfWork) -> bool:
    """One step of a replay that is due; False where none is."""
    async with uow.db.begin() as tx:
        replay = await store.claim_due(tx, uow.clock.now())
        if replay is None:
            return False
        command = Command(tx, uow.headers, uow.origin())
        await _send_next(command, replay)
    uow.wakeup.send(PUBLISH)
    return True


async def _send_next(command: Command, replay: Replay) -> None:
    partner = await get_partner(command.tx, replay.partner_id)
    topic = topic_of_partner(PARTNER_OUT, replay.partner_id)
    most = most_of_next(replay, partner)
    found = await store.next_messages(command.tx, replay, most + 1)
    sent, following = found[:most], found[most:]
    await outbox.add(command.tx, [replace(one.message, replay_id=replay.event_id) for one in sent], topic)
    after = replay.followed_by(sent, partner, now=command.now) if sent else replay
    if following and after.message_count < partner.replay_messages:
        await store.save(command.tx, after)
        return
    end = to_partner(after.end(following[0] if following else None), replay.subject, command.now, cause=replay.event_id)
    await outbox.add(command.tx, [end], topic)
    await store.end(command.tx, replay)
