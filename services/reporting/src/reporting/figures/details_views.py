"""From a figure down to the events behind it, and what late events have corrected in it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from chassis.database import Database, Statements
from chassis.paging import CursorBroken, from_cursor, to_cursor
from contracts.catalogue import BY_TYPE
from contracts.topics import QUALITY
from reporting.figures.as_of_store import fold_past
from reporting.figures.query import Arguments, filler, rows_of
from reporting.figures.question import MetricWithoutTime, Question, check
from reporting.figures.views import counted, described, read_up_to, shown, snapshot
from reporting.metrics import Metric, MetricKind, Source
from reporting.record import visibility
from reporting.record.event_store import StreamState
from reporting.tables import AGENT_STATES, LATE_LEGS

_JUST_BEFORE = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)
_FAR_AHEAD = datetime(9999, 1, 1, tzinfo=UTC)
_LIST = "figure-events"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 2**57
_LATEST_VERSION = 2**31


async def rows_behind(db: Database, question: Question, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """The rows that a figure counts, with what each adds to it and the events it is made from; a page of them."""
    check(question)
    async with snapshot(db) as (statements, state):
        found = await _rows(statements, state, question, cursor, limit)
        page = found[:limit]
        events = await _events_behind(statements, question, page)
        followed = await _of_follow_ups(statements, question, page)
        return {
            **described(question),
            **await read_up_to(statements, state, question),
            "items": [_item(question.metric, row, events, followed) for row in page],
            "next_cursor": _cursor_of(page[-1]) if len(found) > limit else None,
        }


async def _rows(
    statements: Statements, state: StreamState, question: Question, cursor: str | None, limit: int
) -> list[Any]:
    await fold_past(statements, state.live, question)
    arguments = Arguments()
    fill, source = filler(question, state.live, arguments), question.metric.source
    numerator = fill(question.metric.numerator)
    denominator = fill(question.metric.denominator or ("0" if question.metric.kind is MetricKind.COUNT else "1"))
    moment = source.moment or source.known_at
    place = ", ".join((moment, *source.key))
    behind = ""
    if cursor:
        behind = f" and ({place}) > ({', '.join(map(arguments.give, _place_of(cursor)))})"
    columns = ", ".join(dict.fromkeys((*source.key, *source.versions)))
    counts = f"(({numerator}) <> 0 or ({denominator}) <> 0 or ({numerator}) is null)"
    followed, late = fill(source.follow_ups or "null"), fill(source.late)
    dimensions = ", ".join(f'{source.column(one)}::text as "by_{one.value}"' for one in question.metric.dimensions)
    sql = f"""select {columns}, {moment} as moment, {source.known_at} as known_at, {late} as is_late,
            {numerator} as numerator, {denominator} as denominator, {followed} as follow_ups, {dimensions}
        from {rows_of(question, state.live, arguments)} and {counts}{behind}
        order by {place} limit {limit + 1}"""
    return await statements.fetch(sql, *arguments.values)


def _cursor_of(row: Any) -> str:
    return to_cursor(_LIST, (row["moment"] - _EPOCH) // _JUST_BEFORE, row[0], row[1])


def _place_of(cursor: str) -> tuple[datetime, str, int]:
    """Raises `CursorBroken`."""
    microseconds, subject, version = from_cursor(_LIST, cursor, int, str, int)
    if not 0 <= microseconds < _LATEST or not 0 <= version < _LATEST_VERSION:
        raise CursorBroken()
    return _EPOCH + timedelta(microseconds=microseconds), subject, version


async def _events_behind(
    statements: Statements, question: Question, page: Sequence[Any]
) -> dict[str, list[Mapping[str, Any]]]:
    """By subject, the messages that are events of it; those recorded later than the figure is of are left out."""
    source = question.metric.source
    topics = {BY_TYPE[name].topic.name for name in source.inputs} - {QUALITY.name}
    if not topics:
        return {row[0]: [] for row in page}
    subjects = {_stream_of(source, row[0]): row[0] for row in page}
    moments = [row["moment"] for row in page]
    # The changes of an agent's state have no end: those of a slice, and the day before it, in which it began.
    is_endless = source.table == AGENT_STATES.name and bool(moments)
    found = await statements.fetch(
        """select order_id as subject, place, message_id as id, type, order_version as version, occurred_at,
               recorded_at, case when topic = 'calls' then data end as data
           from messages where order_id = any($1) and topic = any($5)
               and recorded_at <= coalesce($2, 'infinity'::timestamptz) and occurred_at between $3 and $4
           order by place""",
        sorted(subjects),
        question.as_of,
        min(moments) - _DAY if is_endless else _LONG_AGO,
        max(moments) + _HOUR if is_endless else _FAR_AHEAD,
        sorted(topics),
    )
    ends = await visibility.ends_of(statements, sorted(subjects), question.areas) if question.areas is not None else {}
    events: dict[str, list[Mapping[str, Any]]] = {subject: [] for subject in subjects.values()}
    for row in map(dict, found):
        if row["place"] >= ends.get(row["subject"], visibility.FOR_EVER):
            continue
        data = row.pop("data")
        faults = msgspec.json.decode(data).get("faults") if data else None
        events[subjects[row["subject"]]].append(row | ({"faults": faults} if faults else {}))
    return events


async def _of_follow_ups(
    statements: Statements, question: Question, page: Sequence[Any]
) -> dict[str, list[Mapping[str, Any]]]:
    """By id of a follow-up, its messages; a stream can be of several."""
    streams = {stream for row in page for stream, _ in row["follow_ups"] or ()}
    found = await statements.fetch(
        f"""select order_id as subject, place, message_id as id, type, order_version as version, occurred_at,
               recorded_at, data
           from messages where topic = '{QUALITY.name}' and order_id = any($1) and type = any($3)
               and recorded_at <= coalesce($2, 'infinity'::timestamptz)
           order by place""",
        sorted(streams),
        question.as_of,
        list(question.metric.source.inputs),
    )
    # A follow-up of several orders has the first as its key, which can be of another area.
    hidden = (
        streams - await visibility.shown_among(statements, streams, question.areas)
        if question.areas is not None
        else ()
    )
    events: dict[str, list[Mapping[str, Any]]] = {}
    for row in map(dict, found):
        follow_up_id = msgspec.json.decode(row.pop("data"))["follow_up_id"]
        row["subject"] = follow_up_id if row["subject"] in hidden else row["subject"]
        events.setdefault(follow_up_id, []).append(row)
    return events


def _stream_of(source: Source, subject: str) -> str:
    return f"agent:{subject}" if source.subject == "agent_id" else subject


def _item(
    metric: Metric,
    row: Any,
    events: Mapping[str, list[Mapping[str, Any]]],
    followed: Mapping[str, list[Mapping[str, Any]]],
) -> dict[str, Any]:
    source = metric.source
    versions = {row[name] for name in source.versions}
    behind = [one for one in events[row[0]] if not versions or one["version"] in versions]
    behind += [one for _, follow_up_id in row["follow_ups"] or () for one in followed.get(follow_up_id, ())]
    return {
        "subject": row[0],
        "moment": row["moment"],
        "known_at": row["known_at"],
        "is_late": bool(row["is_late"]),
        "dimensions": {one.value: row[f"by_{one.value}"] for one in metric.dimensions},
        "numerator": None if row["numerator"] is None else metric.above(int(row["numerator"])),
        "denominator": _below(metric, row["denominator"]),
        "events": behind,
    }


def _below(metric: Metric, denominator: Any) -> float | int | None:
    return None if metric.kind is MetricKind.COUNT or denominator is None else metric.below(int(denominator))


async def corrections(db: Database, question: Question, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """What late events have changed in hours of the window, newest first: the hour's figure before and after.

    Whether an event was late was judged by the rules that were in force when it was recorded. The figures before
    and after are those as of just before that moment, and then.
    """
    check(question)
    if not question.metric.has_periods:
        raise MetricWithoutTime(metric=question.metric.id)
    async with snapshot(db) as (statements, state):
        found = await _late_rows(statements, state, question, cursor, limit)
        page = found[:limit]
        return {
            **described(question),
            **await read_up_to(statements, state, question),
            "late_after_seconds": state.late_after.total_seconds(),
            "items": [await _correction(statements, state, question, row) for row in page],
            "next_cursor": _cursor_of(page[-1]) if len(found) > limit else None,
        }


async def _late_rows(
    statements: Statements, state: StreamState, question: Question, cursor: str | None, limit: int
) -> list[Any]:
    source, arguments = question.metric.source, Arguments()
    fill = filler(question, state.live, arguments)
    if source.is_refolded:
        return await _late_facts(statements, state, question, cursor, limit)
    if source.is_of_agents:
        return await _late_states(statements, state, question, cursor, limit)
    counts = [f"({fill(one)}) <> 0" for one in (question.metric.numerator, question.metric.denominator or "1")]
    # A row that was replaced since has corrected what was shown all the same.
    known = f"{source.known_at} <= {{upto}} and {source.late}"
    rows = rows_of(question, state.live, arguments, known=known)
    place = ", ".join((source.known_at, *source.key))
    before = ""
    if cursor:
        before = f" and ({place}) < ({', '.join(map(arguments.give, _place_of(cursor)))})"
    return await statements.fetch(
        f"""select {", ".join(source.key)}, {source.known_at} as moment, {source.moment} as counted_at
            from {rows} and ({" or ".join(counts)}){before}
            order by {", ".join(f"{one} desc" for one in (source.known_at, *source.key))} limit {limit + 1}""",
        *arguments.values,
    )


async def _late_facts(
    statements: Statements, state: StreamState, question: Question, cursor: str | None, limit: int
) -> list[Any]:
    """Of calls: the late facts themselves, because a leg's row only has its present state; facts of a leg that
    were published together are one row."""
    arguments, before = Arguments(), ""
    if cursor:
        place = ", ".join(map(arguments.give, _place_of(cursor)))
        before = f" where (moment, call_id, version) < ({place})"
    rows = rows_of(replace(question, as_of=None), state.live, arguments)
    return await statements.fetch(
        f"""select * from (
                select late.call_id, max(late.version) as version, late.known_at as moment, counted.moment as counted_at
                from {LATE_LEGS}_{state.live} as late join (
                        select call_id, leg, min(moment) as moment from {rows} group by call_id, leg) as counted
                    using (call_id, leg)
                where late.known_at <= {arguments.give(question.as_of or _FAR_AHEAD)}
                group by late.call_id, late.leg, late.known_at, counted.moment) as told{before}
            order by moment desc, call_id desc, version desc limit {limit + 1}""",
        *arguments.values,
    )


async def _late_states(
    statements: Statements, state: StreamState, question: Question, cursor: str | None, limit: int
) -> list[Any]:
    """Of agents' time: the changes of their state that were recorded late, each with the state from then on."""
    arguments = Arguments()
    given = arguments.give
    conditions = [
        f"known_at - since > {given(timedelta(seconds=question.rules.late_after_seconds))}",
        f"known_at <= {given(question.as_of or _FAR_AHEAD)}",
        f"since >= {given(question.begin or _LONG_AGO)}",
        f"since < {given(question.end or _FAR_AHEAD)}",
        *(f"{name.value} is not distinct from {given(value)}::text" for name, value in question.only),
    ]
    if cursor:
        conditions.append(f"(known_at, agent_id, version) < ({', '.join(map(given, _place_of(cursor)))})")
    return await statements.fetch(
        f"""select agent_id, version, known_at as moment, since as counted_at
            from (select *, extract(epoch from since)::bigint as version from {AGENT_STATES}_{state.live}) as told
            where {" and ".join(conditions)}
            order by known_at desc, agent_id desc, version desc limit {limit + 1}""",
        *arguments.values,
    )


async def _correction(statements: Statements, state: StreamState, question: Question, row: Any) -> dict[str, Any]:
    hour = _hour_of(row["counted_at"], question)
    of_the_hour = replace(question, begin=hour, end=hour + _HOUR, grain=None, group_by=())
    figures = {}
    for name, as_of in (("before", row["moment"] - _JUST_BEFORE), ("after", row["moment"])):
        (figure,) = await counted(statements, state, replace(of_the_hour, as_of=as_of, at=as_of))
        figures[name] = shown(question, figure, with_buckets=False)
    return {"hour": hour, "corrected_at": row["moment"], "subject": row[0], **figures}


def _hour_of(moment: datetime, question: Question) -> datetime:
    """The beginning of the hour of the zone's clock: in some zones a quarter past one of UTC."""
    local = moment.astimezone(ZoneInfo(question.time_zone))
    return local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
