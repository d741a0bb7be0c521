"""Sampling: which recordings are evaluated, by a draw that anyone can repeat, and the estimate for all recordings."""
