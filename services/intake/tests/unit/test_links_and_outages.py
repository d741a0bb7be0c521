"""Links between orders and with outages, and outages themselves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.links import LinkKind
from contracts.refusals import Refusal
from intake.links.domain.links import Link, LinkedToNothing, LinkKnown, LinkToItself, LinkUndone
from intake.outages.domain import Outage, OutageChanged, OutageEnded, OutageTimesInverted

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
OUTAGE = Outage(id="o", territories=("chengdong",), cause="台区停电", began_at=NOW, told_by="supervisor-1")


def make_link(kind: LinkKind = LinkKind.DUPLICATE, **ends: Any) -> Link:
    return Link(id="l", order_id="a", kind=kind, reason="", linked_by="agent-1", linked_at=NOW, **ends)


@pytest.mark.parametrize(
    ("link", "refusal"),
    [
        (make_link(LinkKind.SAME_OUTAGE, other_order_id="b"), LinkedToNothing),
        (make_link(LinkKind.SAME_OUTAGE), LinkedToNothing),
        (make_link(), LinkedToNothing),
        (make_link(outage_id="o"), LinkedToNothing),
        (make_link(other_order_id="a"), LinkToItself),
    ],
)
def test_a_link_that_ties_nothing_is_refused(link: Link, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        link.check_ends()


@pytest.mark.parametrize(
    ("link", "order_ids"),
    [
        (make_link(other_order_id="b"), ("a", "b")),
        (make_link(LinkKind.SAME_OUTAGE, outage_id="o"), ("a",)),
    ],
)
def test_a_link_names_its_orders_and_is_told_with_both_ends(link: Link, order_ids: tuple[str, ...]) -> None:
    link.check_ends()
    event = link.linked(())
    assert link.order_ids == order_ids
    assert (event.link_id, event.kind) == ("l", link.kind)
    assert (event.other_order_id, event.outage_id) == (link.other_order_id, link.outage_id)


def test_two_are_linked_once_by_a_kind() -> None:
    with pytest.raises(LinkKnown) as known:
        make_link(other_order_id="b").linked(["l-0"])
    assert known.value.context == {"kind": "duplicate", "link_id": "l-0"}


def test_a_link_is_undone_once_and_stays_on_record() -> None:
    undone, event = make_link(other_order_id="b").undo(by="agent-2", now=NOW)
    assert (undone.undone_by, undone.undone_at, event.link_id) == ("agent-2", NOW, "l")
    with pytest.raises(LinkUndone):
        undone.undo(by="agent-3", now=NOW)


def change(outage: Outage, **changes: Any) -> Outage:
    return outage.changed(**{"restore_by": None, "is_over": False, "decided_on": None, "now": NOW} | changes)


@pytest.mark.parametrize("decided_on", [None, 1])
def test_an_outage_gets_another_time_of_restoration(decided_on: int | None) -> None:
    restore_by = NOW + timedelta(hours=2)
    changed = change(OUTAGE, restore_by=restore_by, decided_on=decided_on)
    assert changed == replace(OUTAGE, version=2, restore_by=restore_by)


def test_an_outage_that_ends_keeps_its_planned_time() -> None:
    restore_by = NOW + timedelta(hours=2)
    ended = change(replace(OUTAGE, restore_by=restore_by), is_over=True)
    assert (ended.restore_by, ended.ended_at) == (restore_by, NOW)
    with pytest.raises(OutageEnded):
        change(ended)


def test_an_outage_is_changed_on_the_version_that_was_read() -> None:
    with pytest.raises(OutageChanged):
        change(replace(OUTAGE, version=2), decided_on=1)


def test_service_is_not_back_before_it_was_lost() -> None:
    before = NOW - timedelta(seconds=1)
    with pytest.raises(OutageTimesInverted):
        OUTAGE.check_times(before)
    with pytest.raises(OutageTimesInverted):
        change(OUTAGE, restore_by=before)
