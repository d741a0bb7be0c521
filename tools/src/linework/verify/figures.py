"""Compares every metric of the registry, in every version, with the recount.

A response of reporting contains the offsets up to which it had read. The stream is read up to these offsets before
the recount, so that both count the same messages, even under load.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from linework.client import SUPERVISOR, ServiceClients
from linework.recount import Asked, Recount, differences
from linework.verify.facts import Facts
from linework.verify.laws import Findings, Law, Ledger
from linework.verify.parked import ParkedReader
from linework.verify.progress import VerifyProgress
from linework.verify.quiet import Waiting
from linework.verify.stream import COUNTS, RecordSource


def questions(metrics: Iterable[Mapping[str, Any]]) -> Iterator[Asked]:
    """Of each metric of reporting's `/v1/metrics`: hour by hour, day by day for a pair of groups, and by each group."""
    for declared in metrics:
        metric, version, dimensions = declared["id"], declared["version"], declared["dimensions"]
        if declared["has_periods"]:
            yield Asked(metric=metric, version=version, grain="hour")
            yield Asked(metric=metric, version=version, grain="day", group_by=tuple(dimensions[:2]))
        else:
            yield Asked(metric=metric, version=version, group_by=tuple(dimensions[:2]))
        for dimension in dimensions:
            yield Asked(metric=metric, version=version, group_by=(dimension,))


@dataclass(slots=True)
class FigureCheck:
    city: ServiceClients
    stream: RecordSource
    ledger: Ledger
    facts: Facts
    recount: Recount
    parked: ParkedReader
    findings: Findings
    waiting: Waiting
    progress: VerifyProgress
    causes: Callable[[], str]
    """Why counts may differ, as far as it is known."""
    compared_count: int = 0
    _is_count_reported: bool = False

    async def run(self, only: frozenset[str]) -> None:
        metrics = (await self.city.reporting.read("/v1/metrics", by=SUPERVISOR))["items"]
        asked = list(questions(metric for metric in metrics if not only or metric["id"] in only))
        if not asked or not await self._has_caught_up(asked[0]):
            return
        for figure in asked:
            await self._compare(figure)
            self.compared_count += 1
            self.progress.count(self.compared_count, len(asked))

    async def _has_caught_up(self, figure: Asked) -> bool:
        """Waits, once for all figures, until reporting has read as far as this check."""
        while lag := self.stream.lag_of((await self._ask(figure))["read_up_to"]):
            if not await self.waiting.pause():
                what = f"is {lag} records behind; figures were not compared{self.causes()}"
                self.findings.add(Law.RECORD, "reporting", what)
                return False
        return True

    async def _ask(self, figure: Asked) -> dict[str, Any]:
        return await self.city.reporting.read(f"/v1/figures/{figure.metric}", by=SUPERVISOR, **figure.query)

    async def _compare(self, figure: Asked) -> None:
        shown = await self._ask(figure)
        if self.stream.is_behind(shown["read_up_to"]):
            await self.parked.refresh("reporting")
            await self.stream.read_on(self.ledger, self.facts, shown["read_up_to"])
        self._check_counts(shown["read_up_to"])
        for difference in differences(figure, shown["rows"], self.recount.rows(figure, shown)):
            self.findings.add(Law.FIGURES, "reporting", difference)

    def _check_counts(self, read: Mapping[str, Any]) -> None:
        told, counted = tuple(read[name] for name in COUNTS), self.counts
        if told == counted or self._is_count_reported:
            return
        self._is_count_reported = True
        what = f"of orders, calls and quality it has read {told} messages; the streams have {counted}{self.causes()}"
        self.findings.add(Law.RECORD, "reporting", what)

    @property
    def counts(self) -> tuple[int, int, int]:
        """Messages of orders, of calls and of quality, each counted once, without those that reporting has parked."""
        return self.ledger.counted_message_count, self.facts.message_count, self.facts.notice_count
