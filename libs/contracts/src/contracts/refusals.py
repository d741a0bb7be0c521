"""The families of refusals: what a command can be told instead of yes.

A refusal names what is wrong. Its code is its class name in snake case and never changes; its
docstring is the English message and `zh` the Chinese one, both filled from the keyword context that
it is raised with. A value with names in both languages is shown by the one of the message. Only one
place, the HTTP chassis, knows which status a family has.
"""

import inspect
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from contracts.directory import Names


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

    def message(self, language: str) -> str:
        """The sentence a person reads, in `zh` or `en`."""
        template = self.zh if language == "zh" else inspect.cleandoc(self.__doc__ or "")
        return template.format_map({name: _shown(value, language) for name, value in self.context.items()})


def _shown(value: Any, language: str) -> str:
    if isinstance(value, Names):
        return value.zh if language == "zh" else value.en
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(str(item) for item in value) or "–"
    return "–" if value is None else str(value)


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
