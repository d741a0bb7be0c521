"""What an act says in its headers: which version it was decided on, and how to know it again.

`If-Match` is the order version in quotes; 428 without it, 412 when the order has moved on.
`Idempotency-Key` names the command: repeated by the same caller on the same route with the same body it
gets the first answer; with another body it is refused. Only what was carried out is remembered.
"""

import hashlib
import re
import zlib
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request, Response

from chassis.database import Statements, Transaction
from chassis.guard import caller_of
from chassis.problems import MalformedRequest, VersionRequired, language_of
from chassis.telemetry import traceparent
from contracts.refusals import Invalid

_ETAG = re.compile(r'"([1-9][0-9]{0,8})"')
_LONGEST_KEY = 200
_KEY_LOCKS = 0x4C57_0005


class IdempotencyKeyReused(Invalid):
    """This Idempotency-Key was used before with another body."""

    zh = "该 Idempotency-Key 已用于另一份请求正文。"


class IdempotencyKeyBroken(Invalid):
    """An Idempotency-Key is 1 to 200 printable characters."""

    zh = "Idempotency-Key 应为 1 至 200 个可打印字符。"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller gets: status, the JSON, and the version as an entity tag."""

    status: int
    body: bytes
    etag: str | None = None

    def response(self) -> Response:
        headers = {"etag": self.etag} if self.etag else None
        return Response(self.body, status_code=self.status, media_type="application/json", headers=headers)


class AlreadyAnswered(Exception):
    """The command was carried out before; this is the first answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Idempotency:
    caller: str
    route: str
    key: str
    fingerprint: str

    @property
    def lock(self) -> int:
        """A number that is the same wherever the same command is."""
        return zlib.crc32(f"{self.caller}\n{self.route}\n{self.key}".encode()) - 0x8000_0000


@dataclass(frozen=True, slots=True)
class ActHeaders:
    """What came with an act besides its body."""

    idempotency: Idempotency | None
    if_match: int | None
    correlation_id: str | None
    traceparent: str | None
    occurred_at: datetime | None = None
    language: str = "en"
    """The caller's, `zh` or `en`."""

    @property
    def expected_version(self) -> int:
        """The version that the act was decided on; raises `VersionRequired`."""
        if self.if_match is None:
            raise VersionRequired()
        return self.if_match


def etag_of(version: int) -> str:
    return f'"{version}"'


ACT_PARAMETERS = [
    {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, "description": description}
    for name, description in {
        "If-Match": 'The order version decided on, such as `"3"`.',
        "Idempotency-Key": "Names this command; repeat it safely with the same key.",
        "X-Correlation-Id": "Carried into every event this causes.",
    }.items()
]
"""The headers in OpenAPI; they are read here and not by FastAPI, for which each costs as much as a dependency."""


async def act_headers(request: Request) -> ActHeaders:
    """The headers of an act; raises `MalformedRequest` or `IdempotencyKeyBroken`."""
    correlation_id = request.headers.get("x-correlation-id")
    if correlation_id is not None and (len(correlation_id) > _LONGEST_KEY or not correlation_id.isprintable()):
        raise MalformedRequest(reason="X-Correlation-Id is 1 to 200 printable characters")
    return ActHeaders(
        idempotency=await _idempotency(request),
        if_match=_version(request.headers.get("if-match")),
        correlation_id=correlation_id,
        traceparent=traceparent(),
        language=language_of(request.headers.get("accept-language")),
    )


def _version(if_match: str | None) -> int | None:
    if if_match is None:
        return None
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise MalformedRequest(reason='If-Match is one order version in quotes, such as "3"')
    return int(match[1])


async def _idempotency(request: Request) -> Idempotency | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= _LONGEST_KEY or not key.isprintable():
        raise IdempotencyKeyBroken()
    return Idempotency(
        caller=caller_of(request.scope).sub,
        route=f"{request.method} {request.url.path}",
        key=key,
        fingerprint=hashlib.sha256(await request.body()).hexdigest(),
    )


async def raise_if_answered(statements: Statements, idempotency: Idempotency | None) -> None:
    """Raises `AlreadyAnswered` or `IdempotencyKeyReused` when the key is known.

    In a transaction the same command waits here until the one that came first has been committed.
    """
    if idempotency is None:
        return
    if isinstance(statements, Transaction):
        await statements.execute("select pg_advisory_xact_lock($1, $2)", _KEY_LOCKS, idempotency.lock)
    row = await statements.fetchrow(
        "select fingerprint, status, etag, response from idempotency_keys"
        " where caller = $1 and route = $2 and key = $3",
        idempotency.caller,
        idempotency.route,
        idempotency.key,
    )
    if row is not None:
        raise_first_answer(idempotency, row["fingerprint"], Answer(row["status"], row["response"], row["etag"]))


def raise_first_answer(idempotency: Idempotency, fingerprint: str, first: Answer) -> None:
    if fingerprint != idempotency.fingerprint:
        raise IdempotencyKeyReused()
    raise AlreadyAnswered(first)


async def remember(
    statements: Statements, idempotency: Idempotency | None, answer: Answer, *, about: str | None = None
) -> None:
    """Keeps the answer, in the transaction that made it true.

    `about` is whose data are in it, so that it can be forgotten with them; the service's table then has that column.
    """
    if idempotency is None:
        return
    extra = (", about", ", $8", (about,)) if about is not None else ("", "", ())
    await statements.execute(
        f"insert into idempotency_keys (caller, route, key, fingerprint, status, etag, response{extra[0]})"
        f" values ($1, $2, $3, $4, $5, $6, $7{extra[1]})",
        idempotency.caller,
        idempotency.route,
        idempotency.key,
        idempotency.fingerprint,
        answer.status,
        answer.etag,
        answer.body,
        *extra[2],
    )
