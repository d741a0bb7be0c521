"""Access to people's data that is masked, legal holds, erasure, and how long data are kept."""
