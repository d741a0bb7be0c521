"""Telephone switches that write files: their lines become a partner's events, once each however often they are read."""
