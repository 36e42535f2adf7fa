"""Fusion: a main agent and its sidekicks."""
