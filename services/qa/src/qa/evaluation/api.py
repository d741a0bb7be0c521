"""Evaluation over HTTP: auditors, assignments, evaluations, adjudication, the auditors' report."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from chassis.field_types import Body, Code, Prose
from chassis.problems import Responses
from chassis.request_context import Context
from qa.evaluation import store, use_cases, views
from qa.evaluation.domain import evaluation as evaluating
from qa.evaluation.domain import form as forms
from qa.evaluation.domain.assignment import Auditor
from qa.evaluation.domain.evaluation import EvaluationState, Review, ReviewState
from qa.evaluation.use_cases import Assigned, HandIn
from qa.evaluation.views import AuditorReport, EvaluationAtWorkShown, EvaluationShown
from qa.periods import PeriodLength
from qa.recordings.domain.recording import RecordingNotFound
from qa.routes import (
    ACT_REFUSALS,
    ANY,
    CHANGE_REFUSALS,
    LIST_REFUSALS,
    TEXT_REFUSALS,
    Day,
    Id,
    Ref,
    Wanted,
    json_of,
)
from qa.sampling.domain.plan import SampleNotDrawn
from qa.sampling.store import SamplingPlanNotFound
from qa.scope import narrowed_object
from qa.store import get_quality_rules
from work_orders.http import answered
from work_orders.routes import CommandContext
from work_orders.sealing import opening_for

router = APIRouter(prefix="/v1", tags=["evaluation"])

ANSWER_REFUSALS = (
    forms.FilledFromFacts,
    forms.AnswersDoNotFit,
    forms.NothingApplicable,
    store.EvaluationFormNotFound,
    RecordingNotFound,
)


class AuditorBody(Body):
    daily_capacity: int = Field(60, ge=1, le=1_000, description="Recordings a day, usually 45 to 60.")
    is_active: bool = True


class AuditorList(BaseModel):
    items: list[Auditor]


class AssignBody(Body):
    form_id: Code
    day_on: Day = Field(description="The day whose capacity it takes.")


class AnswerBody(Body):
    item: Code
    option: Code | None = None
    points: int | None = Field(None, ge=0, le=10_000)
    is_not_applicable: bool = False

    def answer(self) -> forms.Answer:
        return forms.Answer(**self.model_dump())


class HandInBody(Body):
    answers: Annotated[list[AnswerBody], Field(max_length=500)]
    remark: Prose | None = None

    def command(self) -> HandIn:
        return HandIn(answers=tuple(one.answer() for one in self.answers), remark=self.remark or "")


class EvaluationPage(BaseModel):
    items: list[EvaluationShown]
    next_cursor: str | None


class ReviewPage(BaseModel):
    items: list[Review]
    next_cursor: str | None


@router.put("/auditors/{auditor_id}", response_model=Auditor, responses=Responses.of((*ACT_REFUSALS,)))
async def define_auditor(auditor_id: Id, body: AuditorBody, context: CommandContext) -> Response:
    """Who evaluates recordings, and how many a day."""
    auditor = Auditor(auditor_id=auditor_id, daily_capacity=body.daily_capacity, is_active=body.is_active)
    return (await use_cases.define_auditor(auditor, uow=context.uow)).response()


@router.get("/auditors", responses=Responses.of(ANY))
async def list_auditors(context: Context) -> AuditorList:
    """The people who evaluate recordings."""
    async with context.db.statements() as statements:
        return AuditorList(items=await store.auditors(statements))


@router.post(
    "/sampling-plans/{plan_id}/assignments",
    response_model=Assigned,
    responses=Responses.of((*ACT_REFUSALS, SamplingPlanNotFound, SampleNotDrawn, store.EvaluationFormNotFound)),
)
async def assign_sample(plan_id: Id, body: AssignBody, context: CommandContext) -> Response:
    """Gives out as much of a sample as the auditors can do on a day, with the latest version of a form."""
    return (await use_cases.assign_sample(plan_id, body.form_id, body.day_on, uow=context.uow)).response()


@router.get("/reviews", response_model=ReviewPage, responses=Responses.of((*LIST_REFUSALS,)))
async def list_reviews(
    context: Context, wanted: Wanted, plan_id: Ref | None = None, state: ReviewState | None = None
) -> Response:
    """The recordings of samples and how far their evaluation is; `differing` ones wait for adjudication."""
    return json_of(await store.REVIEWS.page(context.db, wanted.page(plan_id=plan_id, state=state)))


@router.post(
    "/reviews/{review_id}/adjudicate",
    response_model=EvaluationShown,
    responses=Responses.of(
        (
            *CHANGE_REFUSALS,
            *TEXT_REFUSALS,
            *ANSWER_REFUSALS,
            store.ReviewNotFound,
            store.EvaluationNotFound,
            evaluating.NothingToAdjudicate,
            evaluating.AdjudicatorTookPart,
            evaluating.OwnCall,
        )
    ),
)
async def adjudicate_review(review_id: Id, body: HandInBody, context: CommandContext) -> Response:
    """The evaluation of a third person, which stands. `If-Match` is the review's version."""
    return await answered(
        await use_cases.adjudicate_review(review_id, body.command(), uow=context.uow), context.request
    )


