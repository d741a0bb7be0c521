"""What follow-up asks of intake, with the caller's own token: whom to call, and a work order for a finding.

No telephone number is kept here. Intake shows the subscriber as the caller's role may see them.
"""

import asyncio
from dataclasses import dataclass

import httpx
import msgspec

from chassis.problems import language_for
from chassis.request_context import RequestContext
from chassis.telemetry import traceparent
from contracts.refusals import Conflict, Unavailable
from qa.follow_up.domain.follow_up import Finding, FollowUp
from work_orders.subscribers import SubscriberShown

_SECONDS = 5.0


class IntakeAway(Unavailable):
    """Intake is temporarily unavailable; retry with the same Idempotency-Key."""

    zh = "受理服务暂时不可用；请使用相同的 Idempotency-Key 重试。"


class OrderNotOpened(Conflict):
    """Intake did not create the order: {reason}"""

    zh = "受理服务未能生成工单：{reason}"


class ContactNotShown(Conflict):
    """Intake shows you no subscriber {subscriber_no}."""

    zh = "受理服务未向您显示用户 {subscriber_no}。"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWanted:
    device_type: str
    demand_type: str
    content: str


class _Page(msgspec.Struct):
    items: tuple[SubscriberShown, ...]


_SHOWN = msgspec.json.Decoder(SubscriberShown)
_PAGE = msgspec.json.Decoder(_Page)


@dataclass(frozen=True, slots=True)
class IntakeClient:
    """Intake as one caller may use it, with that caller's token."""

    http: httpx.AsyncClient
    url: str
    token: str
    language: str
    """Of the caller, whom intake's refusals are shown to."""

    @classmethod
    def of(cls, context: RequestContext) -> "IntakeClient":
        language = language_for(context.request)
        return cls(context.http, context.settings.intake_url, context.caller.token, language)

    async def contact_of(self, follow_up: FollowUp) -> SubscriberShown:
        """The subscriber as intake shows them to this caller; raises `ContactNotShown` or `IntakeAway`."""
        if follow_up.order_ids:
            path, params = f"/v1/work-orders/{follow_up.order_ids[0]}/subscriber", {}
        else:
            path, params = "/v1/subscribers", {"subscriber_no": follow_up.subscriber_no, "limit": "1"}
        answer = await self._ask("GET", path, params=params)
        try:
            if answer.is_success and follow_up.order_ids:
                return _SHOWN.decode(answer.content)
            shown = _PAGE.decode(answer.content).items if answer.is_success else ()
        except msgspec.DecodeError as error:
            raise IntakeAway() from error
        if not shown:
            raise ContactNotShown(subscriber_no=follow_up.subscriber_no)
        return shown[0]

    async def subscriber_of(self, follow_up: FollowUp) -> str | None:
        """The subscriber of a follow-up; None when intake knows no subscriber with the number. Raises `IntakeAway`."""
        if follow_up.subscriber_id is not None:
            return follow_up.subscriber_id
        try:
            return (await self.contact_of(follow_up)).id
        except ContactNotShown:
            return None

    async def open_order(self, finding: Finding, wanted: OrderWanted) -> str:
        """The id of the work order for a finding; asked twice, the same id.

        The order's external reference names the finding, so that an order whose answer got lost is found again,
        however long ago that was. Raises `OrderNotOpened` or `IntakeAway`.
        """
        body = {
            "subscriber_no": finding.subscriber_no,
            "device_type": wanted.device_type,
            "demand_type": wanted.demand_type,
            "content": wanted.content,
            "external_reference": f"finding-{finding.id}",
        }
        answer = await self._ask("POST", "/v1/work-orders", json=body)
        try:
            result = msgspec.json.decode(answer.content, type=dict)
        except msgspec.DecodeError as error:
            raise IntakeAway() from error
        if answer.is_success:
            return result["id"]
        # Without an id the order is there, and of a work area that the caller does not reach.
        if result.get("code") == "external_reference_taken" and result.get("order_id") is not None:
            return result["order_id"]
        raise OrderNotOpened(
            reason=str(result.get("detail", "")), intake_code=str(result.get("code", answer.status_code))
        )

    async def _ask(self, method: str, path: str, **request: object) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}", "accept-language": self.language}
        if (parent := traceparent()) is not None:
            headers["traceparent"] = parent
        try:
            # httpx limits each read on its own; an answer that trickles in would pass that.
            async with asyncio.timeout(_SECONDS):
                url = f"{self.url}{path}"
                answer = await self.http.request(method, url, headers=headers, **request)  # type: ignore[arg-type]

        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise IntakeAway() from error
        if answer.is_server_error:
            raise IntakeAway()
        return answer
