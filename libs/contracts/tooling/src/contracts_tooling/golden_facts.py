"""What is recorded of the field: the events that phones send, and the facts beside an order."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from contracts import events as e
from contracts import facts as f
from contracts.device_time import DeviceTime
from contracts.holders import Holder
from contracts.lifecycle import Service
from contracts.message import Actor

_DISPATCHER = Actor("dispatcher-2", "dispatcher", "Zoë O’Neill")
_TECHNICIAN = Actor("technician-31", "technician", "王强")
_SHANGHAI = timezone(timedelta(hours=8))
_TEN = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
_PHONE = DeviceTime(device_id="phone-7", sequence=12, said_at=datetime(2026, 3, 2, 9, 12, 4, tzinfo=_SHANGHAI))
_OFF = DeviceTime(
    device_id="phone-7",
    sequence=13,
    said_at=datetime(1970, 1, 1, 8, 0, 9, tzinfo=_SHANGHAI),
    clock_off_seconds=1_772_411_415,
    is_believed=False,
)

IN_THE_FIELD: tuple[tuple[Service, Actor, Any], ...] = (
    (Service.DISPATCH, _DISPATCHER, e.WorkOrderDispatched(work_area_id="north", staff_ids=("staff-31",))),
    (Service.FIELDWORK, _TECHNICIAN, e.WorkOrderAccepted()),
    (Service.FIELDWORK, _TECHNICIAN, e.WorkOrderContacted()),
    (Service.FIELDWORK, _TECHNICIAN, e.WorkOrderContacted(note="约定下午三点", device=_PHONE)),
    (Service.FIELDWORK, _TECHNICIAN, e.WorkOrderAccepted(device=_PHONE)),
    (Service.FIELDWORK, _TECHNICIAN, e.WorkOrderArrived(place="东门", device=_OFF)),
    (Service.FIELDWORK, _TECHNICIAN, e.WorkOrderStarted(device=_PHONE)),
    (Service.FIELDWORK, _TECHNICIAN, e.WorkOrderNoteAdded(note="Gate code asked for.", device=_PHONE)),
    (
        Service.FIELDWORK,
        _TECHNICIAN,
        e.WorkOrderSuspended(reason="等待配件", until=_TEN, held_by=Holder.HOUSE, device=_PHONE),
    ),
    (Service.FIELDWORK, _TECHNICIAN, e.WorkOrderResumed(device=_PHONE)),
    (
        Service.FIELDWORK,
        _TECHNICIAN,
        e.WorkOrderCompleted(
            staff_ids=("staff-31",),
            handling="更换机顶盒",
            is_resolved=True,
            is_petitioned=False,
            is_called_back=True,
            device=_PHONE,
        ),
    ),
)

SENT_BACK: tuple[tuple[Service, Actor, Any], ...] = (
    IN_THE_FIELD[0],
    (
        Service.FIELDWORK,
        _TECHNICIAN,
        e.WorkOrderRejected(reason=e.RejectionReason.UNSAFE, explanation="有狗", device=_PHONE),
    ),
)

FACTS: tuple[f.WorkOrderFact, ...] = (
    f.WorkOrderRemarked(remark="用户再次来电说明门牌"),
    f.WorkOrderDeparted(),
    f.WorkOrderDeparted(device=_OFF),
    f.WorkOrderEtaRevised(expected_at=_TEN, reason="堵车"),
    f.WorkOrderEtaRevised(expected_at=_TEN, reason="A flat tyre", device=_PHONE),
    f.WorkOrderNoteRecorded(note="钥匙已还"),
    f.WorkOrderNoteRecorded(note="Key returned", device=_PHONE),
    f.WorkOrderReadingTaken(quantity="signal_level", value="-12.5"),
    f.WorkOrderReadingTaken(quantity="signal_level", value="-9", unit="dBmV", device=_PHONE),
    f.WorkOrderPartUsed(part_no="STB-4", count="1"),
    f.WorkOrderPartUsed(part_no="RG6", count="12.5", unit="m", device=_PHONE),
    f.WorkOrderAcceptanceRecorded(),
    f.WorkOrderAcceptanceRecorded(device=_PHONE),
    f.WorkOrderContactRecorded(),
    f.WorkOrderContactRecorded(note="无人接听", device=_PHONE),
    f.WorkOrderArrivalRecorded(),
    f.WorkOrderArrivalRecorded(place="东门", device=_OFF),
)
