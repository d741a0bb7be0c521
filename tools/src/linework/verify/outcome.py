"""The result of a check: violations, counts, and whether it was completed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from linework.verify.laws import Findings, Law

LAWFUL, BROKEN, UNFINISHED = 0, 1, 3
"""Exit statuses of `verify` and `recount`; 2 is that of a command line that cannot be read."""


@dataclass(slots=True)
class Causes:
    """What explains differences between a service and the stream."""

    parked_keys: Mapping[str, int] = field(default_factory=dict)
    """By service; those without are left out."""
    unreadable_records: int = 0
    unknown_types: Mapping[str, int] = field(default_factory=dict)
    """Messages by type."""
    broken_orders: int = 0
    behind: Mapping[str, str] = field(default_factory=dict)
    """By service: why it is not at rest."""

    def __str__(self) -> str:
        """A half sentence, empty where there is no cause."""
        parts = [f"{service} has parked {count} keys" for service, count in self.parked_keys.items()]
        if self.unreadable_records:
            parts.append(f"{self.unreadable_records} records are unreadable")
        if self.unknown_types:
            parts.append(f"{sum(self.unknown_types.values())} messages are of unknown types")
        if self.broken_orders:
            parts.append(f"the stream of {self.broken_orders} orders is broken")
        parts += [f"{service}: {reason}" for service, reason in self.behind.items()]
        return "; ".join(parts)


@dataclass(slots=True)
class Outcome:
    source: str
    findings: Findings = field(default_factory=Findings)
    checked: dict[Law, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    causes: Causes = field(default_factory=Causes)
    unfinished: str | None = None
    """Why the check ended before everything was checked; None when it was."""

    @property
    def is_lawful(self) -> bool:
        """Whether everything was checked, and nothing is broken."""
        return self.findings.count == 0 and self.unfinished is None

    @property
    def exit_status(self) -> int:
        if self.findings.count:
            return BROKEN
        return UNFINISHED if self.unfinished else LAWFUL
