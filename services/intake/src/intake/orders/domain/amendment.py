"""Asking for an amendment 变更, 改约 of an order: the request has a reference where intake keeps people's data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from contracts.amendment import AmendWorkOrder
from contracts.order import DETAILS
from intake.subscribers.domain import mask_name, mask_phone


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to contact about an order, where that is not the subscriber."""

    name: str
    phone: str

    def masked(self) -> Self:
        """As those see it who see the subscriber masked."""
        return replace(self, name=mask_name(self.name), phone=mask_phone(self.phone))


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAmendment:
    amendment: AmendWorkOrder
    """Without the contact, which has no reference yet."""
    contact: Contact | None
    seen_version: int


def asked_for(amendment: AmendWorkOrder, seen_version: int) -> Mapping[str, Any]:
    """The fields of the request beside its id and reason."""
    return {
        "seen_version": seen_version,
        "is_appointment_withdrawn": amendment.is_appointment_withdrawn,
        **{name: getattr(amendment.details, name) for name in DETAILS},
    }
