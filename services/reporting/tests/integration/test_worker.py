"""The worker process on a real Kafka: reads the topic into the record, and does what operators ask."""

from aiokafka import AIOKafkaProducer
from services.reporting.tests import rebuild_steps

from chassis.testing import eventually, settings_for
from contracts.codec import encode
from contracts.lifecycle import Status
from reporting.record import event_store
from reporting.worker import app


async def test_the_worker_reads_the_stream_and_carries_out_a_rebuild(
    reporting, make_stream, kafka_server, topic_prefix
):
    streams = [make_stream(f"o-{number}", Status.ARCHIVED) for number in range(20)]
    producer = AIOKafkaProducer(bootstrap_servers=kafka_server.bootstrap_servers)
    await producer.start()
    for stream in streams:
        for message in stream.messages:
            key, value, headers = encode(message)
            await producer.send(f"{topic_prefix}work-orders", value, key=key, headers=headers)
    await producer.stop()
    worker = app(settings_for(reporting.db.url, kafka_server.bootstrap_servers, topic_prefix))
    async with worker.router.lifespan_context(worker):
        await eventually(lambda: _message_count(reporting), until=lambda count: count == 100, seconds=60)
        asked = await rebuild_steps.request(reporting)
        row = await eventually(
            lambda: rebuild_steps.get(reporting, asked["id"]),
            until=lambda row: row["state"] == "ready",
            seconds=60,
        )
        assert worker.state.worker.fault() is None
    assert (row["done_count"], row["difference_count"]) == (20, 0)
    figure = (await reporting.get("/figures/work_orders", "operator", group_by="status")).json()
    assert [(row["status"], row["value"]) for row in figure["rows"]] == [("archived", 20)]
    assert sum(figure["read_up_to"]["positions"]["work-orders"].values()) == 100


async def _message_count(reporting) -> int:
    async with reporting.db.statements() as statements:
        return (await event_store.get_stream_state(statements)).message_count
