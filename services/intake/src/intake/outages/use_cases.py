"""Announcing an outage, and changing or ending it."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from chassis.commands import Reply, etag_of, raise_if_replied, store_reply
from chassis.identity import new_id
from intake.doing import Doing
from intake.outages.domain import OutageChanged, OutageEnded, OutageNotFound, check_restoration, check_version
from intake.outages.store import OUTAGE


@dataclass(frozen=True, slots=True)
class Outage:
    """Where service fails, why and until when."""

    territories: tuple[str, ...]
    cause: str
    began_at: datetime
    restore_by: datetime | None = None


async def announce_outage(outage: Outage, doing: Doing) -> Reply:
    """Tells of an outage; callers inside it are told from then on."""
    check_restoration(outage.began_at, outage.restore_by)
    async with doing.db.begin() as tx:
        await raise_if_replied(tx, doing.headers.idempotency)
        row = await tx.fetchrow(
            f"""insert into outages (id, version, territories, cause, began_at, restore_by, told_by, changed_at)
                values ($1, 1, $2, $3, $4, $5, $6, $7) returning {OUTAGE}""",
            new_id(),
            list(outage.territories),
            outage.cause,
            outage.began_at,
            outage.restore_by,
            doing.actor.sub,
            doing.clock.now(),
        )
        assert row is not None
        answer = Reply(201, msgspec.json.encode(dict(row)), etag_of(row["version"]))
        await store_reply(tx, doing.headers.idempotency, answer)
    return answer


async def change_outage(outage_id: str, doing: Doing, *, restore_by: datetime | None, is_over: bool) -> Reply:
    """Another time of restoration, or the end."""
    now = doing.clock.now()
    async with doing.db.begin() as tx:
        await raise_if_replied(tx, doing.headers.idempotency)
        present = await tx.fetchrow(f"select {OUTAGE} from outages where id = $1 for update", outage_id)
        if present is None:
            raise OutageNotFound(outage_id=outage_id)
        if present["ended_at"] is not None:
            raise OutageEnded(outage_id=outage_id, ended_at=present["ended_at"].isoformat())
        check_version(OutageChanged, present["version"], doing.headers.if_match)
        check_restoration(present["began_at"], restore_by)
        row = await tx.fetchrow(
            f"""update outages set version = version + 1, restore_by = coalesce($2, restore_by),
                    ended_at = case when $3 then $4::timestamptz end, changed_at = $4
                where id = $1 returning {OUTAGE}""",
            outage_id,
            restore_by,
            is_over,
            now,
        )
        assert row is not None
        answer = Reply(200, msgspec.json.encode(dict(row)), etag_of(row["version"]))
        await store_reply(tx, doing.headers.idempotency, answer)
    return answer
