"""Adversarial review: an author and a reviewer."""
