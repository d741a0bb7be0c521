"""Whether a subscriber may be erased, how a legal hold ends, and what is kept for how long."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from intake.privacy.domain import (
    SHIPPED,
    DataClass,
    ErasureObstacles,
    Hold,
    LegalHoldLifted,
    SubscriberHasOpenOrders,
    SubscriberOnLegalHold,
    may_erase,
)

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOLD = Hold("hold-1", "subscriber-1", "sealed", set_by="supervisor-1", set_at=NOW)


def test_a_subscriber_without_holds_and_open_orders_may_be_erased() -> None:
    may_erase(ErasureObstacles(is_held=False, open_order_nos=()))


def test_an_open_order_stands_in_the_way_of_an_erasure_by_its_number() -> None:
    with pytest.raises(SubscriberHasOpenOrders) as refused:
        may_erase(ErasureObstacles(is_held=False, open_order_nos=("20260302-000001",)))
    assert refused.value.context == {"order_nos": ["20260302-000001"]}


def test_a_hold_stands_in_the_way_whatever_else_does() -> None:
    with pytest.raises(SubscriberOnLegalHold):
        may_erase(ErasureObstacles(is_held=True, open_order_nos=("20260302-000001",)))


def test_a_lifted_hold_has_who_lifted_it_when_and_why_and_is_lifted_once() -> None:
    lifted = HOLD.lifted("closed", by="supervisor-2", at=NOW)
    assert lifted == replace(HOLD, lift_reason="closed", lifted_by="supervisor-2", lifted_at=NOW)
    with pytest.raises(LegalHoldLifted):
        lifted.lifted("again", by="supervisor-3", at=NOW)


def test_every_class_of_data_has_a_shipped_setting_and_erasing_subscribers_is_off() -> None:
    assert {data_class: setting.data_class for data_class, setting in SHIPPED.items()} == {
        one: one for one in DataClass
    }
    assert [setting.data_class for setting in SHIPPED.values() if not setting.is_active] == [DataClass.SUBSCRIBERS]


def test_what_was_touched_before_the_last_days_has_been_kept_long_enough() -> None:
    setting = replace(SHIPPED[DataClass.REVEALS], keep_days=30)
    assert setting.kept_since(NOW) == NOW - timedelta(days=30)
