"""What a phone did without a network, sent later, in whatever pieces and however often."""

import asyncio
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts import events as e
from contracts import facts as f
from contracts.lifecycle import Status
from work_orders.testing import COMPLETION, ServiceUnderTest, Stream, make_dispatched

WHO = {"role": "technician", "areas": ["north"], "sub": "north-1"}
DAY = datetime(2026, 3, 2, 8, 10, tzinfo=UTC)
SENT = datetime.now(UTC)


def act(sequence: int, name: str, *, order: str = "o-1", seen: int | None = 2, at: Any = None, **body: Any) -> dict:
    moment = at or DAY + timedelta(minutes=sequence)
    said = {"client_id": f"c-{sequence}", "sequence": sequence, "order_id": order, "act": name, "body": body}
    return said | {"seen_version": seen, "device_time": moment if isinstance(moment, str) else moment.isoformat()}


async def send(fieldwork: ServiceUnderTest, *acts: dict, device: str = "phone-1", who=WHO, **more: Any):
    body = {"device_id": device, "sent_at": datetime.now(UTC).isoformat(), "acts": list(acts)} | more
    headers = fieldwork.issuer.headers(who["role"], who["areas"], who["sub"])
    return await fieldwork.client.post("/v1/field-batches", json=body, headers=headers)


def outcomes(answer) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [result["outcome"] for result in answer.json()["results"]]


VISIT = [
    act(1, "accept"),
    act(2, "depart"),
    act(3, "arrive", place="东门"),
    act(4, "start"),
    act(5, "readings", quantity="signal_level", value="-3"),
    act(6, "parts", part_no="RG6", count="2"),
    act(7, "complete", **COMPLETION),
    act(8, "notes", note="钥匙已还"),
]


async def _dispatched(fieldwork: ServiceUnderTest, *order_ids: str) -> None:
    for order_id in order_ids or ("o-1",):
        await fieldwork.receive(*Stream(order_id).until(Status.DISPATCHED).messages)


async def test_a_visit_without_a_network_ends_as_it_would_have_online(fieldwork: ServiceUnderTest) -> None:
    await _dispatched(fieldwork)
    answer = await send(fieldwork, *random.sample(VISIT, len(VISIT)))
    assert outcomes(answer) == ["applied"] * 8
    said = answer.json()
    assert [result["sequence"] for result in said["results"]] == [*range(1, 9)]
    assert (said["next_sequence"], said["clock_off_seconds"]) == (9, 0)
    sent = await fieldwork.sent()
    assert [type(message.body) for message in sent] == [
        e.WorkOrderAccepted,
        f.WorkOrderDeparted,
        e.WorkOrderArrived,
        e.WorkOrderStarted,
        f.WorkOrderReadingTaken,
        f.WorkOrderPartUsed,
        e.WorkOrderCompleted,
        f.WorkOrderNoteRecorded,
    ]
    assert [message.occurred_at for message in sent] == [DAY + timedelta(minutes=number) for number in range(1, 9)]
    assert all(message.recorded_at > message.occurred_at for message in sent)
    device = sent[3].body.device
    assert (device.device_id, device.sequence, device.said_at, device.is_believed) == (
        "phone-1",
        4,
        DAY + timedelta(minutes=4),
        True,
    )
    completed = said["results"][6]
    assert (completed["order"]["status"], completed["order"]["version"]) == ("completed", 6)
    assert said["results"][7]["fact_id"] == sent[7].id


async def test_a_batch_that_is_sent_twice_changes_nothing_the_second_time(fieldwork: ServiceUnderTest) -> None:
    await _dispatched(fieldwork)
    first, second = [await send(fieldwork, *VISIT) for _ in range(2)]
    assert outcomes(second) == ["already_applied"] * 8
    for before, after in zip(first.json()["results"], second.json()["results"], strict=True):
        assert after == before | {"outcome": "already_applied", "is_repeat": True}
    assert len(await fieldwork.sent()) == 8


async def test_a_batch_that_is_sent_many_times_at_once_is_carried_out_once(fieldwork: ServiceUnderTest) -> None:
    await _dispatched(fieldwork)
    answers = await asyncio.gather(*(send(fieldwork, *VISIT) for _ in range(4)))
    assert {outcome for answer in answers for outcome in outcomes(answer)} <= {"applied", "already_applied"}
    assert len(await fieldwork.sent()) == 8


async def test_a_missing_act_is_waited_for_and_named(fieldwork: ServiceUnderTest) -> None:
    await _dispatched(fieldwork)
    answer = await send(fieldwork, VISIT[0], *VISIT[2:])
    assert outcomes(answer) == ["applied", *["waiting"] * 6]
    assert answer.json()["next_sequence"] == 2
    assert outcomes(await send(fieldwork, *VISIT[1:])) == ["applied"] * 7


