"""Run a strategy in this process against the scripted model, over real HTTP."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openhands_strategies.project.home import find_home
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.runtime.fleet import ConfirmHandler
from openhands_strategies.runtime.llms import main_llm
from openhands_strategies.runtime.loader import Loaded, load
from openhands_strategies.runtime.prepare import Prepared, Settings, prepare
from openhands_strategies.runtime.report import Report
from openhands_strategies.runtime.run import Run, execute, new_run_file, open_run
from openhands_strategies.runtime.usage import Price
from openhands_strategies.testing import Price as ServedPrice
from openhands_strategies.testing import Reply, Script, ScriptedModel, Served, Step, call, in_order
from openhands_strategies.testing.turns import text_of

MAIN = "openai/main"
CHEAP = "openai/cheap"
PRICES = {"main": ServedPrice(10.0, 40.0), "cheap": ServedPrice(1.0, 4.0)}


def llm_prices() -> dict[str, Price]:
    """The server's prices as a user would give them for the SDK's model names."""
    return {f"openai/{name}": Price(p.input, p.output) for name, p in PRICES.items()}


@dataclass
class Bench:
    """A workspace and a scripted model; runs strategies one after the other or at once."""

    workspace: Path
    model: ScriptedModel
    runs: list[Run] = field(default_factory=list)

    def load(self, reference: str) -> Loaded:
        return load(resolve(reference, base=self.workspace), find_home())

    def prepare(
        self,
        reference: str,
        params: Mapping[str, Any] | None = None,
        *,
        main: str = MAIN,
        **settings: Any,
    ) -> Prepared:
        chosen = {"prices": llm_prices(), **settings}
        llm = main_llm(model=main, base_url=self.model.base_url, prices=chosen["prices"])
        return prepare(
            self.load(reference), llm, params or {}, Settings(home=find_home(), **chosen)
        )

    def start(self, prepared: Prepared, confirm: ConfirmHandler | None = None) -> Run:
        run = open_run(
            prepared, new_run_file(prepared, self.workspace), find_home(), confirm=confirm
        )
        self.runs.append(run)
        return run

    def run(
        self,
        reference: str,
        task: str = "do it",
        params: Mapping[str, Any] | None = None,
        confirm: ConfirmHandler | None = None,
        **settings: Any,
    ) -> Report:
        return execute(self.start(self.prepare(reference, params, **settings), confirm), task)

    def served(self, model: str) -> list[Served]:
        return [one for one in self.model.served if one.model == model]


@contextlib.contextmanager
def bench(workspace: Path, script: Script, *, latency: float = 0.0) -> Iterator[Bench]:
    """A bench whose model answers from `script`."""
    workspace.mkdir(parents=True, exist_ok=True)
    with ScriptedModel(script, prices=PRICES, latency=latency) as model:
        yield Bench(workspace, model)


def write(path: Path, text: str) -> Path:
    """Write a dedented text file, with its directories."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


@dataclass(frozen=True)
class Roles:
    """Tells roles apart that may share a model, by a text in their system prompts."""

    marks: Mapping[str, str]

    def of(self, system: str) -> str:
        return next(role for role, text in self.marks.items() if text in system)

    def script(self, steps: Mapping[str, Sequence[Step]]) -> Script:
        """Each role takes its own steps in order."""
        return lambda turn: in_order(steps[self.of(turn.system)])(turn)

    def served(self, b: Bench, role: str) -> list[Served]:
        return [one for one in b.model.served if self.of(text_of(one.messages[0])) == role]

    def costs(self, b: Bench) -> dict[str, float]:
        """Dollars that the model counted for each role."""
        return {role: sum(one.cost_usd or 0 for one in self.served(b, role)) for role in self.marks}


def task(alias: str, prompt: str = "go on", **more: str) -> Reply:
    """A call of the task tool."""
    return call("task", subagent_type=alias, prompt=prompt, **more)


def tool_texts(request: Served) -> list[str]:
    """Results of tools that a model was told with a request, in order."""
    return [text_of(one) for one in request.messages if one["role"] == "tool"]


HOUSE = """
from openhands.sdk import Agent, AgentContext
from openhands_strategies import Blueprint, Strategy

class House(Strategy):
    name = "house"
    description = "House style"
    overlay = True

    def build(self, context):
        suffix = "Write as this house does."
        return Blueprint(agent=Agent(
            llm=context.llm, agent_context=AgentContext(system_message_suffix=suffix)))
"""

MakeBench = Callable[..., contextlib.AbstractContextManager[Bench]]

DELEGATING = '''
from openhands.sdk import Agent, Tool
from openhands_strategies import (
    AgentSpec, Blueprint, Limits, Strategy, StrategyParam, SubAgent)

# On a busy machine the SDK's tmux terminal loses the output of its first command.
TERMINAL = {"name": "terminal", "params": {"terminal_type": "subprocess"}}

class Delegating(Strategy):
    """One helper on another model; limits from parameters."""
    name = "delegating"
    description = "A main agent with one helper"
    params = [
        StrategyParam(name="model", description="Model of the helper", default="openai/cheap"),
        StrategyParam(name="steps", type="integer", description="Helper's steps", default=10),
        StrategyParam(name="dollars", type="number", description="Helper's budget"),
        StrategyParam(name="main_steps", type="integer", description="Main's steps", default=30),
        StrategyParam(name="parallel", type="integer", description="At a time", default=4),
    ]

    def build(self, context):
        p = context.params
        helper = SubAgent(
            description="helps",
            agent=AgentSpec(tools=(TERMINAL,), suffix="You are the helper."),
            model=p["model"],
            limits=Limits(iterations=p["steps"], budget=p["dollars"]),
        )
        return Blueprint(
            agent=Agent(llm=context.llm, tools=[Tool(**TERMINAL)],
                        tool_concurrency_limit=p["parallel"]),
            subagents={"helper": helper},
            limits=Limits(iterations=p["main_steps"]),
        )
'''
