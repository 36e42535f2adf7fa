"""Strategies on the OpenHands agent-server: REST routes beside its own."""
