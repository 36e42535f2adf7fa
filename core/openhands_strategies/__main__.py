"""`python -m openhands_strategies` is `ohs`."""

from __future__ import annotations

from openhands_strategies.cli.main import main

main()
