"""What is done with recordings. One function a command, each on a unit of work."""

from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from chassis.commands import Reply
from chassis.database import Statements
from contracts.quality import ListeningPurpose, RecordingOpened
from qa.recordings import store
from work_orders.unit_of_work import OrderUnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRecording:
    recording_id: str
    purpose: ListeningPurpose
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingReference:
    """Where a recording can be listened to."""

    recording_id: str
    call_id: str
    url: str | None
    """None where no place of recordings is set."""


async def open_recording(opening: OpenRecording, *, recordings_url: str, uow: OrderUnitOfWork) -> Reply:
    """Gives the reference, and records who got it and for which purpose, in the same transaction.

    `recordings_url` has `{recording_id}` where the id belongs; empty where no place of recordings is set.
    """

    async def replay(statements: Statements, reply: Reply) -> Reply:
        await store.get_visible(statements, opening.recording_id, uow.actor, uow.areas)
        return reply

    find = partial(store.subscriber_of, recording_id=opening.recording_id)
    seal = await uow.sealer(find, opening.note, replay=replay)
    async with uow.command(replay=replay) as command:
        recording = await store.get_visible(command.tx, opening.recording_id, uow.actor, uow.areas)
        await store.note_opening(
            command.tx,
            recording.id,
            by=command.actor.sub,
            at=command.now,
            purpose=opening.purpose.value,
            note=seal(opening.note, recording.id),
        )
        opened = RecordingOpened(recording_id=recording.id, call_id=recording.call_id, purpose=opening.purpose)
        command.publish(opened, subject=recording.id)
        url = recordings_url.replace("{recording_id}", quote(recording.id, safe="")) or None
        command.reply_with(
            RecordingReference(recording_id=recording.id, call_id=recording.call_id, url=url), status=201
        )
    return command.reply
