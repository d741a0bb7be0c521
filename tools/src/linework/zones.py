"""Time zones that a user names."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from linework.stopped import Stopped


def named_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise Stopped(f"There is no time zone {name}; give a name such as Asia/Shanghai.") from error
