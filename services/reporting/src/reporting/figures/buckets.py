"""Percentiles that add up: durations are counted in buckets, and buckets of hours make those of a year.

A bucket is a range of whole milliseconds: one each up to 127, then 64 for every power of two, so that a
duration is known to within 1/64 of itself, and by the middle of its bucket to within 1/128. `bucket_sql` is the same
for PostgreSQL, in expressions of its own: the function `duration_bucket` of earlier releases took four times as long.
"""

from collections.abc import Mapping

SHARES: Mapping[str, float] = {"p50": 0.5, "p90": 0.9}
_FIRST_EXACT = 128
_POWERS = "'{" + ",".join(str(_FIRST_EXACT << power) for power in range(47)) + "}'::bigint[]"
"""The first of each power of two, in thousandths: a duration of microseconds in 64 bits has no more."""


def bucket_of(microseconds: int) -> int:
    thousandths = max(microseconds, 0) // 1000
    if thousandths < _FIRST_EXACT:
        return thousandths
    power = thousandths.bit_length() - 7
    return power * 64 + (thousandths >> power)


def bucket_sql(microseconds: str) -> str:
    # What is unknown stays null, which `greatest` would not leave.
    thousandths = f"(case when {microseconds} < 0 then 0 else {microseconds} end / 1000)"
    power = f"width_bucket({thousandths}, {_POWERS})"
    return f"({power} * 64 + ({thousandths} >> {power}))::int"


def middle_of(bucket: int) -> float:
    """The seconds in the middle of a bucket."""
    if bucket < _FIRST_EXACT:
        return bucket / 1000
    power = bucket // 64 - 1
    lowest = (bucket - power * 64) << power
    return (lowest + ((1 << power) - 1) / 2) / 1000


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """By nearest rank: the middle of the bucket that has the value at rank ceil(share * count); None of nothing."""
    total = sum(counts.values())
    if not total:
        return None
    # In whole thousandths, because 0.9 * 10 is not always 9 in binary fractions.
    rank = max(-(-total * round(share * 1000) // 1000), 1)
    passed = 0
    for bucket in sorted(counts):
        passed += counts[bucket]
        if passed >= rank:
            return middle_of(bucket)
    raise AssertionError("the rank lies within the total")


def percentiles(counts: Mapping[int, int]) -> dict[str, float | None]:
    return {name: percentile(counts, share) for name, share in SHARES.items()}
