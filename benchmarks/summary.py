"""Medians with their ranges, ratios of pairs, and the table that shows them."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Values = Mapping[str, Sequence[float]]
"""Of one side: each figure's values, one a round."""


@dataclass(frozen=True, slots=True)
class Spread:
    median: float
    least: float
    most: float

    def __str__(self) -> str:
        median, least, most = (shown(value) for value in (self.median, self.least, self.most))
        return median if least == most else f"{median} ({least} to {most})"


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Round by round, because both values of a round met the same machine."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def shown(value: float) -> str:
    """Three digits, or as many as stand before the point."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def table(sides: Mapping[str, Values], labels: Mapping[str, str]) -> Iterator[str]:
    """Lines of Markdown: a row a figure in the order of `labels`; of two sides also the first's ratio to the second."""
    names = list(sides)
    heads = ["what", *names, *([f"{names[0]} / {names[1]}"] if len(names) == 2 else [])]
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for figure, label in labels.items():
        values = [side.get(figure, ()) for side in sides.values()]
        if any(values):
            cells = [str(spread(each)) if each else "" for each in values]
            yield f"| {' | '.join([label, *cells, *([_ratio(*values)] if len(names) == 2 else [])])} |"


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    comparable = len(ours) == len(theirs) > 0 and min(theirs) > 0
    return str(spread(ratios(ours, theirs))) if comparable else ""
