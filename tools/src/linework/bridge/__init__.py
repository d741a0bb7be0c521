"""Publishes the log files of telephone switches as a partner's events; re-reading a file creates no duplicates."""