async def test_a_refused_decision_stops_no_later_fact_and_later_decisions_name_it(fieldwork: ServiceUnderTest) -> None:
    await _dispatched(fieldwork)
    await fieldwork.act("o-1", "suspend", version=2, **WHO, reason="x", until=(SENT + timedelta(days=1)).isoformat())
    answer = await send(fieldwork, *VISIT)
    # While the work rests nothing is accepted and nobody arrives: these are kept as facts.
    assert outcomes(answer) == [*["applied"] * 3, "refused", "applied", "applied", "refused", "applied"]
    start, complete = answer.json()["results"][3], answer.json()["results"][6]
    assert (start["problem"]["code"], start["follows_refused"]) == ("stale_version", [])
    assert (start["order"]["version"], start["order"]["allowed_acts"][1]) == (3, "resume")
    assert complete["follows_refused"] == ["c-4"]
    again = await send(fieldwork, *VISIT)
    assert [result["problem"] for result in again.json()["results"]] == [
        result["problem"] for result in answer.json()["results"]
    ]


async def test_a_refused_act_stays_refused_though_it_could_be_done_by_now(fieldwork: ServiceUnderTest) -> None:
    await _dispatched(fieldwork)
    assert outcomes(await send(fieldwork, act(1, "complete", **COMPLETION))) == ["refused"]
    await fieldwork.act("o-1", "start", version=2, **WHO)
    answer = await send(fieldwork, act(1, "complete", **COMPLETION))
    (result,) = answer.json()["results"]
    assert (result["outcome"], result["is_repeat"], result["problem"]["code"]) == ("refused", True, "act_not_allowed")


async def test_an_act_with_a_body_that_does_not_fit_is_refused_alone(fieldwork: ServiceUnderTest) -> None:
    await _dispatched(fieldwork)
    bad = [act(1, "arrive", weather="rain"), act(2, "arrive", occurred_at=DAY.isoformat()), act(3, "start", seen=None)]
    answer = await send(fieldwork, *bad, act(4, "depart"))
    assert outcomes(answer) == ["refused", "refused", "refused", "applied"]
    codes = [result["problem"]["code"] for result in answer.json()["results"][:3]]
    assert codes == ["invalid_request", "occurred_at_in_batch", "version_required"]
    assert answer.json()["results"][0]["problem"]["errors"][0]["pointer"] == "#/weather"


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
async def test_a_time_at_an_end_of_the_calendar_is_not_believed(fieldwork: ServiceUnderTest, said: str) -> None:
    await _dispatched(fieldwork)
    assert outcomes(await send(fieldwork, act(1, "arrive", at=said))) == ["applied"]
    (message,) = await fieldwork.sent()
    assert not message.body.device.is_believed


@pytest.mark.parametrize("said", ["1970-01-01T00:00:09+08:00", "2099-12-31T23:59:59Z"])
async def test_a_time_that_cannot_be_is_kept_as_said_and_not_believed(fieldwork: ServiceUnderTest, said: str) -> None:
    await _dispatched(fieldwork)
    assert outcomes(await send(fieldwork, act(1, "arrive", at=said), act(2, "start", at=said))) == ["applied"] * 2
    for message in await fieldwork.sent():
        device = message.body.device
        assert (device.said_at, device.is_believed) == (datetime.fromisoformat(said), False)
        assert abs(message.recorded_at - message.occurred_at) < timedelta(minutes=1)


async def test_a_clock_that_is_off_is_corrected_by_what_it_shows_at_sending(fieldwork: ServiceUnderTest) -> None:
    await _dispatched(fieldwork)
    off = timedelta(days=-20_000)
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    late = act(1, "arrive", at=an_hour_ago + off)
    answer = await send(fieldwork, late, sent_at=(datetime.now(UTC) + off).isoformat())
    assert abs(answer.json()["clock_off_seconds"] - 20_000 * 86_400) < 60
    (message,) = await fieldwork.sent()
    assert message.body.device.is_believed
    assert abs(message.occurred_at - an_hour_ago) < timedelta(minutes=1)


async def test_two_phones_on_one_order_each_have_their_results(fieldwork: ServiceUnderTest) -> None:
    await _dispatched(fieldwork)
    assert outcomes(await send(fieldwork, act(1, "start"), act(2, "parts", part_no="A", count="1"))) == ["applied"] * 2
    other = {**WHO, "sub": "north-2"}
    second = await send(
        fieldwork,
        act(1, "arrive"),
        act(2, "start"),
        act(3, "reject", reason="other", explanation="x"),
        device="phone-2",
        who=other,
    )
    assert outcomes(second) == ["applied", "refused", "refused"]
    assert second.json()["results"][2]["problem"]["code"] == "stale_version"


