"""Reads of follow-up: the figures of a project."""

from datetime import datetime, time

from chassis.database import Database
from qa.follow_up import store
from qa.follow_up.summary import Days, ProjectSummary

_COUNTS = """
select count(*) as planned_count,
    count(*) filter (where state = 'ended') as ended_count,
    count(*) filter (where end_kind = 'completed') as completed_count,
    count(*) filter (where end_kind = 'refused') as refused_count,
    count(*) filter (where end_kind = 'unreachable') as unreachable_count,
    count(*) filter (where end_kind = 'withdrawn') as withdrawn_count,
    count(*) filter (where state <> 'ended' and due_by < $4) as overdue_count,
    count(*) filter (where end_kind = 'completed' and ended_at <= due_by) as completed_in_time_count,
    coalesce(sum(cardinality(order_ids)) filter (where end_kind is distinct from 'withdrawn'), 0) as order_count,
    coalesce(sum(json_array_length(body->'attempts')), 0) as attempt_count,
    count(satisfaction) as satisfaction_count, coalesce(sum(satisfaction), 0) as satisfaction_sum
from follow_ups where project_id = $1 and ($2::timestamptz is null or created_at >= $2)
    and ($3::timestamptz is null or created_at < $3)
"""
_FINDINGS = """
select count(*) filter (where kind = 'risk') as risk_count,
    count(*) filter (where kind = 'dissatisfaction') as dissatisfaction_count,
    count(*) filter (where state = 'open') as open_finding_count
from findings where project_id = $1 and ($2::timestamptz is null or found_at >= $2)
    and ($3::timestamptz is null or found_at < $3)
"""


async def project_summary(db: Database, project_id: str, days: Days, *, now: datetime) -> ProjectSummary:
    """What came of the follow-ups that were planned within the days of the project's calendar.

    Raises `ProjectNotFound` or `SummaryDaysUnclear`.
    """
    async with db.statements() as statements:
        project = await store.PROJECTS.get(statements, project_id)
        calendar = await store.get_calendar(statements, project.calendar)
        zone = calendar.zone
        from_on, until_on = days.bounds(now.astimezone(zone).date())
        since, until = (datetime.combine(day, time(), zone) if day else None for day in (from_on, until_on))
        counts = await statements.fetchrow(_COUNTS, project_id, since, until, now)
        findings = await statements.fetchrow(_FINDINGS, project_id, since, until)
    return ProjectSummary(
        project=project,
        from_on=from_on,
        until_on=until_on,
        time_zone=calendar.time_zone,
        made_at=now,
        **dict(counts or {}),
        **dict(findings or {}),
    )