@router.get("/evaluations", response_model=EvaluationPage, responses=Responses.of(LIST_REFUSALS))
async def list_evaluations(
    context: Context,
    wanted: Wanted,
    plan_id: Ref | None = None,
    recording_id: Ref | None = None,
    auditor_id: Ref | None = None,
    agent_id: Ref | None = None,
    state: EvaluationState | None = None,
    day_on: Annotated[Day | None, Query()] = None,
) -> Response:
    """Evaluations, latest first: of an agent those of their own calls that stand, of an auditor their own and those
    that stand, of a supervisor all."""
    page = wanted.page(
        condition=views.visible_to(context.caller.actor),
        values=views.scope(context.caller.actor, context.caller.areas),
        plan_id=plan_id,
        recording_id=recording_id,
        auditor_id=auditor_id,
        agent_id=agent_id,
        state=state,
        day_on=day_on,
    )
    return json_of(await store.EVALUATIONS.page(context.db, page, opened=opening_for(context.request).objects))


@router.get(
    "/evaluations/{evaluation_id}",
    response_model=EvaluationAtWorkShown,
    responses=Responses.of((*ANY, store.EvaluationNotFound, store.EvaluationFormNotFound, RecordingNotFound)),
)
async def get_evaluation(evaluation_id: Id, context: Context) -> Response:
    """An evaluation with its form, the facts of the call, and the items that these fill in."""
    async with context.db.statements() as statements:
        evaluation = await views.get_visible(statements, evaluation_id, context.caller.actor, context.caller.areas)
    at_work = await views.filled(context.db, evaluation)
    shown = await opening_for(context.request).object(evaluation_id, msgspec.json.encode(at_work))
    return json_of(await narrowed_object(context.db, shown, context.caller.areas))


@router.post(
    "/evaluations/{evaluation_id}/take-back",
    response_model=Review,
    responses=Responses.of(
        (*CHANGE_REFUSALS, store.EvaluationNotFound, store.ReviewNotFound, evaluating.AlreadySubmitted)
    ),
)
async def take_back_evaluation(evaluation_id: Id, context: CommandContext) -> Response:
    """Takes an evaluation from an auditor who has not handed it in; the next assignment includes it."""
    return (await use_cases.take_back_evaluation(evaluation_id, uow=context.uow)).response()


@router.post(
    "/evaluations/{evaluation_id}/submit",
    response_model=EvaluationShown,
    responses=Responses.of(
        (
            *CHANGE_REFUSALS,
            *TEXT_REFUSALS,
            *ANSWER_REFUSALS,
            store.EvaluationNotFound,
            store.ReviewNotFound,
            evaluating.NotYourEvaluation,
            evaluating.AlreadySubmitted,
            evaluating.OwnCall,
        )
    ),
)
async def submit_evaluation(evaluation_id: Id, body: HandInBody, context: CommandContext) -> Response:
    """Hands in the answers of an evaluation, all but those that facts fill in."""
    return await answered(
        await use_cases.submit_evaluation(evaluation_id, body.command(), uow=context.uow), context.request
    )


@router.get("/auditor-reports/{grain}", responses=Responses.of(ANY))
async def get_auditor_report(
    grain: PeriodLength,
    context: Context,
    on: Annotated[Day | None, Query(description="A day in it; today in the rules' zone if left out.")] = None,
    auditor_id: Ref | None = None,
) -> AuditorReport:
    """The auditors' daily, weekly, monthly or quarterly report; an auditor gets their own line."""
    now = context.clock.now()
    if on is None:
        async with context.db.statements() as statements:
            on = (await get_quality_rules(statements)).day_of(now)
    return await views.auditor_report(
        context.db, grain, on, auditor_id=views.own_auditor(context.caller.actor, auditor_id), now=now
    )
