"""The families of refusals: why a command is not carried out.

A refusal names what is wrong. Its code is its class name in snake case and never changes. Its docstring is the English
message and `zh` the Chinese one; both have placeholders for the keyword context that it is raised with.

The context keeps codes and UTC, for programs; the message shows names and local times, for people. What follows the
colon of a placeholder says what the value is: `{act:act}` a code of that kind in `contracts.names`, `{due_at:time}` a
moment. A value with names in both languages, a yes or no, and a time of day need no kind.

Only one place, the HTTP chassis, maps families to statuses and chooses language and zone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from typing import Any, ClassVar

from contracts.directory import Names
from contracts.names import CATALOGUE, in_language
from contracts.time_zones import zone_name

TIME = "time"
"""The kind of a moment: a `datetime` with a zone, or its ISO text."""


class Refusal(Exception):
    """The command is refused."""

    zh: ClassVar[str] = "请求被拒绝。"
    code: ClassVar[str] = "refusal"

    def __init__(self, **context: Any) -> None:
        self.context: Mapping[str, Any] = context
        super().__init__(self.message("en"))

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def message(self, language: str, zone: tzinfo = UTC) -> str:
        """The sentence a person reads, in `zh` or `en`, with the local times of a zone."""
        reader = Reader(language, zone)
        return self.template(language).format_map({name: _Shown(each, reader) for name, each in self.context.items()})

    @classmethod
    def template(cls, language: str) -> str:
        """The sentence with its placeholders."""
        return cls.zh if language == "zh" else " ".join((cls.__doc__ or "").split())


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a sentence."""

    language: str
    zone: tzinfo

    def text(self, value: Any, kind: str = "") -> str:
        """A value of a context, as this reader sees it."""
        if value is None:
            return "–"
        if isinstance(value, list | tuple | set | frozenset):
            comma = "、" if self.language == "zh" else ", "
            return comma.join(self.text(item, kind) for item in value) or "–"
        if kind == TIME or isinstance(value, datetime):
            return self.local_time(value)
        if kind:
            value = CATALOGUE[kind].get(value, value)
        if isinstance(value, bool):
            value = Names("yes", "是") if value else Names("no", "否")
        if isinstance(value, time):
            return f"{value:%H:%M}"
        return in_language(value, self.language) if isinstance(value, Names) else str(value)

    def local_time(self, moment: datetime | str) -> str:
        """To the minute, or to the second where there are seconds."""
        at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        local = at.astimezone(self.zone)
        clock = f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"
        zone = zone_name(str(self.zone), self.language)
        return f"{clock}（{zone}）" if self.language == "zh" else f"{clock} ({zone})"


@dataclass(frozen=True, slots=True)
class _Shown:
    """A value of a context behind a placeholder, whose format is the value's kind."""

    value: Any
    reader: Reader

    def __format__(self, kind: str) -> str:
        return self.reader.text(self.value, kind)


class Invalid(Refusal):
    """The request is invalid."""

    zh = "请求内容无效。"


class Unauthenticated(Refusal):
    """Authentication failed."""

    zh = "身份验证失败。"


class Forbidden(Refusal):
    """Permission denied."""

    zh = "无权进行此操作。"


class NotFound(Refusal):
    """The resource does not exist or is not visible to you."""

    zh = "对象不存在或对您不可见。"


class Conflict(Refusal):
    """The current state does not allow this."""

    zh = "当前状态不允许此操作。"


class Stale(Refusal):
    """The request is based on an outdated version."""

    zh = "所依据的版本已过期。"


class Unavailable(Refusal):
    """The service is temporarily unavailable; retry later."""

    zh = "暂时无法处理，请稍后重试。"


class TooMuch(Refusal):
    """Rate limit exceeded; retry later."""

    zh = "请求频率超过限制，请稍后重试。"
