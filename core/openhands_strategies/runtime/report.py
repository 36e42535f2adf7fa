"""What a run did and cost, by role and model: the document of `run --json`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from openhands_strategies.errors import StrategyError
from openhands_strategies.runtime.roles import MAIN, RoleView
from openhands_strategies.runtime.usage import Price, Usage, total

Status = Literal["finished", "failed", "limit", "interrupted"]


@dataclass(frozen=True)
class RoleRow:
    """One role with one model, all its tasks together.

    Attributes:
        cost_usd: Dollars, or None when the model's price is unknown.
        at_main_price_usd: What a sub-agent's tokens would have cost at the main model's
            price; None for the main agent and where that price is unknown.
    """

    role: str
    model: str
    tasks: int
    calls: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    seconds: float
    cost_usd: float | None
    at_main_price_usd: float | None

    def to_json(self) -> dict[str, Any]:
        return {
            **self.__dict__,
            "seconds": round(self.seconds, 3),
            "cost_usd": _rounded(self.cost_usd),
            "at_main_price_usd": _rounded(self.at_main_price_usd),
        }


@dataclass(frozen=True)
class Report:
    """The end of a run."""

    status: Status
    conversation_id: str
    strategy: dict[str, Any]
    params: dict[str, Any]
    answer: str
    roles: list[RoleRow] = field(default_factory=list)
    seconds: float = 0.0
    error: StrategyError | None = None
    warnings: tuple[str, ...] = ()

    @property
    def cost_usd(self) -> float | None:
        """Dollars of the whole fleet, or None when one price is unknown."""
        costs = [row.cost_usd for row in self.roles]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "conversation_id": self.conversation_id,
            "strategy": {
                key: self.strategy.get(key) for key in ("name", "source", "commit", "tree")
            },
            "overlays": [
                {key: one.get(key) for key in ("name", "source", "commit", "tree")}
                for one in self.strategy.get("overlays") or ()
            ],
            "params": self.params,
            "answer": self.answer,
            "roles": [row.to_json() for row in self.roles],
            "cost_usd": _rounded(self.cost_usd),
            "seconds": round(self.seconds, 3),
            "error": self.error.to_json() if self.error else None,
            "warnings": list(self.warnings),
        }


def _rounded(dollars: float | None) -> float | None:
    # Below a billionth of a dollar there is only the noise of adding floats.
    return None if dollars is None else round(dollars, 9)


def role_rows(views: Iterable[RoleView], main_price: Price | None) -> list[RoleRow]:
    """Add up views by role and model; main first, then in order of first start.

    Args:
        views: All conversations of a run.
        main_price: The main model's price, for the comparison.
    """
    groups: dict[tuple[str, str], list[tuple[RoleView, Usage]]] = {}
    for view in views:
        for usage in view.usage or (Usage(model=view.model, priced=True),):
            groups.setdefault((view.role, usage.model), []).append((view, usage))
    return [_row(role, model, found, main_price) for (role, model), found in groups.items()]


def _row(
    role: str, model: str, found: list[tuple[RoleView, Usage]], main_price: Price | None
) -> RoleRow:
    usage = total(one for _, one in found)
    compared = None
    if role != MAIN and main_price is not None:
        compared = main_price.cost(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
        )
    return RoleRow(
        role=role,
        model=model,
        tasks=len(found),
        calls=usage.calls,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
        seconds=sum(view.seconds for view, _ in found),
        cost_usd=usage.cost_usd if usage.priced else None,
        at_main_price_usd=compared,
    )
