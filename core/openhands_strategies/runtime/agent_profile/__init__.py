"""Upstream's agent profiles: what of a strategy one can hold, what it cannot, and saving it."""
