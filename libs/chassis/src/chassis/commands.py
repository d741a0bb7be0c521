"""The headers of a command: the version that it is based on, and its idempotency key.

`If-Match` names the version, see `chassis.entity_tags`; 428 without it, 412 if the version is stale.
`Idempotency-Key` identifies the command: a repeat by the same caller on the same route with the same body
returns the stored reply; with another body it is refused. Only successful commands are stored. The key may stand in
quotes, as the IETF's draft has it: quoted or bare it is one key.

A stored reply contains what the original token could see. It is returned to a token with the same role and at least
the same areas. Any other token is checked like a first request: if that would be refused, so is the repeat; if it
would be permitted, the key is refused, so that no command runs twice.
"""

import hashlib
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from fastapi import Request, Response

from chassis.advisory_locks import AdvisoryLock
from chassis.database import Statements, Transaction
from chassis.entity_tags import NamedVersions, NotEntityTags, versions_of
from chassis.guard import caller_of
from chassis.problems import MalformedRequest, VersionRequired, language_for
from chassis.telemetry import traceparent
from contracts.refusals import Invalid

D = TypeVar("D", bound=Callable[..., Any])
_LONGEST_KEY = 200
_STRING = re.compile(r'"(?:[^"\\]|\\["\\])*"')
_ESCAPED = re.compile(r'\\(["\\])')
KEY_COLUMNS = "caller, route, key, fingerprint, role, areas"


class IdempotencyKeyReused(Invalid):
    """This Idempotency-Key was already used for another body, or by a token with another role or other areas."""

    zh = "该 Idempotency-Key 已用于另一份请求正文，或已由角色或工区不同的令牌使用。"


class IdempotencyKeyBroken(Invalid):
    """An Idempotency-Key is given once and has 1 to 200 printable characters; with a quote at either end it is a whole
    string in quotes."""

    zh = "Idempotency-Key 只能出现一次，为 1 至 200 个可打印字符；以引号开头或结尾时，应为完整的带引号字符串。"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the caller gets: status, the JSON, and the version as an entity tag."""

    status: int
    body: bytes
    etag: str | None = None

    def response(self) -> Response:
        headers = {"etag": self.etag} if self.etag else None
        return Response(self.body, status_code=self.status, media_type="application/json", headers=headers)


class AlreadyReplied(Exception):
    """The command was carried out before; this is the first answer."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Idempotency:
    caller: str
    route: str
    key: str
    fingerprint: str
    role: str
    """In which the caller acts."""
    areas: tuple[str, ...] | None
    """The areas that the caller reaches on this route; None is every one."""

    @property
    def values(self) -> tuple[str, str, str, str, str, list[str] | None]:
        """The values of `KEY_COLUMNS`."""
        areas = None if self.areas is None else list(self.areas)
        return self.caller, self.route, self.key, self.fingerprint, self.role, areas

    @property
    def spellings(self) -> list[str]:
        """How the key may be stored: the release before kept it with the quotes that it came in."""
        return [self.key, f'"{self.key}"']

    def may_have(self, role: str | None, areas: Sequence[str] | None) -> bool:
        """Whether an answer that was given to this role and these areas may be given to the present token.

        `role` is None for an answer that was remembered by code that did not keep it: it shows no more than a caller
        who reaches every area could see.
        """
        if self.areas is None:
            return role in (None, self.role)
        return role == self.role and areas is not None and set(areas) <= set(self.areas)

    @property
    def lock(self) -> int:
        """A number that is the same wherever the same command is."""
        return zlib.crc32(f"{self.caller}\n{self.route}\n{self.key}".encode()) - 0x8000_0000


@dataclass(frozen=True, slots=True)
class CommandHeaders:
    """What came with an act besides its body."""

    idempotency: Idempotency | None
    if_match: NamedVersions | None
    correlation_id: str | None
    traceparent: str | None
    occurred_at: datetime | None = None
    language: str = "en"
    """The caller's, `zh` or `en`."""

    @property
    def versions(self) -> NamedVersions:
        """The versions that the act may be decided on; raises `VersionRequired`."""
        if self.if_match is None:
            raise VersionRequired()
        return self.if_match

    def decided_on(self, present: int) -> int | None:
        """The version that the act was decided on: the present one where it fits; None without `If-Match`."""
        return None if self.if_match is None else self.if_match.decided_on(present)


NO_HEADERS = CommandHeaders(idempotency=None, if_match=None, correlation_id=None, traceparent=None)
"""Of a command that no request brought: a worker's, a test's."""


COMMAND_PARAMETERS = [
    {
        "name": name,
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
        "description": description,
        "example": example,
    }
    for name, description, example in (
        ("If-Match", "The version that the command is based on: the `ETag` of what was read.", '"3"'),
        ("Idempotency-Key", "Names this command: a repeat with the same key gets the first reply.", "7f1c2a90"),
        (
            "X-Correlation-Id",
            "What the command began with; carried into every event.",
            "call-20260302-17",
        ),
    )
]
"""The headers in OpenAPI; they are read here and not by FastAPI, for which each costs as much as a dependency."""


