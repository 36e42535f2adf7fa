"""The limit holds for all agents together, and must be given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openhands_strategies.errors import ParameterError
from openhands_strategies.testing import by_model, call, finish, in_order

if TYPE_CHECKING:
    from openhands_strategies.pytest_plugin import PlanStrategy, RunStrategy

BUDGET = Path(__file__).parents[1]
FUSION = BUDGET.parent / "fusion"
# Main and sidekick on one model: what either spends counts against the one limit.
SCRIPT = by_model(
    {
        "main": in_order(
            [
                call("task", subagent_type="sidekick", prompt="Look."),
                call("task", subagent_type="sidekick", prompt="Look again."),
                finish("looked twice"),
            ]
        ),
        "cheap": in_order([call("terminal", command="echo seen"), finish("seen")]),
    }
)
CHEAP = {"sidekick_model": "openai/cheap"}


def test_the_run_ends_at_the_limit(strategy_run: RunStrategy) -> None:
    free = strategy_run(FUSION, SCRIPT, overlays=[BUDGET], params={**CHEAP, "budget.limit": 100})
    free.assert_finished()
    free.assert_costs()
    assert free.cost_usd is not None
    first, *_ = free.main.served
    assert first.cost_usd is not None
    # Enough for the first call of the main agent, and not for its sidekick's as well.
    limit = first.cost_usd * 1.001
    run = strategy_run(FUSION, SCRIPT, overlays=[BUDGET], params={**CHEAP, "budget.limit": limit})
    assert run.status == "limit"
    assert len(run.served) < len(free.served)
    run.assert_costs()


def test_a_limit_must_be_given(strategy_plan: PlanStrategy) -> None:
    with pytest.raises(ParameterError) as caught:
        strategy_plan(FUSION, overlays=[BUDGET])
    assert caught.value.field == "budget.limit"
    given = {"budget.limit": 2}
    plan = strategy_plan(FUSION, overlays=[BUDGET], params=given, model="openai/gpt-4o")
    assert plan["roles"][0]["limits"]["budget"] == 2
