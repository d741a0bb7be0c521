"""What any route can refuse, whatever it does: said once, declared by all of them."""

from chassis.auth import KeySetUnavailable, TokenMissing, TokenRefused
from chassis.database import DatabaseUnavailable
from chassis.guard import AreasNotEnough, RoleNotAllowed
from chassis.problems import InvalidRequest, MalformedRequest, RequestTooLarge
from contracts.refusals import Refusal

ANY: tuple[type[Refusal], ...] = (
    TokenMissing,
    TokenRefused,
    RoleNotAllowed,
    AreasNotEnough,
    KeySetUnavailable,
    DatabaseUnavailable,
    InvalidRequest,
    MalformedRequest,
    RequestTooLarge,
)
