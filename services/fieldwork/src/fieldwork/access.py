"""Who may use the routes of fieldwork, and how far they reach."""

from contracts.access import DISPATCHER, EVERY_AREA, OWN_AREAS, SUPERVISOR, TECHNICIAN, AccessTable

_WORKERS = {TECHNICIAN: OWN_AREAS, SUPERVISOR: EVERY_AREA}
_FIELD_READERS = {**_WORKERS, DISPATCHER: EVERY_AREA}

ROUTES: AccessTable = {
    "GET /v1/work-orders": _FIELD_READERS,
    "GET /v1/work-orders/counts": _FIELD_READERS,
    "GET /v1/changes/stream": _FIELD_READERS,
    "GET /v1/work-orders/{order_id}": _FIELD_READERS,
    "GET /v1/work-orders/{order_id}/facts": _FIELD_READERS,
    "POST /v1/work-orders/{order_id}/remarks": _FIELD_READERS,
    "GET /v1/work-orders/{order_id}/form": _FIELD_READERS,
    "GET /v1/work-areas": _FIELD_READERS,
    "POST /v1/work-orders/{order_id}/start": _WORKERS,
    "POST /v1/work-orders/{order_id}/arrive": _WORKERS,
    "POST /v1/work-orders/{order_id}/reject": _WORKERS,
    # The handling rules say who of these may complete it.
    "POST /v1/work-orders/{order_id}/complete": _FIELD_READERS,
    # Of the technicians the leads of the area.
    "POST /v1/work-orders/{order_id}/reassign": {SUPERVISOR: EVERY_AREA, DISPATCHER: EVERY_AREA, TECHNICIAN: OWN_AREAS},
    "POST /v1/work-orders/{order_id}/suspend": _WORKERS,
    "POST /v1/work-orders/{order_id}/resume": _WORKERS,
    "POST /v1/work-orders/{order_id}/supervision-answers": _WORKERS,
    "POST /v1/work-orders/{order_id}/notes": _WORKERS,
    "POST /v1/work-orders/{order_id}/accept": _WORKERS,
    "POST /v1/work-orders/{order_id}/contact": _WORKERS,
    "POST /v1/work-orders/{order_id}/depart": _WORKERS,
    "POST /v1/work-orders/{order_id}/eta": _WORKERS,
    "POST /v1/work-orders/{order_id}/readings": _WORKERS,
    "POST /v1/work-orders/{order_id}/parts": _WORKERS,
    # Carries out what stands in a row like its own.
    "POST /v1/field-batches": _WORKERS,
}
