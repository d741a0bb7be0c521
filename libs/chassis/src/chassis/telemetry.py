"""Logs as JSON lines, metrics for Prometheus, traces by OpenTelemetry. None of them carries people's data."""

import json
import logging
import sys
from datetime import UTC, datetime

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import Counter, Gauge, Histogram

from chassis.settings import Settings

tracer = trace.get_tracer("linework")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class _Metrics:
    """Every metric there is, by one name each."""

    commands = Counter("linework_commands_total", "Acts that were carried out.", ["act"])
    refusals = Counter("linework_refusals_total", "Requests that were refused.", ["code"])
    published = Counter("linework_published_total", "Outbox rows that Kafka acknowledged.")
    relay_resets = Counter("linework_relay_resets_total", "Times the relay started over from its table.")
    outbox_rows = Gauge("linework_outbox_rows", "Rows that wait to be published.")
    outbox_age_seconds = Gauge("linework_outbox_age_seconds", "Age of the oldest row that waits.")
    consumed = Counter("linework_consumed_total", "Records that were read.", ["topic"])
    paced_seconds = Counter(
        "linework_paced_seconds_total", "Time that a writer over its quota was not read.", ["topic"]
    )
    duplicates = Counter("linework_duplicates_total", "Events that were known already.")
    parked = Counter("linework_parked_total", "Records that were parked.", ["topic"])
    parked_keys = Gauge("linework_parked_keys", "Keys that are parked at the moment.")
    last_poll_age_seconds = Gauge("linework_last_poll_age_seconds", "Time since Kafka was last polled.")
    lag = Gauge("linework_consumer_lag", "Records behind the end of the topic.", ["topic"])
    event_age_seconds = Histogram(
        "linework_event_age_seconds",
        "Time from recording an event to applying it.",
        buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
    )


METRICS = _Metrics


class _JsonLines(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            line["trace_id"] = format(span.trace_id, "032x")
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up_logs(service: str, level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("aiokafka", "httpx", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def set_up_traces(service: str, settings: Settings) -> None:
    if not settings.otlp_endpoint:
        return
    provider = TracerProvider(resource=Resource.create({"service.name": f"linework-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(settings.otlp_endpoint)))
    trace.set_tracer_provider(provider)


def traceparent() -> str | None:
    """The W3C trace context of the present span, to be stored with what it caused."""
    span = trace.get_current_span().get_span_context()
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}" if span.is_valid else None
