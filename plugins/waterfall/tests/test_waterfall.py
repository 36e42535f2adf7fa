"""The phases come in their order, each with the result of the one before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from openhands_strategies.testing import Price, Script, by_model, call, finish, in_order

if TYPE_CHECKING:
    from openhands_strategies.pytest_plugin import MakeWorkspace, RunStrategy, StrategyRun

WATERFALL = Path(__file__).parents[1]
PHASES = ("designer", "coder", "tester")
MODELS = {f"{phase}_model": f"openai/{phase}" for phase in PHASES}
PRICES = {name: Price(1.0, 4.0) for name in ("main", *PHASES)}


def asked(phase: str) -> object:
    return call("task", subagent_type=phase, prompt=f"Now the {phase}.")


def script(*main: object, tester: str = "PASSED") -> Script:
    return by_model(
        {
            "main": in_order([*main, finish("all is done")]),  # type: ignore[list-item]
            "designer": in_order([finish("DESIGN: one function")]),
            "coder": in_order([call("terminal", command="echo 1 > code.txt"), finish("CODED it")]),
            "tester": in_order([call("terminal", command="cat code.txt"), finish(tester)]),
        }
    )


def states(run: StrategyRun) -> list[tuple[str, str]]:
    return [(one.role, one.state) for one in run.delegations]


def test_each_phase_gets_the_result_of_the_one_before(
    strategy_run: RunStrategy, strategy_workspace: MakeWorkspace
) -> None:
    workspace = strategy_workspace({})
    run = strategy_run(
        WATERFALL,
        script(*map(asked, PHASES)),
        params=MODELS,
        prices=PRICES,
        workspace=workspace,
    )
    run.assert_finished()
    run.assert_delegations(*[("main", phase) for phase in PHASES])
    run.assert_one_after_the_other(*PHASES)
    run.assert_prompt("coder", "DESIGN: one function")
    run.assert_prompt("tester", "CODED it")
    run.assert_costs()
    assert (workspace / "code.txt").read_text() == "1\n"


def test_no_phase_comes_before_its_time(strategy_run: RunStrategy) -> None:
    order = ("tester", "coder", *PHASES)
    run = strategy_run(WATERFALL, script(*map(asked, order)), params=MODELS, prices=PRICES)
    run.assert_finished()
    early = [("tester", "failed"), ("coder", "failed")]
    assert states(run) == [*early, *((phase, "completed") for phase in PHASES)]
    tester, coder, *_ = run.delegations
    assert (tester.started, coder.started) == (None, None)
    assert "coder" in tester.result
    assert "designer" in coder.result


def test_the_coder_is_asked_as_often_as_corrections_say(strategy_run: RunStrategy) -> None:
    order = ("designer", "designer", "coder", "tester", "coder", "coder")
    run = strategy_run(
        WATERFALL,
        script(*map(asked, order), tester="FAILED: it says 1"),
        params={**MODELS, "corrections": 1},
        prices=PRICES,
    )
    run.assert_finished()
    done = ["completed", "failed", "completed", "completed", "completed", "failed"]
    assert states(run) == list(zip(order, done, strict=True))
