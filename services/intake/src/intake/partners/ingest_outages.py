"""Outages that partners report: announced, changed and ended as by the desk, each under the partner's own reference."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from contracts import partners as p
from contracts.message import Message
from contracts.plain_text import plain_prose, plain_reference
from contracts.refusals import Refusal
from intake.outages.domain import Outage, OutageNotFound, OutageReferenceTaken
from intake.outages.store import outages
from intake.partners.batch import PartnerBatch
from intake.partners.outgoing import derived_id


async def ingest(batch: PartnerBatch, messages: Sequence[Message]) -> None:
    for message in messages:
        try:
            await _take(batch, message)
        except Refusal as refusal:
            batch.refuse_by(message, refusal)


async def _take(batch: PartnerBatch, message: Message) -> None:
    # Of the partner and its reference: no event reaches an outage of somebody else.
    outage_id = derived_id(batch.partner_id, plain_reference(message.subject), "outage")
    present = await outages.lock(batch.tx, outage_id)
    if isinstance(message.body, p.PartnerOutageReported):
        outage = reported(present, message, outage_id, told_by=batch.partner_id)
    else:
        outage = changed(present, message, now=batch.now)
    await outages.save(batch.tx, outage, changed_at=batch.now)
    batch.accept(message, outage_id=outage_id)


def reported(present: Outage | None, message: Message, outage_id: str, *, told_by: str) -> Outage:
    """Raises `OutageReferenceTaken` or `OutageTimesInverted`."""
    if present is not None:
        raise OutageReferenceTaken(outage_id=message.subject)
    said: p.PartnerOutageReported = message.body
    outage = Outage(
        id=outage_id,
        territories=tuple(dict.fromkeys(plain_reference(territory) for territory in said.territories)),
        cause=plain_prose(said.cause),
        is_planned=said.is_planned,
        began_at=said.began_at or message.occurred_at,
        told_by=told_by,
    )
    outage.check_times(said.restore_by)
    return outage if said.restore_by is None else replace(outage, restore_by=said.restore_by)


def changed(present: Outage | None, message: Message, *, now: datetime) -> Outage:
    """Raises `OutageNotFound`, `OutageEnded` or `OutageTimesInverted`."""
    if present is None:
        raise OutageNotFound(outage_id=message.subject)
    restore_by = message.body.restore_by if isinstance(message.body, p.PartnerOutageRestoreTimeChanged) else None
    ended_at = min(message.occurred_at, now)
    if present.began_at <= now:
        ended_at = max(ended_at, present.began_at)
    return present.changed(restore_by=restore_by, is_over=restore_by is None, decided_on=None, now=ended_at)
