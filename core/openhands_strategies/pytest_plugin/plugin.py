"""What pytest loads: options and fixtures. Everything else is imported when a test uses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from openhands_strategies.pytest_plugin.running import PlanStrategy, RunStrategy, StartModel
    from openhands_strategies.pytest_plugin.surroundings import Surroundings
    from openhands_strategies.pytest_plugin.workspaces import MakeWorkspace

pytest.register_assert_rewrite(
    "openhands_strategies.pytest_plugin.asserting", "openhands_strategies.pytest_plugin.result"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--record-strategy` and the ini options."""
    group = parser.getgroup("openhands-strategies")
    group.addoption(
        "--record-strategy",
        metavar="FILE",
        help="record the one strategy_run of this session with the model that LLM_MODEL, "
        "LLM_BASE_URL and LLM_API_KEY name, as a replay file",
    )
    parser.addini(
        "strategies_installed",
        "installed strategies that have names in tests: false (none), true (all), or names of "
        "distributions with commas",
        default="false",
    )
    parser.addini(
        "strategies_terminal",
        "terminal of tools that name none: subprocess, or auto for what the SDK chooses",
        default="subprocess",
    )


@pytest.fixture
def _strategy_surroundings(
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Surroundings:
    """An environment of its own, for tests that use one of the fixtures below."""
    from openhands_strategies.pytest_plugin.surroundings import surround

    return surround(pytestconfig, tmp_path_factory.mktemp("ohs"), monkeypatch)


@pytest.fixture
def scripted_model(_strategy_surroundings: Surroundings) -> Iterator[StartModel]:
    """Start scripted models that answer until the test ends: `scripted_model(script)`."""
    from openhands_strategies.pytest_plugin.running import StartModel

    with ExitStack() as stack:
        yield StartModel(stack)


@pytest.fixture
def strategy_workspace(
    _strategy_surroundings: Surroundings, tmp_path_factory: pytest.TempPathFactory
) -> MakeWorkspace:
    """Make directories for agents to work in: `strategy_workspace({"a.py": "…"}, git=True)`."""
    from openhands_strategies.pytest_plugin.workspaces import MakeWorkspace

    return MakeWorkspace(lambda: tmp_path_factory.mktemp("workspace"))


@pytest.fixture
def strategy_run(
    _strategy_surroundings: Surroundings, strategy_workspace: MakeWorkspace
) -> RunStrategy:
    """Run strategies: `strategy_run("./strategy.py", script, task="…")`."""
    from openhands_strategies.pytest_plugin.running import RunStrategy

    return RunStrategy(_strategy_surroundings, strategy_workspace)


@pytest.fixture
def strategy_plan(
    _strategy_surroundings: Surroundings, strategy_workspace: MakeWorkspace
) -> PlanStrategy:
    """Plan strategies, as `ohs plan --json`: `strategy_plan("./strategy.py")`."""
    from openhands_strategies.pytest_plugin.running import PlanStrategy

    return PlanStrategy(_strategy_surroundings, strategy_workspace)
