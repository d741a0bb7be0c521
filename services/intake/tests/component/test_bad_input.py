"""Whatever is sent: a 4xx problem document, and nothing changed."""

import json
from typing import Any

import pytest
from services.intake.tests.service import Intake, make_order

TABLES = ("work_orders", "outbox", "subscribers", "requests", "order_types", "idempotency_keys")
SUBSCRIBER = {"subscriber_no": "222", "name": "Zoë", "address": "Elm Street 1"}
LONG = "字" * 4001


def orders(**overrides: Any) -> tuple[str, str, Any]:
    return "POST", "/work-orders", make_order(**overrides)


def subscribers(**overrides: Any) -> tuple[str, str, Any]:
    return "POST", "/subscribers", {**SUBSCRIBER, **overrides}


def raw(body: bytes, path: str = "/work-orders") -> tuple[str, str, bytes]:
    return "POST", path, body


BAD: dict[str, tuple[str, str, Any]] = {
    "an unknown field": orders(colour="red"),
    "a field missing": orders(content=...),
    "a number for text": orders(content=7),
    "a list for text": orders(content=["a"]),
    "null for text": orders(content=None),
    "an empty text": orders(content=""),
    "blanks": orders(content=" \n "),
    "a text that is too long": orders(content=LONG),
    "NUL": orders(content="a\x00b"),
    "an escape sequence": orders(content="a\x1b[2Jb"),
    "half a character": raw(json.dumps(make_order(content="a\ud800")).encode()),
    "a line break in a line": orders(subscriber_no="1\n1"),
    "SQL in the subscriber number": orders(subscriber_no="'; drop table subscribers; --"),
    "SQL in a code": orders(device_type="'; drop table subscribers; --"),
    "a code with a slash": orders(device_type="../digital"),
    "an unknown channel": orders(channel="pigeon"),
    "an unknown zone": orders(zone="moon"),
    "a time in 1900": orders(occurred_at="1900-01-01T00:00:00Z"),
    "a time in 9999": orders(occurred_at="9999-12-31T23:59:59Z"),
    "a time at the end of time": orders(occurred_at="9999-12-31T23:59:59-14:00"),
    "a time without a zone": orders(occurred_at="2026-03-01T00:00:00"),
    "a time that is none": orders(occurred_at="2026-02-30T00:00:00Z"),
    "a huge number for a time": orders(occurred_at=10**30),
    "half an appointment": orders(appointment={"start": "2026-03-01T00:00:00Z"}),
    "an appointment in 9999": orders(appointment={"start": "9999-01-01T00:00:00Z", "end": "9999-01-02T00:00:00Z"}),
    "an appointment that is a list": orders(appointment=[]),
    "an unknown subscriber in emoji": orders(subscriber_no="📺"),
    "no JSON": raw(b"{"),
    "no UTF-8": raw(b'{"content": "\xff"}'),
    "deep JSON": raw(b'{"content": ' + b"[" * 100_000),
    "a list": raw(b"[]"),
    "nothing": raw(b""),
    "a number too large for JSON readers": raw(b'{"content": ' + b"9" * 10_000 + b"}"),
    "too large": raw(b'"' + b"x" * 1_100_000 + b'"'),
    "a phone number of letters": subscribers(phones=["call me"]),
    "a phone number of other digits": subscribers(phones=["١٢٣٤٥٦"]),
    "a phone number with a line break": subscribers(phones=["12345\n"]),
    "too many phone numbers": subscribers(phones=["12345"] * 11),
    "a kind in capitals": subscribers(kind="HOUSE"),
    "notes that are too long": subscribers(notes=LONG),
    "a name with a control character": subscribers(name="Z\x85o"),
    "a territory that is empty": subscribers(territory=""),
    "an unknown order": ("POST", "/work-orders/none/cancel-requests", {"reason": "x"}),
    "an order id with a slash": ("POST", "/work-orders/a%2Fb/cancel-requests", {"reason": "x"}),
    "an order id with NUL": ("POST", "/work-orders/%00/cancel-requests", {"reason": "x"}),
    "an order id of Chinese": ("GET", "/work-orders/%E5%8D%95", None),
    "a request without a reason": ("POST", "/work-orders/none/cancel-requests", {}),
    "an unknown request": ("GET", "/requests/none", None),
    "a wait without end": ("GET", "/requests/none?wait_seconds=inf", None),
    "a wait that is no number": ("GET", "/requests/none?wait_seconds=nan", None),
    "a negative wait": ("GET", "/requests/none?wait_seconds=-1", None),
    "a huge page": ("GET", "/work-orders?limit=1000000000000000000000", None),
    "a page of none": ("GET", "/work-orders?limit=0", None),
    "a broken cursor": ("GET", "/work-orders?cursor=%00", None),
    "a cursor of another list": ("GET", "/work-orders?cursor=WyJhIl0", None),
    "a cursor of subscribers that is broken": ("GET", "/subscribers?cursor=WzFd", None),
    "a cursor of subscribers that is half right": ("GET", "/subscribers?cursor=WyJzdWJzY3JpYmVycyIsMV0", None),
    "an unknown status": ("GET", "/work-orders?status=lost", None),
    "too many statuses": ("GET", "/work-orders?" + "status=created&" * 10, None),
    "NUL in a search": ("GET", "/work-orders?subscriber_no=%00", None),
    "NUL in a name": ("GET", "/subscribers?name=%00", None),
    "an empty search": ("GET", "/work-orders?phone=", None),
    "a version from the far future": ("GET", "/work-orders/none?at_least=1000000000000", None),
    "version 0": ("GET", "/work-orders/none?at_least=0", None),
    "a kind of type that is none": ("PUT", "/colour-types/red", {"name_en": "a", "name_zh": "b"}),
    "a type with a broken code": ("PUT", "/device-types/a%20b", {"name_en": "a", "name_zh": "b"}),
    "a type with NUL in its code": ("PUT", "/device-types/a%00", {"name_en": "a", "name_zh": "b"}),
    "a type without a Chinese name": ("PUT", "/device-types/red", {"name_en": "a"}),
    "another method": ("DELETE", "/work-orders", None),
    "another path": ("GET", "/work-order", None),
}


