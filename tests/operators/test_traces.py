"""One command's trace: from the HTTP call through outbox and Kafka to every consumer."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.operators.in_process import InProcess

from chassis import tracing
from chassis.testing import eventually
from linework.ports import SERVICES

_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_CALLER = "00f067aa0ba902b7"
_SAMPLED = {"traceparent": f"00-{_TRACE}-{_CALLER}-01"}
_PEOPLE = ("王小明", "漕溪路", "没有信号", "更换分线盒")


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.start("installation", SimpleSpanProcessor(exporter), ratio=0)
    yield exporter
    tracing.stop()


def of_the_trace(spans: InMemorySpanExporter) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if f"{span.context.trace_id:032x}" == _TRACE]


def group_of(span: ReadableSpan) -> str | None:
    """Whose processing of a message it is, or None."""
    return span.attributes["messaging.consumer.group.name"] if span.name.startswith("process ") else None


def processed_by(spans: list[ReadableSpan], group: str) -> list[ReadableSpan]:
    return [span for span in spans if group_of(span) == group]


def named(spans: list[ReadableSpan], name: str) -> list[ReadableSpan]:
    return [span for span in spans if span.name == name]


def id_of(span: ReadableSpan) -> int:
    return span.context.span_id


async def test_a_command_is_one_trace_from_the_call_to_the_last_projection(
    installation: InProcess, spans: InMemorySpanExporter
) -> None:
    groups = {f"{service}.work-orders" for service in SERVICES}
    async with installation.started():
        order = await installation.dispatched()
        await installation.act(order, "start", headers=_SAMPLED)
        await eventually(
            lambda: {group_of(span) for span in of_the_trace(spans)}, until=lambda found: groups <= found, seconds=20
        )
    trace = of_the_trace(spans)
    (request,) = named(trace, "POST /v1/work-orders/{order_id}/start")
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == _CALLER
    assert request.attributes["linework.order_id"] == order["id"]
    (published,) = named(trace, "send work-orders")
    assert published.parent.span_id == id_of(request)
    assert published.end_time >= request.end_time
    for group in groups:
        (one,) = processed_by(trace, group)
        assert one.name == "process work-orders"
        assert one.parent.span_id == id_of(published)
        assert one.attributes["linework.event_id"] == published.attributes["linework.event_id"]
        assert one.attributes["linework.order_version"] == 3
        (batch,) = [span for span in spans.get_finished_spans() if id_of(span) == one.links[0].context.span_id]
        assert (batch.name, batch.attributes["messaging.consumer.group.name"]) == ("apply work-orders", group)
        assert id_of(one) in [link.context.span_id for link in batch.links]
    assert len(trace) == 2 + len(SERVICES)


async def test_a_share_of_the_requests_is_traced_without_being_asked(
    installation: InProcess, spans: InMemorySpanExporter
) -> None:
    tracing.start("installation", SimpleSpanProcessor(spans), ratio=1.0)
    async with installation.started("intake", "reporting"):
        await installation.create()
        names = {"POST /v1/work-orders", "send work-orders", "process work-orders"}
        await eventually(
            lambda: {span.name for span in spans.get_finished_spans()}, until=lambda found: names <= found, seconds=20
        )


async def test_what_is_not_sampled_leaves_no_span(installation: InProcess, spans: InMemorySpanExporter) -> None:
    async with installation.started():
        order = await installation.processing()
        timeline = f"/work-orders/{order['id']}/timeline"
        await eventually(
            lambda: installation.supervisor.ask("GET", "reporting", timeline),
            until=lambda answer: answer.is_success and len(answer.json()["items"]) == 3,
        )
    assert spans.get_finished_spans() == ()


async def test_a_message_that_is_parked_says_so_in_its_span(
    installation: InProcess, spans: InMemorySpanExporter
) -> None:
    order = await installation.create(headers=_SAMPLED)
    await installation.rows("intake", 'update outbox set headers = headers || \'{"ce_orderversion": "2"}\'')
    async with installation.started("intake", "reporting"):
        found = await eventually(lambda: processed_by(of_the_trace(spans), "reporting.work-orders"))
    assert found[0].attributes["linework.is_parked"] is True
    assert found[0].attributes["messaging.kafka.message.key"] == order["id"]


async def test_no_span_holds_peoples_data(installation: InProcess, spans: InMemorySpanExporter) -> None:
    async with installation.started():
        order = await installation.create(headers=_SAMPLED, content="没有信号")
        order = await installation.act(order, "dispatch", "start", "complete", headers=_SAMPLED)
        searches = {
            "/work-orders": {"subscriber_no": order["subscriber_no"]},
            "/subscribers": {"phone": installation.phone},
        }
        for path, search in searches.items():
            answer = await installation.agent.ask("GET", "intake", path, params=search, headers=_SAMPLED)
            assert len(answer.json()["items"]) == 1
        await eventually(
            lambda: processed_by(of_the_trace(spans), "reporting.work-orders"), until=lambda found: len(found) == 4
        )
    for span in spans.get_finished_spans():
        told = [span.name, *map(str, span.attributes.values())]
        assert not [text for text in told for one in (*_PEOPLE, installation.phone) if one in text]
