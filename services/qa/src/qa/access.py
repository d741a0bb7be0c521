"""Who may use the routes of qa, and how far they reach."""

from contracts.access import AGENT, AUDITOR, EVERY_AREA, NO_AREA, OPERATOR, SELF, SUPERVISOR, WHOLE, AccessTable, each

_AUDITORS = each(EVERY_AREA, AUDITOR, SUPERVISOR)
_OWN_OR_ALL = {SUPERVISOR: EVERY_AREA, AUDITOR: EVERY_AREA, AGENT: SELF}
_SUPERVISORS = each(WHOLE, SUPERVISOR)
_SAMPLE_READERS = each(WHOLE, SUPERVISOR, AUDITOR, OPERATOR)
_EVALUATORS = each(WHOLE, AUDITOR, SUPERVISOR)
_EVALUATION_READERS = {SUPERVISOR: WHOLE, AUDITOR: WHOLE, AGENT: SELF}
_FORM_READERS = each(NO_AREA, SUPERVISOR, AUDITOR, AGENT, OPERATOR)

ROUTES: AccessTable = {
    "GET /v1/work-orders": _AUDITORS,
    "GET /v1/work-orders/counts": _AUDITORS,
    "GET /v1/changes/stream": _AUDITORS,
    "GET /v1/work-orders/{order_id}": _AUDITORS,
    "GET /v1/work-orders/{order_id}/facts": _AUDITORS,
    "POST /v1/work-orders/{order_id}/remarks": _AUDITORS,
    "GET /v1/work-orders/{order_id}/form": _AUDITORS,
    "POST /v1/work-orders/{order_id}/submit-for-audit": _AUDITORS,
    "POST /v1/work-orders/{order_id}/audit": _AUDITORS,
    "POST /v1/work-orders/{order_id}/redispatch": _AUDITORS,
    "POST /v1/work-orders/{order_id}/archive": _AUDITORS,
    "POST /v1/work-orders/{order_id}/supervision-answers": _AUDITORS,
    "POST /v1/bulk/submit-for-audit": _AUDITORS,
    "POST /v1/bulk/archive": _AUDITORS,
    "GET /v1/recordings": _OWN_OR_ALL,
    "GET /v1/recordings/{recording_id}": _OWN_OR_ALL,
    "POST /v1/recordings/{recording_id}/open": _OWN_OR_ALL,
    "GET /v1/recordings/{recording_id}/openings": each(EVERY_AREA, SUPERVISOR),
    "POST /v1/sampling-plans": _SUPERVISORS,
    "GET /v1/sampling-plans": _SAMPLE_READERS,
    "GET /v1/sampling-plans/{plan_id}": _SAMPLE_READERS,
    "GET /v1/sampling-plans/{plan_id}/frame": _SAMPLE_READERS,
    "GET /v1/sampling-plans/{plan_id}/estimates": _SAMPLE_READERS,
    "POST /v1/sampling-plans/{plan_id}/draw": _SUPERVISORS,
    "POST /v1/sampling-plans/{plan_id}/assignments": _SUPERVISORS,
    "PUT /v1/agents/{agent_id}": each(WHOLE, SUPERVISOR, OPERATOR),
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
    "POST /v1/evaluations/{evaluation_id}/appeals": each(SELF, AGENT),
    "GET /v1/appeals": _EVALUATION_READERS,
    "POST /v1/appeals/{appeal_id}/decide": each(WHOLE, SUPERVISOR, AUDITOR),
    # A supervisor gets every line, an auditor their own.
    "GET /v1/auditor-reports/{grain}": each(WHOLE, SUPERVISOR, AUDITOR),
    "POST /v1/calibration-sessions": _SUPERVISORS,
    "GET /v1/calibration-sessions": each(WHOLE, SUPERVISOR, AUDITOR),
    "GET /v1/calibration-sessions/{session_id}": each(WHOLE, SUPERVISOR, AUDITOR),
    "POST /v1/calibration-sessions/{session_id}/scores": _EVALUATORS,
    "POST /v1/calibration-sessions/{session_id}/close": _SUPERVISORS,
    "POST /v1/typical-cases": _EVALUATORS,
    "GET /v1/typical-cases": each(EVERY_AREA, SUPERVISOR, AUDITOR, AGENT),
    "POST /v1/typical-cases/{case_id}/retire": _EVALUATORS,
    "GET /v1/rules/quality": each(WHOLE, SUPERVISOR, AUDITOR, OPERATOR),
    "PUT /v1/rules/quality": each(WHOLE, SUPERVISOR, OPERATOR),
    "PUT /v1/calendars/{calendar_id}": each(WHOLE, SUPERVISOR, OPERATOR),
    "GET /v1/calendars/{calendar_id}": _FORM_READERS,
    "POST /v1/questionnaires/{questionnaire_id}/versions": _SUPERVISORS,
    "GET /v1/questionnaires": _FORM_READERS,
    "PUT /v1/follow-up-projects/{project_id}": _SUPERVISORS,
    "GET /v1/follow-up-projects": _FORM_READERS,
    "GET /v1/follow-up-projects/{project_id}": _FORM_READERS,
    "POST /v1/follow-up-projects/{project_id}/subscribers": _SUPERVISORS,
    "GET /v1/follow-up-projects/{project_id}/summary": _SAMPLE_READERS,
    "GET /v1/follow-up-projects/{project_id}/summary.html": _SAMPLE_READERS,
    # A follow-up without a holder belongs to the caller who takes it.
    "POST /v1/follow-up-projects/{project_id}/take": each(EVERY_AREA, SUPERVISOR, AUDITOR, AGENT),
    "GET /v1/follow-ups": _OWN_OR_ALL,
    "GET /v1/follow-ups/{follow_up_id}": _OWN_OR_ALL,
    "GET /v1/follow-ups/{follow_up_id}/contact": _OWN_OR_ALL,
    "POST /v1/follow-ups/{follow_up_id}/release": _OWN_OR_ALL,
    "POST /v1/follow-ups/{follow_up_id}/attempts": _OWN_OR_ALL,
    "POST /v1/follow-ups/{follow_up_id}/complete": _OWN_OR_ALL,
    "GET /v1/findings": each(EVERY_AREA, SUPERVISOR, AUDITOR, AGENT),
    "POST /v1/findings/{finding_id}/close": each(EVERY_AREA, SUPERVISOR, AUDITOR, AGENT),
    # Intake creates the order, as the caller: who cannot create one there cannot here.
    "POST /v1/findings/{finding_id}/open-order": each(EVERY_AREA, SUPERVISOR, AGENT),
}
