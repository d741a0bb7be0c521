"""The infrastructure of every service. It contains no business logic and no business terms."""
