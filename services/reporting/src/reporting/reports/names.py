"""Names of the rows of a report, from the directory and the rules, never ids or codes."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from contracts.directory import Names
from contracts.names import CLOCKS, HOLDERS, STATUSES, in_language
from reporting.metrics import Dimension
from reporting.reports.content import Content, dimension_of
from reporting.reports.rules import ReportRules
from reporting.reports.words import UNNAMED, VOICES, Language, word

_OF_CODES = {Dimension.STATUS: STATUSES, Dimension.CLOCK: CLOCKS, Dimension.HOLDER: HOLDERS}
_A_CODE = re.compile(r"[A-Za-z0-9_.:/@|+-]+")
KnownNames = Mapping[tuple[str, str], Names]
"""By dimension and key."""


@dataclass(slots=True)
class Naming:
    """Gives names, and numbers to what has none; the same in every section of a report."""

    language: str
    known: KnownNames
    unnamed: dict[str, dict[str, int]] = field(default_factory=dict)
    """By dimension the keys without a name, each with its number."""
    _namesakes: dict[tuple[str, str], str] = field(default_factory=dict)

    def label(self, dimension: Dimension, key: str | None) -> str:
        if key is None:
            return word("none", self.language)
        is_chinese = self.language == Language.ZH
        if dimension in _OF_CODES:
            return in_language(_OF_CODES[dimension][key], self.language)
        name = self._name(dimension, key)
        if name is not None:
            return self._namesakes.get((dimension.value, key), name)
        return f"{UNNAMED[dimension][is_chinese]} {self.unnamed[dimension.value][key]}"

    def _name(self, dimension: Dimension, key: str) -> str | None:
        names = self.known.get((dimension.value, key))
        if names is not None:
            return names.zh if self.language == Language.ZH else names.en
        # What is no code was typed by people for people: a queue that the switch calls 报修.
        return None if _A_CODE.fullmatch(key) else key

    def read(self, contents: Iterable[Content]) -> "Naming":
        """Numbers everything without a name, and tells people of the same name apart."""
        keys: dict[Dimension, set[str]] = defaultdict(set)
        for content in contents:
            dimension = dimension_of(content)
            if dimension is not None and dimension in UNNAMED:
                rows = (*content.rows, *content.before, *content.year_before)
                keys[dimension] |= {key for key, _ in rows if key is not None}
        for dimension, found in keys.items():
            self.number(dimension, sorted(found))
        return self

    def number(self, dimension: Dimension, keys: Sequence[str]) -> None:
        """Gives a number to each key without a name that has none yet."""
        by_name: dict[str, list[str]] = defaultdict(list)
        for key in keys:
            name = self._name(dimension, key)
            if name is None:
                numbers = self.unnamed.setdefault(dimension.value, {})
                numbers.setdefault(key, len(numbers) + 1)
            else:
                by_name[name].append(key)
        for name, same in by_name.items():
            for number, key in enumerate(same, start=1) if len(same) > 1 else ():
                self._namesakes[dimension.value, key] = f"{name} ({number})"


def known_names(directory: KnownNames, rules: ReportRules) -> KnownNames:
    """Names from the directory, those of queues and teams from the rules, and the words of callers' own kinds."""
    voices = {("demand_type", code): Names(en=en, zh=zh) for code, (en, zh) in VOICES.items()}
    queues = {("queue", key): names for key, names in rules.queues.items()}
    teams = {("team", key): names for key, names in rules.teams.items()}
    return {**voices, **directory, **queues, **teams}


def breakable(text: str) -> str:
    """Lets a run of letters that is longer than a column break."""
    return re.sub(r"[^\s\u2e80-\uffff]{24}(?=[^\s\u2e80-\uffff])", lambda run: run.group() + "\u200b", text)


def wide(text: str) -> int:
    """How many letters wide a text is: a Chinese character is as wide as two."""
    return sum(2 if character > "\u2e7f" else 1 for character in text)
