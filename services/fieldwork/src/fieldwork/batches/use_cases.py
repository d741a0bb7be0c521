"""Takes a batch of a phone: in the order of its sequence, each act in a transaction of its own.

What an act came to is stored under its client id: with its effect in one transaction, or as its refusal. Both take the
same place, so an act has one result however often it is sent, also by two requests at once. The sequence tells apart
what was never sent from what was answered so long ago that its result is no longer kept.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import msgspec

from chassis.commands import AlreadyReplied, Reply
from contracts.order import WorkOrder
from contracts.refusals import Conflict, Refusal, Unavailable
from fieldwork.batches import store
from work_orders.commit import find_stored_order, may_see
from work_orders.unit_of_work import OrderUnitOfWork

CarryOut = Callable[[OrderUnitOfWork], Awaitable[Reply]]
Describe = Callable[[Exception], dict[str, Any]]
"""The problem document of a refusal."""


class ActBodyInvalid(Exception):
    """The body of an act does not fit its route."""

    def __init__(self, faults: Sequence[Any], body: Any) -> None:
        super().__init__()
        self.faults, self.body = faults, body


class SequencePassed(Conflict):
    """Sequence number {sequence} was used before, by an act whose result is no longer kept or by another act; number an
    act that was never sent from {next_sequence} on."""

    zh = "序号 {sequence} 已被使用（其结果已不再保存，或属于另一操作）；从未发送过的操作请从 {next_sequence} 起编号。"


class ActOutcome(StrEnum):
    APPLIED = "applied"
    ALREADY_APPLIED = "already_applied"
    REFUSED = "refused"
    WAITING = "waiting"
    """Not looked at: an act before it is missing, or has to be tried again."""
    TRY_AGAIN = "try_again"
    """Could not be decided at the moment; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """The order as the act left it, or as it was when the act was refused."""

    id: str
    version: int
    status: str
    custodian: str | None
    allowed_acts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActResult:
    client_id: str
    sequence: int
    order_id: str
    outcome: ActOutcome
    order: OrderState | None = None
    fact_id: str | None = None
    problem: dict[str, Any] | None = None
    is_repeat: bool = False
    follows_refused: tuple[str, ...] = ()
    """The refused decisions about the same order before it in the batch, by their client ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAct:
    """An act as the phone sent it, with the way to carry it out."""

    client_id: str
    sequence: int
    order_id: str
    is_decision: bool
    uow: OrderUnitOfWork
    carry_out: Callable[[], Awaitable[Reply]]


class _Stored(msgspec.Struct, kw_only=True):
    """The fields of a stored reply that the result is made of: an order, a fact or a refusal."""

    id: str = ""
    version: int = 0
    status: Any = None
    custodian: str | None = None
    allowed_acts: tuple[str, ...] = ()
    problem: dict[str, Any] | None = None
    order: OrderState | None = None


@dataclass(slots=True)
class _Progress:
    next_sequence: int
    is_stopped: bool = False
    refused: dict[str, list[str]] = field(default_factory=dict)


async def take_batch(
    device_id: str, acts: Sequence[SentAct], *, answered_until: int, uow: OrderUnitOfWork, describe: Describe
) -> tuple[list[ActResult], int]:
    """The results in the order of the sequence, and the sequence number that is expected next."""
    async with uow.db.statements() as statements:
        known = await store.next_sequence(statements, uow.actor.sub, device_id)
    progress, results = _Progress(max(known, answered_until + 1)), []
    for act in sorted(acts, key=lambda one: one.sequence):
        result = await _take(act, progress, device_id, describe)
        if result.outcome is ActOutcome.REFUSED and act.is_decision:
            progress.refused.setdefault(act.order_id, []).append(act.client_id)
        results.append(result)
    return results, progress.next_sequence


async def _take(act: SentAct, progress: _Progress, device_id: str, describe: Describe) -> ActResult:
    if progress.is_stopped or act.sequence > progress.next_sequence:
        progress.is_stopped = True
        return _result(act, ActOutcome.WAITING)
    if act.sequence < progress.next_sequence:
        return await _repeated(act, progress, describe)
    before = tuple(progress.refused.get(act.order_id, ()))
    result = replace(await _carried_out(act, describe), follows_refused=before)
    if result.outcome is ActOutcome.TRY_AGAIN:
        progress.is_stopped = True
        return result
    progress.next_sequence = act.sequence + 1
    async with act.uow.db.statements() as statements:
        await store.advance(statements, act.uow.actor.sub, device_id, act.sequence, act.uow.clock.now())
    return result


async def _repeated(act: SentAct, progress: _Progress, describe: Describe) -> ActResult:
    """The result of an act whose turn is over."""
    try:
        async with act.uow.db.statements() as statements:
            await act.uow.raise_if_replied(statements)
        raise SequencePassed(sequence=act.sequence, next_sequence=progress.next_sequence)
    except AlreadyReplied as first:
        return _of_reply(act, first.reply, is_repeat=True)
    except Refusal as refusal:
        return _result(act, ActOutcome.REFUSED, problem=describe(refusal))


async def _carried_out(act: SentAct, describe: Describe) -> ActResult:
    try:
        return _of_reply(act, await act.carry_out(), is_repeat=False)
    except AlreadyReplied as first:
        return _of_reply(act, first.reply, is_repeat=True)
    except Unavailable as refusal:
        return _result(act, ActOutcome.TRY_AGAIN, problem=describe(refusal))
    except (Refusal, ActBodyInvalid) as refusal:
        return await _refused(act, describe(refusal))


async def _refused(act: SentAct, problem: dict[str, Any]) -> ActResult:
    """Stores the refusal in the place of the reply: a repeat is refused as well, whatever has become possible since."""
    async with act.uow.db.statements() as statements:
        present = await find_stored_order(statements, act.order_id)
    is_seen = present is not None and may_see(present.order, act.uow.areas)
    order = _state_of(present.order) if present is not None and is_seen else None
    body = msgspec.json.encode({"problem": problem, "order": order})
    try:
        async with act.uow.command() as command:
            command.reply_as(Reply(problem["status"], body))
    except AlreadyReplied as first:
        return _of_reply(act, first.reply, is_repeat=True)
    except Refusal:
        pass  # The client id belongs to another act, which is why this one was refused.
    return _result(act, ActOutcome.REFUSED, problem=problem, order=order)


def _of_reply(act: SentAct, reply: Reply, *, is_repeat: bool) -> ActResult:
    said = msgspec.json.decode(reply.body, type=_Stored)
    if said.problem is not None:
        return _result(act, ActOutcome.REFUSED, problem=said.problem, order=said.order, is_repeat=is_repeat)
    outcome = ActOutcome.ALREADY_APPLIED if is_repeat else ActOutcome.APPLIED
    if reply.status == 201:
        return _result(act, outcome, fact_id=said.id, is_repeat=is_repeat)
    order = OrderState(
        id=said.id,
        version=said.version,
        status=said.status,
        custodian=said.custodian,
        allowed_acts=said.allowed_acts,
    )
    return _result(act, outcome, order=order, is_repeat=is_repeat)


def _state_of(order: WorkOrder) -> OrderState:
    return OrderState(
        id=order.id,
        version=order.version,
        status=order.status.value,
        custodian=order.custodian.value if order.custodian else None,
        allowed_acts=tuple(act.value for act in order.allowed_acts),
    )


def _result(act: SentAct, outcome: ActOutcome, **more: Any) -> ActResult:
    return ActResult(client_id=act.client_id, sequence=act.sequence, order_id=act.order_id, outcome=outcome, **more)
