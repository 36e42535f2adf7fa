"""Budget: the whole fleet stops at a dollar limit, and there is a warning before."""

from __future__ import annotations

from pathlib import Path

import pytest

from openhands_strategies.errors import ParameterError, UsageError
from openhands_strategies.testing import Call, Reply, Turn, call, finish, in_order, say
from openhands_strategies.testing.turns import text_of
from support import bench, write

pytestmark = pytest.mark.e2e

COMPOSED = """
from openhands_strategies.compose import layer

one = layer("single", "budget", name="one")
many = layer("fusion", "budget", name="many")
"""


def thinking(turn: Turn) -> Reply:
    return call("think", thought=f"thought {turn.replies}")


def test_one_agent_stops_at_the_limit_and_warns_before(tmp_path: Path) -> None:
    write(tmp_path / "composed.py", COMPOSED)
    reference = f"{tmp_path / 'composed.py'}:one"
    with bench(tmp_path / "ws", in_order([thinking, finish("done")])) as b:
        free = b.run(reference, params={"budget.limit": 1000})
        # What one call costs here: two of them fit, and the third is over.
        each = b.model.total_cost() / 2
        assert b.runs[-1].fleet.warning == ""
    assert free.status == "finished"
    with bench(tmp_path / "again", thinking) as b:
        params = {"budget.limit": round(each * 2.5, 5), "budget.warn_at": 0.5}
        report = b.run(reference, params=params)
        calls = len(b.model.served)
        warning = b.runs[-1].fleet.warning
        spent = b.model.total_cost()
    assert report.status == "limit"
    assert report.error is not None
    assert report.error.code == "budget_spent"
    assert 2 <= calls <= 3
    assert report.cost_usd == pytest.approx(spent)
    assert spent >= params["budget.limit"] > spent - 1.2 * each
    assert f"of the budget of ${params['budget.limit']:g} are spent" in warning


def test_sub_agents_count_and_are_stopped(tmp_path: Path) -> None:
    """The main model is cheap here: nearly all the money is the sidekicks'."""
    write(tmp_path / "composed.py", COMPOSED)

    def script(turn: Turn) -> Reply:
        if "You are a sidekick" in turn.system:
            return thinking(turn)
        asked = Call("task", {"subagent_type": "sidekick", "prompt": "think"})
        return in_order([Reply(calls=[asked, asked]), asked_again, say("done")])(turn)

    asked_again = call("task", subagent_type="sidekick", prompt="think on")
    params = {
        "budget.limit": 0.2,
        "fusion.sidekick_model": "openai/main",
        "fusion.sidekick_iterations": 100,
        "fusion.sidekick_budget": 1000,
    }
    with bench(tmp_path / "ws", script) as b:
        report = b.run(f"{tmp_path / 'composed.py'}:many", params=params, main="openai/cheap")
        sidekicks = len(b.served("main"))
        told = [text_of(m) for one in b.served("cheap") for m in one.messages]
    assert report.status == "limit"
    assert report.error is not None
    assert report.error.code == "budget_spent"
    assert 2 <= sidekicks < 100
    assert report.cost_usd == pytest.approx(b.model.total_cost())
    assert not any("task_00000003" in text for text in told)


def test_the_limit_is_the_users_to_say(tmp_path: Path) -> None:
    write(tmp_path / "composed.py", COMPOSED)
    with bench(tmp_path / "ws", say("never")) as b:
        with pytest.raises(ParameterError) as missing:
            b.prepare(f"{tmp_path / 'composed.py'}:one")
        with pytest.raises(ParameterError) as below:
            b.prepare(f"{tmp_path / 'composed.py'}:one", {"budget.limit": 0})
        with pytest.raises(UsageError) as alone:
            b.prepare("budget", {"limit": 1})
        assert b.model.served == []
    assert missing.value.code == "param_required"
    assert "budget.limit" in missing.value.message
    assert below.value.code == "param_range"
    assert alone.value.code == "overlay_alone"


def test_the_lower_limit_holds(tmp_path: Path) -> None:
    write(tmp_path / "composed.py", COMPOSED)
    reference = f"{tmp_path / 'composed.py'}:one"
    with bench(tmp_path / "ws", say("never")) as b:
        lower = b.prepare(reference, {"budget.limit": 2}, max_budget=1.0)
        higher = b.prepare(reference, {"budget.limit": 2}, max_budget=3.0)
    assert (lower.limits.budget, higher.limits.budget) == (1.0, 2)
    assert lower.limits.warn_at == 0.8
    # The base's own limits stay.
    assert lower.limits.iterations == 200


def test_a_limit_that_nobody_could_count_does_not_start(tmp_path: Path) -> None:
    write(tmp_path / "composed.py", COMPOSED)
    with bench(tmp_path / "ws", say("done")) as b:
        with pytest.raises(UsageError) as caught:
            b.prepare(f"{tmp_path / 'composed.py'}:one", {"budget.limit": 1}, prices={})
        assert not b.model.served
    assert caught.value.code == "price_unknown"
