"""Logs as JSON lines and metrics for Prometheus. Neither contains personal data; for traces see `tracing`.

Labels have few, predefined values: commands, codes, topics, routes. Ids, callers and texts are never labels.
The scraper adds the name of the service, not the process.
"""

import json
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from opentelemetry import trace
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, Metric
from prometheus_client.registry import Collector

from chassis import request_id
from contracts.version import VERSION

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class _Metrics:
    """Every metric there is, by one name each."""

    commands = Counter("linework_commands_total", "Acts that were carried out.", ["act"])
    refusals = Counter("linework_refusals_total", "Requests that were refused.", ["code"])
    build_info = Gauge("linework_build_info", "1; which version of which service runs.", ["version", "service"])
    request_duration_seconds = Histogram(
        "linework_request_duration_seconds",
        "Time until the answer to a request begins.",
        ["method", "route", "status"],
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    )
    published = Counter("linework_published_total", "Outbox rows that Kafka acknowledged.")
    relay_resets = Counter("linework_relay_resets_total", "Times the relay started over from its table.")
    relay_shards = Gauge("linework_relay_shards", "Shards of the outbox that this process publishes.")
    outbox_rows = Gauge("linework_outbox_rows", "Rows that wait to be published.")
    outbox_age_seconds = Gauge("linework_outbox_age_seconds", "Age of the oldest row that waits.")
    consumed = Counter("linework_consumed_total", "Records that were read.", ["topic"])
    paced_seconds = Counter(
        "linework_paced_seconds_total", "Time that a writer over its quota was not read.", ["topic"]
    )
    duplicates = Counter("linework_duplicates_total", "Events that were known already.")
    gaps = Counter("linework_gaps_total", "Events that came before the one they follow; each is parked.", ["topic"])
    unrecorded = Counter(
        "linework_unrecorded_total", "Events in this service's own name that came back and that it had not recorded."
    )
    parked = Counter("linework_parked_total", "Records that were parked.", ["topic"])
    released = Counter("linework_released_total", "Parked records that were applied after all.", ["topic"])
    job_rows_left = Gauge("linework_job_rows_left", "Rows that a job of the worker has still to go through.", ["job"])
    parked_keys = Gauge("linework_parked_keys", "Keys that are parked at the moment.")
    last_poll_age_seconds = Gauge("linework_last_poll_age_seconds", "Time since Kafka was last polled.")
    broker_silent_seconds = Gauge("linework_broker_silent_seconds", "Time since a broker of Kafka last answered.")
    stalled_partitions = Gauge(
        "linework_consumer_stalled_partitions",
        "Partitions that have not moved for too long though they end further on.",
        ["topic"],
    )
    lag_records = Gauge("linework_consumer_lag_records", "Records behind the end of the topic.", ["topic"])
    is_stuck = Gauge("linework_consumer_is_stuck", "1 while a batch cannot be applied and is tried again.", ["topic"])
    is_database_away = Gauge("linework_database_is_away", "1 when the database did not answer the last look.")
    calendars_covered_until = Gauge(
        "linework_calendars_covered_until_timestamp_seconds",
        "End of the last day whose days off are announced, of the calendars that are counted in; 0: none is.",
        ["counted_in_by"],
    )
    event_age_seconds = Histogram(
        "linework_event_age_seconds",
        "Time from recording an event to applying it.",
        buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
    )


METRICS = _Metrics

FORMER_NAMES = {
    "linework_request_seconds": METRICS.request_duration_seconds,
    "linework_consumer_lag": METRICS.lag_records,
}
"""Names of the release before, told beside the present ones until the next."""


class _Former(Collector):
    """The same samples under their former names; costs something only when they are scraped."""

    def describe(self) -> Iterable[Metric]:
        return [Metric(former, "", str(metric._type)) for former, metric in FORMER_NAMES.items()]

    def collect(self) -> Iterator[Metric]:
        for former, metric in FORMER_NAMES.items():
            for present in metric.collect():
                renamed = Metric(former, f"Deprecated, use {present.name}. {present.documentation}", present.type)
                for sample in present.samples:
                    suffix = sample.name.removeprefix(present.name)
                    renamed.add_sample(former + suffix, sample.labels, sample.value)
                yield renamed


REGISTRY.register(_Former())


def note_build(service: str) -> None:
    """Tells by the metrics which version runs."""
    METRICS.build_info.labels(VERSION, service).set(1)


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
        if (asked := request_id.present()) is not None:
            line["request_id"] = asked
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            line["trace_id"] = format(span.trace_id, "032x")
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        try:
            return msgspec.json.encode(line, enc_hook=str).decode()
        except UnicodeEncodeError:  # half of a surrogate pair, from somewhere outside
            return json.dumps(line, default=str)


class RateLimit(logging.Filter):
    """Limits warnings and errors per place in the code and minute; the next one has the number of suppressed ones.

    A loop that fails repeatedly would log the same stack in every round and fill the disk.
    """

    def __init__(self, most: int = 20, seconds: float = 60.0) -> None:
        super().__init__()
        self._most = most
        self._seconds = seconds
        self._windows: dict[tuple[str, int], list[float]] = {}
        """By file and line: when the window began, how many were logged in it, how many were not."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        window = self._windows.setdefault((record.pathname, record.lineno), [record.created, 0, 0])
        if not 0 <= record.created - window[0] < self._seconds:
            if window[2]:
                record.suppressed = int(window[2])
            window[:] = [record.created, 0, 0]
        window[1] += 1
        if window[1] > self._most:
            window[2] += 1
        return window[1] <= self._most


_EVENTS_IN_A_LINE = 50


def log_events(log: logging.Logger, sentence: str, events: Sequence[tuple[str, int | None, str]], **more: Any) -> None:
    """Logs the handling of events, each as `[key, version, event id]`, so that an entity can be followed by its key.

    One line for many, because a line an event would cost more than publishing or applying it.
    """
    if log.isEnabledFor(logging.INFO):
        for start in range(0, len(events), _EVENTS_IN_A_LINE):
            log.info(sentence, extra={"events": events[start : start + _EVENTS_IN_A_LINE], **more})


def set_up_logs(service: str, level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines(service))
    handler.addFilter(RateLimit())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("aiokafka", "httpx", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def traceparent() -> str | None:
    """The W3C trace context of the present span, to be stored with what it caused."""
    span = trace.get_current_span().get_span_context()
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}" if span.is_valid else None
