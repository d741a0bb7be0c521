"""Decisions. Pure: the standard library and the published language only."""
