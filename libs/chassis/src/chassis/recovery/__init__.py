"""What was lost or set back, and how a service comes back from it."""
