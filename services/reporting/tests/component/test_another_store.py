"""The record in another engine: whoever keeps it elsewhere gets the same figures from it.

SQLite stands for the columnar store of an operator. It gets nothing but what travels on the topics (key, value and
headers), and gives nothing but the messages of each stream in their versions: that is all such a store has to do.
"""

import random
import sqlite3
from collections.abc import Iterator

from services.reporting.tests.world import world

from contracts.codec import decode, encode
from contracts.message import Message
from linework.recount import Asked, Recount, differences
from reporting.metrics import METRICS, Dimension


class SqliteStore:
    """Records as they travelled; one that comes again changes nothing."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:")
        self._db.execute(
            "create table records (subject text, version integer, id text, value blob, headers text,"
            " primary key (subject, version, id)) without rowid"
        )

    def keep(self, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        texts = {name: text.decode() for name, text in headers}
        version = int(texts.get("ce_orderversion") or texts.get("ce_entityversion") or 0)
        packed = "\n".join(f"{name}={text}" for name, text in texts.items())
        row = (key.decode(), version, texts["ce_id"], value, packed)
        self._db.execute("insert or ignore into records values (?, ?, ?, ?, ?)", row)

    def messages(self) -> Iterator[Message]:
        for key, value, packed in self._db.execute(
            "select subject, value, headers from records order by subject, version"
        ):
            pairs = (line.partition("=") for line in packed.split("\n"))
            yield decode(key.encode(), value, [(name, text.encode()) for name, _, text in pairs])

    def close(self) -> None:
        self._db.close()


async def test_another_engine_gives_every_figure_that_is_shown(reporting, make_stream):
    chance, store = random.Random(7), SqliteStore()
    streams = world(make_stream, chance, orders=25, calls=40)
    await reporting.receive(*(message for stream in streams for message in stream.messages))
    for stream in chance.sample(streams, len(streams)):
        for message in stream.messages * chance.randint(1, 2):
            store.keep(*encode(message))
    recount = Recount()
    recount.take(store.messages())
    store.close()
    for metric in METRICS:
        for dimension in (Dimension.WORK_AREA, metric.dimensions[0]):
            if dimension in metric.dimensions:
                asked = Asked(metric=metric.id, version=metric.version, group_by=(dimension.value,))
                shown = (await reporting.get(f"/figures/{metric.id}", "supervisor", **asked.query)).json()
                assert differences(asked, shown["rows"], recount.rows(asked, shown)) == []
    assert len(METRICS) > 10
