"""Footnotes of a report: what could not be counted and what is in doubt, each numbered once."""

from dataclasses import dataclass, field

from reporting.metrics import REGISTRY, Metric
from reporting.reports.content import Cell
from reporting.reports.definitions import metric_name
from reporting.reports.words import Language, word

_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


@dataclass(slots=True)
class Footnotes:
    """Numbers what is odd or not known once for each metric, wherever it stands."""

    language: str
    _counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def of(self, metric: Metric, *cells: Cell | None) -> str:
        """The signs of what is odd or not known in these cells."""
        signs = []
        for kind in ("unknown", "marked"):
            count = sum(getattr(cell, kind) for cell in cells if cell)
            if count:
                key = (metric.id, kind)
                self._counts[key] = max(self._counts.get(key, 0), count)
                signs.append(self._sign(list(self._counts).index(key)))
        return "".join(signs)

    def _sign(self, place: int) -> str:
        return _CIRCLED[place] if place < len(_CIRCLED) else f"[{place + 1}]"

    def notes(self) -> list[tuple[str, str]]:
        notes = [(self._sign(place), self._text(*key)) for place, key in enumerate(self._counts)]
        return [*notes, ("", word("each_row", self.language))] if notes else []

    def _text(self, metric_id: str, kind: str) -> str:
        count, metric = self._counts[metric_id, kind], REGISTRY[metric_id][-1]
        if self.language == Language.ZH:
            name = metric_name(metric, self.language)
            if kind == "unknown":
                return f"{name}：另有最多 {count:,} 项因信息不全未计入。"
            return f"{name}：其中最多 {count:,} 项存疑，例如时间先后矛盾。"
        name, are = metric_name(metric, self.language), "is" if count == 1 else "are"
        if kind == "unknown":
            counted = "was" if count == 1 else "were"
            return f"{name}: up to {count:,} more {counted} not counted, because something of them is not known."
        return (
            f"{name}: up to {count:,} of those counted {are} in doubt, for example because their times contradict each "
            "other."
        )
