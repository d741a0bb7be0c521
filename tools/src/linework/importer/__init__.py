"""Real service requests through the public APIs: rows of a file become orders, with the fate they really had.

`rows` reads the file, `plan` says what a row means (pure), `run` plays the plans, `report` adds up.
"""
