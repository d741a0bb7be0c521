"""Orders in the field: the work areas' lists, the form, and the decisions on an order."""
