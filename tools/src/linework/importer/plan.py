"""Interprets a MyLA311 row as a subscriber, an order and the commands up to its outcome. Pure: no I/O.

The city's record has the times at which a request was made and closed. The steps between are assumed: an order is
dispatched after a third of that time, started after two thirds, and completed and archived at its end.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from linework.importer.rows import Row
from linework.stopped import Stopped

COLUMNS = (
    "SRNumber",
    "CreatedDate",
    "RequestSource",
    "RequestType",
    "Status",
    "Owner",
    "AssignTo",
    "ServiceDate",
    "ClosedDate",
    "Address",
)
"""The columns that must be there; `Anonymous`, `AddressVerified`, `CD` and `PolicePrecinct` are used when they are."""

CHANNELS: Mapping[str, str] = {
    "Call": "phone",
    "Mobile App": "app",
    "Self Service": "web",
    "Email": "email",
    "Voicemail": "self_service_voice",
    "Walk-in": "walk_in",
    # The council and the city's own drivers hand in what they saw: organisations, not subscribers.
    "Council's Office": "partner",
    "Driver Self Report": "partner",
}

DEVICE_TYPE = "city_service"
DEVICE_NAMES = ("City service", "市政服务")

DEMAND_NAMES: Mapping[str, str] = {
    "Bulky Items": "大件垃圾清运",
    "Graffiti Removal": "涂鸦清除",
    "Illegal Dumping Pickup": "违规倾倒清理",
    "Metal/Household Appliances": "金属及家电回收",
    "Electronic Waste": "电子废弃物回收",
    "Homeless Encampment": "露宿点处置",
    "Dead Animal Removal": "动物尸体清理",
    "Single Streetlight Issue": "单盏路灯故障",
    "Multiple Streetlight Issue": "多盏路灯故障",
    "Report Water Waste": "用水浪费举报",
    "Feedback": "意见反馈",
    "Other": "其他",
}
"""Chinese names of the request types; one that is not here keeps its English name in both languages."""

UNKNOWN_ADDRESS = "Address unknown"


class Fate(StrEnum):
    """How a request ended, from the column `Status`."""

    OPEN = "Open"
    CLOSED = "Closed"
    CANCELLED = "Cancelled"
    REFERRED_OUT = "Referred Out"


class RowRefused(ValueError):
    """The row cannot become an order; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Plan:
    line: int
    reference: str
    subscriber: Mapping[str, Any]
    order: Mapping[str, Any]
    """The body that creates it."""
    demand_type: str
    demand_names: tuple[str, str]
    work_area_id: str
    work_area_names: tuple[str, str]
    fate: Fate
    created_at: datetime
    ended_at: datetime
    """Never before `created_at`."""
    remarks: Sequence[str]
    """What was odd about the row and how it was taken."""

    @property
    def staff_id(self) -> str:
        return f"{self.work_area_id}-crew"

    def at(self, share: float) -> datetime:
        """The time when this share of the order's life was over."""
        return self.created_at + share * (self.ended_at - self.created_at)


def plan_of(row: Row) -> Plan:
    """What the row means; raises `RowRefused`."""
    if row.fault:
        raise RowRefused(row.fault)
    if not row["SRNumber"]:
        raise RowRefused("SRNumber is empty")
    remarks: list[str] = []
    fate = _fate(row)
    created_at = _moment(row, "CreatedDate")
    if created_at is None:
        raise RowRefused("CreatedDate is empty")
    demand_type, demand_names = _demand(row)
    work_area_id, work_area_names = _work_area(row, remarks)
    return Plan(
        line=row.line,
        reference=row["SRNumber"],
        subscriber=_subscriber(row, remarks),
        order=_order(row, demand_type, created_at),
        demand_type=demand_type,
        demand_names=demand_names,
        work_area_id=work_area_id,
        work_area_names=work_area_names,
        fate=fate,
        created_at=created_at,
        ended_at=_ended_at(row, fate, created_at, remarks),
        remarks=remarks,
    )


def _fate(row: Row) -> Fate:
    try:
        return Fate(row["Status"])
    except ValueError:
        raise RowRefused(f"Status {row['Status']!r} is none of {', '.join(Fate)}") from None


def _order(row: Row, demand_type: str, created_at: datetime) -> dict[str, Any]:
    channel = CHANNELS.get(row["RequestSource"])
    if channel is None:
        raise RowRefused(f"RequestSource {row['RequestSource']!r} is none of {', '.join(CHANNELS)}")
    order = {
        "subscriber_no": subscriber_no_of(row["Address"]),
        "device_type": DEVICE_TYPE,
        "demand_type": demand_type,
        "content": _content(row),
        "channel": channel,
        "external_reference": row["SRNumber"],
        "occurred_at": created_at,
    }
    day = _moment(row, "ServiceDate")
    if day is not None:
        order["appointment"] = _whole_day(day)
    return order


