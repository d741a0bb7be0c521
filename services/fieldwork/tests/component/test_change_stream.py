"""The stream of changes: what a screen that shows a list hears, and when it ends."""

import json
import time
from collections.abc import AsyncIterator

import pytest

from chassis.testing import OpenStream, opened_stream
from contracts import events as e
from work_orders import change_stream
from work_orders.places import PlaceInChanges
from work_orders.testing import ServiceUnderTest, Stream, make_created, make_dispatched, make_rejected

PATH = "/v1/changes/stream"


class Screen:
    """What a client makes of the events: the last id, and the parts of each event that has data."""

    def __init__(self, stream: OpenStream) -> None:
        self.last_id: str | None = None
        self._events = self._read(stream)

    async def _read(self, stream: OpenStream) -> AsyncIterator[tuple[str, dict]]:
        async for event in stream.events():
            parts = dict(line.split(": ", 1) for line in event.splitlines())
            self.last_id = parts.get("id", self.last_id)
            if "data" in parts:
                yield parts["event"], json.loads(parts["data"])

    async def next(self) -> tuple[str, dict]:
        return await anext(self._events)

    async def orders(self) -> list[tuple[str, int, bool]]:
        kind, data = await self.next()
        assert kind == "changes"
        return [(order["order_id"], order["version"], order["has_left"]) for order in data["orders"]]


def dispatched(order_id: str, area: str = "north") -> Stream:
    stream = Stream(order_id)
    stream.add(make_created(order_no=f"no-{order_id}"))
    stream.add(make_dispatched(work_area_id=area, staff_ids=(f"{area}-1",)))
    return stream


async def test_a_screen_loads_its_lists_and_then_hears_what_changes_in_its_areas(fieldwork: ServiceUnderTest) -> None:
    headers = fieldwork.issuer.headers("technician", ["north"])
    async with opened_stream(fieldwork.app, PATH, headers=headers) as stream:
        screen = Screen(stream)
        assert await screen.next() == ("reload", {})
        await fieldwork.receive(*dispatched("foreign", "south").messages)
        await fieldwork.receive(*dispatched("ours").messages)
        assert await screen.orders() == [("ours", 2, False)]
        await fieldwork.act("ours", "start", version=2, role="technician", areas=["north"])
        assert await screen.orders() == [("ours", 3, False)]


async def test_a_screen_hears_that_an_order_went_to_another_area_and_no_more_of_it(fieldwork: ServiceUnderTest) -> None:
    order = dispatched("o-1")
    await fieldwork.receive(*order.messages)
    headers = fieldwork.issuer.headers("technician", ["north"])
    async with opened_stream(fieldwork.app, PATH, headers=headers) as stream:
        screen = Screen(stream)
        assert await screen.next() == ("reload", {})
        for event in (
            make_rejected(),
            e.WorkOrderRedispatchRequested(),
            make_dispatched(work_area_id="south", staff_ids=("south-1",)),
        ):
            order.add(event)
        await fieldwork.receive(*order.messages[2:])
        assert await screen.orders() == [("o-1", 5, True)]
        await fieldwork.act("o-1", "start", version=5, role="technician", areas=["south"])
        await fieldwork.receive(*dispatched("o-2").messages)
        assert await screen.orders() == [("o-2", 2, False)]


async def test_a_screen_that_was_cut_off_resumes_after_its_last_event(fieldwork: ServiceUnderTest) -> None:
    headers = fieldwork.issuer.headers("technician", ["north"])
    await fieldwork.receive(*dispatched("o-0").messages)
    async with opened_stream(fieldwork.app, PATH, headers=headers) as stream:
        screen = Screen(stream)
        assert await screen.next() == ("reload", {})
    await fieldwork.receive(*dispatched("o-1").messages)
    resumed = headers | {"last-event-id": screen.last_id or ""}
    async with opened_stream(fieldwork.app, PATH, headers=resumed) as stream:
        screen = Screen(stream)
        assert await screen.orders() == [("o-1", 2, False)]
        await fieldwork.receive(*dispatched("o-2").messages)
        assert await screen.orders() == [("o-2", 2, False)]


@pytest.mark.parametrize("place", ["nonsense", "0-0", "ffffff-1", "1-1-5", PlaceInChanges(5, 7, frozenset({3})).text()])
async def test_a_place_that_is_unknown_or_too_old_is_answered_with_reload(
    fieldwork: ServiceUnderTest, place: str
) -> None:
    await fieldwork.receive(*dispatched("o-1").messages)
    headers = fieldwork.issuer.headers("supervisor") | {"last-event-id": place}
    async with opened_stream(fieldwork.app, PATH, headers=headers) as stream:
        screen = Screen(stream)
        assert await screen.next() == ("reload", {})
        await fieldwork.receive(*dispatched("o-2").messages)
        assert await screen.orders() == [("o-2", 2, False)]


async def test_a_batch_is_resumed_before_all_its_events(
    fieldwork: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_stream, "_ORDERS_AN_EVENT", 2)
    async with opened_stream(fieldwork.app, PATH, headers=fieldwork.issuer.headers("supervisor")) as stream:
        screen = Screen(stream)
        await screen.next()
        before = screen.last_id
        await fieldwork.receive(*[message for number in range(3) for message in dispatched(f"o-{number}").messages])
        assert len(await screen.orders()) == 2
        assert screen.last_id == before
        assert len(await screen.orders()) == 1
        assert screen.last_id != before


async def test_a_quiet_stream_gives_signs_of_life_that_move_its_place(
    fieldwork: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_stream, "_SIGN_OF_LIFE_SECONDS", 0)
    headers = fieldwork.issuer.headers("technician", ["north"])
    async with opened_stream(fieldwork.app, PATH, headers=headers) as stream:
        events = stream.events()
        await anext(events)
        begin = await anext(events)
        await fieldwork.receive(*dispatched("o-1", "south").messages)
        while (sign := await anext(events)).removeprefix("id: ") in begin:
            pass
        assert sign.startswith("id: ")
        assert "data" not in sign


async def test_a_stream_ends_with_its_token_and_with_the_process(fieldwork: ServiceUnderTest) -> None:
    short = fieldwork.issuer.headers("supervisor", exp=int(time.time()) + 2)
    async with opened_stream(fieldwork.app, PATH, headers=short) as stream:
        events = [event async for event in stream.events()]
        assert "event: reload" in events[-1]
    async with opened_stream(fieldwork.app, PATH, headers=fieldwork.issuer.headers("supervisor")) as stream:
        screen = Screen(stream)
        await screen.next()
        fieldwork.app.state.is_leaving = True
        with pytest.raises(StopAsyncIteration):
            await screen.next()


async def test_one_caller_has_a_limited_number_of_streams(fieldwork: ServiceUnderTest) -> None:
    headers = fieldwork.issuer.headers("supervisor")
    limit = fieldwork.app.state.settings.streams_limit
    give_back = [fieldwork.app.state.stream_seats.take("supervisor-1") for _ in range(limit)]
    answer = await fieldwork.client.get(PATH, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_streams")
    give_back[0]()
    async with opened_stream(fieldwork.app, PATH, headers=headers) as stream:
        assert await Screen(stream).next() == ("reload", {})


@pytest.mark.parametrize("role", ["agent", "auditor", "operator", "partner"])
async def test_who_has_no_lists_in_the_field_hears_nothing(fieldwork: ServiceUnderTest, role: str) -> None:
    answer = await fieldwork.client.get(PATH, headers=fieldwork.issuer.headers(role))
    assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")
