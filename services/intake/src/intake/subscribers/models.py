"""Fields that the routes of several features share."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from contracts.plain_text import plain_reference

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _plain(phone: Any) -> Any:
    # Control characters are left for the pattern to refuse.
    return plain_reference(phone) if isinstance(phone, str) and not _CONTROL.search(phone) else phone


Phone = Annotated[str, BeforeValidator(_plain), StringConstraints(pattern=r"^\+?\(?[0-9][0-9 ().-]{1,30}$")]

NOT_SEARCHED: list[str] = Field(
    [], description="Search fields that the caller's roles see masked: a search by them finds nothing."
)
