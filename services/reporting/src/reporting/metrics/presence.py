"""Whether an agent is there: signed in, and heard of within `silent_after_seconds`. One SQL for figures and wallboard.

Signs of an agent are changes of state, answers, and the handling of calls until its known end. A phone that rings
unanswered is none, nor is an end that intake wrote because no switch reported one. An agent without a sign for longer
than the rule counts nowhere from then on until the next sign: neither as ready nor in
paid time. Later silence changes nothing of what was counted.

The texts are filled by `figures.query`: {begin} and {end} are the window, {at} is the moment of the figure.
"""

from reporting.metrics.handled import HANDLED_US

_SILENCE = "{silent_after_seconds} * interval '1 second'"
_STOP = "({end} + interval '{slice}')"
"""What began in the last slice of the window is counted to the slice's end."""
# Answered, over and worked up within two hours each; the few others have an index.
_LONGEST = "interval '6 hours'"
_LONG = (
    "answered_at is not null and (talk_us is null or answered_at < moment or answered_at - moment > interval '2 hours'"
    " or ended_at - answered_at > interval '2 hours'"
    " or talk_us + coalesce(hold_us, 0) + coalesce(work_us, 0) > 7200000000)"
)

_NEWEST = """not exists (select from agent_states_{live} as later where later.agent_id = state.agent_id
    and later.fact_id = state.fact_id and later.revision > state.revision and later.known_at <= {upto})"""

# The same, for a few rows in a table of years: a look-up for each, where the planner would read the whole table.
_NEWEST_OF_FEW = """state.revision = (select max(later.revision) from agent_states_{live} as later
    where later.agent_id = state.agent_id and later.fact_id = state.fact_id and later.known_at <= {upto})"""

_AGENTS = """agents as (
        (select agent_id from agent_states_{live} order by agent_id limit 1)
        union all
        select (select agent_id from agent_states_{live} as next where next.agent_id > agents.agent_id
            order by agent_id limit 1)
        from agents where agent_id is not null
    )"""


def _latest(newest: str) -> str:
    """Of each agent the states of the window and the one before it."""
    return f"""latest as (
        select state.* from agents cross join lateral (
            select coalesce((
                select since from agent_states_{{live}} as state
                where state.agent_id = agents.agent_id and state.since < {{begin}} and state.known_at <= {{upto}}
                    and {_NEWEST}
                order by since desc limit 1
            ), {{begin}}) as since
        ) as from_there join agent_states_{{live}} as state on state.agent_id = agents.agent_id
            and state.since >= from_there.since and state.since < {_STOP}
        where state.known_at <= {{upto}} and {newest}
    )"""


# `until` is null where it is not known how long it was handled: it is going on, or its end was never reported.
_TALKED = f"""talked as (
        select handler_id as agent_id, answered_at as since, ended_at is null as is_open,
            case when is_end_unknown then null
                when talk_us is not null then answered_at + {HANDLED_US} * interval '1 microsecond'
                when ended_at is not null then greatest(ended_at, answered_at) end as until
        from (
            select * from {{legs}} as short where answered_at is not null and not ({_LONG})
                and moment > {{begin}} - {_LONGEST} - {_SILENCE} and moment < {_STOP}
            union all
            select * from {{legs}} as long where {_LONG} and answered_at < {_STOP}
        ) as leg where handler_id is not null
    )"""

_HEARD = f"""heard as (
        select agent_id, range_agg(tstzrange(since, until + {_SILENCE})) as heard
        from (
            select agent_id, since, since as until from latest
            union all
            select agent_id, since, coalesce(until, since) from talked
        ) as signs group by agent_id
    )"""


def _signs(newest: str) -> str:
    """Tables of an expression: `latest` (states) and `talked` (answered legs)."""
    return f"with recursive {_AGENTS}, {_latest(newest)}, {_TALKED}"


_MOMENT = "interval '1 microsecond'"
_PIECE = "tstzrange(greatest(since, slot), least(until, slot + interval '{slice}'))"
_NONE = "'{{}}'::tstzmultirange"


def _slots(since: str) -> str:
    """The slots from one moment until another: in a list of columns, which is shorter than a join with them."""
    return f"generate_series(date_bin('{{slice}}', {since}, 'epoch'), until - {_MOMENT}, '{{slice}}') as slot"


def _microseconds(multirange: str) -> str:
    seconds = "extract(epoch from coalesce(sum(upper(part) - lower(part)), '0'))"
    return f"((select {seconds} from unnest({multirange}) as part) * 1000000)::bigint"


