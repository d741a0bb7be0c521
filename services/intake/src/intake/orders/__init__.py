"""Work orders: created, looked up, and what their custodian is asked."""
