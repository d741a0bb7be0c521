"""Device and demand types, and the numbers of the desk."""

from dataclasses import dataclass

from contracts.directory import DemandTypeDefined, DeviceTypeDefined, Names

DEVICE, DEMAND = "device", "demand"


@dataclass(frozen=True, slots=True)
class OrderType:
    """A device type or a demand type, from the lists that operators edit."""

    code: str
    name_en: str
    name_zh: str
    is_active: bool
    version: int = 0


def definition(kind: str, order_type: OrderType) -> DeviceTypeDefined | DemandTypeDefined:
    """The event that publishes a type."""
    names = Names(en=order_type.name_en, zh=order_type.name_zh)
    if kind == DEVICE:
        return DeviceTypeDefined(device_type=order_type.code, names=names, is_active=order_type.is_active)
    return DemandTypeDefined(demand_type=order_type.code, names=names, is_active=order_type.is_active)


@dataclass(frozen=True, slots=True)
class DeskRules:
    """Numbers that an operator can change."""

    warn_before_minutes: int
    """How long before a promised reply its people are warned."""
    call_closes_after_hours: int
    """After how long without a word an open call is closed."""
    duplicate_hours: int
    duplicate_least_score: int
    country_code: str | None = None
    """Of this country: a number with it, with a leading zero and without either is one number."""
    version: int = 0
