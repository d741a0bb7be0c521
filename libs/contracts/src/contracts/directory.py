"""Who and what the company has: the compacted topic that every service keeps a copy of.

Each message is the whole entity as it now is. Compaction keeps the newest, so versions may be skipped:
a reader takes a higher `entityversion` and ignores a lower one.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    """What a person sees, in both languages."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkAreaDefined:
    work_area_id: str
    names: Names
    territories: tuple[str, ...] = ()
    """Empty: every territory."""
    demand_types: tuple[str, ...] = ()
    """Empty: every demand type."""
    device_types: tuple[str, ...] = ()
    """Empty: every device type."""
    is_open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffDefined:
    staff_id: str
    name: str
    work_area_id: str
    skills: tuple[str, ...] = ()
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTypeDefined:
    device_type: str
    names: Names
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandTypeDefined:
    demand_type: str
    names: Names
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDefined:
    agent_id: str
    """The subject of the agent's token."""
    name: str
    team: str | None = None
    is_active: bool = True


DirectoryEntity = WorkAreaDefined | StaffDefined | DeviceTypeDefined | DemandTypeDefined | AgentDefined
