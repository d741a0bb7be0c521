"""Follow-ups over HTTP: taken, called, answered."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import msgspec
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from chassis.field_types import Body, Code, Moment, Prose, Reference
from chassis.problems import Responses
from chassis.request_context import Context, RequestContext
from contracts.quality import AttemptOutcome
from contracts.sealing import SealedText
from qa.follow_up import intake_client, store, use_cases
from qa.follow_up.domain import follow_up as following
from qa.follow_up.domain.follow_up import FollowUp, FollowUpState
from qa.follow_up.domain.project import QuietHours, QuotaReached
from qa.follow_up.domain.questionnaire import QuestionReply, RepliesDoNotFit
from qa.follow_up.intake_client import IntakeClient
from qa.recordings.store import own_scope
from qa.routes import ACT_REFUSALS, ANY, CHANGE_REFUSALS, LIST_REFUSALS, TEXT_REFUSALS, Id, Ref, Wanted, json_of
from qa.scope import answered, narrowed, narrowed_object
from work_orders.directory import CalendarNotFound
from work_orders.routes import CommandContext, SearchReference
from work_orders.sealing import opening_for
from work_orders.subscribers import SubscriberShown

router = APIRouter(prefix="/v1", tags=["follow-ups"])

CALL_REFUSALS = (
    *CHANGE_REFUSALS,
    *TEXT_REFUSALS,
    intake_client.IntakeAway,
    store.FollowUpNotFound,
    store.ProjectNotFound,
    CalendarNotFound,
    following.FollowUpNotTaken,
    following.NotYourFollowUp,
    QuietHours,
)


class AttemptBody(Body):
    outcome: AttemptOutcome
    call_again_at: Moment | None = Field(None, description="With `call_again`: when they want to be called.")
    note: Prose | None = None


class ReplyBody(Body):
    question: Code
    choice: Code | None = None
    scale: int | None = Field(None, ge=1, le=100)
    text: Prose | None = None


class RepliesBody(Body):
    subscriber_no: Reference = Field(description="Who answered: must be whom the follow-up is of.")
    replies: Annotated[list[ReplyBody], Field(max_length=100)]
    note: Prose | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpShown(FollowUp):
    """With its texts decrypted; `sealed_text` gives the reason where a substitute stands in place of a text."""

    sealed_text: SealedText | None = None


class FollowUpPage(BaseModel):
    items: list[FollowUpShown]
    next_cursor: str | None


@router.get("/follow-ups", response_model=FollowUpPage, responses=Responses.of(LIST_REFUSALS))
async def list_follow_ups(
    context: Context,
    wanted: Wanted,
    project_id: Ref | None = None,
    subscriber_no: SearchReference = None,
    order_id: Ref | None = None,
    holder: Ref | None = None,
    state: FollowUpState | None = None,
) -> Response:
    """Follow-ups, those that are due first first. An agent finds their own."""
    areas = context.caller.areas
    page = wanted.page(
        condition=store.VISIBLE if order_id is None else store.VISIBLE_OF_ORDER,
        values=own_scope(context.caller.actor, areas) | ({} if order_id is None else {"order_id": order_id}),
        project_id=project_id,
        subscriber_no=subscriber_no,
        holder=holder,
        state=state,
    )
    opening, narrow = opening_for(context.request), partial(narrowed, areas=areas)
    return json_of(await store.FOLLOW_UPS.page(context.db, page, narrow=narrow, opened=opening.objects))


@router.post(
    "/follow-up-projects/{project_id}/take",
    response_model=FollowUpShown,
    responses=Responses.of(
        (
            *ACT_REFUSALS,
            store.ProjectNotFound,
            CalendarNotFound,
            store.FollowUpNotFound,
            use_cases.NothingToCall,
            QuietHours,
            QuotaReached,
        )
    ),
)
async def take_follow_up(project_id: Code, context: CommandContext) -> Response:
    """The next to call, handed to the caller: due first, within the project's quotas and calling hours."""
    return await answered(await use_cases.take_follow_up(project_id, uow=context.uow), context.request)


@router.get(
    "/follow-ups/{follow_up_id}", response_model=FollowUpShown, responses=Responses.of((*ANY, store.FollowUpNotFound))
)
async def get_follow_up(follow_up_id: Id, context: Context) -> Response:
    """One follow-up with its attempts and replies."""
    found = await _get_visible(context, follow_up_id)
    shown = await opening_for(context.request).object(follow_up_id, msgspec.json.encode(found))
    return json_of(await narrowed_object(context.db, shown, context.caller.areas))


async def _get_visible(context: RequestContext, follow_up_id: str) -> FollowUp:
    async with context.db.statements() as statements:
        return await store.get_visible(statements, follow_up_id, context.caller.actor, context.caller.areas)


@router.get(
    "/follow-ups/{follow_up_id}/contact",
    responses=Responses.of((*ANY, store.FollowUpNotFound, intake_client.IntakeAway, intake_client.ContactNotShown)),
)
async def get_contact(follow_up_id: Id, context: Context) -> SubscriberShown:
    """Whom to call, as intake shows them to the caller; nothing of it is kept here."""
    found = await _get_visible(context, follow_up_id)
    return await IntakeClient.of(context).contact_of(found)


@router.post(
    "/follow-ups/{follow_up_id}/release",
    response_model=FollowUpShown,
    responses=Responses.of(
        (*CHANGE_REFUSALS, store.FollowUpNotFound, following.FollowUpNotTaken, following.NotYourFollowUp)
    ),
)
async def release_follow_up(follow_up_id: Id, context: CommandContext) -> Response:
    """Puts it back on the list; a supervisor can do so for any holder."""
    return await answered(await use_cases.release_follow_up(follow_up_id, uow=context.uow), context.request)


@router.post(
    "/follow-ups/{follow_up_id}/attempts",
    response_model=FollowUpShown,
    responses=Responses.of((*CALL_REFUSALS, following.NotAnAttempt)),
)
async def note_attempt(follow_up_id: Id, body: AttemptBody, context: CommandContext) -> Response:
    """A call that did not lead to answers. The last attempt that the project allows ends the follow-up."""
    command = use_cases.MakeAttempt(outcome=body.outcome, call_again_at=body.call_again_at, note=body.note or "")
    return await answered(
        await use_cases.note_attempt(follow_up_id, command, intake=IntakeClient.of(context), uow=context.uow),
        context.request,
    )


@router.post(
    "/follow-ups/{follow_up_id}/complete",
    response_model=FollowUpShown,
    responses=Responses.of(
        (*CALL_REFUSALS, store.QuestionnaireNotFound, following.AnsweredForSomebodyElse, RepliesDoNotFit)
    ),
)
async def complete_follow_up(follow_up_id: Id, body: RepliesBody, context: CommandContext) -> Response:
    """The questionnaire as the subscriber answered it; risk and dissatisfaction open findings."""
    command = use_cases.HandInReplies(
        subscriber_no=body.subscriber_no,
        replies=tuple(QuestionReply(**one.model_dump()) for one in body.replies),
        note=body.note or "",
    )
    return await answered(
        await use_cases.complete_follow_up(follow_up_id, command, intake=IntakeClient.of(context), uow=context.uow),
        context.request,
    )
