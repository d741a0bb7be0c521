"""The tables of fieldwork, exactly as its migrations create them; each column has its name and type here only.

The tables of orders are in `work_orders.tables`, the technical ones in `chassis.tables`.
"""

from sqlalchemy import BigInteger, Integer, MetaData, Table, Text

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

FIELD_DEVICES = Table(
    "field_devices",
    METADATA,
    *key(Text, "caller"),
    *key(Text, "device_id"),
    *required(BigInteger, "next_sequence"),
    *required(MOMENT, "seen_at"),
)
"""How far each phone has come with what it sends in batches."""
