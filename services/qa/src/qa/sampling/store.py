"""Rows of sampling: plans with their seeds, frames with the chance of every recording, agents' seniority."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from chassis.database import Database, Statements, Transaction
from chassis.document_store import DocumentStore
from chassis.paging import from_cursor, to_cursor
from contracts.refusals import NotFound
from qa import tables
from qa.domain.rules import QualityRules
from qa.recordings.domain.recording import Recording
from qa.sampling.domain.plan import FrameRow, RecordingFacts, SamplingPlan
from qa.store import get_quality_rules


class SamplingPlanNotFound(NotFound):
    """There is no sampling plan {id}."""

    zh = "没有抽样计划 {id}。"


PLANS = DocumentStore(tables.SAMPLING_PLANS, SamplingPlan, not_found=SamplingPlanNotFound, sort="committed_at")

_RECORDING = msgspec.json.Decoder(Recording)
_FACTS = msgspec.json.Decoder(RecordingFacts)
_FRAME = tables.SAMPLING_FRAME.columns.keys()


async def keep_seed(tx: Transaction, plan_id: str, seed: bytes) -> None:
    await tx.execute("insert into sampling_seeds (plan_id, seed) values ($1, $2)", plan_id, seed)


async def get_seed(statements: Statements, plan_id: str) -> bytes:
    return await statements.fetchval("select seed from sampling_seeds where plan_id = $1", plan_id)


async def frame_of(
    statements: Statements, start: datetime, end: datetime
) -> dict[str, tuple[RecordingFacts, Recording]]:
    """The recordings that began within a period, with the facts that a plan looks at, by id."""
    rows = await statements.fetch(
        """select r.body, a.joined_on from recordings r left join agents a on a.id = r.agent_id
           where r.started_at >= $1 and r.started_at < $2""",
        start,
        end,
    )
    rules = await get_quality_rules(statements)
    found = [(_RECORDING.decode(row["body"]), row["joined_on"]) for row in rows]
    return {one.id: (_facts(one, joined_on, rules), one) for one, joined_on in found}


async def seniority_of_agents(statements: Statements, at: datetime) -> dict[str, int]:
    """The months of every registered agent who had joined by a moment, by id."""
    rules = await get_quality_rules(statements)
    day = rules.day_of(at)
    rows = await statements.fetch("select id, joined_on from agents where joined_on <= $1", day)
    return {row["id"]: _months(row["joined_on"], day) for row in rows}


def _facts(one: Recording, joined_on: date | None, rules: QualityRules) -> RecordingFacts:
    return RecordingFacts(
        recording_id=one.id,
        agent_id=one.agent_id or "",
        queue=one.queue,
        channel=one.channel,
        direction=one.direction,
        demand_type=one.demand_type,
        length_seconds=one.length_seconds or 0,
        seniority_months=_months(joined_on, rules.day_of(one.started_at)) if joined_on else None,
    )


def _months(since: date, until: date) -> int:
    months = (until.year - since.year) * 12 + until.month - since.month - (until.day < since.day)
    return max(months, 0)


async def keep_frame(tx: Transaction, plan_id: str, rows: Sequence[FrameRow], call_ids: dict[str, str]) -> None:
    await tx.copy(
        "sampling_frame",
        _FRAME,
        [
            (
                plan_id,
                row.facts.recording_id,
                call_ids[row.facts.recording_id],
                row.stratum,
                row.size,
                row.is_mandatory,
                row.numerator,
                row.denominator,
                row.is_drawn,
                msgspec.json.encode(row.facts).decode(),
            )
            for row in rows
        ],
    )


def to_frame_row(row: Any) -> FrameRow:
    return FrameRow(
        facts=_FACTS.decode(row["facts"]),
        stratum=row["stratum"],
        size=row["size"],
        is_mandatory=row["is_mandatory"],
        numerator=row["numerator"],
        denominator=row["denominator"],
        is_drawn=row["is_drawn"],
    )


async def frame_page(
    db: Database, plan_id: str, *, is_drawn: bool | None, cursor: str | None, limit: int
) -> tuple[list[FrameRow], str | None]:
    """A page of a plan's frame in the order of recording ids, and the cursor of the next one."""
    (after,) = from_cursor("frame", cursor, str) if cursor else ("",)
    async with db.statements() as statements:
        rows = await statements.fetch(
            """select * from sampling_frame where plan_id = $1 and recording_id > $2
                   and ($3::boolean is null or is_drawn = $3) order by recording_id limit $4""",
            plan_id,
            after,
            is_drawn,
            limit + 1,
        )
    shown = [to_frame_row(row) for row in rows[:limit]]
    return shown, to_cursor("frame", shown[-1].facts.recording_id) if len(rows) > limit else None


async def put_agent(tx: Transaction, agent_id: str, joined_on: date) -> None:
    await tx.execute(
        """insert into agents (id, joined_on) values ($1, $2)
           on conflict (id) do update set joined_on = excluded.joined_on""",
        agent_id,
        joined_on,
    )
