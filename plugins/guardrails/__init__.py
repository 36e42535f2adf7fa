"""Guardrails: hooks against slips."""
