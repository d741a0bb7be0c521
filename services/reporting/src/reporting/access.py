"""Who may use the routes of reporting, and how far they reach."""

from contracts.access import (
    AUDITOR,
    DISPATCHER,
    DISPLAY,
    EVERY_AREA,
    OPERATOR,
    OPERATORS,
    OVERSEERS,
    OWN_AREAS,
    PUBLIC,
    REFERENCE_EDITORS,
    REFERENCE_READERS,
    SELF,
    STAFF,
    SUPERVISOR,
    TECHNICIAN,
    WHOLE,
    AccessTable,
    each,
)

_RECORD_READERS = {**each(EVERY_AREA, *STAFF), TECHNICIAN: OWN_AREAS}
_REPORT_READERS = {**each(EVERY_AREA, SUPERVISOR, OPERATOR, AUDITOR, DISPATCHER), TECHNICIAN: OWN_AREAS}
# A caller reaches their own reports only. Repair staff without an area reach none, not even earlier ones of theirs.
_REPORT_OWNERS = {**each(SELF, *_REPORT_READERS), TECHNICIAN: OWN_AREAS}

ROUTES: AccessTable = {
    "GET /v1/work-orders": _RECORD_READERS,
    "GET /v1/work-orders/{order_id}": _RECORD_READERS,
    "GET /v1/work-orders/{order_id}/timeline": _RECORD_READERS,
    "GET /v1/work-orders/{order_id}/proof": _RECORD_READERS,
    "GET /v1/events": each(WHOLE, OPERATOR, SUPERVISOR),
    "GET /v1/rules/figures": OVERSEERS,
    "PUT /v1/rules/figures": REFERENCE_EDITORS,
    "GET /v1/rules/reports": OVERSEERS,
    "PUT /v1/rules/reports": REFERENCE_EDITORS,
    "GET /v1/metrics": REFERENCE_READERS,
    # The registry of metrics has the roles of each metric and whether it is divided by work area.
    "GET /v1/figures/{metric}": _RECORD_READERS,
    "GET /v1/figures/{metric}/versions": _RECORD_READERS,
    "GET /v1/figures/{metric}/events": _RECORD_READERS,
    "GET /v1/figures/{metric}/corrections": _RECORD_READERS,
    "GET /v1/wallboard": {**_REPORT_READERS, DISPLAY: EVERY_AREA},
    "GET /v1/wallboard/stream": {**_REPORT_READERS, DISPLAY: EVERY_AREA},
    "GET /v1/rules/wallboard": OVERSEERS,
    "PUT /v1/rules/wallboard": REFERENCE_EDITORS,
    "POST /v1/reports": _REPORT_READERS,
    "GET /v1/reports": _REPORT_OWNERS,
    "GET /v1/reports/{report_id}": _REPORT_OWNERS,
    "GET /v1/reports/{report_id}/file": _REPORT_OWNERS,
    "POST /v1/reports/{report_id}/copies": _REPORT_OWNERS,
    "POST /v1/reports/{report_id}/remarks": each(SELF, SUPERVISOR),
    # Each filed report lists the roles and work areas that may see it.
    "GET /v1/filed-reports": _REPORT_READERS,
    "GET /v1/filed-reports/{report_id}": _REPORT_READERS,
    "GET /v1/filed-reports/{report_id}/file": _REPORT_READERS,
    "POST /v1/filed-reports/{report_id}/copies": each(EVERY_AREA, SUPERVISOR, OPERATOR),
    "POST /v1/filed-reports/{report_id}/remarks": each(EVERY_AREA, SUPERVISOR),
    "POST /v1/rebuilds": OPERATORS,
    "GET /v1/rebuilds": OPERATORS,
    "GET /v1/rebuilds/{rebuild_id}": OPERATORS,
    "POST /v1/rebuilds/{rebuild_id}/switch": OPERATORS,
    # A page for browsers, which cannot send a token with the first request: empty until it is given one.
    "GET /wallboard": PUBLIC,
}
