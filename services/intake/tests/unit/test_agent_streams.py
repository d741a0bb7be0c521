"""Which of an agent's states is the present one, in whatever order they become known."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from contracts.calls import AgentState, AgentStateChanged
from intake.partners.domain import AgentStream

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
STATES = [(AgentState.READY, 0), (AgentState.BUSY, 30), (AgentState.PAUSED, 60)]


def changed(state: AgentState) -> AgentStateChanged:
    return AgentStateChanged(
        fact_id=f"pbx:{state.value}", agent_id="chen", state=state, team="night", queues=("support",), partner_id="pbx"
    )


@pytest.mark.parametrize("order", [*itertools.permutations(STATES)])
def test_the_latest_state_by_its_time_is_the_present_one(order: tuple[tuple[AgentState, int], ...]) -> None:
    stream = AgentStream("chen")
    for state, seconds in order:
        stream = stream.followed_by(changed(state), at=NINE + timedelta(seconds=seconds))
    assert (stream.version, stream.state, stream.since) == (3, "paused", NINE + timedelta(seconds=60))
    assert (stream.team, stream.queues, stream.partner_id) == ("night", ("support",), "pbx")


def test_of_two_states_at_one_moment_the_one_that_became_known_later_is_the_present_one() -> None:
    stream = AgentStream("chen").followed_by(changed(AgentState.READY), at=NINE)
    assert stream.followed_by(changed(AgentState.BUSY), at=NINE).state == "busy"


def test_a_late_state_makes_the_stream_longer_and_changes_nothing_else() -> None:
    stream = AgentStream("chen").followed_by(changed(AgentState.READY), at=NINE)
    late = stream.followed_by(changed(AgentState.BUSY), at=NINE - timedelta(seconds=1))
    assert (late.version, late.state, late.since) == (2, "ready", NINE)
