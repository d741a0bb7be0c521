"""A health report of each service from its processes' metrics, for `linework status`, local or remote."""

import urllib.request
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from prometheus_client.samples import Sample

from linework.metrics_text import read_samples, totals

_WARNED_BEFORE = timedelta(days=60)
"""As `deploy/observability/rules.yaml` alerts."""
_MOST_OF_THEM = 0.95
# An HTTP proxy of this machine is of no use on the way to loopback or into a cluster.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_ROW = "{:10} {:9} {:9} {:14} {:32} {:9} {:6} {}"


@dataclass(frozen=True)
class HealthReport:
    """One service. A value is None if the process that reports it did not respond."""

    service: str
    is_http_ready: bool
    is_worker_ready: bool | None
    outbox_rows: int | None = None
    outbox_age_seconds: float | None = None
    lag: dict[str, int] = field(default_factory=dict)
    """By topic: records behind its end."""
    last_poll_age_seconds: float | None = None
    parked_keys: int | None = None
    event_age_seconds: float | None = None
    """95th percentile of the age at which events were applied, since the worker started."""
    calendars_covered_until: float | None = None
    """When the first of the calendars ends that the service counts in, as seconds since 1970; 0: none is announced."""

    @property
    def is_ready(self) -> bool:
        return self.is_http_ready and self.is_worker_ready is not False


def health_reports(services: Mapping[str, str], workers: Mapping[str, str]) -> list[HealthReport]:
    """All services at once, by the addresses of their HTTP processes and, where known, of their workers."""
    with ThreadPoolExecutor(max(1, len(services))) as pool:
        return list(pool.map(lambda name: _health_report(name, services[name], workers.get(name)), services))


def _health_report(service: str, http: str, worker: str | None) -> HealthReport:
    of_http = read_samples(_read(f"{http}/metrics") or "")
    of_worker = read_samples(_read(f"{worker}/metrics") or "") if worker else []
    # Outbox and parked keys are of the database: whichever process answers knows them.
    either = totals(of_http or of_worker)
    coverage = [one.value for one in of_worker if one.name == "linework_calendars_covered_until_timestamp_seconds"]
    return HealthReport(
        service,
        is_http_ready=_read(f"{http}/readyz") is not None,
        is_worker_ready=_read(f"{worker}/readyz") is not None if worker else None,
        outbox_rows=_whole(either.get("linework_outbox_rows")),
        outbox_age_seconds=either.get("linework_outbox_age_seconds"),
        lag={one.labels["topic"]: int(one.value) for one in of_worker if one.name == "linework_consumer_lag_records"},
        last_poll_age_seconds=totals(of_worker).get("linework_last_poll_age_seconds"),
        parked_keys=_whole(either.get("linework_parked_keys")),
        event_age_seconds=age_of_most(of_worker),
        calendars_covered_until=min(coverage) if coverage else None,
    )


def _read(url: str) -> str | None:
    """The body of an answer with status 200, else None."""
    try:
        with _OPENER.open(url, timeout=5) as answer:
            return answer.read().decode()
    except (OSError, ValueError):  # any other status is an OSError too
        return None


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def age_of_most(samples: Iterable[Sample]) -> float | None:
    """The upper bound of the bucket of the 95th percentile; None if no event was applied yet."""
    buckets = sorted(
        (float(one.labels["le"]), one.value) for one in samples if one.name == "linework_event_age_seconds_bucket"
    )
    if not buckets or not buckets[-1][1]:
        return None
    wanted = _MOST_OF_THEM * buckets[-1][1]
    return next(bound for bound, count in buckets if count >= wanted)


def lines(reports: Iterable[HealthReport]) -> list[str]:
    """A table for the terminal."""
    head = _ROW.format("service", "http", "worker", "outbox", "behind", "polled", "parked", "events")
    reports = list(reports)
    return [head, *map(_line, reports), *warnings(reports, datetime.now(UTC))]


def warnings(reports: Iterable[HealthReport], now: datetime) -> list[str]:
    """What is not wrong yet and will be."""
    found = [(report.service, report.calendars_covered_until) for report in reports]
    return [
        f"Warning: {service} counts in a calendar {_coverage(until)}; see docs/runbooks/calendar-ends.md."
        for service, until in found
        if until is not None and until < (now + _WARNED_BEFORE).timestamp()
    ]


def _coverage(until: float) -> str:
    return f"that is covered until {datetime.fromtimestamp(until, UTC):%Y-%m-%d}" if until else "without holidays"


def _line(report: HealthReport) -> str:
    outbox = "?" if report.outbox_rows is None else f"{report.outbox_rows}"
    if report.outbox_rows:
        outbox += f", {report.outbox_age_seconds:.0f} s old"
    return _ROW.format(
        report.service,
        _ready(report.is_http_ready),
        _ready(report.is_worker_ready),
        outbox,
        ", ".join(f"{topic} {count}" for topic, count in sorted(report.lag.items())) or "?",
        "?" if report.last_poll_age_seconds is None else f"{report.last_poll_age_seconds:.1f} s",
        "?" if report.parked_keys is None else report.parked_keys,
        "none yet" if report.event_age_seconds is None else f"within {report.event_age_seconds:g} s",
    )


def _ready(is_ready: bool | None) -> str:
    return "?" if is_ready is None else "ready" if is_ready else "not ready"
