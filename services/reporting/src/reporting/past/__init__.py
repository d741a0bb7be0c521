"""Orders and lists of orders as they stood at a past moment."""
