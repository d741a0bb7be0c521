"""Time zones by their names in the IANA database, and what people call them."""

from collections.abc import Mapping
from functools import cache
from zoneinfo import available_timezones

ZONES: Mapping[str, str] = {
    "Asia/Shanghai": "北京时间",
    "Asia/Urumqi": "新疆时间",
    "Asia/Hong_Kong": "香港时间",
    "Asia/Macau": "澳门时间",
    "Asia/Taipei": "台北时间",
    "UTC": "协调世界时",
}
"""What a Chinese reader calls a time zone; other zones have no Chinese name."""


@cache
def time_zones() -> frozenset[str]:
    """The names of the IANA database, such as `Asia/Shanghai`."""
    # Where a machine has it, `localtime` is another zone on each, and PostgreSQL has none of the name.
    return frozenset(available_timezones() - {"localtime"})


def zone_name(zone: str, language: str) -> str:
    """A name of the IANA database as people write it."""
    written = zone.replace("_", " ")
    return ZONES.get(zone, written) if language == "zh" else written
