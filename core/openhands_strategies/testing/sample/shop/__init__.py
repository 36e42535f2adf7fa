"""Prices, stock and delivery dates of a small web shop."""
