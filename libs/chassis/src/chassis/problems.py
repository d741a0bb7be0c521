"""Refusals as RFC 9457 problem documents, in Chinese or English by `Accept-Language`.

The only module that maps families of refusals to HTTP statuses. A document has a stable `code`,
`title` and `detail` for people, the refusal's context as further members, and for invalid input a list
`errors` with pointer, fault and expected value of each field. `type` opens the page of the code, and `instance` ends in
the id of the request, which is in each of its log lines.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import Scope

from chassis import request_id
from chassis.addresses import address_of
from chassis.database import TRANSIENT, DatabaseUnavailable, is_transient
from chassis.field_errors import field_errors
from chassis.telemetry import METRICS
from contracts import refusals
from contracts.time_zones import time_zones

log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
_MOST_ERRORS = 100
"""Errors in one document; `count` has their number."""

HEADERS_OF_EVERY_ANSWER = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    # Responses are data, never pages; no other site may show or embed them.
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}

STATUS_OF: Mapping[type[refusals.Refusal], HTTPStatus] = {
    refusals.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    refusals.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    refusals.Forbidden: HTTPStatus.FORBIDDEN,
    refusals.NotFound: HTTPStatus.NOT_FOUND,
    refusals.Conflict: HTTPStatus.CONFLICT,
    refusals.Stale: HTTPStatus.PRECONDITION_FAILED,
    refusals.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    refusals.TooMuch: HTTPStatus.TOO_MANY_REQUESTS,
}
TITLES: Mapping[HTTPStatus, tuple[str, str]] = {
    HTTPStatus.BAD_REQUEST: ("Malformed request", "请求格式错误"),
    HTTPStatus.UNAUTHORIZED: ("Authentication failed", "身份验证失败"),
    HTTPStatus.FORBIDDEN: ("Permission denied", "无权操作"),
    HTTPStatus.NOT_FOUND: ("Not found", "未找到"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("Method not allowed", "不支持的请求方法"),
    HTTPStatus.REQUEST_TIMEOUT: ("Request timeout", "请求超时"),
    HTTPStatus.CONFLICT: ("Conflict with the current state", "与当前状态冲突"),
    HTTPStatus.PRECONDITION_FAILED: ("Stale version", "版本已过期"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("Request too large", "请求过大"),
    HTTPStatus.REQUEST_URI_TOO_LONG: ("Address too long", "地址过长"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("Unsupported media type", "不支持的媒体类型"),
    HTTPStatus.UNPROCESSABLE_ENTITY: ("Validation failed", "校验失败"),
    HTTPStatus.PRECONDITION_REQUIRED: ("If-Match required", "缺少 If-Match"),
    HTTPStatus.TOO_MANY_REQUESTS: ("Rate limit exceeded", "请求频率超过限制"),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: ("Headers too large", "请求头过大"),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("Internal server error", "系统内部错误"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Service unavailable", "服务暂不可用"),
}


class InvalidRequest(refusals.Invalid):
    """{count} value(s) of the request are invalid; see errors."""

    zh = "请求中有 {count} 处内容无效，详见 errors。"


class MalformedRequest(refusals.Invalid):
    """The request is malformed: {reason}"""

    zh = "请求格式错误：{reason}"

    def message(self, language: str, zone: tzinfo = UTC) -> str:
        reason = self.context["reason"]
        shown = _MALFORMED_ZH.get(reason, reason) if language == "zh" else reason
        return self.template(language).format(reason=shown)


_MALFORMED_ZH = {
    "the body is not JSON": "请求正文不是 JSON",
    "There was an error parsing the body": "请求正文无法解析",
    'If-Match is * or a list of entity tags in quotes, such as "3"': 'If-Match 应为 * 或带引号的实体标签列表，例如 "3"',
    "X-Correlation-Id is 1 to 200 printable characters": "X-Correlation-Id 应为 1 至 200 个可打印字符",
}
"""The reasons, which stay English in the document's member `reason`."""


class BodyNotUtf8(refusals.Invalid):
    """The request body must be UTF-8 text without a byte order mark."""

    zh = "请求正文须为不带字节顺序标记的 UTF-8 文本。"


class DuplicateJsonKey(refusals.Invalid):
    """The request body contains {pointer} more than once; the keys of an object must be unique."""

    zh = "请求正文中 {pointer} 出现多次；对象的每个键只能出现一次。"


