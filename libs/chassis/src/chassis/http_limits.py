"""Limits on the size and duration of requests, and security headers on responses.

Two layers: `Impatient` at the connection, before there is a request, and `HttpLimits` around the app.
"""

import asyncio
from asyncio import TimerHandle

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis import paging, problems, request_id
from chassis.addresses import place_behind
from chassis.answer_headers import AnswerHeaders
from chassis.observation import Observation
from contracts import strict_json
from contracts.refusals import Refusal

LONGEST_ADDRESS = 8192
LARGEST_HEADERS = 32_768
_LARGEST_HEAD = 65_536
HEAD_SECONDS = 20.0
BODY_SECONDS = 30
_JSON_TYPE = b"application/json"
JSON = "linework.json"
"""Where the scope of a request with exactly this media type has what its body says, once that is received and right."""


class HttpLimits:
    """Refuses what is too long, too large or too slow, and sets the headers that every answer has."""

    def __init__(self, app: ASGIApp, limit: int, root_path: str = "") -> None:
        self._app = app
        self._limit = limit
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        place_behind(self._root_path, scope)
        request_id.begin(scope)
        paging.begin()
        observed = Observation(scope)

        async def observe(message: Message) -> None:
            if message["type"] == "http.response.start":
                observed.begins_answer(message["status"])
            await send(message)

        with observed:
            await self._answer(scope, receive, AnswerHeaders(scope, observe))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (refusal := _refusal_of(scope)) is not None:
            accept = next(
                (value.decode("latin-1") for name, value in scope["headers"] if name == b"accept-language"), ""
            )
            language = problems.language_of(accept, scope["app"].state.settings.default_language)
            answer = problems.problem(refusal, {**scope, "path": scope["path"][:200]}, language=language)
            await answer(scope, receive, send)
            return
        await self._app(scope, _Body(scope, receive, self._limit), send)


class _Body:
    """The request's body as it arrives; whole within `BODY_SECONDS` after it was first asked for.

    JSON is checked as a whole with its last bytes, before any reader has parsed it, and what it says is kept in the
    scope: it is decoded once.
    """

    __slots__ = ("_chunks", "_give_up_at", "_is_whole", "_limit", "_media_types", "_receive", "_received", "_scope")

    def __init__(self, scope: Scope, receive: Receive, limit: int) -> None:
        self._scope = scope
        self._media_types = _media_types_of(scope)
        self._chunks: list[bytes] | None = [] if any(map(_is_json, self._media_types)) else None
        self._receive = receive
        self._limit = limit
        self._received = 0
        self._give_up_at = 0.0
        self._is_whole = False

    async def __call__(self) -> Message:
        if self._is_whole:
            # What comes now is that the client has gone: a live stream waits for it for hours.
            return await self._receive()
        self._give_up_at = self._give_up_at or asyncio.get_running_loop().time() + BODY_SECONDS
        try:
            async with asyncio.timeout_at(self._give_up_at):
                message = await self._receive()
        except TimeoutError:
            raise problems.RequestTooSlow(seconds=BODY_SECONDS) from None
        self._received += len(message.get("body", b""))
        if self._received > self._limit:
            raise problems.RequestTooLarge(limit=self._limit)
        self._is_whole = not message.get("more_body", False)
        self._check(message)
        return message

    def _check(self, message: Message) -> None:
        if self._chunks is None or message["type"] != "http.request":
            return
        self._chunks.append(message.get("body", b""))
        if self._is_whole:
            body, self._chunks = b"".join(self._chunks), None
            try:
                value = strict_json.value_of(body)
            except (strict_json.NotJson, strict_json.TooDeep):
                return  # its reader refuses it, and says why
            except strict_json.NotUtf8 as error:
                raise problems.BodyNotUtf8() from error
            except strict_json.DuplicateKey as error:
                raise problems.DuplicateJsonKey(pointer=error.pointer) from error
            if self._media_types == [_JSON_TYPE]:
                self._scope[JSON] = value


def _media_types_of(scope: Scope) -> list[bytes]:
    return [value.partition(b";")[0].strip().lower() for name, value in scope["headers"] if name == b"content-type"]


def _is_json(media_type: bytes) -> bool:
    """Whether a body of this type is read as JSON; more types than FastAPI decides so."""
    return media_type == _JSON_TYPE or media_type.endswith(b"+json")


def _refusal_of(scope: Scope) -> Refusal | None:
    if len(scope["path"]) + len(scope["query_string"]) > LONGEST_ADDRESS:
        return problems.AddressTooLong(limit=LONGEST_ADDRESS)
    if sum(len(name) + len(value) for name, value in scope["headers"]) > LARGEST_HEADERS:
        return problems.HeadersTooLarge(limit=LARGEST_HEADERS)
    return None


class Impatient(HttpToolsProtocol):
    """A connection that has to say what it wants: neither an endless head nor a head byte by byte keeps it open."""

    _timer: TimerHandle | None = None
    _head_size = 0
    _is_head_whole = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._timer = self.loop.call_later(HEAD_SECONDS, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head_size += len(data)
        super().data_received(data)
        if not self._is_head_whole:
            if self._head_size > _LARGEST_HEAD:
                self.send_400_response("The request's head is too large.")
            elif self._timer is None:
                self._timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def on_message_begin(self) -> None:
        self._is_head_whole = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_head_whole = True
        self._head_size = 0
        self._stop_timer()
        super().on_headers_complete()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
