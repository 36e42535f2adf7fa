"""Strategies in the OpenHands CLI (PyPI `openhands`), which knows nothing of them.

Everything goes through one seam: where the CLI makes a conversation, ours is made instead,
from the agent that the CLI itself has put together.
"""

from __future__ import annotations
