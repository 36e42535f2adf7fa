"""Run and plan strategies in a test."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.errors import StrategyError, UsageError
from openhands_strategies.pytest_plugin.finding import locate
from openhands_strategies.pytest_plugin.reading import read_run
from openhands_strategies.pytest_plugin.result import StrategyRun
from openhands_strategies.pytest_plugin.surroundings import Surroundings
from openhands_strategies.pytest_plugin.workspaces import MakeWorkspace
from openhands_strategies.registry.host import Host, plugin_host
from openhands_strategies.testing.ledger import Served
from openhands_strategies.testing.recording import record
from openhands_strategies.testing.replaying import Replay
from openhands_strategies.testing.scripted_model import ScriptedModel
from openhands_strategies.testing.scripts import Script, Step, in_order
from openhands_strategies.testing.tokens import Price

if TYPE_CHECKING:
    from openhands_strategies.runtime.fleet import ConfirmHandler
    from openhands_strategies.runtime.loaded import Loaded
    from openhands_strategies.runtime.prepare import Adjust
    from openhands_strategies.strategy import Blueprint, Confirmation

MODEL: Final = "openai/main"
PRICES: Final[Mapping[str, Price]] = MappingProxyType(
    {"main": Price(10.0, 40.0), "cheap": Price(1.0, 4.0)}
)
"""Of the models `openai/main` and `openai/cheap`, where a test gives no prices."""

Model = Script | Sequence[Step] | ScriptedModel
"""What answers: a script, the steps of one in order, or a scripted model that runs."""


@dataclass(frozen=True)
class StartModel:
    """Starts scripted models; the fixture `scripted_model`.

    Attributes:
        stack: Closes them.
    """

    stack: ExitStack

    def __call__(
        self,
        script: Script | Sequence[Step],
        *,
        prices: Mapping[str, Price] = PRICES,
        latency: float = 0.0,
        api_key: str | None = None,
    ) -> ScriptedModel:
        """Start a model; it is closed at the end of the test, and what its script raised is
        raised then.

        Args:
            script: A script, or the steps of one in order.
            prices: Model name, without `openai/`, to price.
            latency: Seconds for each answer.
            api_key: What requests must carry; None takes any.
        """
        return self.stack.enter_context(ScriptedModel(_script(script), prices, latency, api_key))


@dataclass(frozen=True)
class RunStrategy:
    """Runs strategies; the fixture `strategy_run`.

    Attributes:
        surroundings: Where they run.
        make_workspace: Makes a workspace where a test gives none.
    """

    surroundings: Surroundings
    make_workspace: MakeWorkspace

    def __call__(
        self,
        strategy: object,
        script: Model,
        *,
        task: str = "Do the task.",
        params: Mapping[str, Any] | None = None,
        overlays: Sequence[object] = (),
        workspace: Path | None = None,
        model: str | None = None,
        prices: Mapping[str, Price] = PRICES,
        max_budget: float | None = None,
        confirmation: Confirmation | None = None,
        confirm: ConfirmHandler | None = None,
    ) -> StrategyRun:
        """Run a strategy to its end.

        Args:
            strategy: A reference, a path, or a strategy's class or instance.
            script: What answers. With `--record-strategy` the real model does instead.
            task: What the user asks for.
            params: Values of parameters.
            overlays: What is laid over the strategy, innermost first, as `--with`.
            workspace: Directory to work in; a new empty one by default.
            model: Full name of the main model; by default `openai/main`, or the model of a
                replay.
            prices: Model name, without `openai/`, to price.
            max_budget: Dollars that the run may cost.
            confirmation: Which actions are confirmed.
            confirm: Asked about each action that is to be confirmed; without it, such an action
                is rejected.

        Returns:
            What came of it; also of a run that failed.

        Raises:
            StrategyError: The strategy cannot be found, loaded or built.
            ScriptError: What a script that was given here raised.
        """
        from openhands_strategies.runtime.llms import main_llm
        from openhands_strategies.runtime.prepare import Settings, prepare
        from openhands_strategies.runtime.run import execute, new_run_file, open_run
        from openhands_strategies.runtime.usage import Price as ModelPrice

        home, chosen = self.surroundings.home, workspace or self.make_workspace()
        loaded = _load(strategy, overlays, self.surroundings)
        places = {"workspace": chosen, "ohs_home": home.path, "strategy": loaded.root}
        with _answering(script, prices, model, places, self.surroundings) as server:
            known = {
                f"openai/{name}": ModelPrice(price.input, price.output)
                for name, price in prices.items()
            }
            settings = Settings(
                home=home,
                max_budget=max_budget,
                prices={} if self.surroundings.record else known,
                confirmation=confirmation,
            )
            llm = main_llm(model=server.model, base_url=server.base_url, prices=settings.prices)
            prepared = prepare(loaded, llm, params or {}, settings, adjust=_adjust(plugin_host()))
            file = new_run_file(prepared, chosen.resolve(), max_budget=max_budget)
            before = len(server.served())
            with _quiet_terminal():
                report = execute(open_run(prepared, file, home, confirm=confirm), task)
            served = server.served()[before:]
            if report.error is None:
                server.check(len(served))
        directory = home.runs / report.conversation_id
        roles, delegations = read_run(directory, report.status, served)
        return StrategyRun(report, chosen, directory, served, roles, delegations)


@dataclass(frozen=True)
class PlanStrategy:
    """Plans strategies; the fixture `strategy_plan`.

    Attributes:
        surroundings: Where they are built.
        make_workspace: Makes a workspace where a test gives none.
    """

    surroundings: Surroundings
    make_workspace: MakeWorkspace

    def __call__(
        self,
        strategy: object,
        *,
        params: Mapping[str, Any] | None = None,
        overlays: Sequence[object] = (),
        workspace: Path | None = None,
        model: str = MODEL,
        prompts: bool = False,
    ) -> dict[str, Any]:
        """Return what `ohs plan --json` prints; no model is called.

        Args:
            strategy: A reference, a path, or a strategy's class or instance.
            params: Values of parameters.
            overlays: What is laid over the strategy, innermost first, as `--with`.
            workspace: Directory that it would work in; a new empty one by default.
            model: Full name of the main model.
            prompts: Whether system prompts and the tools' texts are in it.

        Raises:
            StrategyError: The strategy cannot be found, loaded or built.
        """
        from openhands_strategies.runtime.llms import placeholder_llm
        from openhands_strategies.runtime.plan import plan
        from openhands_strategies.runtime.prepare import Settings, prepare
        from openhands_strategies.runtime.worktrees.repository import check_workspace

        chosen = (workspace or self.make_workspace()).resolve()
        loaded = _load(strategy, overlays, self.surroundings)
        settings = Settings(home=self.surroundings.home)
        with _quiet_terminal():
            prepared = prepare(
                loaded,
                placeholder_llm(model),
                params or {},
                settings,
                adjust=_adjust(plugin_host()),
            )
            check_workspace(prepared.scope.agents, chosen)
            return plan(prepared, prompts=prompts, workspace=chosen)


@dataclass(frozen=True)
class _Server:
    """What answers a run: its URL, its main model, its account, a check at the end."""

    base_url: str
    model: str
    served: Callable[[], list[Served]]
    check: Callable[[int], None]


@contextmanager
def _answering(
    script: Model,
    prices: Mapping[str, Price],
    model: str | None,
    places: Mapping[str, Path],
    surroundings: Surroundings,
) -> Iterator[_Server]:
    if surroundings.record is not None:
        name, upstream = os.environ.get("LLM_MODEL"), os.environ.get("LLM_BASE_URL")
        if not name or not upstream:
            raise UsageError(
                "record_settings",
                "--record-strategy needs a model and its server",
                "set LLM_MODEL (openai/…), LLM_BASE_URL and LLM_API_KEY",
            )
        others = {key: place for key, place in places.items() if key != "workspace"}
        with (
            surroundings.recording(),
            record(
                surroundings.record,
                upstream=upstream,
                model=name,
                workspace=places["workspace"],
                places=others,
            ) as recorder,
        ):
            yield _Server(recorder.base_url, name, lambda: recorder.served, _no_check)
    elif isinstance(script, ScriptedModel):
        yield _Server(script.base_url, model or MODEL, lambda: script.served, _no_check)
    else:
        answers = _script(script)
        name = model or MODEL
        check: Callable[[int], None] = _no_check
        if isinstance(answers, Replay):
            answers = answers.placed(places)
            check, name = answers.check_played, model or answers.model
        with ScriptedModel(answers, prices) as server:
            yield _Server(server.base_url, name, lambda: server.served, check)


def _script(given: Script | Sequence[Step]) -> Script:
    return in_order(given) if isinstance(given, Sequence) else given


def _no_check(_: int) -> None:
    """Only a replay says how many requests there must be."""


def _load(strategy: object, overlays: Sequence[object], surroundings: Surroundings) -> Loaded:
    from openhands_strategies.runtime.loader import load

    located = locate(strategy, surroundings.root)
    over = [locate(one, surroundings.root) for one in overlays]
    return load(located, surroundings.home, over)


def _adjust(host: Host) -> Adjust:
    def adjust(blueprint: Blueprint, name: str, params: Mapping[str, Any]) -> Blueprint:
        return host.adjust(blueprint, name, params, _warn)

    for warning in host.warnings:
        _warn(warning)
    return adjust


def _warn(error: StrategyError) -> None:
    warnings.warn(f"{error.code}: {error.message}", stacklevel=2)


@contextmanager
def _quiet_terminal() -> Iterator[None]:
    """The SDK warns of a missing tmux, which is missing on purpose."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="tmux is not installed")
        yield
