"""What the client promises: which requests it makes again, with which key, in whose name."""

import json
from typing import Any

import httpx
import pytest

from linework.client import NotReached, Patience, Person, Refused, ServiceClients, WorkOrder, find_addresses, technician
from linework.client_addresses import Addresses
from linework.client_http import new_http
from linework.client_tokens import Tokens
from linework.stopped import Stopped

ORDER = {"subscriber_no": "111", "device_type": "digital", "demand_type": "test", "content": "测试", "channel": "phone"}
LONG = Patience(seconds=5, for_handover=True)


@pytest.fixture
async def client(city: Any) -> ServiceClients:
    made: ServiceClients = city.client(patience=LONG)
    await made.intake.create_subscriber(subscriber_no="111", name="王芳", address="人民路1号")
    return made


def times(city: Any, path: str) -> int:
    return [asked for _, asked in city.asked].count(path)


async def test_an_act_is_done_on_the_version_handed_in_and_gives_the_order_as_it_then_is(
    client: ServiceClients,
) -> None:
    order = await client.intake.create_work_order(**ORDER)
    assert isinstance(order, WorkOrder)
    dispatched = await client.dispatch.dispatch(order, work_area_id="north", staff_ids=["north-1"])
    assert (dispatched.version, dispatched.work_area_id) == (2, "north")
    with pytest.raises(Refused) as refused:
        await client.dispatch.dispatch(order, work_area_id="south", staff_ids=["south-1"])
    assert (refused.value.status, refused.value.code, refused.value.present_version) == (412, "stale_version", 2)


async def test_a_lost_answer_is_asked_for_again_with_the_same_key(city: Any, client: ServiceClients) -> None:
    lost: list[str] = []

    def lose(method: str, path: str) -> bool:
        if path == "/v1/work-orders" and not lost:
            lost.append(path)
            return True
        return False

    city.lose = lose
    await client.intake.create_work_order(**ORDER)
    assert (times(city, "/v1/work-orders"), len(city.orders)) == (2, 1)


async def test_without_patience_a_lost_answer_is_the_callers_to_decide(city: Any, client: ServiceClients) -> None:
    city.lose = lambda method, path: True
    with pytest.raises(NotReached):
        await client.intake.create_work_order(**ORDER, patience=Patience())
    assert times(city, "/v1/work-orders") == 1


async def test_a_change_without_a_key_is_never_made_twice(city: Any, client: ServiceClients) -> None:
    city.lose = lambda method, path: True
    with pytest.raises(NotReached):
        await client.intake.call("POST", "/v1/work-orders", ORDER)
    assert times(city, "/v1/work-orders") == 1


async def test_503_and_a_version_on_its_way_are_waited_for(city: Any, client: ServiceClients, problem: Any) -> None:
    answers = [
        problem(503, "database_unavailable"),
        problem(404, "work_order_not_found"),
        problem(412, "stale_version", present_version=0, expected_version=1),
    ]

    def interfere(method: str, path: str) -> None:
        if path.endswith("/dispatch") and answers:
            raise answers.pop(0)

    order = await client.intake.create_work_order(**ORDER)
    city.interfere = interfere
    dispatched = await client.dispatch.dispatch(order, work_area_id="north", staff_ids=["north-1"])
    assert (dispatched.version, answers, client.dispatch.retry_count) == (2, [], 3)


async def test_another_version_is_taken_only_by_who_says_so(city: Any, client: ServiceClients) -> None:
    order = await client.intake.create_work_order(**ORDER)
    order = await client.dispatch.dispatch(order, work_area_id="north", staff_ids=["north-1"])
    started = await client.fieldwork.start(order)
    with pytest.raises(Refused):
        await client.fieldwork.add_note(order, note="late")
    noted = await client.fieldwork.add_note(order, note="late", patience=Patience(seconds=5, on_present_version=True))
    assert (noted.version, noted.notes[0].note) == (started.version + 1, "late")


