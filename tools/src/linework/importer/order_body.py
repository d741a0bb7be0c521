"""Builds the request body of an order from a row and validates it as intake does, without a request.

The fields are those of intake's `POST /v1/work-orders`, compared by a test; both use the same field types.
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chassis.field_types import Code, Moment, PastMoment, Prose, Reference
from contracts.events import Channel, Urgency, Zone
from linework.importer.rows import Row

NEEDED = ("external_reference", "subscriber_no", "device_type", "demand_type", "content")
_OPTIONAL = ("channel", "zone", "territory", "occurred_at")


class Window(BaseModel):
    model_config = ConfigDict(extra="forbid")

    start: Moment
    end: Moment

    @model_validator(mode="after")
    def _end_is_after_start(self) -> Self:
        if self.end <= self.start:
            raise ValueError("the end is not after the start")
        return self


class CreateWorkOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    subscriber_no: Reference
    device_type: Code
    demand_type: Code
    content: Prose
    channel: Channel = Channel.PHONE
    appointment: Window | None = None
    external_reference: Reference | None = None
    zone: Zone | None = Field(None, description="Where the work is, when not where the subscriber lives.")
    territory: Reference | None = None
    urgency: Urgency = Field(Urgency.NORMAL, description="紧急程度; who may set which is a handling rule.")
    occurred_at: PastMoment | None = Field(None, description="When it was asked for, if not at this moment.")


def body_of(row: Row) -> Mapping[str, Any]:
    """What is sent for a row; an empty cell is left out."""
    body: dict[str, Any] = {name: row[name] for name in (*NEEDED, *_OPTIONAL) if row[name]}
    window = {name: row[f"appointment_{name}"] for name in ("start", "end") if row[f"appointment_{name}"]}
    return body | ({"appointment": window} if window else {})


def wrong_with(body: Mapping[str, Any]) -> str | None:
    """What intake would refuse a body for, by the columns; None when nothing is wrong with it."""
    try:
        CreateWorkOrder.model_validate(body)
    except ValidationError as error:
        return "; ".join(f"{'_'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
    return None