class RouteNotFound(refusals.NotFound):
    """Nothing is served at {path}."""

    zh = "{path} 不存在。"


class MethodNotAllowed(refusals.Refusal):
    """{path} does not support {method}."""

    zh = "{path} 不支持 {method}。"


class RequestTooLarge(refusals.Refusal):
    """The request body is larger than {limit} bytes."""

    zh = "请求正文超过 {limit} 字节。"


class AddressTooLong(refusals.Refusal):
    """The path and query are longer than {limit} characters."""

    zh = "地址及其参数超过 {limit} 个字符。"


class HeadersTooLarge(refusals.Refusal):
    """The headers are larger than {limit} bytes."""

    zh = "请求头超过 {limit} 字节。"


class RequestTooSlow(refusals.Refusal):
    """The request body did not arrive within {seconds} seconds."""

    zh = "请求正文未在 {seconds} 秒内送达。"


class InternalError(refusals.Refusal):
    """An internal error occurred and nothing was changed; the log has the details."""

    zh = "系统内部错误，未作任何更改；详情见日志。"


class VersionRequired(refusals.Refusal):
    """If-Match with the version that the command is based on is required, such as If-Match: "3"."""

    zh = '请在 If-Match 中给出所依据的版本，例如 If-Match: "3"。'


_OWN_STATUS: Mapping[type[refusals.Refusal], HTTPStatus] = {
    MalformedRequest: HTTPStatus.BAD_REQUEST,
    BodyNotUtf8: HTTPStatus.BAD_REQUEST,
    DuplicateJsonKey: HTTPStatus.BAD_REQUEST,
    InternalError: HTTPStatus.INTERNAL_SERVER_ERROR,
    AddressTooLong: HTTPStatus.REQUEST_URI_TOO_LONG,
    HeadersTooLarge: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    RequestTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    RequestTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    VersionRequired: HTTPStatus.PRECONDITION_REQUIRED,
}


def status_of(refusal: type[refusals.Refusal]) -> HTTPStatus:
    if refusal in _OWN_STATUS:
        return _OWN_STATUS[refusal]
    return next(status for family, status in STATUS_OF.items() if issubclass(refusal, family))


def language_of(accept_language: str | None, default: str = "en") -> str:
    """`zh` or `en`: whichever of the two the header prefers; the default when it names neither."""
    best, best_weight = default, 0.0
    for part in (accept_language or "").split(","):
        tag, _, parameters = part.strip().partition(";")
        name, _, text = parameters.strip().partition("=")
        try:
            weight = float(text) if name == "q" else 1.0
        except ValueError:
            continue
        language = tag.split("-")[0].lower()
        if language in ("zh", "en") and weight > best_weight:
            best, best_weight = language, weight
    return best


def language_for(request: Request) -> str:
    """The reader's language, by the request and the setting `DEFAULT_LANGUAGE`."""
    return language_of(request.headers.get("accept-language"), request.app.state.settings.default_language)


ERRORS_PATH = "/v1/errors"
"""Where every service explains its codes."""


def type_of(scope: Scope, code: str) -> str:
    """The address of the page that explains a code; RFC 9457 allows a relative one."""
    return f"{scope['app'].state.settings.errors_url or address_of(scope, ERRORS_PATH)}#{code}"


def problem(
    refusal: refusals.Refusal,
    scope: Scope,
    *,
    language: str,
    zone: tzinfo = UTC,
    errors: list[dict[str, str]] | None = None,
) -> Response:
    """The document as a response; its sentence shows local times of `zone`."""
    document = problem_document(refusal, scope, language=language, zone=zone, errors=errors)
    status = HTTPStatus(document["status"])
    headers = {"content-language": language}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers["retry-after"] = str(refusal.context.get("retry_after_seconds", 1))
    return Response(
        msgspec.json.encode(document, enc_hook=str), status_code=status, media_type=PROBLEM_JSON, headers=headers
    )


