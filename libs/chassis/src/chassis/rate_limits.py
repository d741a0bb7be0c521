"""Rate limits per caller: requests per second, and concurrent streams.

Both are counted per process: with n HTTP processes of a service a caller gets up to n times the limit. This
suffices to protect other clients from a faulty or greedy client; the gateway limits requests without a token.
"""

import time
from collections import Counter
from collections.abc import Callable
from math import ceil

from contracts.refusals import TooMuch

_BURST_SECONDS = 2.0
_MOST_CALLERS = 10_000


class TooManyRequests(TooMuch):
    """The rate limit of {requests_per_second} requests per second is exceeded; retry in {retry_after_seconds} s."""

    zh = "请求过于频繁，超过每秒 {requests_per_second} 次；请在 {retry_after_seconds} 秒后重试。"


class TooManyStreams(TooMuch):
    """You have {streams} live streams open, the limit per caller; close one first."""

    zh = "您已打开 {streams} 个实时流，达到单个用户的上限；请先关闭其中一个。"


class RequestRate:
    """A bucket for each caller, which fills at `per_second` and holds two seconds' worth."""

    def __init__(self, per_second: int, now: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._now = now
        self._full_at: dict[str, float] = {}
        """When the caller's bucket will be full again; who is not here has a full one."""

    def take(self, caller: str) -> None:
        """Counts a request; raises `TooManyRequests`, which costs nothing."""
        now = self._now()
        full_at = max(self._full_at.get(caller, now), now) + 1 / self._per_second
        if (missing := full_at - now - _BURST_SECONDS) > 1e-9:
            raise TooManyRequests(requests_per_second=self._per_second, retry_after_seconds=max(1, ceil(missing)))
        self._full_at[caller] = full_at
        if len(self._full_at) > _MOST_CALLERS:
            self._full_at = {one: at for one, at in self._full_at.items() if at > now}


class StreamSeats:
    """How many streams each caller has open."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    def take(self, caller: str) -> Callable[[], None]:
        """Takes a seat, and returns what gives it back; raises `TooManyStreams`."""
        if self._taken[caller] >= self._most:
            raise TooManyStreams(streams=self._most)
        self._taken[caller] += 1

        def give_back() -> None:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]

        return give_back
