"""The tables of fieldwork, exactly as its migrations create them; each column has its name and type here only.

The tables of orders are in `work_orders.tables`, the technical ones in `chassis.tables`.
"""

from sqlalchemy import Integer, MetaData, Table

from chassis.columns import ID, MOMENT, key, required

METADATA = MetaData()
IS_COMPLETE = True
"""Every table of fieldwork is declared here."""

SUSPENSIONS = Table(
    "suspensions",
    METADATA,
    *key(ID, "order_id"),
    *required(Integer, "order_version"),
    *required(MOMENT, "until"),
)
"""The orders that are suspended as far as the stream was read, by the version that suspended them."""
