"""Shared parts of the service clients: requests with retries, and commands on orders."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

import httpx
import msgspec

from contracts.lifecycle import Status
from contracts.order import WorkOrder
from linework.client_http import NotReached, send
from linework.client_tokens import OPERATOR, Person, Tokens

Json = Any
Texts = Literal["open", "sealed"]
"""Free texts in plain, or as they are stored: what a checker compares with the stream."""
_SEALED = {"linework-texts": "sealed"}
_ORDER = msgspec.json.Decoder(WorkOrder)
_LONGEST_PAUSE_SECONDS = 2.0
PAGE = 200
"""The largest page of a list."""


class Refused(Exception):
    """The service refused the request: its problem document."""

    def __init__(self, method: str, path: str, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = problem
        self.code = str(problem.get("code", status))
        super().__init__(f"{method} {path}: {status} {self.code}: {problem.get('detail', 'without a reason')}")

    @property
    def said(self) -> str:
        """The explanation for users, with each invalid value."""
        wrong = [f"{one.get('pointer', '')}: {one.get('wrong', '')}" for one in self.problem.get("errors") or ()]
        return " ".join([str(self.problem.get("detail") or self), *wrong])

    @property
    def present_version(self) -> int | None:
        """The present version of the order, if the act was based on an older one."""
        return self.problem.get("present_version") if self.code == "stale_version" else None

    @property
    def is_behind(self) -> bool:
        """Whether the service has not received this version yet, or the order at all."""
        if self.code == "work_order_not_found":
            return True
        present = self.present_version
        return present is not None and present < int(self.problem.get("expected_version") or 0)


class KeptAsFact(Exception):
    """The order could not take this report any more: the service keeps it as a fact beside the order."""

    def __init__(self, act: str) -> None:
        super().__init__(f"{act} was kept as a fact beside the order")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request is retried, with the same Idempotency-Key, while its answer can change.

    `seconds` is for broken connections and for 503. `for_handover` also retries while the service has not
    received the order's version. `on_present_version` answers a 412 by acting on the present version: only
    for acts that are right whatever happened in between.
    """

    seconds: float = 0.0
    for_handover: bool = False
    on_present_version: bool = False

    def covers(self, error: Exception) -> bool:
        if isinstance(error, NotReached):
            return True
        return isinstance(error, Refused) and (error.status == 503 or (self.for_handover and error.is_behind))


NONE = Patience()


class ServiceClient:
    """One of the five services, by its address."""

    role = "operator"
    """Who its acts are done by, unless `by` names another person."""

    def __init__(self, address: str, http: httpx.AsyncClient, tokens: Tokens, patience: Patience = NONE) -> None:
        self.http = http
        self._tokens = tokens
        self._patience = patience
        self.address = address
        self.retry_count = 0

    async def call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        by: Person | None = None,
        query: Mapping[str, Any] | None = None,
        version: int | None = None,
        key: str | None = None,
        patience: Patience | None = None,
        texts: Texts = "open",
    ) -> httpx.Response:
        """Any request; `version` becomes `If-Match`. Raises `Refused` for a 4xx or 5xx, or `NotReached`."""
        patience = patience or self._patience
        person = by or Person(self.role)
        content = None if body is None else msgspec.json.encode(body)
        parameters = given(query or {}) or None
        loop = asyncio.get_running_loop()
        give_up_at, pause = loop.time() + patience.seconds, 0.05
        while True:
            try:
                headers = await self._headers(person, body is not None, version, key)
                headers |= _SEALED if texts == "sealed" else {}
                answer = await send(
                    self.http, method, self.address, path, headers=headers, params=parameters, content=content
                )
                return _accepted(method, path, answer)
            except (NotReached, Refused) as error:
                if isinstance(error, Refused) and patience.on_present_version and error.present_version:
                    version = error.present_version
                elif not patience.covers(error) or (method == "POST" and key is None):
                    raise  # without a key it might be carried out twice
                if loop.time() + pause > give_up_at:
                    raise
                self.retry_count += 1
                # Jitter, so that a hundred waiting callers do not retry at the same moment.
                await asyncio.sleep(pause * random.uniform(0.7, 1.3))
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _headers(self, person: Person, has_body: bool, version: int | None, key: str | None) -> dict[str, str]:
        headers = {"authorization": await self._tokens.authorization(person)}
        if has_body:
            headers["content-type"] = "application/json"
        if version is not None:
            headers["if-match"] = f'"{version}"'
        if key is not None:
            headers["idempotency-key"] = key
        return headers

    async def read(self, path: str, *, by: Person | None = None, **query: Any) -> Json:
        """The content of a GET; parameters that are None are omitted."""
        return await self.call_json("GET", path, by=by, query=query)

    async def call_json(self, method: str, path: str, body: Json | None = None, **how: Any) -> Json:
        """The content of the response; `how` are the other parameters of `call`."""
        return (await self.call(method, path, body, **how)).json()

    async def items(
        self, path: str, *, texts: Texts = "open", by: Person | None = None, **query: Any
    ) -> AsyncIterator[Json]:
        """All items of a list, page by page."""
        cursor = None
        while True:
            page = await self.call_json(
                "GET", path, by=by, texts=texts, query={**query, "cursor": cursor, "limit": PAGE}
            )
            for item in page["items"]:
                yield item
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def parked(self, *, after: int = 0, **filters: Any) -> AsyncIterator[Json]:
        """The parked records after an id, oldest first."""
        while page := (await self.read("/v1/parked", by=OPERATOR, after=after, limit=PAGE, **filters))["items"]:
            for record in page:
                yield record
            after = page[-1]["id"]

    async def metrics(self) -> str:
        """The process's metrics in Prometheus' format."""
        return (await send(self.http, "GET", self.address, "/metrics")).text

    async def ping(self) -> bool:
        """Whether the process reports that it is ready."""
        return (await send(self.http, "GET", self.address, "/readyz")).status_code == 200


