"""What is done in calibration. One function a command."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.commands import Reply
from chassis.identity import new_id
from qa.calibration import store
from qa.calibration.domain import session as calibrating
from qa.calibration.domain.session import CalibrationSession
from qa.desk import QualityDesk
from qa.evaluation.domain.form import Answer as FormAnswer
from qa.evaluation.store import FORMS, latest_form
from qa.recordings.store import RECORDINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    name: str
    form_id: str
    recording_ids: tuple[str, ...]
    auditor_ids: tuple[str, ...]


async def open_session(command: OpenSession, *, context: QualityDesk) -> Reply:
    """A session on the latest version of a form."""
    async with context.act() as act:  # the only commit on this path
        form = await latest_form(act.tx, command.form_id)
        session = CalibrationSession(
            id=new_id(),
            version=1,
            name=command.name,
            form=form.id,
            recording_ids=command.recording_ids,
            auditor_ids=command.auditor_ids,
            opened_at=act.now,
        )
        calibrating.check(session)
        for recording_id in session.recording_ids:
            await RECORDINGS.get(act.tx, recording_id)
        await store.SESSIONS.add(act.tx, session)
        act.answer_with(session, status=201)
    return act.answer


async def give_score(
    session_id: str, recording_id: str, answers: Sequence[FormAnswer], *, context: QualityDesk
) -> Reply:
    """One auditor's score of one recording. No version is asked for: nobody's score depends on another's."""
    async with context.act() as act:  # the only commit on this path
        session = await store.SESSIONS.lock(act.tx, session_id)
        form = await FORMS.get(act.tx, session.form)
        recording = await RECORDINGS.get(act.tx, recording_id)
        given = calibrating.give(session, form, recording, answers, by=act.actor.sub, now=act.now)
        await store.SESSIONS.save(act.tx, given)
        act.answer_with(given.seen_by(act.actor.sub))
    return act.answer


async def close_session(session_id: str, *, context: QualityDesk) -> Reply:
    async with context.act() as act:  # the only commit on this path
        session = await store.SESSIONS.lock(act.tx, session_id)
        act.check_version(session.version)
        form = await FORMS.get(act.tx, session.form)
        closed, event = calibrating.close(session, form, now=act.now)
        await store.SESSIONS.save(act.tx, closed)
        act.publish(event, subject=session_id)
        act.answer_with(closed)
    return act.answer
