"""Metrics of agents' time: signed in, available, handling, hour by hour.

Handling is the time of an agent's answered legs (talk, hold and after-call work from the answer on) and what
the switch reports as busy or after-call work; available is `ready` without it. Where nobody told that the agent
was signed in, paid time is not known, and the time counts nowhere.
"""

from reporting.metrics.calls import DOMAIN, ROLES
from reporting.metrics.metric import Dimension, Kind, Metric, Source

_SECONDS = "(select coalesce(sum(extract(epoch from upper(part) - lower(part))), 0) from unnest({}) as part)"


def _microseconds(multirange: str) -> str:
    return f"({_SECONDS.format(multirange)} * 1000000)::bigint"


_HOURS = """generate_series(date_bin('{{slice}}', {since}, 'epoch'::timestamptz), {until}, interval '{{slice}}') as slot
    where slot < {until}"""
_CUT = "tstzrange(greatest({since}, slot), least({until}, slot + interval '{{slice}}'))"

_RELATION = f"""(
    with latest as (
        select distinct on (agent_id, fact_id) * from agent_states_{{live}} where known_at <= {{upto}}
        order by agent_id, fact_id, revision desc
    ), spans as (
        select agent_id, team, state, since,
            least(coalesce(lead(since) over (partition by agent_id order by since, fact_id), {{at}}), {{at}}) as until
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
            select agent_id, answered_at as since, least({{at}}, coalesce(
                answered_at + (talk_us + coalesce(hold_us, 0) + coalesce(work_us, 0)) * interval '1 microsecond',
                ended_at, {{at}})) as until
            from {{legs}} as leg where answered_at is not null and agent_id is not null
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


def _time_share(metric_id: str, name_en: str, name_zh: str, formula: str, above: str, below: str) -> Metric:
    return Metric(
        id=metric_id,
        kind=Kind.RATIO,
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


METRICS = (
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
