"""Waterfall: design, code, test."""
