"""What is done with typical cases. One function a command, each on a unit of work."""

from dataclasses import dataclass, replace
from functools import partial

from chassis.commands import Reply
from chassis.identity import new_id
from qa.recordings.store import RECORDINGS, subscriber_of
from qa.typical_cases import store
from qa.typical_cases.store import CaseKind, TypicalCase
from work_orders.unit_of_work import OrderUnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectCase:
    recording_id: str
    kind: CaseKind
    title: str
    lesson: str


async def collect_case(collection: CollectCase, *, uow: OrderUnitOfWork) -> Reply:
    find = partial(subscriber_of, recording_id=collection.recording_id)
    case_id, seal = new_id(), await uow.sealer(find, collection.title, collection.lesson)
    async with uow.command() as command:
        recording = await RECORDINGS.get(command.tx, collection.recording_id)
        case = TypicalCase(
            id=case_id,
            version=1,
            recording_id=recording.id,
            kind=collection.kind,
            title=seal(collection.title, case_id),
            lesson=seal(collection.lesson, case_id),
            demand_type=recording.demand_type,
            collected_at=command.now,
            collected_by=command.actor.sub,
        )
        await store.CASES.add(command.tx, case)
        command.reply_with(case, status=201)
    return command.reply


async def retire_case(case_id: str, *, uow: OrderUnitOfWork) -> Reply:
    """It is no longer shown among those in use; it stays where it was referred to."""
    async with uow.command() as command:
        case = await store.CASES.lock(command.tx, case_id)
        command.check_version(case.version)
        retired = replace(case, version=case.version + 1, is_in_use=False)
        await store.CASES.save(command.tx, retired)
        command.reply_with(retired)
    return command.reply
