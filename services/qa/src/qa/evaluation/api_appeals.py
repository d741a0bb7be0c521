"""Appeals over HTTP: an agent does not agree with the evaluation of their call."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from chassis.desk import Desk
from chassis.problems import Responses
from chassis.texts import Prose
from custody.http import answered
from custody.sealing import opening_for
from qa.desk import ActDesk
from qa.evaluation import store, use_cases, views
from qa.evaluation.api import ANSWER_REFUSALS, HandInBody
from qa.evaluation.domain import appeal as appealing
from qa.evaluation.domain.appeal import AppealState
from qa.evaluation.views import AppealShown
from qa.routes import (
    CHANGE_REFUSALS,
    LIST_REFUSALS,
    TEXT_REFUSALS,
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
    items: list[AppealShown]
    next_cursor: str | None


@router.post(
    "/evaluations/{evaluation_id}/appeals",
    status_code=201,
    response_model=AppealShown,
    responses=Responses.of(
        (
            *CHANGE_REFUSALS,
            *TEXT_REFUSALS,
            store.EvaluationNotFound,
            store.EvaluationFormNotFound,
            appealing.NotYourCall,
            appealing.NotTheStandingEvaluation,
            appealing.AppealTooLate,
            appealing.AppealedBefore,
        )
    ),
)
async def appeal_evaluation(evaluation_id: Id, body: AppealBody, desk: ActDesk) -> Response:
    """The agent of the call says why the evaluation is not right. `If-Match` is the evaluation's version."""
    return await answered(await use_cases.appeal_evaluation(evaluation_id, body.reason, desk=desk), desk.request)


@router.get("/appeals", response_model=AppealPage, responses=Responses.of(LIST_REFUSALS))
async def list_appeals(desk: Desk, wanted: Wanted, state: AppealState | None = None) -> Response:
    """Appeals, those that must be decided soonest first; an agent finds their own."""
    page = wanted.page(
        condition=views.APPEALS_VISIBLE,
        arguments=views.appeal_arguments_for(desk.caller),
        state=state.value if state else None,
    )
    return json_of(await store.APPEALS.page(desk.db, page, opening_for(desk.request)))


@router.post(
    "/appeals/{appeal_id}/decide",
    response_model=AppealShown,
    responses=Responses.of(
        (
            *CHANGE_REFUSALS,
            *TEXT_REFUSALS,
            *ANSWER_REFUSALS,
            store.AppealNotFound,
            store.EvaluationNotFound,
            store.ReviewNotFound,
            appealing.AppealAlreadyDecided,
            appealing.JudgeTookPart,
            appealing.OverturnNeedsAnswers,
        )
    ),
)
async def decide_appeal(appeal_id: Id, body: DecisionBody, desk: ActDesk) -> Response:
    """Somebody who had no part in it decides; overturned, the evaluation gets a further revision."""
    decided = await use_cases.decide_appeal(appeal_id, body.command(), is_overturned=body.is_overturned, desk=desk)
    return await answered(decided, desk.request)
