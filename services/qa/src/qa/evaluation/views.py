"""Reads of evaluation: what each role may see of it, and the auditors' report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, Text, and_, bindparam

from chassis.database import Database, Statements
from chassis.document_store import Condition, condition
from contracts.message import Actor
from contracts.sealing import SealedText
from qa import tables
from qa.evaluation import store
from qa.evaluation.domain.appeal import Appeal
from qa.evaluation.domain.evaluation import Evaluation
from qa.evaluation.domain.form import Answer, EvaluationForm, facts_of
from qa.periods import PeriodLength, period_of
from qa.recordings.domain.recording import Recording
from qa.recordings.store import RECORDINGS

_OWN_CALLS = """agent_id = :sub and is_settled and (:areas is null or exists (
    select from recordings r join work_orders w on w.id = any(r.order_ids)
    where r.id = evaluations.recording_id and w.work_area_id = any(:areas)))"""
_OWN_WORK = "(auditor_id = :sub or is_settled)"
# Who still has to hand in the other of two sees neither the first nor that there is one, whatever their role.
_ALL = """not exists (select from evaluations own where own.review_id = evaluations.review_id
    and own.id <> evaluations.id and own.auditor_id = :sub and own.state = 'assigned')"""
_PARAMETERS = {"sub": Text, "areas": ARRAY(Text)}
_OF_AGENT = condition(_OWN_CALLS, **_PARAMETERS)
_OF_SUPERVISOR = condition(f"{_ALL} and :areas is null", **_PARAMETERS)
_OF_AUDITOR = condition(f"{_OWN_WORK} and {_ALL} and :areas is null", **_PARAMETERS)
_BY_ID = {
    visible: store.EVALUATIONS.where(and_(visible, tables.EVALUATIONS.c.id == bindparam("evaluation")))
    for visible in (_OF_AGENT, _OF_SUPERVISOR, _OF_AUDITOR)
}


def visible_to(actor: Actor) -> Condition:
    """The evaluations that an actor may see; `scope` gives its parameters."""
    return {"agent": _OF_AGENT, "supervisor": _OF_SUPERVISOR}.get(actor.role, _OF_AUDITOR)


def scope(actor: Actor, areas: Sequence[str] | None) -> dict[str, Any]:
    return {"sub": actor.sub, "areas": None if areas is None else list(areas)}


APPEALS_VISIBLE = condition(
    """(:own is null or agent_id = :own) and (:areas is null or exists (
        select from evaluations e join recordings r on r.id = e.recording_id
            join work_orders w on w.id = any(r.order_ids)
        where e.id = evaluation_id and w.work_area_id = any(:areas)))""",
    own=Text,
    areas=ARRAY(Text),
)
"""With the parameters that `qa.recordings.store.own_scope` gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationAtWork:
    """An evaluation as it is filled in: its form, the call's facts, and what they answer by themselves."""

    evaluation: Evaluation
    form: EvaluationForm
    recording: Recording
    fact_answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationAtWorkShown(EvaluationAtWork):
    sealed_text: SealedText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationShown(Evaluation):
    """With its remarks decrypted; `sealed_text` gives the reason where a substitute stands in place of a remark."""

    sealed_text: SealedText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealShown(Appeal):
    sealed_text: SealedText | None = None


async def get_visible(
    statements: Statements, evaluation_id: str, actor: Actor, areas: Sequence[str] | None
) -> Evaluation:
    """Raises `EvaluationNotFound`, also of an evaluation that the actor may not see."""
    query = _BY_ID[visible_to(actor)]
    found = await store.EVALUATIONS.fetch(statements, query, evaluation=evaluation_id, **scope(actor, areas))
    if not found:
        raise store.EvaluationNotFound(id=evaluation_id)
    return found[0]


async def filled(db: Database, evaluation: Evaluation) -> EvaluationAtWork:
    async with db.statements() as statements:
        form = await store.FORMS.get(statements, evaluation.form)
        recording = await RECORDINGS.get(statements, evaluation.recording_id)
    facts = tuple(facts_of(form, recording).values())
    return EvaluationAtWork(evaluation=evaluation, form=form, recording=recording, fact_answers=facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditorLine:
    """What one auditor did in the period. Sums and counts, so that days add up to weeks and months."""

    auditor_id: str
    daily_capacity: int | None
    assigned_count: int
    submitted_count: int
    open_count: int
    fatal_count: int
    final_hundredths_sum: int
    """Over the submitted evaluations as they stand at present; over `submitted_count` it is the average."""
    listened_seconds: int
    """Length of the recordings that were evaluated."""
    appeal_count: int
    decided_count: int
    overturned_count: int
    """Of the decided appeals; over `decided_count` it is the overturn rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditorReport:
    grain: PeriodLength
    from_on: date
    until_on: date
    """The first day that is not in it any more."""
    made_at: datetime
    overdue_appeal_count: int
    lines: tuple[AuditorLine, ...]


_REPORT = """
with work as (
    select e.auditor_id, count(*) as assigned_count,
        count(*) filter (where e.state = 'submitted') as submitted_count,
        count(*) filter (where e.state = 'submitted' and e.is_fatal) as fatal_count,
        coalesce(sum(e.final_hundredths), 0) as final_hundredths_sum,
        coalesce(sum((r.body->>'length_seconds')::int) filter (where e.state = 'submitted'), 0) as listened_seconds
    from evaluations e join recordings r on r.id = e.recording_id
    where e.day_on >= $1 and e.day_on < $2 group by e.auditor_id
), appealed as (
    select e.auditor_id, count(*) as appeal_count,
        count(*) filter (where a.state <> 'open') as decided_count,
        count(*) filter (where a.state = 'overturned') as overturned_count
    from appeals a join evaluations e on e.id = a.evaluation_id
    where e.day_on >= $1 and e.day_on < $2 group by e.auditor_id
)
select coalesce(w.auditor_id, u.id) as auditor_id, u.daily_capacity, w.*, p.appeal_count, p.decided_count,
    p.overturned_count
from work w full join (select * from auditors where is_active) u on u.id = w.auditor_id
    left join appealed p on p.auditor_id = w.auditor_id
where $3::text is null or coalesce(w.auditor_id, u.id) = $3
order by 1
"""
_COUNTS = (
    "assigned_count",
    "submitted_count",
    "fatal_count",
    "final_hundredths_sum",
    "listened_seconds",
    "appeal_count",
    "decided_count",
    "overturned_count",
)


async def auditor_report(
    db: Database, grain: PeriodLength, day: date, *, auditor_id: str | None, now: datetime
) -> AuditorReport:
    """What auditors did with the work of a day, a week or a month."""
    from_on, until_on = period_of(grain, day)
    async with db.statements() as statements:
        rows = await statements.fetch(_REPORT, from_on, until_on, auditor_id)
        overdue = await statements.fetchval("select count(*) from appeals where state = 'open' and decide_by < $1", now)
    return AuditorReport(
        grain=grain,
        from_on=from_on,
        until_on=until_on,
        made_at=now,
        overdue_appeal_count=overdue,
        lines=tuple(_line(row) for row in rows),
    )


def _line(row: dict) -> AuditorLine:
    counts = {name: row[name] or 0 for name in _COUNTS}
    return AuditorLine(
        auditor_id=row[0],
        daily_capacity=row["daily_capacity"],
        open_count=counts["assigned_count"] - counts["submitted_count"],
        **counts,
    )


def own_auditor(actor: Actor, auditor_id: str | None) -> str | None:
    """Whose report: of an auditor their own, of a supervisor any that they ask for."""
    return auditor_id if actor.role == "supervisor" else actor.sub
