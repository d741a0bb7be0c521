"""The headers that every answer has, and what follows from those that a route has set.

The one place where an answer with an `ETag` is kept as it is by gateways, is left out (304) for who has it already, and
where a page links to the next.
"""

from typing import Any

from starlette.types import Message, Scope, Send

from chassis import paging, problems, request_id
from chassis.entity_tags import names
from chassis.graceful_shutdown import is_leaving

_CLOSE = (b"connection", b"close")
_HEADERS = [(name.encode(), value.encode()) for name, value in problems.HEADERS_OF_EVERY_ANSWER.items()]
_POLICY, _CACHING, _TAG = b"content-security-policy", b"cache-control", b"etag"
# What compresses would make another tag of ours. Some do it all the same: see `entity_tags`.
_AS_IT_IS = (_CACHING, b"no-store, no-transform")
_OF_A_BODY = (b"content-type", b"content-length")
Headers = list[tuple[bytes, bytes]]


class AnswerHeaders:
    """Sends the answer to one request, completed."""

    __slots__ = ("_is_left_out", "_scope", "_send")

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._is_left_out = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = self._completed(message["status"], message["headers"])
            message = {**message, "headers": headers}
            if self._is_known(message["status"], headers):
                self._is_left_out = True
                message["status"] = 304
                message["headers"] = [pair for pair in headers if pair[0] not in _OF_A_BODY]
        elif self._is_left_out:
            message = {**message, "body": b""}
        await self._send(message)

    def _completed(self, status: int, own: Any) -> Headers:
        names = {name for name, _ in own}
        headers = [*own, *(pair for pair in _HEADERS if pair[0] not in names), request_id.header()]
        if _TAG in names:
            headers = [_AS_IT_IS if name == _CACHING else (name, value) for name, value in headers]
        if status == 200 and (address := paging.next_page(self._scope)) is not None:
            headers.append((b"link", f'<{address}>; rel="next"'.encode()))
        # The next request on this connection would come to a process that is no longer there.
        return [*headers, _CLOSE] if is_leaving(self._scope["app"]) else headers

    def _is_known(self, status: int, headers: Headers) -> bool:
        """Whether the client has this version of the resource, by its `If-None-Match`.

        Only of the resource itself: a form shows more than what the version counts.
        """
        if status != 200 or self._scope["method"] not in ("GET", "HEAD"):
            return False
        tag = next((value for name, value in headers if name == _TAG), None)
        asked = [value for name, value in self._scope["headers"] if name == b"if-none-match"]
        if tag is None or not asked or not getattr(self._scope.get("route"), "path", "").endswith("}"):
            return False
        return names(b", ".join(asked).decode("latin-1"), tag.decode("latin-1"))
