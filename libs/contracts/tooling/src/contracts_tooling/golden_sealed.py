"""What is recorded of sealed texts and of the keys that they are sealed with."""

from typing import Any

from contracts import events as e
from contracts import sealing as s
from contracts.lifecycle import Service
from contracts.message import Actor

Step = tuple[Service, Actor, Any]

_AGENT = Actor("agent-7", "agent", "陈静")
_DISPATCHER = Actor("dispatcher-2", "dispatcher", "Zoë O’Neill")
_SUBSCRIBER = "5b0d7c1e-2f63-4d0a-bb1f-6f1f0f7f9d11"
# Sealed under the wrapped key below, whose master key is the bytes 0 to 31.
SEALED: tuple[Step, ...] = (
    (
        Service.INTAKE,
        _AGENT,
        e.WorkOrderCreated(
            order_no="20260302-000019",
            subscriber_id=_SUBSCRIBER,
            subscriber_no="111",
            device_type="digital",
            demand_type="test",
            content=f"sealed:1:{_SUBSCRIBER}:8GXW8N598ZqU60APTV7y0G6MBH9e3vcI8doG4Wbick1xllgURug_H3OoP-5aPUZituD2KDwPIIN-"
            "k1sHEMV-0W7b",
            channel=e.Channel.PHONE,
            zone=e.Zone.URBAN,
        ),
    ),
    (
        Service.DISPATCH,
        _DISPATCHER,
        e.WorkOrderDispatched(
            work_area_id="north",
            staff_ids=("staff-31",),
            remark=f"sealed:1:{_SUBSCRIBER}:c8w07hHH9rggDTUFIwUposWZG47IhiROxHogkNVC5n09TYEqjQM",
        ),
    ),
    (
        Service.FIELDWORK,
        _AGENT,
        e.WorkOrderCancelled(
            request_id="cancel-9",
            reason=f"sealed:1:{_SUBSCRIBER}:U3cbpG98KNmG0VFZcYfloKI-lZ2Cf40O3yhV2ch7qtw3nCNCPF7BA12rQw",
        ),
    ),
)

SEALING_KEYS: tuple[tuple[str, Step], ...] = (
    (
        _SUBSCRIBER,
        (
            Service.INTAKE,
            _AGENT,
            s.SealingKeyIssued(
                subscriber_id=_SUBSCRIBER,
                master_key_id="golden",
                wrapped="6Uw7lD0-fIeWrrBDFd-bSQW-TRxJwYBbDYX7m0Un8mUKcW_LQWnU0by7C8txvcknruRfkf9qzPmKsNfd",
            ),
        ),
    ),
    (
        _SUBSCRIBER,
        (Service.INTAKE, _AGENT, s.SealingKeyDestroyed(subscriber_id=_SUBSCRIBER, ground="subscriber_asked")),
    ),
)
