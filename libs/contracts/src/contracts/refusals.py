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
    """What was given is not right."""

    zh = "提交的内容不正确。"


class Unauthenticated(Refusal):
    """Who asks is not known."""

    zh = "身份未经确认。"


class Forbidden(Refusal):
    """Who asks may not do this."""

    zh = "无权进行此操作。"


class NotFound(Refusal):
    """What was named does not exist, or not for who asks."""

    zh = "对象不存在或不可见。"


class Conflict(Refusal):
    """The present state does not allow it."""

    zh = "当前状态不允许此操作。"


class Stale(Refusal):
    """It was decided on a version that is no longer the present one."""

    zh = "所依据的版本已过期。"


class Unavailable(Refusal):
    """It cannot be answered at this moment; asking again later can succeed."""

    zh = "暂时无法处理，请稍后重试。"


class TooMuch(Refusal):
    """One caller asks for more than a fair share at once; asking later can succeed."""

    zh = "请求过多，请稍后重试。"