async def test_a_conflict_is_never_asked_again(city: Any, client: ServiceClients) -> None:
    order = await client.intake.create_work_order(**ORDER)
    with pytest.raises(Refused, match="act_not_allowed"):
        await client.qa.archive(order)
    assert times(city, f"/v1/work-orders/{order.id}/archive") == 1


async def test_a_list_is_read_page_by_page(city: Any, client: ServiceClients) -> None:
    pages = [{"items": [1, 2], "next_cursor": "c+2"}, {"items": [3], "next_cursor": None}]
    city.extra = lambda method, path, body: (200, pages.pop(0))
    assert [item async for item in client.qa.items("/v1/reviews", state="differing")] == [1, 2, 3]
    assert city.queries[-2:] == ["state=differing&limit=200", "state=differing&cursor=c%2B2&limit=200"]


async def test_parked_records_are_read_to_the_end(city: Any, client: ServiceClients) -> None:
    pages = [{"items": [{"id": 5}, {"id": 7}]}, {"items": []}]
    city.extra = lambda method, path, body: (200, pages.pop(0))
    assert [record["id"] async for record in client.qa.parked(after=4, state="any")] == [5, 7]
    assert city.queries[-2:] == ["after=4&limit=200&state=any", "after=7&limit=200&state=any"]


class Issuer:
    """Gives numbered tokens; notes for whom."""

    address = "http://issuer.test"

    def __init__(self, seconds: float) -> None:
        self.asked: list[dict[str, Any]] = []
        self._seconds = seconds

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(json.loads(request.content))
        if self.asked[-1]["role"] == "king":
            return httpx.Response(422, json={"detail": "role: no such role"})
        return httpx.Response(200, json={"access_token": f"t{len(self.asked)}", "expires_in": self._seconds})


def tokens_of(issuer: Issuer) -> Tokens:
    return Tokens(new_http(httpx.MockTransport(issuer.answer)), issuer.address)


async def test_a_token_is_kept_for_each_person_and_renewed_before_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("linework.client_tokens.time.monotonic", lambda: now[0])
    issuer = Issuer(seconds=3600)
    tokens = tokens_of(issuer)
    assert await tokens.authorization(technician("north")) == "Bearer t1"
    assert await tokens.authorization(technician("south", sub="s-1")) == "Bearer t2"
    now[0] += 3600 - 121
    assert await tokens.authorization(technician("north")) == "Bearer t1"
    now[0] += 1
    assert await tokens.authorization(technician("north")) == "Bearer t3"
    assert issuer.asked[:2] == [
        {"role": "technician", "areas": ["north"]},
        {"role": "technician", "areas": ["south"], "sub": "s-1"},
    ]


async def test_a_token_that_is_not_given_is_told_in_a_sentence() -> None:
    with pytest.raises(Stopped, match="refuses a token for a king: role: no such role"):
        await tokens_of(Issuer(seconds=60)).authorization(Person("king"))
    with pytest.raises(Stopped, match="no LINEWORK_TOKEN_AUDITOR"):
        await Tokens(new_http(), None, {"agent": "t"}).authorization(Person("auditor"))


SERVICES = ("INTAKE", "DISPATCH", "FIELDWORK", "QA", "REPORTING")


def test_an_installation_elsewhere_is_named_by_its_addresses() -> None:
    environ = {f"LINEWORK_{name}_URL": f"https://{name.lower()}.example" for name in SERVICES}
    environ |= {"LINEWORK_ISSUER_URL": "https://issuer.example", "KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092"}
    found = find_addresses(None, environ)
    assert isinstance(found, Addresses)
    assert (found.services["qa"], found.issuer) == ("https://qa.example", "https://issuer.example")
    assert (found.bootstrap_servers, found.workers) == ("kafka.example:9092", {})


def test_an_installation_elsewhere_needs_all_its_addresses() -> None:
    environ = {"LINEWORK_INTAKE_URL": "http://intake.example", "LINEWORK_QA_URL": "http://qa.example"}
    with pytest.raises(Stopped, match=r"LINEWORK_DISPATCH_URL, .*LINEWORK_ISSUER_URL is not set"):
        find_addresses(None, environ)
