"""Replays that a partner asks for: begun here, sent by the worker's job."""

from collections.abc import Sequence

from contracts.message import Message
from contracts.partner_limits import mistake_at
from contracts.refusals import Refusal
from intake.partners import replay_store
from intake.partners.batch import PartnerBatch
from intake.partners.replays import ReplayRunning, ReplayTooFarBack, begun
from intake.partners.store import get_partner


async def ingest(batch: PartnerBatch, messages: Sequence[Message]) -> None:
    for message in messages:
        try:
            await _begin(batch, message)
        except ReplayTooFarBack as refusal:
            right = str(refusal.context["earliest"])
            mistake = mistake_at("/since", "is before what is kept", "早于保留的消息", right)
            batch.refuse_by(message, refusal, mistake)
        except Refusal as refusal:
            batch.refuse_by(message, refusal)


async def _begin(batch: PartnerBatch, message: Message) -> None:
    partner = await get_partner(batch.tx, batch.partner_id)
    running = await replay_store.begin(batch.tx, begun(message, partner, now=batch.now))
    if running is not None:
        raise ReplayRunning(event_id=running)
    batch.accept(message)