def _accepted(method: str, path: str, answer: httpx.Response) -> httpx.Response:
    if answer.status_code < 400:
        return answer
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    raise Refused(method, path, answer.status_code, problem if isinstance(problem, dict) else {})


def new_key() -> str:
    return str(uuid.uuid4())


def part(text: str) -> str:
    """A part of a path."""
    return quote(text, safe="")


class OrderService(ServiceClient):
    """What every service that keeps orders has: reads, lists, and acts on an order."""

    async def work_order(self, order_id: str, *, at_least: int | None = None, by: Person | None = None) -> WorkOrder:
        """The order as this service has it; with `at_least`, once that version has arrived there."""
        return order_of(
            await self.call("GET", f"/v1/work-orders/{part(order_id)}", by=by, query={"at_least": at_least})
        )

    async def work_orders(self, *, by: Person | None = None, **filters: Any) -> list[WorkOrder]:
        """One page of a list, such as `status="created"` or `external_reference="…"`."""
        page = await self.read("/v1/work-orders", by=by, **filters)
        return [msgspec.convert(item, WorkOrder) for item in page["items"]]

    async def every_work_order(
        self, *statuses: Status, by: Person | None = None, texts: Texts = "open"
    ) -> AsyncIterator[Mapping[str, Any]]:
        """All orders of these statuses (of every status when none is given), page by page, as JSON."""
        for status in statuses or tuple(Status):
            async for item in self.items("/v1/work-orders", by=by, texts=texts, status=status.value):
                yield item

    async def form(self, order: WorkOrder, *, by: Person | None = None) -> Json:
        return await self.read(f"/v1/work-orders/{part(order.id)}/form", by=by, at_least=order.version)

    async def act(
        self,
        name: str,
        order: WorkOrder,
        *,
        by: Person | None = None,
        key: str | None = None,
        patience: Patience | None = None,
        **body: Any,
    ) -> WorkOrder:
        """Any act on the version that is passed in; fields that are None are omitted. Raises `KeptAsFact`."""
        return await self.act_on(order.id, order.version, name, by=by, key=key, patience=patience, **body)

    async def act_on(
        self,
        order_id: str,
        version: int,
        name: str,
        *,
        by: Person | None = None,
        key: str | None = None,
        patience: Patience | None = None,
        **body: Any,
    ) -> WorkOrder:
        answer = await self.call(
            "POST",
            f"/v1/work-orders/{part(order_id)}/{name}",
            given(body),
            by=by,
            version=version,
            key=key or new_key(),
            patience=patience,
        )
        if answer.status_code == HTTPStatus.CREATED:
            raise KeptAsFact(name)
        return order_of(answer)


def order_of(answer: httpx.Response) -> WorkOrder:
    return _ORDER.decode(answer.content)


def given(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}
