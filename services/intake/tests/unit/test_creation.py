from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.amendment import AppointmentInverted, DemandTypeUnknown, DeviceTypeUnknown, TypesInUse
from contracts.events import Appointment, Channel, Urgency, Zone
from contracts.handling import SHIPPED, HandlingRulesDefined, UrgencyNotAllowed, UrgencySetters
from intake.orders.domain.creation import CreateWorkOrder, CreationContext, create

NINE = datetime(2026, 3, 3, 9, tzinfo=UTC)
KNOWN = CreationContext(
    order_no="20260302-000001",
    subscriber_id="subscriber-1",
    subscriber_no="111",
    zone=Zone.RURAL,
    territory="chengdong",
    types=TypesInUse(True, True),
    rules=SHIPPED,
)


def make_command(**overrides: Any) -> CreateWorkOrder:
    values = {"subscriber_no": "111", "device_type": "digital", "demand_type": "test", "content": "no picture"}
    return CreateWorkOrder(**{**values, **overrides})


def test_an_order_has_what_was_entered_and_what_is_known_of_its_subscriber() -> None:
    event = create(make_command(external_reference="E-1", channel=Channel.WEB), KNOWN, role="agent")
    assert (event.order_no, event.subscriber_id, event.subscriber_no) == ("20260302-000001", "subscriber-1", "111")
    assert (event.content, event.channel, event.external_reference) == ("no picture", Channel.WEB, "E-1")
    assert (event.zone, event.territory) == (Zone.RURAL, "chengdong")


def test_the_place_of_the_work_may_differ_from_where_the_subscriber_lives() -> None:
    event = create(make_command(zone=Zone.REMOTE, territory="beishan"), KNOWN, role="agent")
    assert (event.zone, event.territory) == (Zone.REMOTE, "beishan")


def test_a_device_type_that_is_not_used_is_refused() -> None:
    with pytest.raises(DeviceTypeUnknown) as refused:
        create(make_command(), replace(KNOWN, types=TypesInUse(False, True)), role="agent")
    assert refused.value.context == {"device_type": "digital"}


def test_a_demand_type_that_is_not_used_is_refused() -> None:
    with pytest.raises(DemandTypeUnknown) as refused:
        create(make_command(), replace(KNOWN, types=TypesInUse(True, False)), role="agent")
    assert refused.value.context == {"demand_type": "test"}


@pytest.mark.parametrize("minutes", [0, -1])
def test_an_appointment_that_does_not_end_after_its_start_is_refused(minutes: int) -> None:
    window = Appointment(NINE, NINE + timedelta(minutes=minutes))
    with pytest.raises(AppointmentInverted):
        create(make_command(appointment=window), KNOWN, role="agent")


def test_an_appointment_is_kept() -> None:
    window = Appointment(NINE, NINE + timedelta(hours=2))
    assert create(make_command(appointment=window), KNOWN, role="agent").appointment == window


def test_an_order_has_the_urgency_that_was_given_and_is_normal_without() -> None:
    assert create(make_command(), KNOWN, role="agent").urgency is Urgency.NORMAL
    assert create(make_command(urgency=Urgency.EMERGENCY), KNOWN, role="agent").urgency is Urgency.EMERGENCY


def test_who_may_set_which_urgency_is_a_rule() -> None:
    with pytest.raises(UrgencyNotAllowed) as refused:
        create(make_command(urgency=Urgency.EMERGENCY), KNOWN, role="partner")
    assert refused.value.message("zh") == "合作方不能将紧急程度设为“特急”；可由以下角色设置：坐席、调度员、主管。"
    rules = HandlingRulesDefined(urgency_setters=(UrgencySetters(urgency=Urgency.URGENT, roles=()),))
    with pytest.raises(UrgencyNotAllowed):
        create(make_command(urgency=Urgency.URGENT), replace(KNOWN, rules=rules), role="supervisor")
    assert create(make_command(urgency=Urgency.EMERGENCY), replace(KNOWN, rules=rules), role="partner")
