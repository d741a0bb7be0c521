"""The record: every message once, in its place, and nothing that does not follow."""

import random
from dataclasses import replace

from chassis.parking import RawRecord, count_parked_keys
from chassis.subscribe import Consumer
from contracts.chain import verify_chain
from contracts.codec import encode
from contracts.events import WorkOrderNoteAdded
from contracts.lifecycle import Status
from reporting.figures.buckets import bucket_of, bucket_sql
from reporting.record import event_store


async def _record(reporting) -> list[event_store.Stored]:
    async with reporting.db.statements() as statements:
        return await event_store.messages_after(statements, 0, limit=1000)


async def _stays(reporting) -> list:
    return await reporting.rows("select * from stays_a order by order_id, since_version")


async def _present(reporting) -> list:
    return [row for row in await _stays(reporting) if row["until_version"] is None]


async def _reasons(reporting) -> list[str]:
    return [row["reason"] for row in await reporting.rows("select reason from parked order by id")]


async def test_a_message_is_kept_exactly_as_it_travelled(reporting, make_stream):
    stream = make_stream(status=Status.ARCHIVED)
    request = stream.ask()
    await reporting.receive(*stream.messages)
    kept = [stored.message for stored in await _record(reporting)]
    assert kept == stream.messages
    assert kept[-1] == request
    verify_chain(kept[:-1])


async def test_places_have_no_gaps_and_count_the_messages(reporting, make_stream):
    await reporting.receive(*make_stream("o-1", Status.COMPLETED).messages)
    await reporting.receive(*make_stream("o-2", Status.DISPATCHED).messages)
    assert [stored.place for stored in await _record(reporting)] == [1, 2, 3, 4, 5, 6]
    async with reporting.db.statements() as statements:
        state = await event_store.get_stream_state(statements)
    assert state.message_count == 6
    assert state.recorded_at == make_stream("o-1", Status.COMPLETED).messages[-1].recorded_at


async def test_what_is_delivered_again_changes_nothing(reporting, make_stream):
    stream = make_stream(status=Status.ARCHIVED)
    stream.ask()
    await reporting.receive(*stream.messages)
    before = [await _record(reporting), await _stays(reporting)]
    await reporting.receive(*stream.messages)
    await reporting.receive(*stream.messages[2:4], *stream.messages[2:4])
    assert [await _record(reporting), await _stays(reporting)] == before
    async with reporting.db.statements() as statements:
        assert await count_parked_keys(statements) == 0


async def test_batches_of_any_size_lead_to_the_same_tables(reporting, make_stream):
    streams = [make_stream(f"o-{number}", status) for number, status in enumerate(Status)]
    chance = random.Random(7)
    left = [list(stream.messages) for stream in streams]
    mixed = []
    while any(left):
        mixed.append(chance.choice([messages for messages in left if messages]).pop(0))
    while mixed:
        size = chance.randint(1, 7)
        await reporting.receive(*mixed[:size])
        mixed = mixed[size:]
    piecemeal = await _stays(reporting)
    await reporting.rows("truncate messages, stays_a")
    await reporting.rows("update stream_state set message_count = 0")
    await reporting.receive(*(message for stream in streams for message in stream.messages))
    assert await _stays(reporting) == piecemeal
    assert len(await _present(reporting)) == len(Status)


async def test_a_gap_parks_its_order_and_no_other(reporting, make_stream):
    broken, whole = make_stream("o-1", Status.COMPLETED), make_stream("o-2", Status.COMPLETED)
    await reporting.receive(*broken.messages[:1], *broken.messages[2:], *whole.messages)
    assert (await _reasons(reporting))[0] == "a gap: version 3 came after version 1"
    assert {stored.message.subject for stored in await _record(reporting)} == {"o-1", "o-2"}
    assert [row["status"] for row in await _present(reporting)] == ["created", "completed"]


async def test_an_event_with_another_hash_before_it_is_parked(reporting, make_stream):
    stream = make_stream(status=Status.DISPATCHED)
    await reporting.receive(stream.messages[0], replace(stream.messages[1], prev_hash="f" * 64))
    assert await _reasons(reporting) == ["version 2 does not carry the hash of version 1"]


async def test_a_second_event_of_the_same_version_is_told_as_two_writers(reporting, make_stream):
    stream = make_stream(status=Status.PROCESSING)
    await reporting.receive(*stream.messages)
    other = replace(stream.messages[1], id="another-id")
    await reporting.receive(other)
    assert await _reasons(reporting) == ["two writers: another event is version 2 of this order"]
    assert [stored.message for stored in await _record(reporting)] == stream.messages


async def test_two_writers_in_one_batch_keep_the_first(reporting, make_stream):
    stream = make_stream(status=Status.DISPATCHED)
    other = replace(stream.messages[1], id="another-id")
    await reporting.receive(*stream.messages, other)
    assert await _reasons(reporting) == ["two writers: another event is version 2 of this order"]
    assert [stored.message for stored in await _record(reporting)] == stream.messages


async def test_an_event_that_the_table_of_steps_does_not_allow_is_parked_and_not_kept(reporting, make_stream):
    stream = make_stream(status=Status.COMPLETED)
    template = stream.messages[-1]
    body = WorkOrderNoteAdded(note="too late")
    note = replace(
        template,
        id="note-1",
        type="linework.work_order.note_added.v1",
        data=b'{"note":"too late"}',
        body=body,
        order_version=5,
        prev_hash=verify_chain(stream.messages),
    )
    await reporting.receive(*stream.messages, note)
    (reason,) = await _reasons(reporting)
    assert "does not hold order o-1" in reason
    assert len(await _record(reporting)) == 4


async def test_an_event_of_an_unknown_type_moves_the_version_on_and_nothing_else(reporting, make_stream):
    stream = make_stream(status=Status.DISPATCHED)
    painted = replace(
        stream.messages[-1],
        id="painted-1",
        type="linework.work_order.painted.v1",
        data=b'{"colour":"red"}',
        body=None,
        order_version=3,
        prev_hash=verify_chain(stream.messages),
    )
    offset = len(stream.messages)
    await reporting.receive(*stream.messages)
    await _receive_raw(reporting, painted, offset)
    assert [row["status"] for row in await _stays(reporting)] == ["created", "dispatched"]
    assert (await _record(reporting))[-1].message == painted


async def _receive_raw(reporting, message, offset) -> None:
    key, value, headers = encode(message)
    record = RawRecord("work-orders", 0, offset, key, value, tuple(headers))
    await Consumer(reporting.subscriptions[0], service="reporting", db=reporting.db).apply([record])


async def test_requests_are_kept_and_do_not_move_the_version(reporting, make_stream):
    stream = make_stream(status=Status.DISPATCHED)
    stream.ask()
    await reporting.receive(*stream.messages)
    record = await _record(reporting)
    assert (record[-1].message.order_version, record[-1].event_hash) == (None, None)
    assert [row["since_version"] for row in await _present(reporting)] == [2]


async def test_the_database_and_python_put_durations_into_the_same_buckets(reporting):
    edges = [2**power + step for power in range(62) for step in (-1001, -1000, -1, 0, 1, 999, 1000)]
    durations = [microseconds for microseconds in (*edges, *range(0, 300_000_000, 777_777)) if microseconds < 2**62]
    rows = await reporting.rows(f"select {bucket_sql('one')} from unnest($1::bigint[]) as one", [*durations, None])
    assert [row[0] for row in rows] == [*(bucket_of(microseconds) for microseconds in durations), None]
