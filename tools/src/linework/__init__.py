"""The `linework` command: runs an installation on one machine and operates it."""
