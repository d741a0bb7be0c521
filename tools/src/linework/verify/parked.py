"""Parked records: each is a violation, and explains why later figures and states differ from the stream."""

from collections import Counter
from dataclasses import dataclass, field

from linework.client import ServiceClients
from linework.verify.laws import Findings, Law
from linework.verify.repairs import Place


@dataclass(slots=True)
class ParkedAt:
    """The parked records of one service."""

    places: set[Place] = field(default_factory=set)
    keys: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By topic and key: how many records."""
    last_id: int = 0


class ParkedReader:
    def __init__(self, city: ServiceClients, findings: Findings) -> None:
        self._city = city
        self._findings = findings
        self.at: dict[str, ParkedAt] = {name: ParkedAt() for name in city.services}

    async def refresh(self, service: str) -> None:
        """Reads what was parked since the last call, and reports each record."""
        parked = self.at[service]
        async for row in self._city.services[service].parked(after=parked.last_id):
            parked.places.add((row["topic"], row["partition"], row["offset"]))
            parked.keys[row["topic"], row["key"]] += 1
            parked.last_id = row["id"]
            what = f"record {row['id']} of {row['topic']}, key {row['key']}: {row['reason']}"
            self._findings.add(Law.PARKED, service, what)

    def key_count(self, service: str) -> int:
        return len(self.at[service].keys)

    def record_count(self, service: str, topic: str, key: str) -> int:
        return self.at[service].keys[topic, key]
