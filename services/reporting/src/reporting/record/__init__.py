"""The record: every message as it travelled, an order's timeline and its proof."""
