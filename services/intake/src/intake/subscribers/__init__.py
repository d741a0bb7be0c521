"""Subscribers, who sees their data whole, and the keys that seal texts about them."""
