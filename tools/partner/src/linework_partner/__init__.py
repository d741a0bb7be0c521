"""Validates the events of an external system. Needs the published language and nothing else of Linework."""