async def test_a_number_that_was_used_is_not_taken_for_another_act(fieldwork: ServiceUnderTest) -> None:
    await _dispatched(fieldwork)
    await send(fieldwork, act(1, "depart"))
    renumbered = act(1, "depart") | {"client_id": "other"}
    answer = await send(fieldwork, renumbered)
    (result,) = answer.json()["results"]
    assert (result["problem"]["code"], result["problem"]["next_sequence"]) == ("sequence_passed", 2)
    reused = act(2, "arrive") | {"client_id": "c-1"}
    (result,) = (await send(fieldwork, reused)).json()["results"]
    assert result["problem"]["code"] == "idempotency_key_reused"


async def test_a_phone_says_up_to_where_it_has_results(fieldwork: ServiceUnderTest) -> None:
    await _dispatched(fieldwork)
    assert outcomes(await send(fieldwork, act(41, "depart"))) == ["waiting"]
    assert outcomes(await send(fieldwork, act(41, "depart"), answered_until=40)) == ["applied"]


async def test_orders_of_other_areas_are_not_told_of(fieldwork: ServiceUnderTest) -> None:
    stream = Stream("o-2").until(Status.CREATED)
    stream.add(make_dispatched(work_area_id="south", staff_ids=("south-1",)))
    await fieldwork.receive(*stream.messages)
    answer = await send(fieldwork, act(1, "start", order="o-2"), act(2, "arrive", order="o-9"))
    assert outcomes(answer) == ["refused"] * 2
    for result in answer.json()["results"]:
        assert (result["problem"]["code"], result["order"]) == ("work_order_not_found", None)


@pytest.mark.parametrize(
    "change",
    [
        {"acts": []},
        {"acts": [act(number, "depart") for number in range(1, 502)]},
        {"acts": [act(0, "depart")]},
        {"acts": [act(1, "fly")]},
        {"acts": [act(1, "depart") | {"device_time": "yesterday"}]},
        {"sent_at": "2026-03-02T08:00:00"},
        {"device_id": "a b"},
    ],
)
async def test_a_batch_that_is_none_is_refused_whole(fieldwork: ServiceUnderTest, change: dict) -> None:
    answer = await send(fieldwork, **({"acts": [act(1, "depart")]} | change))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_a_day_of_300_acts_in_five_shuffled_repeats_with_kills_ends_as_the_day_online(
    fieldwork: ServiceUnderTest,
) -> None:
    order_ids = [f"o-{number}" for number in range(1, 39)]
    await _dispatched(fieldwork, *order_ids)
    names = [(step["act"], step["body"]) for step in VISIT]
    sequence = iter(range(1, 305))
    day = [
        act(next(sequence), name, order=order_id, at=DAY + timedelta(minutes=place), **body)
        for order_id in order_ids
        for place, (name, body) in enumerate(names)
    ][:300]
    chance = random.Random(14)
    for _ in range(5):
        sending = asyncio.create_task(send(fieldwork, *chance.sample(day, len(day))))
        waited, _pending = await asyncio.wait({sending}, timeout=chance.uniform(0.05, 1.0))
        if not waited:
            sending.cancel()  # the phone loses its network, or the process that answers it ends
            await asyncio.wait({sending})
    last = await send(fieldwork, *day)
    assert set(outcomes(last)) <= {"applied", "already_applied"}
    sent = await fieldwork.sent()
    assert len(sent) == 300
    for order_id in order_ids[:37]:
        kinds = [type(message.body).__name__ for message in sent if message.subject == order_id]
        assert kinds == [
            "WorkOrderAccepted",
            "WorkOrderDeparted",
            "WorkOrderArrived",
            "WorkOrderStarted",
            "WorkOrderReadingTaken",
            "WorkOrderPartUsed",
            "WorkOrderCompleted",
            "WorkOrderNoteRecorded",
        ]
        row = await fieldwork.row_of(order_id)
        assert (row["version"], row["status"]) == (6, "completed")


@pytest.mark.parametrize("note", ["\ud800", "a\x00b", 10**40, float("nan"), json.loads("[" * 300 + "]" * 300)])
async def test_a_body_that_no_act_takes_refuses_that_act_alone(fieldwork: ServiceUnderTest, note: Any) -> None:
    await _dispatched(fieldwork)
    sent = [act(1, "notes", note=note), act(2, "depart")]
    for expected in (["refused", "applied"], ["refused", "already_applied"]):
        body = {"device_id": "phone-1", "sent_at": datetime.now(UTC).isoformat(), "acts": sent}
        headers = fieldwork.issuer.headers(WHO["role"], WHO["areas"], WHO["sub"])
        # As a client of Python or JavaScript writes it; httpx would refuse to.
        answer = await fieldwork.client.post(
            "/v1/field-batches", content=json.dumps(body), headers={**headers, "Content-Type": "application/json"}
        )
        assert outcomes(answer) == expected
