"""Who may use the routes of dispatch, and how far they reach."""

from contracts.access import (
    DISPATCHER,
    EVERY_AREA,
    NO_AREA,
    OPERATOR,
    OWN_AREAS,
    REFERENCE_EDITORS,
    REFERENCE_READERS,
    SUPERVISOR,
    TECHNICIAN,
    AccessTable,
    each,
)

# Whoever has both roles acts as supervisor, and the event says so.
_DISPATCHERS = each(EVERY_AREA, SUPERVISOR, DISPATCHER)

_WHO_IS_TOLD = _DISPATCHERS | each(OWN_AREAS, TECHNICIAN)

ROUTES: AccessTable = {
    "GET /v1/work-orders": _DISPATCHERS,
    "GET /v1/work-orders/counts": _DISPATCHERS,
    "GET /v1/changes/stream": _DISPATCHERS,
    "GET /v1/work-orders/{order_id}": _DISPATCHERS,
    "GET /v1/work-orders/{order_id}/facts": _DISPATCHERS,
    "POST /v1/work-orders/{order_id}/remarks": _DISPATCHERS,
    "GET /v1/work-orders/{order_id}/form": _DISPATCHERS,
    "POST /v1/work-orders/{order_id}/dispatch": _DISPATCHERS,
    "POST /v1/bulk/dispatch": _DISPATCHERS,
    "POST /v1/work-orders/{order_id}/send-to-redispatch": _DISPATCHERS,
    "POST /v1/work-orders/{order_id}/supervision-answers": _DISPATCHERS,
    "GET /v1/alarms": _WHO_IS_TOLD,
    "POST /v1/alarms/{alarm_id}/acknowledge": _WHO_IS_TOLD,
    "GET /v1/escalation-rules": REFERENCE_READERS,
    "GET /v1/escalation-rules/{version}": REFERENCE_READERS,
    "PUT /v1/escalation-rules": each(NO_AREA, OPERATOR, SUPERVISOR),
    "POST /v1/work-orders/{order_id}/amend": _DISPATCHERS,
    "GET /v1/work-areas": REFERENCE_READERS,
    "GET /v1/work-areas/{work_area_id}": REFERENCE_READERS,
    "PUT /v1/work-areas/{work_area_id}": REFERENCE_EDITORS,
    "GET /v1/staff": REFERENCE_READERS,
    "GET /v1/staff/{staff_id}": REFERENCE_READERS,
    "PUT /v1/staff/{staff_id}": REFERENCE_EDITORS,
    "GET /v1/calendars": REFERENCE_READERS,
    "GET /v1/calendars/{calendar_id}": REFERENCE_READERS,
    "GET /v1/calendars/{calendar_id}/days": REFERENCE_READERS,
    "PUT /v1/calendars/{calendar_id}": REFERENCE_EDITORS,
    "GET /v1/handling-rules": REFERENCE_READERS,
    "GET /v1/handling-rules/{version}": REFERENCE_READERS,
    "PUT /v1/handling-rules": REFERENCE_EDITORS,
    "GET /v1/rules/rejection-budget": each(NO_AREA, OPERATOR, SUPERVISOR),
    "PUT /v1/rules/rejection-budget": REFERENCE_EDITORS,
    "GET /v1/rules/time-limits": REFERENCE_READERS,
    "PUT /v1/rules/time-limits": REFERENCE_EDITORS,
}
