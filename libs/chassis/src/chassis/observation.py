"""Metrics and traces of requests: a histogram by route, and a span for traced requests."""

import contextlib
import time
from typing import Any

from opentelemetry import trace
from starlette.types import Scope

from chassis.telemetry import METRICS
from chassis.tracing import METHODS, end_request, request_span

_PROBES = ("/livez", "/readyz", "/metrics")


class Observation:
    """Telemetry of one request: its span, and the time until its response begins (a stream may last for hours)."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._started_at = time.perf_counter()
        self._status = 0
        self._is_probe = scope["path"] in _PROBES
        self._span = None if self._is_probe else request_span(scope)
        self._current: Any = contextlib.nullcontext()

    @property
    def _route(self) -> str:
        return getattr(self._scope.get("route"), "path", "")

    @property
    def _subjects(self) -> dict[str, str]:
        """The subject of the request according to its path, by the name of the span's attribute."""
        given = self._scope.get("path_params", {})
        traced = self._scope["app"].state.traced_parameters
        return {attribute: given[name] for name, attribute in traced.items() if name in given}

    def begins_answer(self, status: int) -> None:
        self._status = status
        if self._is_probe:
            return
        method = self._scope["method"] if self._scope["method"] in METHODS else "other"
        seconds = time.perf_counter() - self._started_at
        METRICS.request_duration_seconds.labels(method, self._route, str(status)).observe(seconds)

    def __enter__(self) -> None:
        if self._span is not None:
            self._current = trace.use_span(self._span, record_exception=False, set_status_on_exception=False)
        self._current.__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, trace_back: Any) -> None:
        self._current.__exit__(kind, error, trace_back)
        if not self._status:
            # An unhandled exception is answered with 500 outside of this middleware.
            self.begins_answer(500)
        if self._span is not None:
            end_request(self._span, self._route, self._subjects, self._status, error)
