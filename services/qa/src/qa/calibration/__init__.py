"""Calibration: auditors score the same recordings apart, and see how far they agree."""
