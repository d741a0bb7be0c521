"""The life of a work order, against the users' table of acts written down a second time."""

import itertools

import pytest

from contracts.lifecycle import CUSTODIANS, Act, ActNotAllowed, Service, Status, allowed_acts, step

# act: from which statuses -> to which. `=` means that the status stays.
TABLE = """
dispatch            created redispatching                                  -> dispatched
start               dispatched                                             -> processing
reject              dispatched processing                                  -> rejected
send_to_redispatch  rejected                                               -> redispatching
complete            processing                                             -> completed
submit_for_audit    completed                                              -> auditing
pass_audit          auditing                                               -> completed
fail_audit          auditing                                               -> redispatching
redispatch          completed                                              -> redispatching
archive             completed                                              -> archived
cancel              created dispatched processing rejected redispatching   -> cancelled
urge                created dispatched processing rejected redispatching   -> =
suspend             dispatched processing                                  -> =
note                dispatched processing                                  -> =
arrive              dispatched processing                                  -> =
extend              created dispatched processing rejected redispatching   -> =
reassign            dispatched processing                                  -> =
recall              dispatched processing                                  -> redispatching
supervise           created dispatched processing rejected redispatching completed auditing -> =
answer_supervision  created dispatched processing rejected redispatching completed auditing -> =
accept              dispatched                                             -> =
contact             dispatched processing                                  -> =
amend               created dispatched processing rejected redispatching completed auditing -> =
"""
RESUMABLE = {"dispatched", "processing"}
WHILE_SUSPENDED = {"resume", "cancel", "urge", "note", "extend", "amend", "reassign", "recall", "supervise"}
WHILE_SUSPENDED |= {"answer_supervision"}
LEADS_ON = {"cancel": "cancelled", "recall": "redispatching"}
HELD_BY = {
    "created": "dispatch",
    "rejected": "dispatch",
    "redispatching": "dispatch",
    "dispatched": "fieldwork",
    "processing": "fieldwork",
    "completed": "qa",
    "auditing": "qa",
    "archived": None,
    "cancelled": None,
}


def _expected() -> dict[tuple[str, str], str]:
    steps = {}
    for line in TABLE.strip().splitlines():
        left, to = line.split(" -> ")
        act, *statuses = left.split()
        steps |= {(status, act): status if to == "=" else to for status in statuses}
    return steps


EXPECTED = _expected()
EVERY_PAIR = list(itertools.product(Status, Act))
SUSPENDED_PAIRS = [(status, act) for status, act in EVERY_PAIR if status in RESUMABLE]


@pytest.mark.parametrize(("status", "act"), [pair for pair in EVERY_PAIR if pair in EXPECTED])
def test_a_listed_act_leads_where_the_table_says(status: Status, act: Act) -> None:
    assert step(status, act) == EXPECTED[status, act]


@pytest.mark.parametrize(("status", "act"), [pair for pair in EVERY_PAIR if pair not in EXPECTED])
def test_every_other_act_is_refused_with_status_custodian_and_what_is_allowed(status: Status, act: Act) -> None:
    with pytest.raises(ActNotAllowed) as refusal:
        step(status, act)
    context = refusal.value.context
    assert context["act"] == act.value
    assert context["order_status"] == status.value
    assert context["custodian"] == HELD_BY[status]
    assert set(context["allowed_acts"]) == {name for held, name in EXPECTED if held == status}


@pytest.mark.parametrize(("status", "act"), SUSPENDED_PAIRS)
def test_a_suspended_order_can_only_be_resumed_cancelled_urged_and_noted(status: Status, act: Act) -> None:
    if act in WHILE_SUSPENDED:
        assert step(status, act, is_suspended=True) == LEADS_ON.get(act.value, status)
        return
    with pytest.raises(ActNotAllowed) as refusal:
        step(status, act, is_suspended=True)
    assert set(refusal.value.context["allowed_acts"]) == WHILE_SUSPENDED
    assert refusal.value.context["custodian"] == "fieldwork"
    assert refusal.value.context["order_status"] == "suspended"


@pytest.mark.parametrize("status", Status)
def test_only_a_suspended_order_can_be_resumed(status: Status) -> None:
    assert Act.RESUME not in allowed_acts(status)
    assert (Act.RESUME in allowed_acts(status, is_suspended=True)) == (status in RESUMABLE)


@pytest.mark.parametrize("status", Status)
def test_every_status_has_at_most_one_custodian(status: Status) -> None:
    assert CUSTODIANS[status] == HELD_BY[status]


def test_nobody_can_do_anything_with_an_order_that_nobody_holds() -> None:
    ended = [status for status in Status if CUSTODIANS[status] is None]
    assert ended == [Status.ARCHIVED, Status.CANCELLED]
    assert not any(allowed_acts(status, is_suspended=flag) for status in ended for flag in (True, False))


def test_intake_and_reporting_never_hold_an_order() -> None:
    assert {Service.INTAKE, Service.REPORTING}.isdisjoint(CUSTODIANS.values())


def test_a_refused_act_reads_well_in_both_languages() -> None:
    with pytest.raises(ActNotAllowed) as refusal:
        step(Status.REJECTED, Act.START)
    assert refusal.value.message("en") == (
        "The order is rejected (custodian: dispatch). "
        "Not allowed: start; allowed: send to redispatch, cancel, urge, extend, supervise, "
        "answer the supervision, amend."
    )
    assert refusal.value.message("zh") == (
        "工单状态为“反单”（保管方：调度服务），不能执行“开始处理”；可执行：转重复派单、作废、催办、延期、督办、"
        "答复督办、变更。"
    )
    assert refusal.value.context["order_status"] == "rejected"
    assert refusal.value.context["allowed_acts"][:4] == ["send_to_redispatch", "cancel", "urge", "extend"]
    assert refusal.value.code == "act_not_allowed"


def test_a_refusal_that_allows_nothing_says_so_with_a_dash() -> None:
    with pytest.raises(ActNotAllowed, match=r"archived \(custodian: –\)\..* allowed: –\."):
        step(Status.ARCHIVED, Act.CANCEL)
