"""fieldwork: what work areas do with their orders. Custodian of `dispatched` and `processing`."""
