"""Limits of sub-agents, of the main agent and of the whole fleet hold, also on resume."""

from __future__ import annotations

from pathlib import Path

import pytest

from openhands_strategies.testing import (
    Call,
    Reply,
    Turn,
    by_model,
    call,
    finish,
    in_order,
    say,
)
from support import DELEGATING, bench, tool_texts, write

pytestmark = pytest.mark.e2e


def endless(turn: Turn) -> Reply:
    """A helper that never comes to an end by itself."""
    return call("terminal", command=f"echo step {turn.replies}")


def test_a_step_limit_is_told_to_the_parent_and_holds_on_resume(tmp_path: Path) -> None:
    write(tmp_path / "strategy.py", DELEGATING)
    script = by_model(
        {
            "main": in_order(
                [
                    call("task", subagent_type="helper", prompt="look"),
                    call("task", subagent_type="helper", prompt="go on", resume="task_00000001"),
                    finish("done"),
                ]
            ),
            "cheap": endless,
        }
    )
    with bench(tmp_path / "ws", script) as b:
        report = b.run(str(tmp_path), params={"steps": 3})
        first, second = tool_texts(b.served("main")[-1])
        for text in (first, second):
            assert "Status: limit" in text
            assert "resume='task_00000001'" in text
        assert report.status == "finished"
        # Three steps in each of the two runs, and the second saw the first's context.
        assert len(b.served("cheap")) == 6
        assert "echo step 2" in str(b.served("cheap")[-1].messages)
        assert [(row.role, row.tasks) for row in report.roles] == [("main", 1), ("helper", 1)]
        assert report.cost_usd == pytest.approx(b.model.total_cost())


def test_a_budget_of_a_sub_agent_holds_on_every_sdk(tmp_path: Path) -> None:
    write(tmp_path / "strategy.py", DELEGATING)
    script = by_model(
        {
            "main": in_order([call("task", subagent_type="helper", prompt="look"), finish("done")]),
            "cheap": endless,
        }
    )
    with bench(tmp_path / "ws", script) as b:
        report = b.run(str(tmp_path), params={"dollars": 0.01, "steps": 50})
        served = b.served("cheap")
        spent = [one.cost_usd or 0.0 for one in served]
        # It stops with the call that reaches the budget, not one later.
        assert sum(spent) >= 0.01
        assert sum(spent[:-1]) < 0.01
        assert "budget of $0.01" in tool_texts(b.served("main")[-1])[0]
        assert report.cost_usd == pytest.approx(b.model.total_cost())


def test_the_fleet_budget_stops_sub_agents_and_the_main_agent(tmp_path: Path) -> None:
    write(tmp_path / "strategy.py", DELEGATING)

    def main(turn: Turn) -> Reply:
        return Reply(
            calls=tuple(
                Call("task", {"subagent_type": "helper", "prompt": f"{turn.replies} {n}"})
                for n in range(2)
            )
        )

    with bench(tmp_path / "ws", by_model({"main": main, "cheap": endless})) as b:
        report = b.run(str(tmp_path), params={"steps": 200}, max_budget=0.2)
        assert report.status == "limit"
        assert report.error is not None
        assert report.error.code == "budget_spent"
        total = b.model.total_cost()
        assert total is not None
        dearest = max(one.cost_usd or 0.0 for one in b.model.served)
        # Each open conversation may finish the call it is in.
        assert 0.2 <= total < 0.2 + 4 * dearest
        assert report.cost_usd == pytest.approx(total)


def test_the_main_agents_steps_are_limited(tmp_path: Path) -> None:
    write(tmp_path / "strategy.py", DELEGATING)
    with bench(tmp_path / "ws", endless) as b:
        report = b.run(str(tmp_path), params={"main_steps": 2})
        assert (report.status, len(b.model.served)) == ("limit", 2)
        assert report.error is not None
        assert report.error.code == "limit_reached"
        assert f"--resume {report.conversation_id}" in report.error.hint


def test_a_sub_agent_that_says_nothing_has_failed(tmp_path: Path) -> None:
    write(tmp_path / "strategy.py", DELEGATING)
    script = by_model(
        {
            "main": in_order([call("task", subagent_type="helper", prompt="look"), finish("done")]),
            "cheap": finish(""),
        }
    )
    with bench(tmp_path / "ws", script) as b:
        b.run(str(tmp_path))
        assert "Status: failed" in tool_texts(b.served("main")[-1])[0]


def test_parallelism_is_what_the_strategy_says(tmp_path: Path) -> None:
    write(tmp_path / "strategy.py", DELEGATING)

    def main(turn: Turn) -> Reply:
        if turn.replies:
            return finish("done")
        return Reply(
            calls=tuple(
                Call("task", {"subagent_type": "helper", "prompt": f"part {n}"}) for n in range(3)
            )
        )

    script = by_model({"main": main, "cheap": say("ok")})
    overlapping = {}
    for parallel in (1, 3):
        with bench(tmp_path / f"ws{parallel}", script, latency=0.4) as b:
            b.run(str(tmp_path), params={"parallel": parallel})
            calls = b.served("cheap")
            assert len(calls) == 3
            overlapping[parallel] = [
                one.overlaps(other) for one in calls for other in calls if one is not other
            ]
    assert not any(overlapping[1])
    assert all(overlapping[3])


def test_fresh_metrics_for_every_spawn(tmp_path: Path) -> None:
    """Three tasks of one alias are counted once each, not three times."""
    write(tmp_path / "strategy.py", DELEGATING)
    script = by_model(
        {
            "main": in_order(
                [
                    *[call("task", subagent_type="helper", prompt=f"part {n}") for n in range(3)],
                    finish("done"),
                ]
            ),
            "cheap": say("ok"),
        }
    )
    with bench(tmp_path / "ws", script) as b:
        report = b.run(str(tmp_path))
        helper = report.roles[1]
        assert (helper.tasks, helper.calls) == (3, 3)
        assert report.cost_usd == pytest.approx(b.model.total_cost())