async def sizes(intake: Intake) -> dict[str, int]:
    return {table: await intake.count(table) for table in TABLES}


async def test_bad_input_is_a_problem_of_the_caller_and_changes_nothing(
    intake: Intake, subtests: pytest.Subtests
) -> None:
    headers = intake.as_("supervisor") | {"content-type": "application/json", "idempotency-key": "k"}
    for name, (method, path, body) in BAD.items():
        with subtests.test(name):
            content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            before = await sizes(intake)
            answer = await intake.client.request(method, f"/v1{path}", content=content, headers=headers)
            assert 400 <= answer.status_code < 500, answer.text
            assert answer.status_code != 429, "not judged at all"
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code
            assert answer.json()["code"]
            assert await sizes(intake) == before


BAD_HEADERS = [
    ("idempotency-key", "", 422),
    ("idempotency-key", "k" * 201, 422),
    ("idempotency-key", b"\xff\x80", 422),
    ("x-correlation-id", "c" * 201, 400),
    ("x-correlation-id", "a\tb", 400),
    ("if-match", "one", 400),
    ("authorization", "Bearer x.y.z", 401),
]


async def test_a_bad_header_is_refused_and_changes_nothing(intake: Intake, subtests: pytest.Subtests) -> None:
    for header, value, status in BAD_HEADERS:
        with subtests.test(header=header, value=value):
            before = await sizes(intake)
            headers: dict[str, Any] = intake.as_("agent") | {header: value}
            answer = await intake.client.post("/v1/work-orders", json=make_order(), headers=headers)
            assert answer.status_code == status, answer.text
            assert await sizes(intake) == before


@pytest.mark.parametrize(
    "text", ["王强 📺", "Robert'); drop table work_orders; --", "<script>alert(1)</script>", "%s {x}"]
)
async def test_whatever_can_be_written_is_kept_as_it_is(intake: Intake, text: str) -> None:
    order = await intake.order(content=text, external_reference=text)
    found = await intake.get("/work-orders", params={"external_reference": text})
    assert [item["content"] for item in found.json()["items"]] == [text]
    assert (await intake.get(f"/work-orders/{order['id']}")).json()["content"] == text


async def test_a_wrong_method_is_answered_with_every_method_of_the_path(intake: Intake) -> None:
    answer = await intake.client.delete("/v1/outages", headers=intake.as_("agent"))
    assert (answer.status_code, answer.headers.get_list("allow")) == (405, ["GET, POST"])
