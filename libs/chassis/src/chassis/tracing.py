"""Distributed traces of a command: a span for the request, and for each publishing and each consumption.

What was caused is stored with the traceparent of its cause: `ce_traceparent` of an event is the request that
it came from, for good. The relay's span of one publishing travels beside it as Kafka's own `traceparent`
header, and consumers hang their spans there. Without an endpoint there is no tracer, and nothing is paid;
with one, what is not sampled costs a look at the last character of a header.

Names and attributes are those of OpenTelemetry's semantic conventions, and `linework.*`. Spans carry ids, names of
routes and topics, and outcomes. Queries, error texts and what a caller makes up can hold people's data and stay out;
`url.path` is the path with its parameters scrubbed, so the route.
"""

import contextlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags
from opentelemetry.util.types import Attributes

from chassis.otel_environment import exporter_of, resource_of, sampling_of, unreadable_variables
from chassis.parking import Parked, RawRecord
from chassis.settings import Settings
from contracts.message import Message

HEADER = "traceparent"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
"""A client can invent others; those become neither names nor labels."""
_ANY = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
# The lowest bit means that the trace is recorded.
_SAMPLED = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f][13579bdf])")

_tracer: trace.Tracer | None = None


def set_up_traces(service: str, settings: Settings) -> TracerProvider | None:
    """Sends spans by OTLP, if the settings say where to; the process's end sends what is left."""
    try:
        exporter = exporter_of(settings)
        if exporter is None:
            return None
        ratio, is_callers = sampling_of(settings)
        return start(service, BatchSpanProcessor(exporter), ratio=ratio, is_callers=is_callers)
    except ValueError as error:
        # The SDK reads them itself, and says neither which one it was nor that it is a matter of the environment.
        sys.exit(f"cannot start: {unreadable_variables(error)} cannot be read: {error}")


def start(service: str, processor: SpanProcessor, *, ratio: float = 1.0, is_callers: bool = True) -> TracerProvider:
    """Traces in this process from here on; `ratio` is the share of traces that begin here and are recorded.

    Not `is_callers`: of those that a caller has begun the same share, whatever the caller decided.
    """
    global _tracer
    roots = _Roots(ratio)
    provider = TracerProvider(sampler=ParentBased(roots) if is_callers else roots, resource=resource_of(service))
    provider.add_span_processor(processor)
    # Not the global provider: libraries that find one instrument themselves, and FastAPI's spans show queries.
    _tracer = provider.get_tracer("linework")
    return provider


def stop() -> None:
    """Traces no more."""
    global _tracer
    _tracer = None


class _Roots(Sampler):
    """A share of the requests. A batch is recorded whenever it holds a message that is; see `applying`."""

    def __init__(self, ratio: float) -> None:
        self._requests = TraceIdRatioBased(ratio)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        *more: Any,
        **yet_more: Any,
    ) -> SamplingResult:
        if kind is SpanKind.CONSUMER:
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
        return self._requests.should_sample(parent_context, trace_id, name, kind, attributes)

    def get_description(self) -> str:
        return f"LineworkRoots({self._requests.get_description()})"


def _context(found: re.Match[str] | None) -> Context | None:
    """The context in which a span is the child of this traceparent; None when it is no traceparent."""
    if found is None:
        return None
    flags = TraceFlags(int(found[3], 16))
    parent = SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(NonRecordingSpan(parent), Context()) if parent.is_valid else None


def _traceparent_of(span: Span) -> str:
    """W3C trace context, such as `00-<32 hex digits>-<16 hex digits>-03`."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def request_span(scope: Mapping[str, Any]) -> Span | None:
    """The span of a request that has come in, child of the caller's if it has one; None when nothing is traced."""
    if _tracer is None:
        return None
    given = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
    parent = _context(_ANY.fullmatch(given.decode("latin-1")))
    attributes = {
        "http.request.method": scope["method"] if scope["method"] in METHODS else "_OTHER",
        "url.scheme": scope.get("scheme", "http"),
        **_address(*(scope.get("server") or ())),
    }
    name = scope["method"] if scope["method"] in METHODS else "HTTP"
    return _tracer.start_span(name, parent or Context(), SpanKind.SERVER, attributes)


def _address(host: str = "", port: int | None = None) -> dict[str, str | int]:
    return ({"server.address": host} if host else {}) | ({"server.port": port} if port else {})


def end_request(span: Span, route: str, subjects: Mapping[str, str], status: int, error: BaseException | None) -> None:
    """Ends it, named by its route: a path could hold what a route does not. `subjects` are attributes of its own."""
    if span.is_recording():
        if route:
            span.update_name(f"{span.name} {route}")  # type: ignore[attr-defined]
            span.set_attributes({"http.route": route, "url.path": route, **subjects})
        span.set_attribute("http.response.status_code", status)
        if status >= 500:
            span.set_attribute("error.type", type(error).__name__ if error else str(status))
            span.set_status(StatusCode.ERROR, type(error).__name__ if error else None)
    span.end()


