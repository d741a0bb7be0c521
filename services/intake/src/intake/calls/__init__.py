"""Calls: what their switch reports, what agents write about them, and how they are settled."""
