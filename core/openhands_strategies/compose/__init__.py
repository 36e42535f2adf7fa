"""Strategies made of strategies: phases, teams, and overlays."""

from __future__ import annotations

from openhands_strategies.compose.composition import part
from openhands_strategies.compose.layers import layer
from openhands_strategies.compose.pipelines import pipeline
from openhands_strategies.compose.teams import team

__all__ = ["layer", "part", "pipeline", "team"]
