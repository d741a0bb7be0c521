"""The recount: computes every figure of reporting from the raw events with independent code.

It shares only the contracts with reporting. `contracts.order` folds orders, Python's calendar finds periods, and
sorting gives percentiles. `orders` and its siblings define what each metric counts; `counting` counts.
"""

from linework.recount.counting import Asked, Counted, differences
from linework.recount.recount import Recount

__all__ = ["Asked", "Counted", "Recount", "differences"]
