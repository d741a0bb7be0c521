"""Follow-up projects, for the stories in which subscribers are called after the work."""

from datetime import UTC, datetime, timedelta

from tests.installation import Installation

NAMES = {"en": "Service", "zh": "服务"}
_QUESTIONS = [
    {"question": "content", "names": NAMES, "kind": "scale", "highest": 5, "is_satisfaction": True}
    | {"opens": "dissatisfaction", "opens_up_to": 2},
    {"question": "wish", "names": NAMES, "kind": "text", "is_required": False},
]


async def opened_project(installation: Installation, area: str) -> str:
    """A project that follows up what an area completes; at an hour that is no quiet one."""
    now = datetime.now(UTC)
    mark, supervisor = installation.mark, installation.supervisor
    calendar, questionnaire = f"calendar-{mark}", f"visit-{mark}"
    zone = "Asia/Shanghai" if now.hour == 23 else "UTC"  # calls end a minute before midnight
    await supervisor.put("qa", f"/calendars/{calendar}", {"time_zone": zone})
    await supervisor.post("qa", f"/questionnaires/{questionnaire}/versions", {"names": NAMES, "questions": _QUESTIONS})
    project = {
        "name": "完成后回访",
        "start": (now - timedelta(hours=1)).isoformat(),
        "end": (now + timedelta(days=1)).isoformat(),
        "cause": "completion",
        "questionnaire": f"{questionnaire}:1",
        "calendar": calendar,
        "calls_from": "00:00",
        "calls_until": "23:59",
        "work_area_ids": [installation.area(area)],
    }
    await supervisor.put("qa", f"/follow-up-projects/after-{mark}", project)
    return f"after-{mark}"
