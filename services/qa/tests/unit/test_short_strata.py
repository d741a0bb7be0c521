"""What a drawn sample is short of is named, by stratum and agent."""

from datetime import UTC, datetime, timedelta

from qa.sampling.domain.plan import PlanContent, RecordingFacts, Stratum, Where, commit, draw_sample

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
SEED = bytes(32)


def short(
    *strata: Stratum, calls: dict[str, int], seniority: dict[str, int] | None = None, queue: str = "a"
) -> list[str]:
    content = PlanContent(period_start=BEGIN, period_end=BEGIN + timedelta(days=1), strata=strata)
    plan, _ = commit("plan", "plan", content, seed=SEED, double_blind_every=0, by="sup", now=BEGIN)
    frame = [
        RecordingFacts(recording_id=f"{agent}-{number}", agent_id=agent, queue=queue)
        for agent, count in calls.items()
        for number in range(count)
    ]
    drawn, _, _ = draw_sample(plan, frame, SEED, seniority=seniority or {}, now=BEGIN + timedelta(days=2))
    assert drawn.drawn is not None
    return list(drawn.drawn.short_strata)


def test_an_agent_with_fewer_recordings_than_the_quota_is_short() -> None:
    assert short(Stratum(stratum="all", quota_per_agent=3), calls={"li": 3, "wang": 2}) == ["all/wang"]


def test_an_agent_without_any_recording_is_short() -> None:
    every = Stratum(stratum="all", quota_per_agent=1)
    assert short(every, calls={"li": 2}, seniority={"li": 30, "zhao": 5}) == ["all/zhao"]


def test_a_stratum_in_which_only_some_agents_have_recordings_names_the_others() -> None:
    first = Stratum(stratum="first", quota_per_agent=1, where=Where(agents=("li",)))
    rest = Stratum(stratum="rest", quota_per_agent=1)
    # Li's recordings all belong to the first stratum, so nothing of Li can be drawn in the second.
    assert short(first, rest, calls={"li": 4, "wang": 4}) == ["rest/li"]


def test_an_agent_whom_a_stratum_does_not_mean_is_not_short_in_it() -> None:
    newcomers = Stratum(stratum="new", quota_per_agent=1, where=Where(agents=("li", "zhao"), seniority_below_months=6))
    rest = Stratum(stratum="rest", quota_per_agent=0)
    seniority = {"li": 30, "zhao": 5, "chen": 2}
    assert short(newcomers, rest, calls={"li": 1, "wang": 1}, seniority=seniority) == ["new"]


def test_a_stratum_without_any_recording_is_named_once() -> None:
    nowhere = Stratum(stratum="nowhere", quota_per_agent=2, where=Where(queues=("b",)))
    every = Stratum(stratum="all", quota_per_agent=1)
    assert short(nowhere, every, calls={"li": 2, "wang": 2}) == ["nowhere"]
