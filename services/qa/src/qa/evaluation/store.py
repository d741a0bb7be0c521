"""Rows of evaluation: forms, auditors, reviews, evaluations with their revisions, appeals."""

from collections.abc import Iterable, Sequence
from datetime import date

from chassis.database import Statements, Transaction
from chassis.identity import new_id
from contracts.refusals import NotFound
from qa.evaluation.domain.appeal import Appeal
from qa.evaluation.domain.assignment import Auditor
from qa.evaluation.domain.evaluation import Evaluation, Review
from qa.evaluation.domain.form import EvaluationForm
from qa.recordings.domain.recording import Recording
from qa.shelf import Column, Shelf


class EvaluationFormNotFound(NotFound):
    """There is no evaluation form {id}."""

    zh = "没有评分表 {id}。"


class ReviewNotFound(NotFound):
    """There is no review {id}."""

    zh = "没有复核 {id}。"


class EvaluationNotFound(NotFound):
    """There is no evaluation {id} that you may see."""

    zh = "没有您可以查看的评价 {id}。"


class AppealNotFound(NotFound):
    """There is no appeal {id} that you may see."""

    zh = "没有您可以查看的申诉 {id}。"


FORMS = Shelf(
    "evaluation_forms",
    EvaluationForm,
    {
        "form_id": Column("text", lambda form: form.form_id),
        "form_version": Column("int", lambda form: form.form_version),
        "published_at": Column("timestamptz", lambda form: form.published_at),
    },
    not_found=EvaluationFormNotFound,
    sort="published_at",
)
REVIEWS = Shelf(
    "reviews",
    Review,
    {
        "plan_id": Column("text", lambda review: review.plan_id),
        "recording_id": Column("text", lambda review: review.recording_id),
        "state": Column("text", lambda review: review.state.value),
        "standing_evaluation_id": Column("text", lambda review: review.standing_evaluation_id),
    },
    not_found=ReviewNotFound,
    sort="created_at",
    latest_first=False,
)
EVALUATIONS = Shelf(
    "evaluations",
    Evaluation,
    {
        "review_id": Column("text", lambda one: one.review_id),
        "plan_id": Column("text", lambda one: one.plan_id),
        "recording_id": Column("text", lambda one: one.recording_id),
        "agent_id": Column("text", lambda one: one.agent_id),
        "auditor_id": Column("text", lambda one: one.auditor_id),
        "form": Column("text", lambda one: one.form),
        "mode": Column("text", lambda one: one.mode.value),
        "day_on": Column("date", lambda one: one.day_on),
        "state": Column("text", lambda one: one.state.value),
        "is_settled": Column("boolean", lambda one: one.is_settled),
        "submitted_at": Column("timestamptz", lambda one: one.submitted_at),
        "raw_hundredths": Column("int", lambda one: one.present.scores.raw_hundredths if one.present else None),
        "final_hundredths": Column("int", lambda one: one.present.scores.final_hundredths if one.present else None),
        "is_fatal": Column("boolean", lambda one: bool(one.present and one.present.scores.fatal_items)),
    },
    not_found=EvaluationNotFound,
    sort="created_at",
)
APPEALS = Shelf(
    "appeals",
    Appeal,
    {
        "evaluation_id": Column("text", lambda one: one.evaluation_id),
        "agent_id": Column("text", lambda one: one.agent_id),
        "auditor_id": Column("text", lambda one: one.auditor_id),
        "state": Column("text", lambda one: one.state.value),
        "decide_by": Column("timestamptz", lambda one: one.decide_by),
        "decided_at": Column("timestamptz", lambda one: one.decided_at),
    },
    not_found=AppealNotFound,
    sort="decide_by",
    latest_first=False,
)


async def add_reviews(tx: Transaction, plan_id: str, recordings: Sequence[Recording], twice: set[str]) -> None:
    """A review for each recording of a sample."""
    await REVIEWS.add_all(
        tx,
        [
            Review(
                id=new_id(),
                version=1,
                plan_id=plan_id,
                recording_id=one.id,
                call_id=one.call_id,
                agent_id=one.agent_id or "",
                is_double_blind=one.id in twice,
            )
            for one in recordings
        ],
    )


async def next_form_version(tx: Transaction, form_id: str) -> int:
    # Two who publish the same form at once take turns.
    await tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 7))", form_id)
    latest = await tx.fetchval("select max(form_version) from evaluation_forms where form_id = $1", form_id)
    return (latest or 0) + 1


async def latest_form(statements: Statements, form_id: str) -> EvaluationForm:
    """Raises `EvaluationFormNotFound`."""
    found = await statements.fetchval(
        "select id from evaluation_forms where form_id = $1 order by form_version desc limit 1", form_id
    )
    if found is None:
        raise EvaluationFormNotFound(id=form_id)
    return await FORMS.get(statements, found)


async def put_auditor(tx: Transaction, auditor: Auditor) -> None:
    await tx.execute(
        """insert into auditors (id, daily_capacity, is_active) values ($1, $2, $3)
           on conflict (id) do update set daily_capacity = excluded.daily_capacity, is_active = excluded.is_active""",
        auditor.auditor_id,
        auditor.daily_capacity,
        auditor.is_active,
    )


async def auditors(statements: Statements) -> list[Auditor]:
    rows = await statements.fetch("select id, daily_capacity, is_active from auditors order by id")
    return [
        Auditor(auditor_id=row["id"], daily_capacity=row["daily_capacity"], is_active=row["is_active"]) for row in rows
    ]


async def lock_room(tx: Transaction, day_on: date) -> dict[str, int]:
    """How many more recordings each active auditor can take on that day; held, so that nobody else gives any out."""
    rows = await tx.fetch("select id, daily_capacity from auditors where is_active order by id for update")
    taken = await tx.fetch(
        "select auditor_id, count(*) as count from evaluations where day_on = $1 group by auditor_id", day_on
    )
    counts = {row["auditor_id"]: row["count"] for row in taken}
    return {row["id"]: max(row["daily_capacity"] - counts.get(row["id"], 0), 0) for row in rows}


async def lock_waiting(tx: Transaction, plan_id: str, limit: int) -> list[Review]:
    """The next reviews of a plan that still need an auditor."""
    rows = await tx.fetch(
        "select id from reviews where plan_id = $1 and state = 'waiting' order by id limit $2", plan_id, limit
    )
    return await REVIEWS.where(tx, "id = any($1)", [row["id"] for row in rows], lock=True)


async def lock_evaluations_of(tx: Transaction, review_id: str) -> list[Evaluation]:
    return await EVALUATIONS.where(tx, "review_id = $1", review_id, lock=True)


async def save_all(tx: Transaction, reviews: Iterable[Review], evaluations: list[Evaluation]) -> None:
    for review in reviews:
        await REVIEWS.save(tx, review)
    await EVALUATIONS.add_all(tx, evaluations)
