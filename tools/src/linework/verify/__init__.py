"""Checks the invariants of a running installation.

`laws` folds the stream and records violations; `figures` selects the figures to compare with the recount
(`linework.recount`); `states` compares a service's orders with the fold. These are pure. `stream` reads the stream,
`quiet` waits until all events are processed, `run` combines the checks, `report` prints the findings.
"""
