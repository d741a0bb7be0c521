"""Who may use the routes of intake, and how far they reach."""

from contracts.access import (
    AGENT,
    AUDITOR,
    DISPATCHER,
    EVERY_AREA,
    NO_AREA,
    OPERATOR,
    OPERATORS,
    OVERSEERS,
    OWN_AREAS,
    REFERENCE_EDITORS,
    REFERENCE_READERS,
    STAFF,
    SUPERVISOR,
    TECHNICIAN,
    WHOLE,
    AccessTable,
    each,
)

_SUBSCRIBER_WRITERS = each(NO_AREA, AGENT, SUPERVISOR)
_SUBSCRIBER_READERS = each(NO_AREA, AGENT, SUPERVISOR, DISPATCHER, AUDITOR)
_PRIVACY_READERS = each(WHOLE, SUPERVISOR, AUDITOR)
_ASKERS = each(EVERY_AREA, AGENT, SUPERVISOR, DISPATCHER)
_LOOK_UP = {**_ASKERS, AUDITOR: EVERY_AREA, TECHNICIAN: OWN_AREAS}
_DESK = each(EVERY_AREA, AGENT, SUPERVISOR)
_CALL_READERS = {**_DESK, AUDITOR: EVERY_AREA}
_KNOWERS = each(NO_AREA, SUPERVISOR, AUDITOR, OPERATOR)

ROUTES: AccessTable = {
    "POST /v1/subscribers": _SUBSCRIBER_WRITERS,
    "PATCH /v1/subscribers/{subscriber_id}": _SUBSCRIBER_WRITERS,
    "GET /v1/subscribers": _SUBSCRIBER_READERS,
    "GET /v1/subscribers/{subscriber_id}": _SUBSCRIBER_READERS,
    "GET /v1/{kind}-types": REFERENCE_READERS,
    "PUT /v1/{kind}-types/{code}": REFERENCE_EDITORS,
    # An order has no area until it is dispatched.
    "POST /v1/work-orders": each(NO_AREA, AGENT, SUPERVISOR),
    "GET /v1/work-orders": _LOOK_UP,
    "GET /v1/work-orders/counts": _LOOK_UP,
    "GET /v1/changes/stream": _LOOK_UP,
    "GET /v1/work-orders/{order_id}": _LOOK_UP,
    "GET /v1/work-orders/{order_id}/facts": _LOOK_UP,
    "POST /v1/work-orders/{order_id}/remarks": _LOOK_UP,
    "GET /v1/work-orders/{order_id}/history": _LOOK_UP,
    "GET /v1/work-orders/{order_id}/subscriber": _LOOK_UP,
    "POST /v1/work-orders/{order_id}/cancel-requests": _ASKERS,
    "POST /v1/work-orders/{order_id}/urge-requests": _ASKERS,
    "POST /v1/work-orders/{order_id}/recall-requests": each(EVERY_AREA, SUPERVISOR, DISPATCHER),
    "POST /v1/work-orders/{order_id}/supervision-requests": each(EVERY_AREA, SUPERVISOR),
    "POST /v1/work-orders/{order_id}/reopen-requests": _ASKERS,
    "POST /v1/bulk/urge-requests": _ASKERS,
    "POST /v1/work-orders/{order_id}/amend-requests": _ASKERS,
    # Who works on an order in the field may ask for more time as well.
    "POST /v1/work-orders/{order_id}/extension-requests": {**_ASKERS, TECHNICIAN: OWN_AREAS},
    "GET /v1/requests/{request_id}": {**_ASKERS, TECHNICIAN: OWN_AREAS},
    # Partners and agents belong to no work area.
    "PUT /v1/partners/{partner_id}": OPERATORS,
    "GET /v1/partners": OVERSEERS,
    "GET /v1/partners/{partner_id}": OVERSEERS,
    "GET /v1/partners/{partner_id}/refused-events": OVERSEERS,
    "GET /v1/partners/{partner_id}/unregistered-agents": OVERSEERS,
    "PUT /v1/agents/{agent_id}": OPERATORS,
    "GET /v1/agents": OVERSEERS,
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
    "POST /v1/outages": each(NO_AREA, SUPERVISOR, DISPATCHER),
    "GET /v1/outages": each(NO_AREA, *STAFF),
    "POST /v1/outages/{outage_id}/change": each(NO_AREA, SUPERVISOR, DISPATCHER),
    "POST /v1/work-orders/{order_id}/links": _ASKERS,
    "GET /v1/work-orders/{order_id}/links": _LOOK_UP,
    "POST /v1/links/{link_id}/undo": _ASKERS,
    "POST /v1/duplicate-checks": _ASKERS,
    "GET /v1/rules/desk": OVERSEERS,
    "PUT /v1/rules/desk": REFERENCE_EDITORS,
    "GET /v1/articles": REFERENCE_READERS,
    "POST /v1/articles": _KNOWERS,
    "PUT /v1/articles/{article_id}": _KNOWERS,
    "GET /v1/articles/{article_id}": REFERENCE_READERS,
    "GET /v1/articles/{article_id}/versions": REFERENCE_READERS,
    "GET /v1/articles/{article_id}/calls": _CALL_READERS,
    # Who sees a subscriber masked can reveal them for a purpose, which is recorded.
    "POST /v1/subscribers/{subscriber_id}/reveals": _SUBSCRIBER_READERS,
    "POST /v1/work-orders/{order_id}/subscriber/reveals": _LOOK_UP,
    "GET /v1/reveals": _PRIVACY_READERS,
    "POST /v1/subscribers/{subscriber_id}/legal-holds": each(WHOLE, SUPERVISOR),
    "POST /v1/legal-holds/{hold_id}/lift": each(WHOLE, SUPERVISOR),
    "GET /v1/legal-holds": _PRIVACY_READERS,
    "POST /v1/subscribers/{subscriber_id}/erasure": each(WHOLE, SUPERVISOR),
    "GET /v1/erasures": each(WHOLE, SUPERVISOR, AUDITOR, OPERATOR),
    "GET /v1/retention-rules": each(WHOLE, SUPERVISOR, AUDITOR, OPERATOR),
    "PUT /v1/retention-rules/{data_class}": OPERATORS,
    "GET /v1/retention-rules/subscribers/due": each(WHOLE, SUPERVISOR, AUDITOR, OPERATOR),
    "GET /v1/retention-runs": each(WHOLE, SUPERVISOR, AUDITOR, OPERATOR),
}
