"""The recount: every figure of reporting, counted again from the raw events by code of its own.

Nothing is shared with reporting but the contracts. Orders are folded by `contracts.order`, periods are found
by Python's calendar, percentiles by sorting. `orders` knows what each metric counts; `counting` counts it.
"""

from linework.recount.counting import Asked, Counted, differences
from linework.recount.recount import Recount

__all__ = ["Asked", "Counted", "Recount", "differences"]
