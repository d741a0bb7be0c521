"""Imports real service requests through the public APIs: each row becomes an order and reaches its real outcome.

`rows` reads the file, `plan` interprets a row (pure), `run` executes the plans, `report` summarises.
"""
