"""What a queue_log says, counted by itself: nothing of the bridge, of intake or of the contracts is used.

    python queue_log_count.py FILE

It reads the file once, line by line, and knows a call only by its id and the queue that the line names.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

LOST = ("EXITWITHTIMEOUT", "EXITEMPTY", "EXITWITHKEY")
TRANSFERS = ("TRANSFER", "BLINDTRANSFER", "ATTENDEDTRANSFER")
COMPLETED = ("COMPLETEAGENT", "COMPLETECALLER")
FIGURES = (
    "answer wait",
    "answered within 20",
    "talk",
    "abandon wait",
    "lost wait",
    "ring milliseconds",
    "lost with the switch",
    "cut off",
)


@dataclass
class Tally:
    """Seconds are whole, and a stay that the switch's death cut off is counted apart."""

    verbs: Counter[str] = field(default_factory=Counter)
    waiting: set[tuple[str, str]] = field(default_factory=set)
    talking: set[tuple[str, str]] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    figures: Counter[str] = field(default_factory=Counter)
    by_agent: Counter[str] = field(default_factory=Counter)
    by_queue: Counter[str] = field(default_factory=Counter)

    def take(self, call: str, queue: str, agent: str, verb: str, data: list[str]) -> None:
        stay = (call, queue)
        self.verbs[verb] += 1
        if verb == "ENTERQUEUE":
            self.calls.add(call)
            self.waiting.add(stay)
            self.by_queue[queue] += 1
        elif verb == "CONNECT":
            self.waiting.discard(stay)
            self.talking.add(stay)
            self.by_agent[agent] += 1
            self.figures["answer wait"] += int(data[0])
            self.figures["answered within 20"] += int(data[0]) <= 20
        elif verb in (*COMPLETED, *TRANSFERS):
            self.talking.discard(stay)
            self.figures["talk"] += int(data[1] if verb in COMPLETED else data[-2])
        elif verb in ("ABANDON", *LOST):
            self.waiting.discard(stay)
            self.figures["abandon wait" if verb == "ABANDON" else "lost wait"] += int(data[-1])
        elif verb == "RINGNOANSWER":
            self.figures["ring milliseconds"] += int(data[0])
        elif verb == "QUEUESTART":
            self.figures["lost with the switch"] += len(self.waiting)
            self.figures["cut off"] += len(self.talking)
            self.waiting, self.talking = set(), set()


def count(lines: Iterable[str]) -> dict[str, object]:
    """Figures by name."""
    tally = Tally()
    for line in lines:
        fields = line.rstrip("\n").split("|")
        if line.endswith("\n") and len(fields) >= 5 and fields[0].isdigit():
            _, call, queue, agent, verb, *data = fields
            tally.take(call, queue, agent, verb, data)
    verbs = tally.verbs
    return {
        "calls": len(tally.calls),
        "queued": verbs["ENTERQUEUE"],
        "answered": verbs["CONNECT"],
        "completed": sum(verbs[verb] for verb in COMPLETED),
        "transferred": sum(verbs[verb] for verb in TRANSFERS),
        "abandoned": verbs["ABANDON"],
        "lost": sum(verbs[verb] for verb in LOST),
        "rang unanswered": verbs["RINGNOANSWER"],
        "still waiting": len(tally.waiting),
        "still talking": len(tally.talking),
        **{name: tally.figures[name] for name in FIGURES},
        "by agent": dict(sorted(tally.by_agent.items())),
        "by queue": dict(sorted(tally.by_queue.items())),
    }


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        print(json.dumps(count(log), ensure_ascii=False, indent=2))
