"""Verifies the proof of an order's timeline: python verify_timeline.py FILE [FINAL_HASH]

Needs Python and nothing else. Each event carries the SHA-256 of the one before, so nothing between the
first and the last can be changed, added, left out or moved. Whether the end was cut off shows only against
a final hash that you know from elsewhere.
"""

import hashlib
import json
import sys

COVERED = "prev_hash id type source subject order_version time recorded_time actor actor_role actor_name"


def hash_of(event):
    facts = [event[name] for name in COVERED.split()] + [hashlib.sha256(event["data"].encode()).hexdigest()]
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def verify(proof, final_hash=None):
    """The hash of the last event; raises ValueError with what is wrong."""
    previous = "0" * 64
    for version, event in enumerate(proof["events"], start=1):
        if event["subject"] != proof["order_id"]:
            raise ValueError(f"event {version} belongs to another order, {event['subject']}")
        if event["order_version"] != version:
            raise ValueError(f"version {version} is missing, version {event['order_version']} stands in its place")
        if event["prev_hash"] != previous:
            raise ValueError(f"version {version} does not follow what stands before it")
        previous = hash_of(event)
    if not previous == proof["final_hash"] == (final_hash or previous):
        raise ValueError("the last event is not the one that the final hash was made of")
    return previous


if __name__ == "__main__":
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            proof = json.load(file)
        print(f"intact: {len(proof['events'])} events, final hash {verify(proof, *sys.argv[2:3])}")
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        sys.exit(f"NOT verified: {error!r}" if len(sys.argv) > 1 else __doc__)
