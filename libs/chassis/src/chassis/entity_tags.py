"""Entity tags (RFC 9110, section 8.8.3): our own are a version in quotes, such as `"3"`.

A gateway that compresses marks what it sends: nginx makes `W/"3"` of `"3"`, Apache `"3-gzip"`, others `"3;br"`. A
client sends back what it got, so all of these are version 3; decision 26 says why this is safe. Any other tag is as
right, and is no version of ours. `"3-part"` is version 3 without all that it will or did have.
"""

import re
from dataclasses import dataclass

from contracts.refusals import Stale

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST = re.compile(rf"[ \t,]*(?:{_TAG}[ \t]*(?:,[ \t,]*|$))*")
_OURS = re.compile(r'"(([1-9][0-9]{0,8})(?:-part)?)(?:[-;]{1,2}(?:gzip|br|zstd|deflate))?"')


class NotEntityTags(ValueError):
    """The text is no list of entity tags."""


class NoVersionNamed(Stale):
    """None of the entity tags in If-Match is a version; send the ETag of the last answer, such as "3"."""

    zh = 'If-Match 中没有任何版本；请发送最近一次响应的 ETag，例如 "3"。'


@dataclass(frozen=True, slots=True)
class NamedVersions:
    """The versions that a list of entity tags names; `is_any` for `*`."""

    named: frozenset[int]
    is_any: bool = False

    def fits(self, present: int) -> bool:
        """`present` is 0 of what is not there, which no tag fits."""
        return present in self.named or (self.is_any and present > 0)

    def fits_since(self, oldest: int, present: int) -> bool:
        """Whether a version from `oldest` to `present` is named; `present` is 0 of what is not there."""
        return any(oldest <= version <= present for version in self.named) or (self.is_any and present > 0)

    @property
    def newest(self) -> int:
        """What has to be there before it can be said that none fits; raises `NoVersionNamed`."""
        if self.is_any:
            return 1
        if not self.named:
            raise NoVersionNamed()
        return max(self.named)

    def decided_on(self, present: int) -> int:
        """The version of a request with these tags: the present one where it fits, or else the newest named."""
        return present if self.fits(present) else self.newest


def versions_of(tags: str) -> NamedVersions:
    """What the value of an `If-Match` names; raises `NotEntityTags`. Reads it once, however long."""
    if tags.strip(" \t") == "*":
        return NamedVersions(frozenset(), is_any=True)
    if not _LIST.fullmatch(tags):
        raise NotEntityTags()
    return NamedVersions(frozenset(int(version) for _, version in _OURS.findall(tags)))


def names(tags: str, present: str) -> bool:
    """Whether the value of an `If-None-Match` names the present tag; what is no list of tags names nothing."""
    if tags.strip(" \t") == "*":
        return True
    known = {tag for tag, _ in _OURS.findall(tags)} if _LIST.fullmatch(tags) else set()
    return present.strip('"') in known


def etag_of(version: int, *, is_whole: bool = True) -> str:
    """The tag of a version; not `is_whole` where something of it cannot be shown yet, or can no longer be."""
    return f'"{version}"' if is_whole else f'"{version}-part"'
