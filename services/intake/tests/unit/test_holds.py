"""The hold of a leg: known where the switch reports it, else unknown."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts import partners as p
from contracts.calls import CallEnded, CallTransferred, EndReason
from intake.calls.domain.facts import fold
from intake.calls.domain.legs import About, KnownFact, lay_out

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
HELD, RESUMED = (p.PartnerCallHeld(), 10), (p.PartnerCallResumed(), 13)
ENDED = (p.PartnerCallEnded(), 20)


def closing(*events: tuple[Any, int], holds_reported: bool | None = None) -> Any:
    """What is published of the end of a leg that was answered at 5; with an offer unless it is not known yet."""
    found = [*events, (p.PartnerCallAnswered(), 5)]
    if holds_reported is not None:
        found.append((p.PartnerCallOffered(holds_reported=holds_reported), 0))
    facts = [
        KnownFact(
            fact_id=str(n),
            event_id=str(n),
            occurred_at=(at := START + timedelta(seconds=seconds)),
            received_at=at,
            said=body,
        )
        for n, (body, seconds) in enumerate(found)
    ]
    published = fold(lay_out(facts), About()).values()
    return next(body for body in published if isinstance(body, CallEnded | CallTransferred))


@pytest.mark.parametrize(
    ("events", "holds_reported", "hold", "talk"),
    [
        ([ENDED], None, None, 15_000),
        ([ENDED], False, None, 15_000),
        ([ENDED], True, 0, 15_000),
        ([(p.PartnerCallEnded(hold_milliseconds=0), 20)], False, 0, 15_000),
        ([(p.PartnerCallEnded(hold_milliseconds=4000), 20)], False, 4000, 11_000),
        ([(p.PartnerCallEnded(talk_milliseconds=9000), 20)], False, None, 9000),
        ([HELD, RESUMED, ENDED], False, 3000, 12_000),
        ([HELD, RESUMED, ENDED], True, 3000, 12_000),
        ([HELD, ENDED], False, 10_000, 5000),
        ([(p.PartnerCallEnded(reason=EndReason.SWITCH_STOPPED), 20)], True, None, None),
        ([HELD, RESUMED, (p.PartnerCallEnded(reason=EndReason.NO_END_REPORTED), 20)], True, None, None),
        ([(p.PartnerCallTransferred(), 20)], False, None, 15_000),
        ([(p.PartnerCallTransferred(), 20)], True, 0, 15_000),
        ([HELD, RESUMED, (p.PartnerCallEnded(hold_milliseconds=2500), 20)], True, 2500, 12_500),
    ],
)
def test_a_hold_is_known_where_it_was_reported_and_zero_where_holds_are_reported(
    events: list[tuple[Any, int]], holds_reported: bool | None, hold: int | None, talk: int
) -> None:
    body = closing(*events, holds_reported=holds_reported)
    assert (body.hold_milliseconds, body.talk_milliseconds) == (hold, talk)
