"""reporting: every figure, timeline and proof, from the event stream alone."""
