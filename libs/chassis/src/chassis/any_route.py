"""The refusals that every route can return, declared once for all of them."""

from chassis.auth import TokenMissing, TokenRefused
from chassis.database import DatabaseUnavailable
from chassis.guard import AreasNotEnough, RoleNotAllowed, RolesClaimMissing
from chassis.key_set import KeySetUnavailable
from chassis.outbox import EventTooLarge
from chassis.problems import (
    AddressTooLong,
    BodyNotUtf8,
    DuplicateJsonKey,
    HeadersTooLarge,
    InvalidRequest,
    MalformedRequest,
    RequestTooLarge,
    RequestTooSlow,
)
from chassis.query_parameters import RepeatedParameters, UnknownParameters
from chassis.rate_limits import TooManyRequests
from contracts.refusals import Refusal

ANY: tuple[type[Refusal], ...] = (
    TokenMissing,
    TokenRefused,
    RolesClaimMissing,
    RoleNotAllowed,
    AreasNotEnough,
    KeySetUnavailable,
    DatabaseUnavailable,
    InvalidRequest,
    BodyNotUtf8,
    DuplicateJsonKey,
    MalformedRequest,
    RequestTooLarge,
    RequestTooSlow,
    AddressTooLong,
    HeadersTooLarge,
    TooManyRequests,
    RepeatedParameters,
    UnknownParameters,
    EventTooLarge,
)
