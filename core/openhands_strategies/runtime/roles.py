"""One role of a run as it stands at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from openhands_strategies.runtime.usage import Usage

MAIN: Final = "main"
"""Key and role of the main agent's conversation."""


@dataclass(frozen=True)
class RoleView:
    """One conversation of the fleet as it stands now.

    Attributes:
        key: `main`, or task ids from the top joined with `/`.
        role: `main`, or the aliases from the main agent down, joined with `/`.
        label: What it was asked, in a few words.
        model: Model name.
        state: `working`, or how its last run ended.
        activity: What it does now, in a few words.
        seconds: Time in runs so far.
        started: Unix time of the first run, for telling overlap.
        usage: Its own use of models.
    """

    key: str
    role: str
    label: str = ""
    model: str = ""
    state: str = "working"
    activity: str = ""
    seconds: float = 0.0
    started: float = 0.0
    usage: tuple[Usage, ...] = ()

    @property
    def cost_usd(self) -> float:
        return sum(usage.cost_usd for usage in self.usage)
