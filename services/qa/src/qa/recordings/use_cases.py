"""What is done with recordings."""

from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from chassis.commands import Reply
from contracts.quality import ListeningPurpose, RecordingOpened
from qa.desk import QualityDesk
from qa.recordings import store


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


async def open_recording(command: OpenRecording, *, context: QualityDesk) -> Reply:
    """Gives the reference, and records who was given it and what for, in the same transaction."""
    sees = partial(store.get_visible, recording_id=command.recording_id, caller=context.caller)
    find = partial(store.subscriber_of, recording_id=command.recording_id)
    seal = await context.sealer(find, command.note, sees=sees)
    async with context.act(sees=sees) as act:  # the only commit on this path
        recording = await store.get_visible(act.tx, command.recording_id, context.caller)
        await store.note_opening(
            act.tx,
            recording.id,
            by=act.actor.sub,
            at=act.now,
            purpose=command.purpose.value,
            note=seal(command.note, recording.id),
        )
        opened = RecordingOpened(recording_id=recording.id, call_id=recording.call_id, purpose=command.purpose)
        act.publish(opened, subject=recording.id)
        url = context.settings.recordings_url.replace("{recording_id}", quote(recording.id, safe="")) or None
        act.answer_with(RecordingReference(recording_id=recording.id, call_id=recording.call_id, url=url), status=201)
    return act.answer
