from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.amendment import AppointmentInverted, DemandTypeUnknown, DeviceTypeUnknown, TypesInUse
from contracts.events import Appointment, Channel, Zone
from intake.orders.domain.creation import CreateWorkOrder, CreationContext, create

NINE = datetime(2026, 3, 3, 9, tzinfo=UTC)
KNOWN = CreationContext(
    order_no="20260302-000001",
    subscriber_id="subscriber-1",
    subscriber_no="111",
    zone=Zone.RURAL,
    territory="chengdong",
    types=TypesInUse(True, True),
)


def make_command(**overrides: Any) -> CreateWorkOrder:
    values = {"subscriber_no": "111", "device_type": "digital", "demand_type": "test", "content": "no picture"}
    return CreateWorkOrder(**{**values, **overrides})


def test_an_order_has_what_was_entered_and_what_is_known_of_its_subscriber() -> None:
    event = create(make_command(external_reference="E-1", channel=Channel.WEB), KNOWN)
    assert (event.order_no, event.subscriber_id, event.subscriber_no) == ("20260302-000001", "subscriber-1", "111")
    assert (event.content, event.channel, event.external_reference) == ("no picture", Channel.WEB, "E-1")
    assert (event.zone, event.territory) == (Zone.RURAL, "chengdong")


def test_the_place_of_the_work_may_differ_from_where_the_subscriber_lives() -> None:
    event = create(make_command(zone=Zone.REMOTE, territory="beishan"), KNOWN)
    assert (event.zone, event.territory) == (Zone.REMOTE, "beishan")


def test_a_device_type_that_is_not_used_is_refused() -> None:
    with pytest.raises(DeviceTypeUnknown) as refused:
        create(make_command(), replace(KNOWN, types=TypesInUse(False, True)))
    assert refused.value.context == {"device_type": "digital"}


def test_a_demand_type_that_is_not_used_is_refused() -> None:
    with pytest.raises(DemandTypeUnknown) as refused:
        create(make_command(), replace(KNOWN, types=TypesInUse(True, False)))
    assert refused.value.context == {"demand_type": "test"}


@pytest.mark.parametrize("minutes", [0, -1])
def test_an_appointment_that_does_not_end_after_its_start_is_refused(minutes: int) -> None:
    window = Appointment(NINE, NINE + timedelta(minutes=minutes))
    with pytest.raises(AppointmentInverted):
        create(make_command(appointment=window), KNOWN)


def test_an_appointment_is_kept() -> None:
    window = Appointment(NINE, NINE + timedelta(hours=2))
    assert create(make_command(appointment=window), KNOWN).appointment == window
