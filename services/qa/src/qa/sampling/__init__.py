"""Sampling: which recordings are evaluated, by a draw that anyone can repeat, and what it says about all of them."""
