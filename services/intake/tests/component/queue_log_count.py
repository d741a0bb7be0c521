"""What a queue_log says, counted by itself: nothing of the bridge, of intake or of the contracts is used.

    python queue_log_count.py FILE

It reads the file once, line by line, and knows a call only by its id and the queue that the line names.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable

LOST = ("EXITWITHTIMEOUT", "EXITEMPTY", "EXITWITHKEY")
TRANSFERS = ("TRANSFER", "BLINDTRANSFER", "ATTENDEDTRANSFER")
COMPLETED = ("COMPLETEAGENT", "COMPLETECALLER")


def count(lines: Iterable[str]) -> dict[str, object]:
    """Figures by name; seconds are whole, and a stay that the switch's death cut off is counted apart."""
    verbs: Counter[str] = Counter()
    waiting: set[tuple[str, str]] = set()
    talking: set[tuple[str, str]] = set()
    calls: set[str] = set()
    figures: Counter[str] = Counter()
    by_agent: Counter[str] = Counter()
    by_queue: Counter[str] = Counter()
    for line in lines:
        if not line.endswith("\n"):
            continue
        fields = line.rstrip("\n").split("|")
        if len(fields) < 5 or not fields[0].isdigit():
            continue
        _, call, queue, agent, verb, *data = fields
        stay = (call, queue)
        verbs[verb] += 1
        if verb == "ENTERQUEUE":
            calls.add(call)
            waiting.add(stay)
            by_queue[queue] += 1
        elif verb == "CONNECT":
            waiting.discard(stay)
            talking.add(stay)
            by_agent[agent] += 1
            figures["answer wait"] += int(data[0])
            figures["answered within 20"] += int(data[0]) <= 20
        elif verb in (*COMPLETED, *TRANSFERS):
            talking.discard(stay)
            figures["talk"] += int(data[1] if verb in COMPLETED else data[-2])
        elif verb in ("ABANDON", *LOST):
            waiting.discard(stay)
            figures["abandon wait" if verb == "ABANDON" else "lost wait"] += int(data[-1])
        elif verb == "RINGNOANSWER":
            figures["ring milliseconds"] += int(data[0])
        elif verb == "QUEUESTART":
            figures["lost with the switch"] += len(waiting)
            figures["cut off"] += len(talking)
            waiting, talking = set(), set()
    return {
        "calls": len(calls),
        "queued": verbs["ENTERQUEUE"],
        "answered": verbs["CONNECT"],
        "completed": sum(verbs[verb] for verb in COMPLETED),
        "transferred": sum(verbs[verb] for verb in TRANSFERS),
        "abandoned": verbs["ABANDON"],
        "lost": sum(verbs[verb] for verb in LOST),
        "rang unanswered": verbs["RINGNOANSWER"],
        "still waiting": len(waiting),
        "still talking": len(talking),
        **{
            name: figures[name]
            for name in (
                "answer wait",
                "answered within 20",
                "talk",
                "abandon wait",
                "lost wait",
                "ring milliseconds",
                "lost with the switch",
                "cut off",
            )
        },
        "by agent": dict(sorted(by_agent.items())),
        "by queue": dict(sorted(by_queue.items())),
    }


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        print(json.dumps(count(log), ensure_ascii=False, indent=2))
