"""Metrics with few labels, logs that can be followed, spans by OTLP."""

import http.server
import io
import json
import logging
import threading
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client import REGISTRY, generate_latest

from chassis import tracing
from chassis.database import Database
from chassis.http import create_app
from chassis.subscribe import Consumer
from chassis.telemetry import METRICS, RateLimit, _JsonLines, log_events
from chassis.testing import settings_for

from .toy import SUBSCRIPTIONS, all_public, note

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def toy_app() -> FastAPI:
    router = APIRouter()

    @router.get("/v1/things/{order_id}")
    async def read(order_id: str) -> dict[str, str]:
        if order_id == "broken":
            raise RuntimeError("the secret of 13800001111")
        return {}

    return create_app("toy", settings_for(NOWHERE), [router], description="a toy", access=all_public(router))


@pytest.fixture
def client() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(toy_app(), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://app.test")


async def test_requests_are_counted_by_route_and_never_by_path(client: httpx.AsyncClient) -> None:
    labels = {"method": "GET", "route": "/v1/things/{order_id}", "status": "200"}
    before = sample("linework_request_duration_seconds_count", **labels)
    for order_id in ("one", "two"):
        await client.get(f"/v1/things/{order_id}")
    assert sample("linework_request_duration_seconds_count", **labels) == before + 2


async def test_a_request_that_raises_is_counted_as_500(client: httpx.AsyncClient) -> None:
    labels = {"method": "GET", "route": "/v1/things/{order_id}", "status": "500"}
    before = sample("linework_request_duration_seconds_count", **labels)
    assert (await client.get("/v1/things/broken")).status_code == 500
    assert sample("linework_request_duration_seconds_count", **labels) == before + 1


@pytest.mark.parametrize("suffix", ["count", "sum", "bucket"])
async def test_a_metric_is_told_under_its_former_name_too(client: httpx.AsyncClient, suffix: str) -> None:
    labels = {"method": "GET", "route": "/v1/things/{order_id}", "status": "200"} | (
        {"le": "0.25"} if suffix == "bucket" else {}
    )
    await client.get("/v1/things/one")
    present = sample(f"linework_request_duration_seconds_{suffix}", **labels)
    assert present == sample(f"linework_request_seconds_{suffix}", **labels) > 0


def test_a_former_name_has_the_type_of_the_present_one_and_names_it() -> None:
    METRICS.lag_records.labels("toy").set(7)
    text = generate_latest().decode()
    assert "# HELP linework_consumer_lag Deprecated, use linework_consumer_lag_records." in text
    assert "# TYPE linework_consumer_lag gauge" in text
    assert "# TYPE linework_request_seconds histogram" in text
    assert 'linework_consumer_lag{topic="toy"} 7.0' in text


def test_a_process_tells_which_version_of_which_service_it_is() -> None:
    toy_app()
    assert sample("linework_build_info", service="toy", version=version("linework-chassis")) == 1


def test_every_name_has_its_unit_as_prometheus_wants_it() -> None:
    for metric in vars(METRICS).values():
        for described in metric.describe() if hasattr(metric, "describe") else ():
            if described.type == "histogram":
                assert described.name.endswith("_seconds")
            assert not described.name.endswith(("_milliseconds", "_ms", "_lag"))


def request_labels(name: str) -> set[str]:
    (metric,) = [metric for metric in REGISTRY.collect() if metric.name == "linework_request_duration_seconds"]
    return {one.labels[name] for one in metric.samples}


@pytest.mark.parametrize(("method", "path"), [("ELUDE", "/v1/things/1"), ("GET", "/nowhere/13800001111")])
async def test_a_method_or_path_that_does_not_exist_becomes_no_label(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    await client.request(method, path)
    assert "ELUDE" not in request_labels("method")
    assert path not in request_labels("route")
    assert "" in request_labels("route") or "other" in request_labels("method")


async def test_probes_are_not_counted(client: httpx.AsyncClient) -> None:
    await client.get("/livez")
    assert "/livez" not in request_labels("route")


async def test_a_gap_is_counted_once(toy_db: Database, records_in_hand: Any) -> None:
    before = sample("linework_gaps_total", topic="work-orders")
    consumer = Consumer(SUBSCRIPTIONS[0], service="toy", db=toy_db)
    await consumer.apply(records_in_hand(note("order-1", 1), note("order-1", 3), note("order-1", 4)))
    assert sample("linework_gaps_total", topic="work-orders") == before + 1


@pytest.fixture
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """The address of an OTLP collector, and what has come to it."""
    received: list[ExportTraceServiceRequest] = []

    class Collect(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Collect) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", received
        server.shutdown()


async def test_spans_go_to_the_collector_that_the_settings_name(
    collector: tuple[str, list[ExportTraceServiceRequest]], client: httpx.AsyncClient
) -> None:
    address, received = collector
    provider = tracing.set_up_traces("toy", settings_for(NOWHERE, otlp_endpoint=address, trace_ratio=1.0))
    assert provider is not None
    try:
        await client.get("/v1/things/broken")
        await client.get("/livez")
    finally:
        tracing.stop()
        provider.shutdown()
    (resource,) = received[0].resource_spans
    assert "linework-toy" in {one.value.string_value for one in resource.resource.attributes}
    (span,) = resource.scope_spans[0].spans
    assert span.name == "GET /v1/things/{order_id}"
    assert span.status.message == "RuntimeError"
    assert "13800001111" not in str(received)


async def test_without_an_address_nothing_is_traced(client: httpx.AsyncClient) -> None:
    assert tracing.set_up_traces("toy", settings_for(NOWHERE)) is None
    assert tracing.request_span({"headers": [], "method": "GET"}) is None


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    log, written = logging.getLogger("toy.lines"), io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(_JsonLines("toy"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield written
    log.removeHandler(handler)


def test_events_are_logged_many_to_a_line_and_each_can_be_found(lines: io.StringIO) -> None:
    log_events(logging.getLogger("toy.lines"), "applied", [(f"o-{n}", n, f"e-{n}") for n in range(120)], topic="t")
    written = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [len(line["events"]) for line in written] == [50, 50, 20]
    assert written[1]["events"][0] == ["o-50", 50, "e-50"]
    assert written[0]["topic"] == "t"


def test_text_that_is_no_unicode_is_logged(lines: io.StringIO) -> None:
    logging.getLogger("toy.lines").warning("half of a pair: %s", "\ud83d")
    assert json.loads(lines.getvalue())["message"] == "half of a pair: \ud83d"


def test_a_repeated_failure_is_logged_a_few_times_a_minute_and_then_counted() -> None:
    log, written = logging.getLogger("toy.loop"), io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(_JsonLines("toy"))
    handler.addFilter(RateLimit(most=2, seconds=60))
    log.propagate = False
    log.addHandler(handler)
    now = 1000.0

    def fail(times: int) -> None:
        for _ in range(times):
            record = log.makeRecord("toy.loop", logging.ERROR, "loop.py", 7, "failed again", (), None)
            record.created = now
            log.handle(record)

    try:
        fail(1000)
        log.warning("another place is not held up by it")
        log.setLevel(logging.INFO)
        for _ in range(3):
            log.info("nor is what is no fault")
        now = 1061.0
        fail(1)
    finally:
        log.removeHandler(handler)
    found = [json.loads(line) for line in written.getvalue().splitlines()]
    said = [line["message"] for line in found]
    assert said == ["failed again"] * 2 + [
        "another place is not held up by it",
        *["nor is what is no fault"] * 3,
        "failed again",
    ]
    assert found[-1]["suppressed"] == 998
