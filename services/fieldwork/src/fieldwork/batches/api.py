"""Batches of phones over HTTP."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import AfterValidator, AwareDatetime, Field

from chassis.any_route import ANY
from chassis.commands import CommandHeaders, Idempotency, Reply
from chassis.entity_tags import NamedVersions
from chassis.field_errors import field_errors
from chassis.field_types import Body, Code
from chassis.problems import InvalidRequest, Responses, language_for, problem_document, zone_of
from chassis.request_context import Context, RequestContext
from chassis.telemetry import traceparent
from contracts.refusals import Refusal
from fieldwork.batches import use_cases
from fieldwork.batches.acts import ACTS, DeviceContext
from fieldwork.batches.use_cases import ActBodyInvalid, ActResult, SentAct
from work_orders.device_acts import DeviceAct
from work_orders.handling_rules import HANDLING

router = APIRouter(prefix="/v1", tags=["reports of the field"])

_MOST_ACTS = 500
_WITHIN_A_DAY_OF_THE_ENDS = (datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC))


def _with_days_beside(moment: datetime) -> datetime:
    # An empty date of some phones is the first moment of the calendar, which has no local time in every zone. Nobody
    # believes such a time; it must not cost the phone its day.
    first, last = _WITHIN_A_DAY_OF_THE_ENDS
    return min(max(moment, first), last)


DeviceMoment = Annotated[AwareDatetime, AfterValidator(_with_days_beside)]
"""What a device's clock shows: any year, also one that cannot be."""

ActName = StrEnum("ActName", {name.upper().replace("-", "_"): name for name in ACTS})  # type: ignore[misc]


class FieldAct(Body):
    client_id: Code = Field(description="The phone's own id of the act; sent again, it is the same act.")
    sequence: int = Field(ge=1, lt=2**53, description="Its place among all acts of the phone: 1, 2, 3 … without gaps.")
    order_id: Code
    act: ActName = Field(description="The end of the path of the act's own route, such as `arrive`.")
    seen_version: int | None = Field(
        None, ge=1, le=1_000_000, description="The order's version that the phone showed; a decision needs it."
    )
    device_time: DeviceMoment = Field(description="What the phone's clock showed when it was done.")
    body: dict[str, Any] = Field(default_factory=dict, description="The body of the act's own route, without times.")


class FieldBatchBody(Body):
    device_id: Code = Field(description="The phone, or its installation of the application.")
    sent_at: DeviceMoment = Field(description="What the phone's clock shows at sending; by it its times are corrected.")
    answered_until: int = Field(
        0, ge=0, le=2**53, description="The last sequence number whose result the phone has: none before it is missing."
    )
    acts: list[FieldAct] = Field(min_length=1, max_length=_MOST_ACTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldBatchResult:
    results: list[ActResult]
    """In the order of the sequence."""
    next_sequence: int
    """The sequence number that is expected next; what comes later waits for it."""
    received_at: datetime
    clock_off_seconds: int
    """By how much the phone's clock is behind, negative when it is ahead; 0 within what operators tolerate."""


@router.post("/field-batches", responses=Responses.of(ANY))
async def send_field_batch(body: FieldBatchBody, context: Context) -> FieldBatchResult:
    """What a phone did without a network: each act is carried out like a request of its own, in the order of its
    sequence, and has a result. A refused act stops none of the later ones; a missing one does.

    Send a batch again when its answer was lost: an act that was carried out is `already_applied`, a refused one is
    refused again, for as long as results are kept.
    """
    received_at = context.clock.now()
    async with context.db.statements() as statements:
        rules = (await HANDLING.newest(statements)).rules
    tolerance = timedelta(seconds=rules.device_clock_tolerance_seconds)
    sent = [_Sent(body, act, context, received_at, tolerance) for act in body.acts]
    results, next_sequence = await use_cases.take_batch(
        body.device_id,
        [one.act() for one in sent],
        answered_until=body.answered_until,
        uow=sent[0].context.uow,
        describe=_Problems(context.request),
    )
    return FieldBatchResult(
        results=results,
        next_sequence=next_sequence,
        received_at=received_at,
        clock_off_seconds=round(sent[0].device.clock_off.total_seconds()),
    )


class _Sent:
    """An act of a batch, and the request that it would have been."""

    def __init__(
        self, batch: FieldBatchBody, act: FieldAct, context: RequestContext, received_at: datetime, tolerance: timedelta
    ) -> None:
        self._act = act
        self.device = DeviceAct(
            device_id=batch.device_id,
            sequence=act.sequence,
            said_at=act.device_time,
            sent_at=batch.sent_at,
            received_at=received_at,
            tolerance=tolerance,
        )
        self.context = DeviceContext(context.request, _headers(batch, act, context), self.device)

    def act(self) -> SentAct:
        batched = ACTS[self._act.act.value]

        async def carry_out() -> Reply:
            response = await batched.carry_out(self._act.order_id, self._act.body, self.context)
            return Reply(response.status_code, bytes(response.body))

        return SentAct(
            client_id=self._act.client_id,
            sequence=self._act.sequence,
            order_id=self._act.order_id,
            is_decision=batched.is_decision,
            uow=self.context.uow,
            carry_out=carry_out,
        )


def _headers(batch: FieldBatchBody, act: FieldAct, context: RequestContext) -> CommandHeaders:
    caller = context.caller
    # The body has not been judged yet: json writes whatever it has read, also half of a surrogate pair.
    said = json.dumps({**act.model_dump(exclude={"body"}, mode="json"), "body": act.body}, sort_keys=True).encode()
    return CommandHeaders(
        idempotency=Idempotency(
            caller=caller.sub,
            route=f"POST /v1/field-batches {batch.device_id}",
            key=act.client_id,
            fingerprint=hashlib.sha256(said).hexdigest(),
            role=caller.role,
            areas=caller.areas,
        ),
        if_match=NamedVersions(frozenset({act.seen_version})) if act.seen_version is not None else None,
        correlation_id=None,
        traceparent=traceparent(),
        language=language_for(context.request),
    )


class _Problems:
    """The problem documents of refusals, in the language of the request."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def __call__(self, error: Exception) -> dict[str, Any]:
        language, zone = language_for(self._request), zone_of(self._request)
        errors = None
        if isinstance(error, ActBodyInvalid):
            faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.faults]
            errors = field_errors(faults, error.body, language)
            error = InvalidRequest(count=len(faults))
        if not isinstance(error, Refusal):
            raise error
        return problem_document(error, self._request.scope, language=language, zone=zone, errors=errors)
