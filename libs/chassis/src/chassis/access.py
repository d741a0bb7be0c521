"""Access to the routes that every service has; a service's own routes are in its module `access`."""

from contracts.access import NO_AREA, OPERATORS, PUBLIC, AccessTable, Role, each

ROUTES: AccessTable = {
    "GET /livez": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /metrics": PUBLIC,
    "GET /openapi.json": PUBLIC,
    "GET /docs": PUBLIC,
    "GET /docs/{name}": PUBLIC,
    "GET /v1/errors": PUBLIC,
    "GET /v1/me": each(NO_AREA, *Role),
    "GET /v1/parked": OPERATORS,
    "GET /v1/parked/{parked_id}": OPERATORS,
    "POST /v1/parked/{parked_id}/repair": OPERATORS,
    "POST /v1/parked/{parked_id}/discard": OPERATORS,
    "POST /v1/parked/release": OPERATORS,
    "GET /v1/publishing": OPERATORS,
    "PUT /v1/publishing": OPERATORS,
}
