"""The `linework` command: a whole installation on one machine, and the tools around it."""
