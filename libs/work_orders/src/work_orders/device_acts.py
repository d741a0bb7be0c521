"""An act that a phone sends later: when it was done, by a clock that may be off, and on which device."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.device_time import DeviceTime

_NO_TIME = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAct:
    """The clock's error is measured at sending: what the phone then shows against when that arrives."""

    device_id: str
    sequence: int
    said_at: datetime
    sent_at: datetime
    """What the device's clock showed at sending."""
    received_at: datetime
    tolerance: timedelta
    """So far a clock may be off without being corrected: sending takes time as well."""

    @property
    def clock_off(self) -> timedelta:
        """By how much the clock is behind, negative when ahead; nothing within the tolerance."""
        off = self.received_at - self.sent_at
        return off if abs(off) > self.tolerance else _NO_TIME

    def judged(self, *, not_before: datetime) -> tuple[datetime, DeviceTime]:
        """When it was done, and what the device said of it; what cannot be true counts as of when it was received."""
        try:
            corrected = self.said_at + self.clock_off
        except OverflowError:
            corrected = datetime.min.replace(tzinfo=self.said_at.tzinfo)
        is_believed = self._is_possible(corrected, not_before)
        occurred_at = max(min(corrected, self.received_at) if is_believed else self.received_at, not_before)
        said = DeviceTime(
            device_id=self.device_id,
            sequence=self.sequence,
            said_at=self.said_at,
            clock_off_seconds=round(self.clock_off.total_seconds()),
            is_believed=is_believed,
        )
        return occurred_at, said

    def _is_possible(self, moment: datetime, not_before: datetime) -> bool:
        return not_before - self.tolerance <= moment <= self.received_at + self.tolerance
