"""Who may do what: every route of every service, by role and area. The one place that says so.

A route that stands here without a role is refused to that role; a route that does not stand here at all
is not served: the service does not start. The chassis enforces it before a route runs (`chassis.guard`),
`docs/access.md` prints it, and `tests/access` asks every route as everybody.

To add a route, add a line under its service: `"POST /v1/things/{thing_id}/mend": {AGENT: EVERY_AREA},`.
The roles stand in the order in which somebody who has several acts: the first that reaches an area.
"""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a token's `roles` may say; anything else in it gives nothing."""

    AGENT = "agent"
    DISPATCHER = "dispatcher"
    TECHNICIAN = "technician"
    AUDITOR = "auditor"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    PARTNER = "partner"
    DISPLAY = "display"
    """A screen on a wall: it shows the wallboard and can do nothing else."""


class Reach(StrEnum):
    """Which work areas a role reaches through a route."""

    EVERY_AREA = "every area"
    """Every work area, or those only that the token names."""
    OWN_AREAS = "own areas"
    """The work areas that the token names; nothing without any."""
    WHOLE = "the whole"
    """What cannot be divided by work area; refused to a token that names areas."""
    NO_AREA = "no area"
    """What belongs to no work area: the same for everybody who has the role."""
    SELF = "own"
    """What is the caller's own, by the token's subject; within the areas that the token names, if it names any."""


AGENT, DISPATCHER, TECHNICIAN, AUDITOR = Role.AGENT, Role.DISPATCHER, Role.TECHNICIAN, Role.AUDITOR
SUPERVISOR, OPERATOR, PARTNER, DISPLAY = Role.SUPERVISOR, Role.OPERATOR, Role.PARTNER, Role.DISPLAY
EVERY_AREA, OWN_AREAS, WHOLE, NO_AREA, SELF = Reach

Grants = Mapping[Role, Reach]
"""Who may use a route, and how far they reach."""

PUBLIC = None
"""Without a token: only for what says nothing about anybody."""


def _each(reach: Reach, *roles: Role) -> Grants:
    return dict.fromkeys(roles, reach)


_STAFF = (AGENT, DISPATCHER, TECHNICIAN, AUDITOR, SUPERVISOR, OPERATOR)
_REFERENCE_READERS = _each(NO_AREA, *_STAFF)
_REFERENCE_EDITORS = _each(WHOLE, OPERATOR, SUPERVISOR)
_OPERATORS = _each(WHOLE, OPERATOR)

# intake
_SUBSCRIBER_WRITERS = _each(NO_AREA, AGENT, SUPERVISOR)
_SUBSCRIBER_READERS = _each(NO_AREA, AGENT, SUPERVISOR, DISPATCHER, AUDITOR)
_PRIVACY_READERS = _each(WHOLE, SUPERVISOR, AUDITOR)
_ASKERS = _each(EVERY_AREA, AGENT, SUPERVISOR, DISPATCHER)
_LOOK_UP = {**_ASKERS, AUDITOR: EVERY_AREA, TECHNICIAN: OWN_AREAS}
_DESK = _each(EVERY_AREA, AGENT, SUPERVISOR)
_CALL_READERS = {**_DESK, AUDITOR: EVERY_AREA}
_KNOWERS = _each(NO_AREA, SUPERVISOR, AUDITOR, OPERATOR)
_OVERSEERS = _each(WHOLE, OPERATOR, SUPERVISOR)
# dispatch: who is both acts as supervisor, and the event says so.
_DISPATCHERS = _each(EVERY_AREA, SUPERVISOR, DISPATCHER)
# fieldwork
_WORKERS = {TECHNICIAN: OWN_AREAS, SUPERVISOR: EVERY_AREA}
_FIELD_READERS = {**_WORKERS, DISPATCHER: EVERY_AREA}
# qa
_AUDITORS = _each(EVERY_AREA, AUDITOR, SUPERVISOR)
_OWN_OR_ALL = {SUPERVISOR: EVERY_AREA, AUDITOR: EVERY_AREA, AGENT: SELF}
_SUPERVISORS = _each(WHOLE, SUPERVISOR)
_SAMPLE_READERS = _each(WHOLE, SUPERVISOR, AUDITOR, OPERATOR)
_EVALUATORS = _each(WHOLE, AUDITOR, SUPERVISOR)
_EVALUATION_READERS = {SUPERVISOR: WHOLE, AUDITOR: WHOLE, AGENT: SELF}
_FORM_READERS = _each(NO_AREA, SUPERVISOR, AUDITOR, AGENT, OPERATOR)
# reporting
_RECORD_READERS = {**_each(EVERY_AREA, *_STAFF), TECHNICIAN: OWN_AREAS}
_REPORT_READERS = {**_each(EVERY_AREA, SUPERVISOR, OPERATOR, AUDITOR, DISPATCHER), TECHNICIAN: OWN_AREAS}
# Everybody's are their own. Repair staff without an area reach none: not what they had built while they had one.
_REPORT_OWNERS = {**_each(SELF, *_REPORT_READERS), TECHNICIAN: OWN_AREAS}

