"""Orders that belong together, and orders that may be there already."""
