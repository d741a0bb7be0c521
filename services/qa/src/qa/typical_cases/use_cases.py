"""What is done with typical cases. One function a command."""

from dataclasses import dataclass, replace
from functools import partial

from chassis.commands import Reply
from chassis.identity import new_id
from qa.desk import QualityDesk
from qa.recordings.store import RECORDINGS, subscriber_of
from qa.typical_cases import store
from qa.typical_cases.store import CaseKind, TypicalCase


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectCase:
    recording_id: str
    kind: CaseKind
    title: str
    lesson: str


async def collect_case(command: CollectCase, *, context: QualityDesk) -> Reply:
    find = partial(subscriber_of, recording_id=command.recording_id)
    case_id, seal = new_id(), await context.sealer(find, command.title, command.lesson)
    async with context.act() as act:  # the only commit on this path
        recording = await RECORDINGS.get(act.tx, command.recording_id)
        case = TypicalCase(
            id=case_id,
            version=1,
            recording_id=recording.id,
            kind=command.kind,
            title=seal(command.title, case_id),
            lesson=seal(command.lesson, case_id),
            demand_type=recording.demand_type,
            collected_at=act.now,
            collected_by=act.actor.sub,
        )
        await store.CASES.add(act.tx, case)
        act.answer_with(case, status=201)
    return act.answer


async def retire_case(case_id: str, *, context: QualityDesk) -> Reply:
    """It is no longer shown among those in use; it stays where it was referred to."""
    async with context.act() as act:  # the only commit on this path
        case = await store.CASES.lock(act.tx, case_id)
        act.check_version(case.version)
        retired = replace(case, version=case.version + 1, is_in_use=False)
        await store.CASES.save(act.tx, retired)
        act.answer_with(retired)
    return act.answer
