"""HTTP in, outbox row out: what quality does with a completed order."""

import pytest

from contracts import events as e
from contracts.chain import event_hash
from contracts.lifecycle import Status
from work_orders.testing import ServiceUnderTest, Stream, make_completed

ACTS = {
    "submit-for-audit": {},
    "audit": {"verdict": "passed", "remark": "处理及时"},
    "redispatch": {"reason": "用户反映仍有故障"},
    "archive": {},
}


async def _read_until(qa: ServiceUnderTest, status: Status) -> Stream:
    stream = Stream().until(status)
    await qa.receive(*stream.messages)
    return stream


@pytest.mark.parametrize(
    ("status", "act", "body", "event", "after"),
    [
        (Status.COMPLETED, "submit-for-audit", {}, e.WorkOrderAuditRequested(), "auditing"),
        (
            Status.AUDITING,
            "audit",
            {"verdict": "passed", "remark": "处理及时"},
            e.WorkOrderAudited(verdict=e.AuditVerdict.PASSED, remark="处理及时"),
            "completed",
        ),
        (
            Status.AUDITING,
            "audit",
            {"verdict": "failed", "remark": "未修好"},
            e.WorkOrderAudited(verdict=e.AuditVerdict.FAILED, remark="未修好"),
            "redispatching",
        ),
        (
            Status.COMPLETED,
            "redispatch",
            {"reason": "用户反映仍有故障"},
            e.WorkOrderRedispatchRequested(reason="用户反映仍有故障"),
            "redispatching",
        ),
        (Status.COMPLETED, "archive", {}, e.WorkOrderArchived(), "archived"),
    ],
)
@pytest.mark.parametrize("role", ["auditor", "supervisor"])
async def test_an_act_is_answered_with_the_order_and_published(
    qa: ServiceUnderTest, role: str, status: Status, act: str, body: dict, event: object, after: str
) -> None:
    stream = await _read_until(qa, status)
    version = stream.order.version
    answer = await qa.act("o-1", act, version=version, role=role, sub="auditor-7", **body)
    assert (answer.status_code, answer.json()["status"]) == (200, after), answer.text
    assert answer.headers["etag"] == f'"{version + 1}"'
    (message,) = await qa.sent()
    assert (message.body, message.order_version) == (event, version + 1)
    assert message.prev_hash == event_hash(stream.messages[-1])
    assert (message.actor.sub, message.actor.role) == ("auditor-7", role)
    await qa.receive(message, message)
    row = await qa.row_of()
    assert (row["stream_version"], row["body"]) == (version + 1, answer.text)


async def test_an_archived_order_says_who_archived_it_and_when(qa: ServiceUnderTest) -> None:
    await _read_until(qa, Status.COMPLETED)
    await qa.act("o-1", "archive", version=4, role="auditor", sub="auditor-7")
    (listed,) = (await qa.get("/work-orders", "auditor", status="archived")).json()["items"]
    assert listed["archived"]["by"]["sub"] == "auditor-7"
    assert listed["archived"]["at"] == listed["changed"]["at"]
    assert (listed["audits"], listed["custodian"], listed["allowed_acts"]) == ([], None, [])


async def test_an_auditor_cannot_audit_an_order_that_they_completed(qa: ServiceUnderTest) -> None:
    stream = Stream().until(Status.PROCESSING)
    stream.add(make_completed(), sub="wang")
    stream.add(e.WorkOrderAuditRequested())
    await qa.receive(*stream.messages)
    for sub in ("wang", "north-1"):
        refused = await qa.act("o-1", "audit", version=5, role="auditor", sub=sub, **ACTS["audit"])
        assert (refused.status_code, refused.json()["code"]) == (403, "auditor_completed_order")
    assert await qa.sent() == []
    assert (await qa.act("o-1", "audit", version=5, role="auditor", sub="li", **ACTS["audit"])).status_code == 200


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.AUDITING])
async def test_only_an_order_under_audit_is_audited(qa: ServiceUnderTest, status: Status) -> None:
    stream = await _read_until(qa, status)
    refused = await qa.act("o-1", "audit", version=stream.order.version, role="auditor", **ACTS["audit"])
    assert (refused.status_code, refused.json()["code"]) == (409, "act_not_allowed")
    assert refused.json()["allowed_acts"] == [act.value for act in stream.order.allowed_acts]


@pytest.mark.parametrize(
    ("act", "body", "status", "code"),
    [
        ("audit", {"verdict": "perhaps", "remark": "x"}, 422, "invalid_request"),
        ("audit", {"verdict": "passed"}, 422, "invalid_request"),
        ("audit", {"verdict": "passed", "remark": "\x07"}, 422, "invalid_request"),
        ("archive", {"why": "x"}, 422, "invalid_request"),
        ("archive", {"occurred_at": "1900-01-01T00:00:00Z"}, 422, "invalid_request"),
        ("redispatch", {"reason": ""}, 422, "invalid_request"),
        ("redispatch", {"reason": "x" * 4001}, 422, "invalid_request"),
    ],
)
async def test_what_is_not_right_is_refused_and_changes_nothing(
    qa: ServiceUnderTest, act: str, body: dict, status: int, code: str
) -> None:
    await _read_until(qa, Status.COMPLETED)
    before = await qa.row_of()
    answer = await qa.act("o-1", act, version=4, role="auditor", **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await qa.row_of() == before
    assert await qa.sent() == []


async def test_a_decision_on_an_old_version_is_refused_with_the_present_one(qa: ServiceUnderTest) -> None:
    await _read_until(qa, Status.AUDITING)
    refused = await qa.act("o-1", "archive", version=4, role="auditor")
    assert (refused.status_code, refused.json()["code"]) == (412, "stale_version")
    assert (refused.json()["present_version"], refused.json()["order_status"]) == (5, "auditing")


@pytest.mark.parametrize("role", ["agent", "dispatcher", "technician", "operator", "partner"])
async def test_only_auditors_and_supervisors_act_and_read(qa: ServiceUnderTest, role: str) -> None:
    await _read_until(qa, Status.COMPLETED)
    for act, body in ACTS.items():
        answer = await qa.act("o-1", act, version=4, role=role, areas=["north"], **body)
        assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")
    for path in ("/work-orders", "/work-orders/o-1", "/work-orders/o-1/form"):
        assert (await qa.get(path, role, ["north"])).status_code == 403


async def test_an_auditor_of_other_areas_does_not_find_the_order(qa: ServiceUnderTest) -> None:
    await _read_until(qa, Status.COMPLETED)
    for act, body in ACTS.items():
        answer = await qa.act("o-1", act, version=4, role="auditor", areas=["south"], **body)
        assert (answer.status_code, answer.json()["code"]) == (404, "work_order_not_found")
    for path in ("/work-orders/o-1", "/work-orders/o-1/form"):
        assert (await qa.get(path, "auditor", ["south"])).status_code == 404
    assert (await qa.get("/work-orders", "auditor", ["south"])).json()["items"] == []
    assert len((await qa.get("/work-orders", "auditor", ["north"])).json()["items"]) == 1
