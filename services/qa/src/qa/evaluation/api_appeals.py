"""Appeals over HTTP: an agent does not agree with the evaluation of their call."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from chassis.desk import Desk
from chassis.problems import Responses
from chassis.texts import Prose
from qa.desk import ActDesk
from qa.evaluation import store, use_cases, views
from qa.evaluation.api import ANSWER_REFUSALS, HandInBody
from qa.evaluation.domain import evaluation as evaluating
from qa.evaluation.domain.evaluation import Appeal, AppealState
from qa.routes import (
    CHANGE_REFUSALS,
    LIST_REFUSALS,
    Body,
    Id,
    Wanted,
    json_of,
)

router = APIRouter(prefix="/v1", tags=["appeals"])


class AppealBody(Body):
    reason: Prose


class DecisionBody(HandInBody):
    """Overturned, with the answers that are right; upheld, without any."""

    is_overturned: bool


class AppealPage(BaseModel):
    items: list[Appeal]
    next_cursor: str | None


@router.post(
    "/evaluations/{evaluation_id}/appeals",
    status_code=201,
    response_model=Appeal,
    responses=Responses.of(
        (
            *CHANGE_REFUSALS,
            store.EvaluationNotFound,
            store.EvaluationFormNotFound,
            evaluating.NotYourCall,
            evaluating.NotTheStandingEvaluation,
            evaluating.AppealTooLate,
            evaluating.AppealedBefore,
        )
    ),
)
async def appeal_evaluation(evaluation_id: Id, body: AppealBody, desk: ActDesk) -> Response:
    """The agent of the call says why the evaluation is not right. `If-Match` is the evaluation's version."""
    return (await use_cases.appeal_evaluation(evaluation_id, body.reason, desk=desk)).response()


@router.get("/appeals", response_model=AppealPage, responses=Responses.of(LIST_REFUSALS))
async def list_appeals(desk: Desk, wanted: Wanted, state: AppealState | None = None) -> Response:
    """Appeals, those that must be decided soonest first; an agent finds their own."""
    page = wanted.page(
        condition=views.APPEALS_VISIBLE,
        arguments=views.appeal_arguments_for(desk.caller),
        state=state.value if state else None,
    )
    return json_of(await store.APPEALS.page(desk.db, page))


@router.post(
    "/appeals/{appeal_id}/decide",
    response_model=Appeal,
    responses=Responses.of(
        (
            *CHANGE_REFUSALS,
            *ANSWER_REFUSALS,
            store.AppealNotFound,
            store.EvaluationNotFound,
            evaluating.AppealAlreadyDecided,
            evaluating.JudgeTookPart,
            evaluating.OverturnNeedsAnswers,
        )
    ),
)
async def decide_appeal(appeal_id: Id, body: DecisionBody, desk: ActDesk) -> Response:
    """Somebody who had no part in it decides; overturned, the evaluation gets a further revision."""
    return (
        await use_cases.decide_appeal(appeal_id, body.command(), is_overturned=body.is_overturned, desk=desk)
    ).response()