# A change of state is a sign: whoever falls silent does so in the state of the last change before. Its number and
# whether somebody is there in it are one number, `mark`, so that the last of them is the highest.
_SILENCES = f"""signs as (
        select agent_id, began as since, began as until, number * 2 + (state <> 'signed_out')::int as mark from spans
        union all
        select agent_id, since, coalesce(until, since), null from talked
    ), gaps as (
        select agent_id, max(until) over before + {_SILENCE} as since, since as until, max(mark) over before as mark
        from signs window before as (
            partition by agent_id order by since rows between unbounded preceding and 1 preceding)
        union all
        select agent_id, max(until) + {_SILENCE}, 'infinity', max(mark) from signs group by agent_id
    ), silences as (
        select agent_id, slot, range_agg({_PIECE}) as silent, bool_or(slot < fell_silent) as is_marked
        from (
            select *, {_slots(f"since - {_MOMENT}")}
            from (
                select agent_id, since as fell_silent, greatest(since, {{begin}}) as since,
                    least(until, {{at}}, {_STOP}) as until
                from gaps where mark % 2 = 1
            ) as there where since < until
        ) as pieces group by agent_id, slot
    )"""


HOURS_OF_AGENTS = f"""(
    {_signs(_NEWEST)}, spans as (
        select agent_id, team, state, since as began, greatest(since, {{begin}}) as since,
            least(coalesce(lead(since) over own, {{at}}), {{at}}, {_STOP}) as until, row_number() over own as number
        from latest window own as (partition by agent_id order by since, fact_id)
    ), told as (
        select agent_id, slot,
            range_agg({_PIECE}) as paid,
            range_agg({_PIECE}) filter (where state = 'ready') as ready,
            range_agg({_PIECE}) filter (where state in ('busy', 'after_call_work')) as busy,
            (array_agg(team order by since desc) filter (where team is not null))[1] as team
        from (
            select *, {_slots("since")} from spans
            where state <> 'signed_out' and since < until and until > {{begin}} and since < {{end}}
        ) as pieces group by agent_id, slot
    ), handled as (
        select agent_id, slot, range_agg({_PIECE}) as on_calls
        from (
            select *, {_slots("since")}
            from (
                select agent_id, greatest(since, {{begin}}) as since, least({{at}}, {_STOP},
                    coalesce(until, case when is_open then since + {_SILENCE} else since end)) as until
                from talked
            ) as calls where since < until and until > {{begin}} and since < {{end}}
        ) as pieces group by agent_id, slot
    ), {_SILENCES}, heard as (
        select agent_id, team, slot, paid - silent as paid, ready - silent as ready,
            (busy + on_calls) * paid - silent as handling, is_marked
        from (
            select agent_id, team, slot, paid, coalesce(ready, {_NONE}) as ready, coalesce(busy, {_NONE}) as busy,
                coalesce(on_calls, {_NONE}) as on_calls, coalesce(silent, {_NONE}) as silent, is_marked
            from told left join handled using (agent_id, slot) left join silences using (agent_id, slot)
        ) as together
    )
    select agent_id, team, slot as moment, extract(epoch from slot)::bigint as slice, slot as known_at,
        {_microseconds("handling")} as handling_us, {_microseconds("ready - handling")} as available_us,
        {_microseconds("paid")} as paid_us, case when is_marked then 'silent' end as faults
    from heard where not isempty(paid)
)"""
"""Agents' time, hour by hour: what is paid, and of it handled and available."""

AGENTS_NOW = f"""{_signs(_NEWEST_OF_FEW)}, {_HEARD}, present as (
        select distinct on (agent_id) agent_id, team, state, reason, since from latest where since <= {{at}}
        order by agent_id, since desc, fact_id desc
    ), talking as (
        select agent_id, max(since) as answered_at from talked
        where is_open and since <= {{at}} and since + {_SILENCE} > {{at}} group by agent_id
    )
    select agent_id, team, coalesce(heard @> {{at}}, false) as is_heard,
        case when answered_at is null then state else 'on_call' end as state,
        case when answered_at is null then reason end as reason, coalesce(answered_at, present.since) as since
    from present full join talking using (agent_id) left join heard using (agent_id)
    where coalesce(state, '') <> 'signed_out' or answered_at is not null order by agent_id"""
"""Who is signed in or on a call at {at}, in which state and since when; a call goes before any state."""
