"""The loads on the peer: what `benchmarks.loads` does to Linework, against the peer's own API.

Seven acts of an order are seven requests, the cheapest each that leaves the same mark:

    create            POST  /api/tickets/
    dispatch          PATCH /api/tickets/<id>/?status=1    assigned_to; follow-ups cannot assign
    start             POST  /api/followups/                a comment
    complete          POST  /api/followups/                a comment, which becomes the resolution, and status resolved
    submit for audit  POST  /api/followups/                a comment
    audit             POST  /api/followups/                a comment
    archive           POST  /api/followups/                status closed

`?status=1` spares the peer its look at every ticket there is before it changes one: it looks at the open ones only.
The PATCH leaves no follow-up, where each act of Linework is an event. Follow-ups are not public, so that no letter is
written. Nothing is left to do after an answer: what is accepted is settled.

A page is the peer's own list of tickets (`/datatables_ticket_list/`), which asks for fifty rows. `/api/tickets/` reads
all open ones for each page: with a thousand of them it gave a sixth as many.
"""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable, Iterator

from benchmarks.loads import creation
from benchmarks.peer.installation import Peer
from benchmarks.rounds import within
from benchmarks.wire import Connection

_OPEN, _RESOLVED, _CLOSED = 1, 3, 4
_QUEUE = _STAFF = 1
_PAGE = 50
ACTS: tuple[dict[str, object], ...] = (
    {"title": "start", "comment": "started"},
    {"title": "complete", "comment": "replaced the drop cable and measured the signal", "new_status": _RESOLVED},
    {"title": "submit for audit", "comment": "submitted"},
    {"title": "audit", "comment": "passed: complete"},
    {"title": "archive", "new_status": _CLOSED},
)
_FILTER = {"filtering": {"status__in": [_OPEN]}, "sorting": "created"}
LIST = f"/datatables_ticket_list/{base64.b64encode(json.dumps(_FILTER).encode()).decode()}?length={_PAGE}&start="

Work = Callable[[Connection, int], Awaitable[None]]


async def create(connection: Connection, number: int) -> int:
    content = json.loads(creation(number))["content"]
    ticket = {"queue": _QUEUE, "title": f"B{number % 100}", "description": content, "priority": 3}
    _, answer = await connection.ask("POST", "/api/tickets/", json.dumps(ticket).encode())
    return json.loads(answer)["id"]


async def live(connection: Connection, number: int) -> None:
    """One ticket from creation to closing, each act after the answer to the one before."""
    ticket = await create(connection, number)
    assignment = json.dumps({"assigned_to": _STAFF}).encode()
    await connection.ask("PATCH", f"/api/tickets/{ticket}/?status={_OPEN}", assignment)
    for act in ACTS:
        body = {"ticket": ticket, "user": _STAFF, "public": False, **act}
        await connection.ask("POST", "/api/followups/", json.dumps(body).encode())


async def lifecycles(peer: Peer, seconds: float, *, clients: int) -> tuple[int, float]:
    """How many, and how many a second."""
    return await _in_parallel([peer.connection() for _ in range(clients)], within(seconds), live)


async def creates(peer: Peer, seconds: float, *, clients: int = 32) -> tuple[int, float]:
    async def create_one(connection: Connection, number: int) -> None:
        await create(connection, number)

    return await _in_parallel([peer.connection() for _ in range(clients)], within(seconds), create_one)


async def pages(peer: Peer, seconds: float, *, open_tickets: int, clients: int = 8) -> tuple[int, float]:
    async def read(connection: Connection, number: int) -> None:
        await connection.ask("GET", f"{LIST}{number * _PAGE % open_tickets}")

    return await _in_parallel([peer.browser() for _ in range(clients)], within(seconds), read)


async def _in_parallel(connections: list[Connection], numbers: Iterator[int], work: Work) -> tuple[int, float]:
    async def work_on(connection: Connection) -> int:
        count = 0
        for number in numbers:
            await work(connection, number)
            count += 1
        connection.close()
        return count

    started = time.perf_counter()
    count = sum(await asyncio.gather(*map(work_on, connections)))
    return count, count / (time.perf_counter() - started)
