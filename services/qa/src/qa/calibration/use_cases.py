"""What is done in calibration. One function a command, each on a unit of work."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.commands import Reply
from chassis.identity import new_id
from qa.calibration import store
from qa.calibration.domain import session as calibrating
from qa.calibration.domain.session import CalibrationSession
from qa.evaluation.domain.form import Answer
from qa.evaluation.store import FORMS, latest_form
from qa.recordings.store import RECORDINGS
from work_orders.unit_of_work import OrderUnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    name: str
    form_id: str
    recording_ids: tuple[str, ...]
    auditor_ids: tuple[str, ...]


async def open_session(opening: OpenSession, *, uow: OrderUnitOfWork) -> Reply:
    """A session on the latest version of a form."""
    async with uow.command() as command:
        form = await latest_form(command.tx, opening.form_id)
        session = CalibrationSession(
            id=new_id(),
            version=1,
            name=opening.name,
            form=form.id,
            recording_ids=opening.recording_ids,
            auditor_ids=opening.auditor_ids,
            opened_at=command.now,
        )
        calibrating.check(session)
        for recording_id in session.recording_ids:
            await RECORDINGS.get(command.tx, recording_id)
        await store.SESSIONS.add(command.tx, session)
        command.reply_with(session, status=201)
    return command.reply


async def give_score(session_id: str, recording_id: str, answers: Sequence[Answer], *, uow: OrderUnitOfWork) -> Reply:
    """One auditor's score of one recording. It needs no version: no score depends on another."""
    async with uow.command() as command:
        session = await store.SESSIONS.lock(command.tx, session_id)
        form = await FORMS.get(command.tx, session.form)
        recording = await RECORDINGS.get(command.tx, recording_id)
        given = calibrating.give(session, form, recording, answers, by=command.actor.sub, now=command.now)
        await store.SESSIONS.save(command.tx, given)
        command.reply_with(given.seen_by(command.actor.sub))
    return command.reply


async def close_session(session_id: str, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.command() as command:
        session = await store.SESSIONS.lock(command.tx, session_id)
        command.check_version(session.version)
        form = await FORMS.get(command.tx, session.form)
        closed, event = calibrating.close(session, form, now=command.now)
        await store.SESSIONS.save(command.tx, closed)
        command.publish(event, subject=session_id)
        command.reply_with(closed)
    return command.reply
