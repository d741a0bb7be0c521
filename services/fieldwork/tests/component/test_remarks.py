"""HTTP in, outbox row out: remarks on an order, and the list of its facts."""

import pytest

from contracts import facts as f
from contracts.lifecycle import Status
from work_orders.testing import ServiceUnderTest, Stream

READERS = [
    {"role": "technician", "areas": ["north"]},
    {"role": "dispatcher"},
    {"role": "supervisor"},
]


async def _remark(fieldwork: ServiceUnderTest, text: str, *, key: str | None = None, **who):
    headers = fieldwork.issuer.headers(who["role"], who.get("areas"), who.get("sub"))
    headers |= {"idempotency-key": key} if key else {}
    return await fieldwork.client.post("/v1/work-orders/o-1/remarks", json={"remark": text}, headers=headers)


@pytest.mark.parametrize("who", READERS, ids=[one["role"] for one in READERS])
@pytest.mark.parametrize("status", [Status.DISPATCHED, Status.COMPLETED, Status.ARCHIVED])
async def test_whoever_may_see_an_order_adds_a_remark_in_any_status(fieldwork, status, who) -> None:
    stream = Stream().until(status)
    await fieldwork.receive(*stream.messages)
    answer = await _remark(fieldwork, "门牌已更换", **who)
    assert answer.status_code == 201, answer.text
    fact = answer.json()
    assert (fact["order_id"], fact["kind"], fact["data"]) == ("o-1", "remark", {"remark": "门牌已更换"})
    (message,) = await fieldwork.sent()
    assert (message.id, message.order_version, message.body) == (
        fact["id"],
        None,
        f.WorkOrderRemarked(remark="门牌已更换"),
    )
    (row,) = await fieldwork.rows("select data from order_facts")
    assert "门牌" not in row["data"]
    assert (await fieldwork.row_of())["version"] == stream.order.version
    # What comes back from Kafka is known already.
    await fieldwork.receive(message, message)
    listed = (await fieldwork.get("/work-orders/o-1/facts", who["role"], who.get("areas"))).json()
    assert listed["items"] == [fact]


async def test_the_same_remark_twice_is_one(fieldwork: ServiceUnderTest) -> None:
    await fieldwork.receive(*Stream().until(Status.DISPATCHED).messages)
    answers = [await _remark(fieldwork, "一次", key="k", **READERS[0]) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(await fieldwork.sent()) == 1


async def test_who_may_not_see_the_order_can_neither_remark_nor_read(fieldwork: ServiceUnderTest) -> None:
    await fieldwork.receive(*Stream().until(Status.DISPATCHED).messages)
    south = {"role": "technician", "areas": ["south"]}
    assert (await _remark(fieldwork, "x", **south)).json()["code"] == "work_order_not_found"
    assert (await fieldwork.get("/work-orders/o-1/facts", **south)).json()["code"] == "work_order_not_found"
    assert (await fieldwork.get("/work-orders/o-9/facts", "dispatcher")).status_code == 404
    assert await fieldwork.sent() == []


@pytest.mark.parametrize("body", [{}, {"remark": " "}, {"remark": "\u0000"}, {"remark": "x", "weather": "rain"}])
async def test_a_remark_that_says_nothing_is_refused(fieldwork: ServiceUnderTest, body: dict) -> None:
    await fieldwork.receive(*Stream().until(Status.DISPATCHED).messages)
    headers = fieldwork.issuer.headers("dispatcher")
    answer = await fieldwork.client.post("/v1/work-orders/o-1/remarks", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_facts_come_in_pages_and_the_latest_stand_on_the_form(fieldwork: ServiceUnderTest) -> None:
    await fieldwork.receive(*Stream().until(Status.DISPATCHED).messages)
    for number in range(5):
        await _remark(fieldwork, f"第 {number} 条", **READERS[0])
    seen, cursor = [], {}
    while True:
        page = (await fieldwork.get("/work-orders/o-1/facts", "supervisor", limit=2, **cursor)).json()
        seen += [fact["data"]["remark"] for fact in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == [f"第 {number} 条" for number in range(5)]
    form = (await fieldwork.get("/work-orders/o-1/form", "supervisor")).json()
    assert [fact["data"]["remark"] for fact in form["facts"]] == seen[::-1]
    broken = await fieldwork.get("/work-orders/o-1/facts", "supervisor", cursor="x")
    assert broken.json()["code"] == "cursor_broken"


async def test_a_remark_whose_subscriber_was_erased_is_refused(fieldwork: ServiceUnderTest) -> None:
    await fieldwork.receive(*Stream().until(Status.DISPATCHED).messages)
    async with fieldwork.db.statements() as statements:
        await statements.execute("update sealing_keys set wrapped = null, master_key_id = null")
    answer = await _remark(fieldwork, "x", **READERS[1])
    assert (answer.status_code, answer.json()["code"]) == (409, "subscriber_erased")
