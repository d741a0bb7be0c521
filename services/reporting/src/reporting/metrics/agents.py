"""Metrics of agents' time: signed in, available, handling, hour by hour.

Handling is the time of an agent's answered legs (talk, hold and after-call work from the answer on) and what
the switch reports as busy or after-call work; available is `ready` without it. Where no switch reported that the agent
was signed in, paid time is not known, and the time counts nowhere. From the second versions on, the time of an agent of
whom nothing was heard for longer than a rule counts nowhere either (`presence`).
"""

from dataclasses import replace

from reporting.metrics.calls import DOMAIN, ROLES
from reporting.metrics.metric import Dimension, Metric, MetricKind, Source
from reporting.metrics.presence import HOURS_OF_AGENTS

_SILENT = (
    "an agent without an event for longer than silent_after_seconds (no change of state, no call answered or"
    " ended) is not counted from then on until the next event, and the hour of that moment is marked; a call lasts as"
    " long as its handle_time, a running call at most silent_after_seconds; a call without a known end adds nothing"
)
_SECONDS = "(select coalesce(sum(extract(epoch from upper(part) - lower(part))), 0) from unnest({}) as part)"


def _microseconds(multirange: str) -> str:
    return f"({_SECONDS.format(multirange)} * 1000000)::bigint"


_HOURS = """generate_series(date_bin('{{slice}}', {since}, 'epoch'::timestamptz), {until}, interval '{{slice}}') as slot
    where slot < {until}"""
_CUT = "tstzrange(greatest({since}, slot), least({until}, slot + interval '{{slice}}'))"
LONG_LEG = (
    "answered_at is not null and (talk_us is null or answered_at < moment or answered_at - moment > interval '1 day'"
    " or talk_us + coalesce(hold_us, 0) + coalesce(work_us, 0) > 86400000000)"
)
"""A leg that may be handled later than two days after its offer; an index of its own has these few."""
_LONGEST = "interval '2 days'"
# What began in the last slice of the window is counted to the slice's end.
_STOP = "({end} + interval '{slice}')"
_NEWEST = """not exists (select from agent_states_{{live}} as later where later.agent_id = {one}.agent_id
    and later.fact_id = {one}.fact_id and later.revision > {one}.revision and later.known_at <= {{upto}})"""

