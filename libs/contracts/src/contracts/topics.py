"""The topics: what each carries, what keys it, who may write it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts.lifecycle import Service

_FOREVER = {"retention.ms": "-1", "retention.bytes": "-1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    name: str
    key: str
    writers: tuple[Service, ...]
    description: str
    partitions: int = 12
    config: Mapping[str, str] = field(default_factory=dict)


WORK_ORDERS = Topic(
    name="work-orders",
    key="order id",
    writers=(Service.INTAKE, Service.DISPATCH, Service.FIELDWORK, Service.QA),
    description="The whole life of every order in one total order per order, and requests to its custodian.",
    config={"cleanup.policy": "delete", **_FOREVER},
)

DIRECTORY = Topic(
    name="directory",
    key="entity kind and id, such as work_area:north",
    writers=(Service.INTAKE, Service.DISPATCH),
    description="Work areas, staff, device types and demand types, each message the whole entity.",
    config={"cleanup.policy": "compact"},
)

TOPICS: tuple[Topic, ...] = (WORK_ORDERS, DIRECTORY)
