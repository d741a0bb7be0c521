"""HTTP routes for parked records: list, inspect, repair, release, discard.

A parked record may contain anything that a faulty producer sent; only operators see it.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from chassis import parking
from chassis.any_route import ANY
from chassis.problems import Responses
from chassis.request_context import Context
from chassis.subscribe import Consumer

ParkedId = Annotated[int, Field(ge=1, le=2**62)]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
"""What PostgreSQL's text can hold."""

HeaderName = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=1_000)]
HeaderText = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=10_000)]

router = APIRouter(prefix="/v1/parked", tags=["parked records"])


class ParkedRecord(BaseModel):
    id: int
    topic: str
    key: str
    partition: int
    offset: int
    last_offset: int | None = Field(
        description="Where it stands for a range of offsets whose records cannot be known, the last of them."
    )
    value: str | None
    value_bytes: int | None = Field(description="Of the whole value, which may be more than what is shown of it.")
    value_sha256: str | None = Field(
        description="Of the whole value, in hexadecimal; null where it was not read to its end, or parked before this."
    )
    is_excerpt: bool = Field(
        description="Whether `value` is only the beginning. A list cuts each value after 2,000 bytes and shows 20"
        " headers; of a single record: no more is stored, because it is too large or cannot be decoded."
        " Such a record is applied only after a repair with a whole value; the record itself stays in Kafka."
    )
    headers: dict[str, str]
    reason: str
    state: str
    parked_at: datetime
    repaired: dict[str, Any] | None
    settled_by: str | None
    settled_at: datetime | None


class ParkedRecords(BaseModel):
    items: list[ParkedRecord]


class Repair(BaseModel):
    model_config = ConfigDict(extra="forbid")

    value: str = Field(max_length=1_000_000)
    headers: dict[HeaderName, HeaderText] = Field(max_length=50)


class Released(BaseModel):
    released: int


@router.get("", responses=Responses.of(ANY))
async def list_parked_records(
    context: Context,
    topic: Annotated[Text | None, Query(max_length=200)] = None,
    key: Annotated[Text | None, Query(max_length=500)] = None,
    state: Annotated[
        Literal["parked", "released", "discarded", "any"], Query(description="`any` for all of them.")
    ] = "parked",
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> ParkedRecords:
    """What is parked, or was and has been settled, oldest first; `after` is the last id of the page before.

    Of long values and headers only the beginning: a page is a few megabytes at the most.
    """
    wanted = None if state == "any" else state
    rows = await parking.parked_records(context.db, topic=topic, key=key, state=wanted, after=after, limit=limit)
    return ParkedRecords.model_validate({"items": rows})


@router.get("/{parked_id}", responses=Responses.of((*ANY, parking.ParkedRecordNotFound)))
async def inspect_parked_record(context: Context, parked_id: ParkedId) -> ParkedRecord:
    """One record as it was read: value, headers, and why it could not be applied. At most 4 MiB of its value."""
    return ParkedRecord.model_validate(await parking.parked_record(context.db, parked_id))


@router.post("/{parked_id}/repair", responses=Responses.of((*ANY, parking.ParkedRecordNotFound, parking.RepairNotText)))
async def repair_parked_record(context: Context, parked_id: ParkedId, body: Repair) -> ParkedRecord:
    """Sets the value and headers that will be applied in its place; what was read is kept beside them."""
    row = await parking.repair(
        context.db, parked_id, value=body.value, headers=body.headers, by=context.caller.sub, at=context.clock.now()
    )
    return ParkedRecord.model_validate(row)


@router.post("/{parked_id}/discard", responses=Responses.of((*ANY, parking.ParkedRecordNotFound)))
async def discard_parked_record(context: Context, parked_id: ParkedId) -> ParkedRecord:
    """Gives a record up for good; it stays in the table with who decided it."""
    row = await parking.discard(context.db, parked_id, by=context.caller.sub, at=context.clock.now())
    return ParkedRecord.model_validate(row)


@router.post(
    "/release",
    responses=Responses.of((*ANY, parking.ParkedKeyNotFound, parking.StillPoison, parking.ValueNotKept)),
)
async def release_parked_key(
    context: Context,
    topic: Annotated[Text, Query(max_length=200)],
    key: Annotated[Text, Query(max_length=500)],
) -> Released:
    """Applies the parked records of a key in order, all or none."""
    state = context.state
    subscription = state.find_subscription(topic)
    if subscription is None:
        raise parking.ParkedKeyNotFound(topic=topic, key=key)
    consumer = Consumer(subscription, service=state.service, db=context.db, wakeup=context.wakeup)
    return Released(released=await consumer.release(key, by=context.caller.sub, at=context.clock.now()))