_RELATION = f"""(
    with recursive agents as (
        (select agent_id from agent_states_{{live}} order by agent_id limit 1)
        union all
        select (select agent_id from agent_states_{{live}} as next where next.agent_id > agents.agent_id
            order by agent_id limit 1)
        from agents where agent_id is not null
    ), latest as (
        select state.* from agents cross join lateral (
            select coalesce((
                select since from agent_states_{{live}} as before
                where before.agent_id = agents.agent_id and before.since < {{begin}} and before.known_at <= {{upto}}
                    and {_NEWEST.format(one="before")}
                order by since desc limit 1
            ), {{begin}}) as since
        ) as from_there join agent_states_{{live}} as state on state.agent_id = agents.agent_id
            and state.since >= from_there.since and state.since < {_STOP}
        where state.known_at <= {{upto}} and {_NEWEST.format(one="state")}
    ), spans as (
        select agent_id, team, state, greatest(since, {{begin}}) as since,
            least(coalesce(lead(since) over (partition by agent_id order by since, fact_id), {{at}}), {{at}}, {_STOP})
                as until
        from latest
    ), told as (
        select agent_id, slot,
            range_agg({_CUT.format(since="since", until="until")}) as paid,
            range_agg({_CUT.format(since="since", until="until")}) filter (where state = 'ready') as ready,
            range_agg({_CUT.format(since="since", until="until")})
                filter (where state in ('busy', 'after_call_work')) as busy,
            (array_agg(team order by since desc) filter (where team is not null))[1] as team
        from spans cross join lateral (select slot from {_HOURS.format(since="since", until="until")}) as hours
        where state <> 'signed_out' and since < until and until > {{begin}} and since < {{end}}
        group by agent_id, slot
    ), handled as (
        select agent_id, slot, range_agg({_CUT.format(since="since", until="until")}) as on_calls
        from (
            select agent_id, greatest(answered_at, {{begin}}) as since, least({{at}}, {_STOP}, coalesce(
                answered_at + (talk_us + coalesce(hold_us, 0) + coalesce(work_us, 0)) * interval '1 microsecond',
                ended_at, {{at}})) as until
            from (
                select * from {{legs}} as short where answered_at is not null and not ({LONG_LEG})
                    and moment > {{begin}} - {_LONGEST} and moment < {_STOP}
                union all
                select * from {{legs}} as long where {LONG_LEG} and answered_at < {_STOP}
            ) as leg where agent_id is not null
        ) as answered cross join lateral (select slot from {_HOURS.format(since="since", until="until")}) as hours
        where since < until and until > {{begin}} and since < {{end}}
        group by agent_id, slot
    ), together as (
        select agent_id, team, slot, paid, coalesce(ready, '{{}}'::tstzmultirange) as ready,
            (coalesce(busy, '{{}}'::tstzmultirange) + coalesce(on_calls, '{{}}'::tstzmultirange)) * paid as handling
        from told left join handled using (agent_id, slot)
    )
    select agent_id, team, slot as moment, extract(epoch from slot)::bigint as slice, slot as known_at,
        {_microseconds("handling")} as handling_us, {_microseconds("ready - handling")} as available_us,
        {_microseconds("paid")} as paid_us
    from together
)"""

AGENT_TIME = Source(
    name="agents' time, hour by hour",
    table="agent_states",
    subject="agent_id",
    moment="moment",
    known="true",
    known_at="known_at",
    late="false",
    versions=(),
    key=("agent_id", "slice"),
    inputs=(
        "linework.call.agent_state_changed.v1",
        "linework.call.answered.v1",
        "linework.call.ended.v1",
        "linework.call.transferred.v1",
        "linework.call.after_call_work_ended.v1",
    ),
    relation=_RELATION.replace("'{}'::tstzmultirange", "'{{}}'::tstzmultirange"),
)

PRESENT_AGENT_TIME = replace(
    AGENT_TIME, name="agents' time, hour by hour, without silence", relation=HOURS_OF_AGENTS, has_marks=True
)


def _without_silence(metric: Metric) -> Metric:
    return replace(
        metric,
        version=2,
        source=PRESENT_AGENT_TIME,
        formula=f"{metric.formula}; {_SILENT}",
        parameters=("silent_after_seconds",),
        # A sign of the day before lasts for as long as the rule lets it, at most for a day.
        reach=(1, 0),
    )


def _time_share(metric_id: str, name_en: str, name_zh: str, formula: str, above: str, below: str) -> Metric:
    return Metric(
        id=metric_id,
        kind=MetricKind.RATIO,
        unit="share",
        name_en=name_en,
        name_zh=name_zh,
        formula=f"{formula}, in seconds of each hour; only where it is known that the agent was signed in",
        formula_source=DOMAIN,
        source=AGENT_TIME,
        numerator=above,
        denominator=below,
        dimensions=(Dimension.AGENT, Dimension.TEAM),
        roles=ROLES,
        is_of_time=True,
    )


_FIRST_VERSIONS = (
    _time_share(
        "occupancy",
        "Occupancy",
        "占用率",
        "handling / (handling + available)",
        "handling_us",
        "handling_us + available_us",
    ),
    _time_share(
        "utilisation",
        "Utilisation",
        "利用率",
        "(handling + available) / paid time, which runs from signing in to signing out",
        "handling_us + available_us",
        "paid_us",
    ),
)
METRICS = (*_FIRST_VERSIONS, *map(_without_silence, _FIRST_VERSIONS))