class PublishedSpans:
    """The spans of the sampled rows that are published together."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self.spans: list[Span] = []

    def headers_of(self, headers: dict[str, str]) -> dict[str, str]:
        """The headers to send: with the traceparent of the row's own span beside its own, if the row was sampled."""
        parent = _context(_SAMPLED.fullmatch(headers.get("ce_traceparent", ""))) if _tracer else None
        if parent is None or _tracer is None:
            return headers
        attributes = {
            "messaging.system": "kafka",
            "messaging.operation.name": "send",
            "messaging.operation.type": "send",
            "messaging.destination.name": self._topic,
            "messaging.message.id": headers.get("ce_id", ""),
            "messaging.kafka.message.key": headers.get("ce_subject", ""),
            "linework.event_id": headers.get("ce_id", ""),
            "linework.event_type": headers.get("ce_type", ""),
        }
        span = _tracer.start_span(f"send {self._topic}", parent, SpanKind.PRODUCER, attributes)
        self.spans.append(span)
        return {**headers, HEADER: _traceparent_of(span)}


@contextlib.contextmanager
def publishing(topic: str) -> Iterator[PublishedSpans]:
    """A span for each row's publishing, child of the request that wrote the row, if that was sampled."""
    published = PublishedSpans(topic)
    try:
        yield published
    except BaseException as error:
        _fail(published.spans, error)
        raise
    finally:
        for span in published.spans:
            span.end()


class Applying:
    """The spans of the sampled messages of one batch, by partition and offset."""

    def __init__(self, spans: dict[tuple[int, int], Span]) -> None:
        self._spans = spans

    def note_parked(self, parked: Iterable[Parked]) -> None:
        for item in parked if self._spans else ():
            span = self._spans.get((item.record.partition, item.record.offset))
            if span is not None:
                span.set_attribute("linework.is_parked", True)


_NOTHING = Applying({})


@contextlib.contextmanager
def applying(group: str, batch: Iterable[tuple[RawRecord, Message]]) -> Iterator[Applying]:
    """A span for each sampled message and one for the batch, linked to each other, over one transaction.

    A message is applied when its batch is committed, so its span is as long as the batch's.
    """
    pairs = [] if _tracer is None else list(batch)
    sampled = [pair for pair in pairs if _is_sampled(pair[1])]
    if not sampled or _tracer is None:
        yield _NOTHING
        return
    whole = _start_batch(_tracer, group, sampled[0][0].topic, len(pairs))
    links = [Link(whole.get_span_context())]
    spans = {}
    for record, message in sampled:
        attributes = _processing(group, record.topic, "process") | _about(record, message)
        spans[record.partition, record.offset] = span = _tracer.start_span(
            f"process {record.topic}", _cause(record, message), SpanKind.CONSUMER, attributes, links
        )
        whole.add_link(span.get_span_context())
    every = [*spans.values(), whole]
    try:
        with trace.use_span(whole, record_exception=False, set_status_on_exception=False):
            yield Applying(spans)
    except BaseException as error:
        _fail(every, error)
        raise
    finally:
        for span in every:
            span.end()


def _start_batch(tracer: trace.Tracer, group: str, topic: str, count: int) -> Span:
    attributes = _processing(group, topic, "apply") | {"messaging.batch.message_count": count}
    return tracer.start_span(f"apply {topic}", Context(), SpanKind.CONSUMER, attributes)


def _processing(group: str, topic: str, name: str) -> dict[str, str | int]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": name,
        "messaging.operation.type": "process",
        "messaging.destination.name": topic,
        "messaging.consumer.group.name": group,
    }


def _fail(spans: Iterable[Span], error: BaseException) -> None:
    """With the kind of the error and not its text, which can hold anything."""
    for span in spans:
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(StatusCode.ERROR, type(error).__name__)


def _is_sampled(message: Message) -> bool:
    return (message.traceparent or "0")[-1] in "13579bdf"


def _cause(record: RawRecord, message: Message) -> Context | None:
    """The publishing of this very record; where the relay recorded none, the request itself."""
    carried = next((value for name, value in record.headers if name == HEADER and value), b"")
    return _context(_SAMPLED.fullmatch(carried.decode("latin-1"))) or _context(
        _SAMPLED.fullmatch(message.traceparent or "")
    )


def _about(record: RawRecord, message: Message) -> dict[str, str | int]:
    about: dict[str, str | int] = {
        "messaging.message.id": message.id,
        "messaging.destination.partition.id": str(record.partition),
        "messaging.kafka.offset": record.offset,
        "messaging.kafka.message.key": message.subject,
        "linework.event_id": message.id,
        "linework.event_type": message.type,
    }
    if message.order_version is not None:
        about["linework.order_version"] = message.order_version
    return about
