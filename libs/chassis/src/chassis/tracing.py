"""Distributed traces of a command: a span for the request, and for each publishing and each consumption.

What was caused is stored with the traceparent of its cause: `ce_traceparent` of an event is the request that
it came from, for good. The relay's span of one publishing travels beside it as Kafka's own `traceparent`
header, and consumers hang their spans there. Without `OTLP_ENDPOINT` there is no tracer, and nothing is paid;
with one, what is not sampled costs a look at the last character of a header.

Spans carry ids, names of routes and topics, and outcomes. Paths, queries and error texts can hold people's data
and stay out.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags
from opentelemetry.util.types import Attributes

from chassis.parking import Parked, RawRecord
from chassis.settings import Settings
from contracts.message import Message
from contracts.version import VERSION

HEADER = "traceparent"
_ANY = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
# The lowest bit means that the trace is recorded.
_SAMPLED = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f][13579bdf])")

_tracer: trace.Tracer | None = None


def set_up_traces(service: str, settings: Settings) -> TracerProvider | None:
    """Sends spans by OTLP, if the settings say where to; the process's end sends what is left."""
    if not settings.otlp_endpoint:
        return None
    return start(service, BatchSpanProcessor(OTLPSpanExporter(settings.otlp_endpoint)), ratio=settings.trace_ratio)


def start(service: str, processor: SpanProcessor, *, ratio: float = 1.0) -> TracerProvider:
    """Traces in this process from here on; `ratio` is the share of traces that begin here and are recorded."""
    global _tracer
    resource = Resource.create({"service.name": f"linework-{service}", "service.version": VERSION})
    provider = TracerProvider(sampler=ParentBased(_Roots(ratio)), resource=resource)
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
    attributes = {"http.request.method": scope["method"]}
    return _tracer.start_span(scope["method"], parent or Context(), SpanKind.SERVER, attributes)


def end_request(span: Span, route: str, subjects: Mapping[str, str], status: int, error: BaseException | None) -> None:
    """Ends it, named by its route: a path could hold what a route does not. `subjects` are attributes of its own."""
    if span.is_recording():
        method = span.attributes["http.request.method"]  # type: ignore[attr-defined]
        span.update_name(f"{method} {route}".rstrip())
        span.set_attributes({"http.route": route, "http.response.status_code": status, **subjects})
        if status >= 500:
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
            "messaging.operation.type": "send",
            "messaging.destination.name": self._topic,
            "messaging.kafka.message.key": headers.get("ce_subject", ""),
            "linework.event_id": headers.get("ce_id", ""),
            "linework.event_type": headers.get("ce_type", ""),
        }
        span = _tracer.start_span(f"publish {self._topic}", parent, SpanKind.PRODUCER, attributes)
        self.spans.append(span)
        return {**headers, HEADER: _traceparent_of(span)}


@contextlib.contextmanager
def publishing(topic: str) -> Iterator[PublishedSpans]:
    """A span for each row's publishing, child of the request that wrote the row, if that was sampled."""
    published = PublishedSpans(topic)
    try:
        yield published
    except BaseException as error:
        for span in published.spans:
            span.set_status(StatusCode.ERROR, type(error).__name__)
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
    sampled = [] if _tracer is None else [pair for pair in batch if _is_sampled(pair[1])]
    if not sampled or _tracer is None:
        yield _NOTHING
        return
    attributes = {"messaging.system": "kafka", "messaging.consumer.group.name": group}
    whole = _tracer.start_span(f"apply {group}", Context(), SpanKind.CONSUMER, attributes)
    links = [Link(whole.get_span_context())]
    spans = {}
    for record, message in sampled:
        spans[record.partition, record.offset] = span = _tracer.start_span(
            f"process {group}", _cause(record, message), SpanKind.CONSUMER, attributes, links
        )
        span.set_attributes(_about(record, message))
        whole.add_link(span.get_span_context())
    every = [*spans.values(), whole]
    try:
        with trace.use_span(whole, record_exception=False, set_status_on_exception=False):
            yield Applying(spans)
    except BaseException as error:
        for span in every:
            span.set_status(StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        for span in every:
            span.end()


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
        "messaging.destination.name": record.topic,
        "messaging.destination.partition.id": str(record.partition),
        "messaging.kafka.offset": record.offset,
        "messaging.kafka.message.key": message.subject,
        "linework.event_id": message.id,
        "linework.event_type": message.type,
    }
    if message.order_version is not None:
        about["linework.order_version"] = message.order_version
    return about
