"""Spans as OpenTelemetry's semantic conventions want them: every name is one of theirs, or `linework.*`."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv import _incubating, attributes

from chassis import tracing
from chassis.http import create_app
from chassis.parking import RawRecord
from chassis.testing import settings_for
from contracts.message import Actor, Message

from .toy import all_public

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
GROUP = "toy.work-orders"


def conventions() -> set[str]:
    """The names of every attribute of the installed conventions."""
    found = set()
    for package in (attributes, _incubating.attributes):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            found |= {value for value in vars(importlib.import_module(module.name)).values() if isinstance(value, str)}
    return found


KNOWN = conventions()


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.start("toy", SimpleSpanProcessor(exporter))
    yield exporter
    tracing.stop()


def only(spans: InMemorySpanExporter, name: str) -> Mapping[str, Any]:
    (span,) = [span for span in spans.get_finished_spans() if span.name == name]
    return attributes_of(span)


def attributes_of(span: ReadableSpan) -> Mapping[str, Any]:
    assert span.attributes is not None
    named = {*span.attributes, *span.resource.attributes}
    assert {name for name in named if name not in KNOWN and not name.startswith("linework.")} == set()
    return span.attributes


@pytest.fixture
def client() -> httpx.AsyncClient:
    router = APIRouter()

    @router.get("/v1/things/{thing_id}")
    async def read(thing_id: str) -> dict[str, str]:
        if thing_id == "broken":
            raise RuntimeError("the secret of 13800001111")
        return {}

    app = create_app("toy", settings_for(NOWHERE), [router], description="a toy", access=all_public(router))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="https://app.test:8443")


async def test_a_request_is_named_by_method_and_route(client: httpx.AsyncClient, spans: InMemorySpanExporter) -> None:
    await client.get("/v1/things/13800001111")
    assert only(spans, "GET /v1/things/{thing_id}") == {
        "http.request.method": "GET",
        "http.route": "/v1/things/{thing_id}",
        "http.response.status_code": 200,
        "url.scheme": "https",
        "url.path": "/v1/things/{thing_id}",
        "server.address": "app.test",
        "server.port": 8443,
    }


async def test_a_request_that_fails_has_the_kind_of_its_error(
    client: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    await client.get("/v1/things/broken")
    found = only(spans, "GET /v1/things/{thing_id}")
    assert (found["http.response.status_code"], found["error.type"]) == (500, "RuntimeError")
    assert "13800001111" not in str([span.to_json() for span in spans.get_finished_spans()])


async def test_what_a_caller_made_up_names_nothing(client: httpx.AsyncClient, spans: InMemorySpanExporter) -> None:
    await client.request("ELUDE", "/nowhere/13800001111")
    found = only(spans, "HTTP")
    assert found["http.request.method"] == "_OTHER"
    assert {"http.route", "url.path", "error.type"}.isdisjoint(found)


def test_a_process_says_what_it_is(spans: InMemorySpanExporter) -> None:
    with tracing.publishing("work-orders") as published:
        published.headers_of({"ce_traceparent": SAMPLED})
    (span,) = spans.get_finished_spans()
    said = span.resource.attributes
    assert (said["service.name"], said["service.namespace"]) == ("linework-toy", "linework")
    assert said["service.version"] == version("linework-chassis")
    assert said["service.instance.id"]


def test_a_message_that_is_sent_is_named_by_its_topic(spans: InMemorySpanExporter) -> None:
    headers = {"ce_traceparent": SAMPLED, "ce_id": "e-1", "ce_type": "t", "ce_subject": "o-1"}
    with tracing.publishing("work-orders") as published:
        published.headers_of(headers)
    assert only(spans, "send work-orders") == {
        "messaging.system": "kafka",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": "work-orders",
        "messaging.message.id": "e-1",
        "messaging.kafka.message.key": "o-1",
        "linework.event_id": "e-1",
        "linework.event_type": "t",
    }


def received(count: int) -> list[tuple[RawRecord, Message]]:
    now = datetime.now(UTC)
    pairs = []
    for offset in range(count):
        record = RawRecord("work-orders", 3, offset, b"o-1", b"{}", ())
        message = Message(
            id=f"e-{offset}",
            type="t",
            source="/linework/toy",
            subject="o-1",
            occurred_at=now,
            recorded_at=now,
            actor=Actor("a", "agent"),
            data=b"{}",
            traceparent=SAMPLED if offset == 1 else None,
        )
        pairs.append((record, message))
    return pairs


def test_a_message_that_is_processed_says_where_it_stands_and_its_batch_how_large_it_is(
    spans: InMemorySpanExporter,
) -> None:
    with tracing.applying(GROUP, received(5)):
        pass
    shared = {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": "work-orders",
        "messaging.consumer.group.name": GROUP,
    }
    assert only(spans, "process work-orders") == {
        **shared,
        "messaging.operation.name": "process",
        "messaging.message.id": "e-1",
        "messaging.destination.partition.id": "3",
        "messaging.kafka.offset": 1,
        "messaging.kafka.message.key": "o-1",
        "linework.event_id": "e-1",
        "linework.event_type": "t",
    }
    assert only(spans, "apply work-orders") == {
        **shared,
        "messaging.operation.name": "apply",
        "messaging.batch.message_count": 5,
    }


def test_what_cannot_be_sent_or_processed_has_the_kind_of_its_error(spans: InMemorySpanExporter) -> None:
    def send() -> None:
        with tracing.publishing("work-orders") as published:
            published.headers_of({"ce_traceparent": SAMPLED})
            raise ConnectionError("13800001111")

    with pytest.raises(ConnectionError):
        send()
    with pytest.raises(ValueError), tracing.applying(GROUP, received(2)):
        raise ValueError("13800001111")
    kinds = {span.name: attributes_of(span)["error.type"] for span in spans.get_finished_spans()}
    assert kinds == {
        "send work-orders": "ConnectionError",
        "process work-orders": "ValueError",
        "apply work-orders": "ValueError",
    }
    assert "13800001111" not in str([span.to_json() for span in spans.get_finished_spans()])