def documents_command_headers(dependency: D) -> D:
    """Has every route that depends on this function document `COMMAND_PARAMETERS`; see `chassis.guard`."""
    vars(dependency)["openapi_parameters"] = COMMAND_PARAMETERS
    return dependency


async def command_headers(request: Request) -> CommandHeaders:
    """The headers of an act; raises `MalformedRequest` or `IdempotencyKeyBroken`."""
    correlation_id = request.headers.get("x-correlation-id")
    if correlation_id is not None and (len(correlation_id) > _LONGEST_KEY or not correlation_id.isprintable()):
        raise MalformedRequest(reason="X-Correlation-Id is 1 to 200 printable characters")
    return CommandHeaders(
        idempotency=await _idempotency(request),
        if_match=_versions(request.headers.getlist("if-match")),
        correlation_id=correlation_id,
        traceparent=traceparent(),
        language=language_for(request),
    )


def _versions(if_match: list[str]) -> NamedVersions | None:
    try:
        # Several headers of one name are one list.
        return versions_of(", ".join(if_match)) if if_match else None
    except NotEntityTags:
        raise MalformedRequest(reason='If-Match is * or a list of entity tags in quotes, such as "3"') from None


async def _idempotency(request: Request) -> Idempotency | None:
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    key = _unquoted(given[0])
    # What is no string and has a quote at an end is a string that was cut off, or one with parameters behind it.
    is_torn = key == given[0] and (key.startswith('"') or key.endswith('"'))
    if len(given) > 1 or is_torn or not 0 < len(key) <= _LONGEST_KEY or not key.isprintable():
        raise IdempotencyKeyBroken()
    caller = caller_of(request.scope)
    return Idempotency(
        caller=caller.sub,
        route=f"{request.method} {request.scope['path']}",
        key=key,
        fingerprint=hashlib.sha256(await request.body()).hexdigest(),
        role=caller.role,
        areas=caller.areas,
    )


def _unquoted(key: str) -> str:
    """The text of a structured field's string (RFC 9651), or the key as it is."""
    if not _STRING.fullmatch(key):
        return key
    return _ESCAPED.sub(r"\1", key[1:-1])


async def raise_if_replied(statements: Statements, idempotency: Idempotency | None) -> None:
    """Raises `AlreadyReplied` or `IdempotencyKeyReused` when the key is known.

    Returns also where the answer is not for the present token: the command is then judged like a first one, and
    `store_reply` refuses it should it get so far. In a transaction the same command waits here until the one that came
    first has been committed.
    """
    if idempotency is None:
        return
    if isinstance(statements, Transaction):
        await statements.execute("select pg_advisory_xact_lock($1, $2)", AdvisoryLock.IDEMPOTENCY_KEY, idempotency.lock)
    row = await statements.fetchrow(
        "select fingerprint, status, etag, response, role, areas from idempotency_keys"
        " where caller = $1 and route = $2 and key = any($3::text[])",
        idempotency.caller,
        idempotency.route,
        idempotency.spellings,
    )
    if row is not None and idempotency.may_have(row["role"], row["areas"]):
        raise_first_answer(idempotency, row["fingerprint"], Reply(row["status"], row["response"], row["etag"]))


async def raise_if_key_taken(statements: Statements, idempotency: Idempotency | None) -> None:
    """The same once the key is seen to be in the way: raises `IdempotencyKeyReused` also where the answer is not for
    the present token."""
    await raise_if_replied(statements, idempotency)
    if idempotency is not None and await statements.fetchval(
        "select true from idempotency_keys where caller = $1 and route = $2 and key = any($3::text[])",
        idempotency.caller,
        idempotency.route,
        idempotency.spellings,
    ):
        raise IdempotencyKeyReused()


def raise_first_answer(idempotency: Idempotency, fingerprint: str, first: Reply) -> None:
    if fingerprint != idempotency.fingerprint:
        raise IdempotencyKeyReused()
    raise AlreadyReplied(first)


async def store_reply(
    statements: Statements, idempotency: Idempotency | None, answer: Reply, *, about: str | None = None
) -> None:
    """Keeps the answer, in the transaction that made it true.

    `about` is whose data are in it, so that it can be forgotten with them; the service's table then has that column.
    Raises `IdempotencyKeyReused` where the key has an answer that is not for the present token.
    """
    if idempotency is None:
        return
    extra = (", about", ", $10", (about,)) if about is not None else ("", "", ())
    done = await statements.execute(
        f"insert into idempotency_keys ({KEY_COLUMNS}, status, etag, response{extra[0]})"
        f" values ($1, $2, $3, $4, $5, $6, $7, $8, $9{extra[1]}) on conflict do nothing",
        *idempotency.values,
        answer.status,
        answer.etag,
        answer.body,
        *extra[2],
    )
    if done == "INSERT 0 0":
        raise IdempotencyKeyReused()