OF_EVERY_SERVICE: Mapping[str, Grants | None] = {
    "GET /livez": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /metrics": PUBLIC,
    "GET /openapi.json": PUBLIC,
    "GET /docs": PUBLIC,
    "GET /v1/parked": _OPERATORS,
    "GET /v1/parked/{parked_id}": _OPERATORS,
    "POST /v1/parked/{parked_id}/repair": _OPERATORS,
    "POST /v1/parked/{parked_id}/discard": _OPERATORS,
    "POST /v1/parked/release": _OPERATORS,
    "GET /v1/publishing": _OPERATORS,
    "PUT /v1/publishing": _OPERATORS,
}

PAGES: Mapping[str, Mapping[str, None]] = {"reporting": {"GET /wallboard": PUBLIC}}
"""Pages for browsers, which cannot send a token with the first request: empty until they are given one."""

OF_SERVICE: Mapping[str, Mapping[str, Grants]] = {
    "intake": {
        "POST /v1/subscribers": _SUBSCRIBER_WRITERS,
        "PATCH /v1/subscribers/{subscriber_id}": _SUBSCRIBER_WRITERS,
        "GET /v1/subscribers": _SUBSCRIBER_READERS,
        "GET /v1/subscribers/{subscriber_id}": _SUBSCRIBER_READERS,
        "GET /v1/{kind}-types": _REFERENCE_READERS,
        "PUT /v1/{kind}-types/{code}": _REFERENCE_EDITORS,
        # An order has no area until it is dispatched.
        "POST /v1/work-orders": _each(NO_AREA, AGENT, SUPERVISOR),
        "GET /v1/work-orders": _LOOK_UP,
        "GET /v1/work-orders/{order_id}": _LOOK_UP,
        "GET /v1/work-orders/{order_id}/history": _LOOK_UP,
        "GET /v1/work-orders/{order_id}/subscriber": _LOOK_UP,
        "POST /v1/work-orders/{order_id}/cancel-requests": _ASKERS,
        "POST /v1/work-orders/{order_id}/urge-requests": _ASKERS,
        # Who works on an order in the field may ask for more time as well.
        "POST /v1/work-orders/{order_id}/extension-requests": {**_ASKERS, TECHNICIAN: OWN_AREAS},
        "GET /v1/requests/{request_id}": {**_ASKERS, TECHNICIAN: OWN_AREAS},
        # Partners and agents belong to no work area.
        "PUT /v1/partners/{partner_id}": _OPERATORS,
        "GET /v1/partners": _OVERSEERS,
        "GET /v1/partners/{partner_id}": _OVERSEERS,
        "GET /v1/partners/{partner_id}/refused-events": _OVERSEERS,
        "GET /v1/partners/{partner_id}/unregistered-agents": _OVERSEERS,
        "PUT /v1/agents/{agent_id}": _OPERATORS,
        "GET /v1/agents": _OVERSEERS,
        # Within areas: calls that led to orders of theirs, and the caller's own.
        "POST /v1/calls": _DESK,
        "GET /v1/calls": _CALL_READERS,
        "GET /v1/calls/{call_id}": _CALL_READERS,
        "PUT /v1/calls/{call_id}/record": _DESK,
        "POST /v1/calls/{call_id}/classify": _DESK,
        "POST /v1/calls/{call_id}/settlements": _DESK,
        "GET /v1/calls/{call_id}/screen-pop": _DESK,
        "GET /v1/screen-pop": _DESK,
        "GET /v1/cases": _CALL_READERS,
        "POST /v1/cases/{case_id}/reply": _DESK,
        "POST /v1/cases/{case_id}/promise": _DESK,
        "GET /v1/referrals": _CALL_READERS,
        "POST /v1/referrals/{referral_id}/answer": _DESK,
        "POST /v1/outages": _each(NO_AREA, SUPERVISOR, DISPATCHER),
        "GET /v1/outages": _each(NO_AREA, *_STAFF),
        "POST /v1/outages/{outage_id}/change": _each(NO_AREA, SUPERVISOR, DISPATCHER),
        "POST /v1/work-orders/{order_id}/links": _ASKERS,
        "GET /v1/work-orders/{order_id}/links": _LOOK_UP,
        "POST /v1/links/{link_id}/undo": _ASKERS,
        "POST /v1/duplicate-checks": _ASKERS,
        "GET /v1/rules/desk": _OVERSEERS,
        "PUT /v1/rules/desk": _REFERENCE_EDITORS,
        "GET /v1/articles": _REFERENCE_READERS,
        "POST /v1/articles": _KNOWERS,
        "PUT /v1/articles/{article_id}": _KNOWERS,
        "GET /v1/articles/{article_id}": _REFERENCE_READERS,
        "GET /v1/articles/{article_id}/versions": _REFERENCE_READERS,
        "GET /v1/articles/{article_id}/calls": _CALL_READERS,
        # Who sees a subscriber masked can reveal them for a purpose, which is recorded.
        "POST /v1/subscribers/{subscriber_id}/reveals": _SUBSCRIBER_READERS,
        "POST /v1/work-orders/{order_id}/subscriber/reveals": _LOOK_UP,
        "GET /v1/reveals": _PRIVACY_READERS,
        "POST /v1/subscribers/{subscriber_id}/legal-holds": _each(WHOLE, SUPERVISOR),
        "POST /v1/legal-holds/{hold_id}/lift": _each(WHOLE, SUPERVISOR),
        "GET /v1/legal-holds": _PRIVACY_READERS,
        "POST /v1/subscribers/{subscriber_id}/erasure": _each(WHOLE, SUPERVISOR),
        "GET /v1/erasures": _each(WHOLE, SUPERVISOR, AUDITOR, OPERATOR),
        "GET /v1/retention-rules": _each(WHOLE, SUPERVISOR, AUDITOR, OPERATOR),
        "PUT /v1/retention-rules/{data_class}": _OPERATORS,
        "GET /v1/retention-rules/subscribers/due": _each(WHOLE, SUPERVISOR, AUDITOR, OPERATOR),
        "GET /v1/retention-runs": _each(WHOLE, SUPERVISOR, AUDITOR, OPERATOR),
    },
    "dispatch": {
        "GET /v1/work-orders": _DISPATCHERS,
        "GET /v1/work-orders/{order_id}": _DISPATCHERS,
        "GET /v1/work-orders/{order_id}/form": _DISPATCHERS,
        "POST /v1/work-orders/{order_id}/dispatch": _DISPATCHERS,
        "POST /v1/work-orders/{order_id}/send-to-redispatch": _DISPATCHERS,
        "GET /v1/work-areas": _REFERENCE_READERS,
        "GET /v1/work-areas/{work_area_id}": _REFERENCE_READERS,
        "PUT /v1/work-areas/{work_area_id}": _REFERENCE_EDITORS,
        "GET /v1/staff": _REFERENCE_READERS,
        "GET /v1/staff/{staff_id}": _REFERENCE_READERS,
        "PUT /v1/staff/{staff_id}": _REFERENCE_EDITORS,
        "GET /v1/rules/rejection-budget": _each(NO_AREA, OPERATOR, SUPERVISOR),
        "PUT /v1/rules/rejection-budget": _REFERENCE_EDITORS,
        "GET /v1/rules/time-limits": _REFERENCE_READERS,
        "PUT /v1/rules/time-limits": _REFERENCE_EDITORS,
    },
    "fieldwork": {
        "GET /v1/work-orders": _FIELD_READERS,
        "GET /v1/work-orders/{order_id}": _FIELD_READERS,
        "GET /v1/work-orders/{order_id}/form": _FIELD_READERS,
        "GET /v1/work-areas": _FIELD_READERS,
        "POST /v1/work-orders/{order_id}/start": _WORKERS,
        "POST /v1/work-orders/{order_id}/arrive": _WORKERS,
        "POST /v1/work-orders/{order_id}/reject": _WORKERS,
        "POST /v1/work-orders/{order_id}/complete": _WORKERS,
        "POST /v1/work-orders/{order_id}/suspend": _WORKERS,
        "POST /v1/work-orders/{order_id}/resume": _WORKERS,
        "POST /v1/work-orders/{order_id}/notes": _WORKERS,
    },
    "qa": {
        "GET /v1/work-orders": _AUDITORS,
        "GET /v1/work-orders/{order_id}": _AUDITORS,
        "GET /v1/work-orders/{order_id}/form": _AUDITORS,
        "POST /v1/work-orders/{order_id}/submit-for-audit": _AUDITORS,
        "POST /v1/work-orders/{order_id}/audit": _AUDITORS,
        "POST /v1/work-orders/{order_id}/redispatch": _AUDITORS,
        "POST /v1/work-orders/{order_id}/archive": _AUDITORS,
        "GET /v1/recordings": _OWN_OR_ALL,
        "GET /v1/recordings/{recording_id}": _OWN_OR_ALL,
        "POST /v1/recordings/{recording_id}/open": _OWN_OR_ALL,
        "GET /v1/recordings/{recording_id}/openings": _each(EVERY_AREA, SUPERVISOR),
        "POST /v1/sampling-plans": _SUPERVISORS,
        "GET /v1/sampling-plans": _SAMPLE_READERS,
        "GET /v1/sampling-plans/{plan_id}": _SAMPLE_READERS,
        "GET /v1/sampling-plans/{plan_id}/frame": _SAMPLE_READERS,
        "GET /v1/sampling-plans/{plan_id}/estimates": _SAMPLE_READERS,
        "POST /v1/sampling-plans/{plan_id}/draw": _SUPERVISORS,
        "POST /v1/sampling-plans/{plan_id}/assignments": _SUPERVISORS,
        "PUT /v1/agents/{agent_id}": _each(WHOLE, SUPERVISOR, OPERATOR),
        "PUT /v1/auditors/{auditor_id}": _SUPERVISORS,
        "GET /v1/auditors": _EVALUATORS,
        "POST /v1/evaluation-forms/{form_id}/versions": _SUPERVISORS,
        "GET /v1/evaluation-forms": _FORM_READERS,
        "GET /v1/evaluation-forms/{version_id}": _FORM_READERS,
        "GET /v1/reviews": _SUPERVISORS,
        "POST /v1/reviews/{review_id}/adjudicate": _EVALUATORS,
        "GET /v1/evaluations": _EVALUATION_READERS,
        "GET /v1/evaluations/{evaluation_id}": _EVALUATION_READERS,
        "POST /v1/evaluations/{evaluation_id}/take-back": _SUPERVISORS,
        "POST /v1/evaluations/{evaluation_id}/submit": _EVALUATORS,
        "POST /v1/evaluations/{evaluation_id}/appeals": _each(SELF, AGENT),
        "GET /v1/appeals": _EVALUATION_READERS,
        "POST /v1/appeals/{appeal_id}/decide": _each(WHOLE, SUPERVISOR, AUDITOR),
        # A supervisor gets every line, an auditor their own.
        "GET /v1/auditor-reports/{grain}": _each(WHOLE, SUPERVISOR, AUDITOR),
        "POST /v1/calibration-sessions": _SUPERVISORS,
        "GET /v1/calibration-sessions": _each(WHOLE, SUPERVISOR, AUDITOR),
        "GET /v1/calibration-sessions/{session_id}": _each(WHOLE, SUPERVISOR, AUDITOR),
        "POST /v1/calibration-sessions/{session_id}/scores": _EVALUATORS,
        "POST /v1/calibration-sessions/{session_id}/close": _SUPERVISORS,
        "POST /v1/typical-cases": _EVALUATORS,
        "GET /v1/typical-cases": _each(EVERY_AREA, SUPERVISOR, AUDITOR, AGENT),
        "POST /v1/typical-cases/{case_id}/retire": _EVALUATORS,
        "GET /v1/rules/quality": _each(WHOLE, SUPERVISOR, AUDITOR, OPERATOR),
        "PUT /v1/rules/quality": _each(WHOLE, SUPERVISOR, OPERATOR),
        "PUT /v1/calendars/{calendar_id}": _each(WHOLE, SUPERVISOR, OPERATOR),
        "GET /v1/calendars/{calendar_id}": _FORM_READERS,
        "POST /v1/questionnaires/{questionnaire_id}/versions": _SUPERVISORS,
        "GET /v1/questionnaires": _FORM_READERS,
        "PUT /v1/follow-up-projects/{project_id}": _SUPERVISORS,
        "GET /v1/follow-up-projects": _FORM_READERS,
        "GET /v1/follow-up-projects/{project_id}": _FORM_READERS,
        "POST /v1/follow-up-projects/{project_id}/subscribers": _SUPERVISORS,
        "GET /v1/follow-up-projects/{project_id}/summary": _SAMPLE_READERS,
        "GET /v1/follow-up-projects/{project_id}/summary.html": _SAMPLE_READERS,
        # Who takes one that is nobody's has it for their own from then on.
        "POST /v1/follow-up-projects/{project_id}/take": _each(EVERY_AREA, SUPERVISOR, AUDITOR, AGENT),
        "GET /v1/follow-ups": _OWN_OR_ALL,
        "GET /v1/follow-ups/{follow_up_id}": _OWN_OR_ALL,
        "GET /v1/follow-ups/{follow_up_id}/contact": _OWN_OR_ALL,
        "POST /v1/follow-ups/{follow_up_id}/release": _OWN_OR_ALL,
        "POST /v1/follow-ups/{follow_up_id}/attempts": _OWN_OR_ALL,
        "POST /v1/follow-ups/{follow_up_id}/complete": _OWN_OR_ALL,
        "GET /v1/findings": _each(EVERY_AREA, SUPERVISOR, AUDITOR, AGENT),
        "POST /v1/findings/{finding_id}/close": _each(EVERY_AREA, SUPERVISOR, AUDITOR, AGENT),
        # Intake creates the order, as the caller: who cannot create one there cannot here.
        "POST /v1/findings/{finding_id}/open-order": _each(EVERY_AREA, SUPERVISOR, AGENT),
    },
    "reporting": {
        "GET /v1/work-orders": _RECORD_READERS,
        "GET /v1/work-orders/{order_id}": _RECORD_READERS,
        "GET /v1/work-orders/{order_id}/timeline": _RECORD_READERS,
        "GET /v1/work-orders/{order_id}/proof": _RECORD_READERS,
        "GET /v1/events": _each(WHOLE, OPERATOR, SUPERVISOR),
        "GET /v1/rules/figures": _OVERSEERS,
        "PUT /v1/rules/figures": _REFERENCE_EDITORS,
        "GET /v1/rules/reports": _OVERSEERS,
        "PUT /v1/rules/reports": _REFERENCE_EDITORS,
        "GET /v1/metrics": _REFERENCE_READERS,
        # Which metric is for which role, and which can be told by work area, is in reporting's registry.
        "GET /v1/figures/{metric}": _RECORD_READERS,
        "GET /v1/figures/{metric}/versions": _RECORD_READERS,
        "GET /v1/figures/{metric}/events": _RECORD_READERS,
        "GET /v1/figures/{metric}/corrections": _RECORD_READERS,
        "GET /v1/wallboard": {**_REPORT_READERS, DISPLAY: EVERY_AREA},
        "GET /v1/wallboard/stream": {**_REPORT_READERS, DISPLAY: EVERY_AREA},
        "GET /v1/rules/wallboard": _OVERSEERS,
        "PUT /v1/rules/wallboard": _REFERENCE_EDITORS,
        "POST /v1/reports": _REPORT_READERS,
        "GET /v1/reports": _REPORT_OWNERS,
        "GET /v1/reports/{report_id}": _REPORT_OWNERS,
        "GET /v1/reports/{report_id}/file": _REPORT_OWNERS,
        "POST /v1/reports/{report_id}/copies": _REPORT_OWNERS,
        "POST /v1/reports/{report_id}/remarks": _each(SELF, SUPERVISOR),
        # Which of them a role and its work areas may see, each filed report says itself.
        "GET /v1/filed-reports": _REPORT_READERS,
        "GET /v1/filed-reports/{report_id}": _REPORT_READERS,
        "GET /v1/filed-reports/{report_id}/file": _REPORT_READERS,
        "POST /v1/filed-reports/{report_id}/copies": _each(EVERY_AREA, SUPERVISOR, OPERATOR),
        "POST /v1/filed-reports/{report_id}/remarks": _each(EVERY_AREA, SUPERVISOR),
        "POST /v1/rebuilds": _OPERATORS,
        "GET /v1/rebuilds": _OPERATORS,
        "GET /v1/rebuilds/{rebuild_id}": _OPERATORS,
        "POST /v1/rebuilds/{rebuild_id}/switch": _OPERATORS,
    },
}


def routes_of(service: str) -> Mapping[str, Grants | None]:
    """Every route that a service may serve, as `METHOD path`, with who may use it."""
    return {**OF_SERVICE.get(service, {}), **PAGES.get(service, {}), **OF_EVERY_SERVICE}


def role_in(grants: Grants, roles: frozenset[str], areas: tuple[str, ...] | None) -> Role | None:
    """The role that somebody acts in: the first granted one that reaches anything, else the first granted, or None.

    `areas` are those that the token names; None when it names none.
    """
    granted = [role for role in grants if role in roles]
    return next((role for role in granted if reaches(grants[role], areas)), next(iter(granted), None))


def reaches(reach: Reach, areas: tuple[str, ...] | None) -> bool:
    """Whether a token that names these areas gets at anything at all."""
    return areas is None if reach is WHOLE else bool(areas) if reach is OWN_AREAS else True


def scope_of(reach: Reach, areas: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The work areas that are reached by a token that names `areas`; None is every one."""
    return () if reach is OWN_AREAS and areas is None else areas
