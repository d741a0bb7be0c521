"""Typical cases: recordings that are worth listening to in training."""
