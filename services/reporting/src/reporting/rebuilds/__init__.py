"""Rebuilds: a second set of projections is built beside the one that is shown, compared, and switched to."""
