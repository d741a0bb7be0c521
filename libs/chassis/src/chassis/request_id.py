"""The id of a request: in its answer, in every log line that it causes, and in the problem documents that it gets.

A gateway or client may give it as `X-Request-Id`; one that a log could not hold as it is gets another in its place.
"""

import re
from contextvars import ContextVar

from starlette.types import Scope

from chassis.identity import new_id

HEADER = "x-request-id"
_SAFE = re.compile(rb"[A-Za-z0-9._:+=/-]{1,128}")
_present: ContextVar[str | None] = ContextVar("linework.request_id", default=None)


def begin(scope: Scope) -> None:
    """Every request has a task of its own, so this holds until its very last log line and needs no end."""
    given = next((value for name, value in scope["headers"] if name == HEADER.encode()), b"")
    _present.set(given.decode() if _SAFE.fullmatch(given) else new_id())


def present() -> str | None:
    """The id of the request that is being answered, or None outside of one."""
    return _present.get()


def header() -> tuple[bytes, bytes]:
    return HEADER.encode(), (present() or "").encode()
