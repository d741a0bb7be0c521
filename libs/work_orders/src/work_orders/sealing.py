"""Free text on its way out and back in: sealed before its message is made, opened only in the answer to a person.

Between the two, in tables, topics, remembered answers and logs, it is sealed. What the one who asks may see is
decided before: opening adds nothing to it. A text that cannot be opened is replaced by words that say why, in
the language of the one who asks, and the answer has `sealed_text` beside it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any, TypeVar

import msgspec
from fastapi import Request

from chassis.problems import language_for
from chassis.sealing import DoesNotOpen, SealingKey
from contracts.order import WorkOrder
from contracts.sealing import SEALED, SealedText, texts_of, with_texts
from work_orders.clocks_shown import OrderClock
from work_orders.sealing_keys import Key, SealingKeys

T = TypeVar("T")

AS_SEALED_HEADER = "linework-texts"
"""`Linework-Texts: sealed` asks for texts as they are stored, such as to compare them with the stream."""

_WORDS: Mapping[SealedText, tuple[str, str]] = {
    SealedText.ERASED: ("(erased with the subscriber's data)", "（已随用户资料删除）"),
    SealedText.NOT_HERE_YET: ("(not readable yet; look again in a moment)", "（暂时无法显示，请稍后刷新）"),
    SealedText.UNREADABLE: ("(cannot be read)", "（无法读取）"),
}


def place_of(order_id: str) -> str:
    """The associated data of a text: sealed for one order, it opens in no other."""
    return f"linework:1:{order_id}"


def seal(text: str, key: SealingKey, *, subject: str, subscriber_id: str) -> str:
    return f"sealed:1:{subscriber_id}:{key.seal(text, place=place_of(subject))}"


class Sealer:
    """Seals texts under one subscriber's key; where nobody knows the subscriber it leaves them as they are."""

    def __init__(self, key: SealingKey | None = None, subscriber_id: str = "") -> None:
        self._key = key
        self._subscriber_id = subscriber_id

    def __call__(self, text: str, subject: str) -> str:
        if not text or self._key is None:
            return text
        return seal(text, self._key, subject=subject, subscriber_id=self._subscriber_id)


async def sealed(body: T, keys: SealingKeys, *, subject: str, subscriber_id: str) -> T:
    """The event or request with its free texts sealed; raises `SubscriberErased` or `SealingKeyNotArrived`.

    Without a free text no key is asked for: an act that says nothing of a person never waits for one.
    """
    if not texts_of(body):
        return body
    key = await keys.get_for_writing(subscriber_id)
    return with_texts(body, lambda text: seal(text, key, subject=subject, subscriber_id=subscriber_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderShown(WorkOrder):
    """A work order with its texts opened."""

    sealed_text: SealedText | None = None
    """Why words stand in the place of a text; None or left out when all texts are shown."""
    clocks: tuple[OrderClock, ...] = ()
    """How far its time limits have run; left out of the replies to commands."""


_SHOWN = msgspec.json.Decoder(WorkOrderShown)


def to_shown(body: bytes) -> WorkOrderShown:
    return _SHOWN.decode(body)


class Opening:
    """Opens what was sealed, for one answer."""

    def __init__(self, keys: SealingKeys, *, language: str = "en", as_sealed: bool = False) -> None:
        self._keys = keys
        self._is_chinese = language == "zh"
        self._as_sealed = as_sealed

    async def texts(
        self, stored: Sequence[tuple[str, str]], *, waits: bool = False
    ) -> list[tuple[str, SealedText | None]]:
        """JSON texts with what is sealed in them opened, each with why something in it is not shown.

        `stored` are pairs of order id and JSON. With `waits`, keys on their way are waited for.
        """
        found = [] if self._as_sealed else [[*_QUOTED.finditer(text)] for _, text in stored]
        wanted = {match[1]: None for matches in found for match in matches}
        if not wanted:
            return [(text, None) for _, text in stored]
        keys = await self._keys.find(wanted, waits=waits)
        return [
            self._opened(subject, text, matches, keys) for (subject, text), matches in zip(stored, found, strict=True)
        ]

    async def objects(self, stored: Sequence[tuple[str, str]], *, waits: bool = False) -> list[str]:
        """The same for JSON objects, each with the member `sealed_text` when something in it is not shown."""
        return [_marked(*opened) for opened in await self.texts(stored, waits=waits)]

    async def object(self, subject: str, stored: bytes, *, waits: bool = False) -> bytes:
        (text,) = await self.objects([(subject, stored.decode())], waits=waits)
        return text.encode()

    async def things(self, stored: Sequence[tuple[str, Any]], *, waits: bool = False) -> list[dict[str, Any]]:
        """The same for things that can be written as JSON objects; times come back as their texts."""
        texts = [(subject, msgspec.json.encode(thing).decode()) for subject, thing in stored]
        return [msgspec.json.decode(text) for text in await self.objects(texts, waits=waits)]

    async def text(self, subject: str, stored: str) -> tuple[str, SealedText | None]:
        """One text that may be sealed."""
        match = SEALED.fullmatch(stored)
        if match is None or self._as_sealed:
            return stored, None
        keys = await self._keys.find([match[1]])
        return self._text_of(keys[match[1]], match[2], place_of(subject))

    def _opened(
        self, subject: str, text: str, matches: Iterable[re.Match[str]], keys: Mapping[str, Key]
    ) -> tuple[str, SealedText | None]:
        place, why, end = place_of(subject), None, 0
        pieces: list[str] = []
        for match in matches:
            shown, reason = self._text_of(keys[match[1]], match[2], place)
            why = why or reason
            pieces += (text[end : match.start()], encode_basestring(shown))
            end = match.end()
        return "".join((*pieces, text[end:])), why

    def _text_of(self, key: Key, sealed_text: str, place: str) -> tuple[str, SealedText | None]:
        if isinstance(key, SealingKey):
            try:
                return key.open(sealed_text, place=place), None
            except DoesNotOpen:
                key = SealedText.UNREADABLE
        return _WORDS[key][self._is_chinese], key


# A quotation mark inside a JSON text is escaped, so these begin and end a whole text.
_QUOTED = re.compile(f'"{SEALED.pattern}"')


NOT_OPENED = b'"sealed_text":"'
"""In an object with a text that could not be opened; no text can hold it, because there quotes are escaped."""


def _marked(text: str, why: SealedText | None) -> str:
    return text if why is None else f'{text[:-1]},{NOT_OPENED.decode()}{why.value}"}}'


def opening_for(request: Request) -> Opening:
    """Opens texts for whoever sent the request, in their language."""
    return Opening(
        request.app.state.sealing_keys,
        language=language_for(request),
        as_sealed=request.headers.get(AS_SEALED_HEADER) == "sealed",
    )
