"""Recordings of calls: references and facts, never the sound; who has listened, and what for."""