def problem_document(
    refusal: refusals.Refusal,
    scope: Scope,
    *,
    language: str,
    zone: tzinfo = UTC,
    errors: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """The document of one refusal, which is counted and logged."""
    status = status_of(type(refusal))
    METRICS.refusals.labels(refusal.code).inc()
    # The route, not the path: a path can name a person.
    route = getattr(scope.get("route"), "path", "")
    log.info("refused", extra={"code": refusal.code, "status": status.value, "method": scope["method"], "route": route})
    document = {
        **refusal.context,
        "type": type_of(scope, refusal.code),
        "title": TITLES[status][language == "zh"],
        "status": status.value,
        "code": refusal.code,
        "detail": refusal.message(language, zone),
        "instance": f"{address_of(scope)}#{request_id.present()}",
    }
    return document if errors is None else {**document, "errors": errors}


def zone_of(request: Request) -> ZoneInfo:
    """The reader's time zone, which a request may name as `time_zone`; otherwise that of the installation."""
    asked = request.query_params.get("time_zone")
    return ZoneInfo(asked if asked in time_zones() else request.app.state.settings.time_zone)


def _methods_at(request: Request) -> list[str]:
    """Every method of a path: each is a route of its own, and the framework names those of one."""
    routes = [route for route in request.app.router.routes if isinstance(route, Route)]
    at_path = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in at_path for method in route.methods or ()})


def install(app: FastAPI) -> None:
    """Answers every failure of a request with a problem document."""

    def respond(request: Request, refusal: refusals.Refusal, **more: Any) -> Response:
        return problem(refusal, request.scope, language=language_for(request), zone=zone_of(request), **more)

    @app.exception_handler(refusals.Refusal)
    async def on_refusal(request: Request, refusal: refusals.Refusal) -> Response:
        return respond(request, refusal)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        if any(fault["type"] == "json_invalid" for fault in error.errors()):
            return respond(request, MalformedRequest(reason="the body is not JSON"))
        faults = error.errors()
        errors = field_errors(faults[:_MOST_ERRORS], error.body, language_for(request))
        return respond(request, InvalidRequest(count=len(faults)), errors=errors)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        if isinstance(error.__cause__, refusals.Refusal):
            # FastAPI treats any exception while the body is read as a malformed body.
            return respond(request, error.__cause__)
        if error.status_code == HTTPStatus.NOT_FOUND:
            return respond(request, RouteNotFound(path=request.url.path))
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            answer = respond(request, MethodNotAllowed(method=request.method, path=request.url.path))
            answer.headers["allow"] = ", ".join(_methods_at(request))
            return answer
        return respond(request, MalformedRequest(reason=str(error.detail)))

    async def on_transient(request: Request, error: Exception) -> Response:
        if not is_transient(error):
            return await on_error(request, error)
        log.warning("the database is unavailable: %s: %s", type(error).__name__, error)
        return respond(request, DatabaseUnavailable())

    for transient in (*TRANSIENT, DBAPIError):
        app.add_exception_handler(transient, on_transient)

    @app.exception_handler(Exception)
    async def on_error(request: Request, error: Exception) -> Response:
        # The server logs it with its stack; the response has no internals.
        answer = respond(request, InternalError())
        # No middleware runs for this response, so the headers are set here.
        answer.headers.update({**HEADERS_OF_EVERY_ANSWER, request_id.HEADER: request_id.present() or ""})
        return answer


ETAG: Mapping[str, Any] = {
    "description": "The version of what the response shows, for `If-Match` of a command that is based on it.",
    "required": True,
    "schema": {"type": "string", "examples": ['"3"']},
}


class Responses:
    """The refusals of a route, for its OpenAPI description; `chassis.openapi` has the schema `Problem`."""

    @classmethod
    def of(
        cls, possible: Iterable[type[refusals.Refusal]], *, shows_version: bool = False
    ) -> dict[int | str, dict[str, Any]]:
        """The `responses` of a route that can refuse in these ways; `shows_version`: its answer has an entity tag."""
        by_status: dict[HTTPStatus, list[str]] = {}
        for refusal in possible:
            by_status.setdefault(status_of(refusal), []).append(refusal.code)
        shown: dict[int | str, dict[str, Any]] = {200: {"headers": {"ETag": ETAG}}} if shows_version else {}
        return shown | {
            status.value: {
                "description": f"{TITLES[status][0]}: " + ", ".join(f"`{code}`" for code in sorted(set(codes))),
                "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
            for status, codes in sorted(by_status.items())
        }
