"""Rows of evaluation: forms, auditors, reviews, evaluations with their revisions, appeals."""

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import ARRAY, Text, any_, bindparam

from chassis.database import Statements, Transaction
from chassis.document_store import DocumentStore, condition
from chassis.identity import new_id
from contracts.refusals import NotFound
from qa import tables
from qa.evaluation.domain.appeal import Appeal
from qa.evaluation.domain.assignment import Auditor
from qa.evaluation.domain.evaluation import Evaluation, Review
from qa.evaluation.domain.form import EvaluationForm
from qa.recordings.domain.recording import Recording
from qa.recordings.store import OF_SUBSCRIBERS


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


FORMS = DocumentStore(tables.EVALUATION_FORMS, EvaluationForm, not_found=EvaluationFormNotFound, sort="published_at")
REVIEWS = DocumentStore(tables.REVIEWS, Review, not_found=ReviewNotFound, sort="created_at", latest_first=False)
EVALUATIONS = DocumentStore(
    tables.EVALUATIONS,
    Evaluation,
    not_found=EvaluationNotFound,
    sort="created_at",
    columns={
        "raw_hundredths": lambda one: one.present.scores.raw_hundredths if one.present else None,
        "final_hundredths": lambda one: one.present.scores.final_hundredths if one.present else None,
        "is_fatal": lambda one: bool(one.present and one.present.scores.fatal_items),
    },
)
APPEALS = DocumentStore(tables.APPEALS, Appeal, not_found=AppealNotFound, sort="decide_by", latest_first=False)

EVALUATIONS_ABOUT = EVALUATIONS.where(
    condition(f"recording_id in {OF_SUBSCRIBERS}", subscriber_ids=ARRAY(Text)), lock=True
)
APPEALS_ABOUT = APPEALS.where(
    condition(
        f"evaluation_id in (select id from evaluations where recording_id in {OF_SUBSCRIBERS})",
        subscriber_ids=ARRAY(Text),
    ),
    lock=True,
)
_REVIEWS_BY_ID = REVIEWS.where(tables.REVIEWS.c.id == any_(bindparam("ids", type_=ARRAY(Text))), lock=True)
_OF_REVIEW = EVALUATIONS.where(tables.EVALUATIONS.c.review_id == bindparam("review"), lock=True)


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
    """How many more recordings each active auditor can take on that day; locked, so that no other assignment runs."""
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
    return await REVIEWS.fetch(tx, _REVIEWS_BY_ID, ids=[row["id"] for row in rows])


async def count_left(statements: Statements, plan_id: str) -> int:
    """Evaluations of a plan that no auditor has yet."""
    return await statements.fetchval(
        """select coalesce(sum(case when (body->>'is_double_blind')::boolean then 2 else 1 end
               - json_array_length(body->'auditor_ids')), 0)
           from reviews where plan_id = $1 and state = 'waiting'""",
        plan_id,
    )


async def lock_evaluations_of(tx: Transaction, review_id: str) -> list[Evaluation]:
    return await EVALUATIONS.fetch(tx, _OF_REVIEW, review=review_id)


async def save_all(tx: Transaction, reviews: Iterable[Review], evaluations: list[Evaluation]) -> None:
    for review in reviews:
        await REVIEWS.save(tx, review)
    await EVALUATIONS.add_all(tx, evaluations)