def _content(row: Row) -> str:
    """The request without the address: events carry no addresses."""
    parts = [f"{row['RequestType']}, from {row['RequestSource']}"]
    if row["Owner"]:
        parts.append(f"for {row['Owner']}")
    if row["PolicePrecinct"]:
        parts.append(f"in precinct {row['PolicePrecinct']}")
    return ", ".join(parts) + ("; the caller gave no name." if row["Anonymous"] == "Y" else ".")


def _demand(row: Row) -> tuple[str, tuple[str, str]]:
    name = row["RequestType"]
    code = slug(name, "_")
    if not code:
        raise RowRefused(f"RequestType {name!r} names no demand type")
    return code, (name, DEMAND_NAMES.get(name, name))


def _work_area(row: Row, remarks: list[str]) -> tuple[str, tuple[str, str]]:
    """The yard in `AssignTo`; where it is empty, the bureau's own desk.

    The prefixes keep yards apart from bureaus of the same name, and from areas that were here before.
    """
    yard, bureau = row["AssignTo"], row["Owner"]
    if slug(yard):
        return f"la-{slug(yard)}", (f"{yard} yard", f"{yard} 工区")
    if slug(bureau):
        remarks.append("without AssignTo, given to the bureau in Owner")
        return f"la-bureau-{slug(bureau)}", (f"Bureau {bureau}", f"{bureau} 局")
    raise RowRefused("neither AssignTo nor Owner names the responsible unit")


def _subscriber(row: Row, remarks: list[str]) -> dict[str, Any]:
    address = _tidy(row["Address"])
    if not address:
        remarks.append("without an address, kept under one subscriber of that name")
    elif row["AddressVerified"] == "N":
        remarks.append("with an address that the city could not verify, kept as it is")
    district = row["CD"]
    return {
        "subscriber_no": subscriber_no_of(address),
        "name": "Resident" if address else UNKNOWN_ADDRESS,
        "address": address or UNKNOWN_ADDRESS,
        "zone": "urban",
        "territory": f"CD {district}" if district else None,
    }


def subscriber_no_of(address: str) -> str:
    """The same number for the same address, however it is spaced and capitalised."""
    digest = hashlib.sha256(_tidy(address).upper().encode()).hexdigest()
    return f"LA-{digest[:12]}" if address.strip() else "LA-unknown"


def _tidy(text: str) -> str:
    return " ".join(text.split())


def slug(text: str, separator: str = "-") -> str:
    """An identifier of the text: small letters and digits, at most 40 characters; empty when it has none."""
    kept = re.sub(r"[^a-z0-9_]+", separator, text.lower()).strip("-_")
    return kept if len(kept) <= 40 else f"{kept[:31]}{separator}{hashlib.sha256(kept.encode()).hexdigest()[:8]}"


def _ended_at(row: Row, fate: Fate, created_at: datetime, remarks: list[str]) -> datetime:
    ended_at = _moment(row, "ClosedDate")
    if ended_at is None:
        if fate is not Fate.OPEN:
            remarks.append("without ClosedDate, ended when it was created")
        return created_at
    if ended_at < created_at:
        remarks.append("with ClosedDate before CreatedDate, ended when it was created")
        return created_at
    return ended_at


def _moment(row: Row, column: str) -> datetime | None:
    """The time in a column, as UTC; None when it is empty."""
    if not row[column]:
        return None
    try:
        told = datetime.strptime(row[column], "%m/%d/%Y %I:%M:%S %p")  # noqa: DTZ007
    except ValueError:
        raise RowRefused(f"{column} {row[column]!r} is not a time such as 12/31/2017 11:59:58 PM") from None
    return told.replace(tzinfo=_los_angeles()).astimezone(UTC)


def _whole_day(moment: datetime) -> dict[str, datetime]:
    """The city promises a day and not an hour."""
    day = moment.astimezone(_los_angeles()).replace(hour=0, minute=0, second=0, microsecond=0)
    return {"start": day.astimezone(UTC), "end": (day + timedelta(days=1)).astimezone(UTC)}


def _los_angeles() -> ZoneInfo:
    try:
        return ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:
        raise Stopped(
            "This machine has no time zone data, and the file's times are in Los Angeles; install its tzdata package."
        ) from None
