"""A user of the real OpenHands CLI: home, settings, a scripted model; and what they run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from openhands_strategies.testing import Script, ScriptedModel, Served

OPTIONS = ("--price", "10,40", "--price", "openai/cheap=1,4")


def cli_version() -> str | None:
    """The version of the CLI in this environment, if it is there."""
    try:
        return version("openhands")
    except PackageNotFoundError:
        return None


@dataclass(frozen=True)
class Done:
    """How a process ended."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events among the lines of `--json`."""
        lines = [line for line in self.out.splitlines() if line.startswith('{"id"')]
        return [json.loads(line) for line in lines]

    @property
    def conversation(self) -> str:
        """The id that the CLI prints at the end, 32 hex digits."""
        return self.out.split("Conversation ID: ")[1].split()[0]


@dataclass(frozen=True)
class Cli:
    """A user of the CLI: home, workspace, settings, and the model's server."""

    home: Path
    workspace: Path
    model: ScriptedModel

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOME": str(self.home),
            "LLM_MODEL": "openai/main",
            "LLM_API_KEY": "key-of-the-environment",
            "LLM_BASE_URL": self.model.base_url,
            "TERM": "xterm-256color",
        }

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "openhands_strategies", "openhands", *arguments]

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        return self.start_command(*self.command(*arguments), **options)

    def start_command(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        """A program, in the user's workspace and environment."""
        return subprocess.Popen(
            command,
            cwd=self.workspace,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **{"stdin": subprocess.DEVNULL, "start_new_session": True, **options},
        )

    def run(self, *arguments: str) -> Done:
        return self.run_command(*self.command(*arguments))

    def run_command(self, *command: str) -> Done:
        with self.start_command(*command) as process:
            out, err = process.communicate(timeout=150)
        return Done(process.returncode, out, err)

    def ohs(self, *arguments: str) -> Done:
        """Another command of ours, for the same user."""
        return self.run_command(sys.executable, "-m", "openhands_strategies", *arguments)

    def headless(self, *arguments: str, task: str = "do it", json_mode: bool = True) -> Done:
        """One headless run with the model of the environment."""
        mode = ["--headless", *(["--json"] if json_mode else []), "--override-with-envs"]
        return self.run(*OPTIONS, *arguments, *mode, *(["-t", task] if task else []))

    def served(self, model: str) -> list[Served]:
        return [one for one in self.model.served if one.model == model]

    def kept(self, conversation: str) -> Path:
        """The directory of a conversation."""
        return self.home / ".openhands" / "conversations" / conversation.replace("-", "")

    def record(self, conversation: str) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((self.kept(conversation) / "run.json").read_text())
        return data

    def save_settings(self, model: str = "openai/main") -> Path:
        """Settings as the CLI's own screen saves them; returns the file."""
        from openhands.sdk import LLM, LLMSummarizingCondenser
        from openhands_cli.utils import get_default_cli_agent

        llm = LLM(
            model=model,
            api_key="key-of-the-settings",
            base_url=self.model.base_url,
            usage_id="agent",
            num_retries=0,
            temperature=0.3,
        )
        agent = get_default_cli_agent(llm)
        assert isinstance(agent.condenser, LLMSummarizingCondenser)
        path = self.home / ".openhands" / "agent_settings.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(agent.model_dump_json(context={"expose_secrets": True}))
        return path


MakeCli = Callable[[Script], AbstractContextManager[Cli]]

PHASES = '''
from openhands.sdk import Agent, AgentContext, Tool
from openhands_strategies import (
    AgentSpec, Blueprint, Limits, Strategy, StrategyParam, SubAgent)

TERMINAL = {"name": "terminal", "params": {"terminal_type": "subprocess"}}

class Phases(Strategy):
    """A coder, then a tester, as a waterfall has them."""
    name = "phases"
    description = "A waterfall: code, then test"
    params = [
        StrategyParam(name="model", description="Model of the workers", default="openai/cheap"),
        StrategyParam(name="steps", type="integer", description="Main's steps", default=30),
        StrategyParam(name="dollars", type="number", description="Budget of a worker"),
        StrategyParam(name="total", type="number", description="Budget of all"),
        StrategyParam(name="confirm", description="Confirmation", default="",
                      choices=["", "never", "risky", "always"]),
    ]

    def build(self, context):
        p = context.params
        def worker(text, *after):
            return SubAgent(
                description=text, model=p["model"], after=after,
                agent=AgentSpec(tools=(TERMINAL,), suffix=f"Your phase: {text}"),
                limits=Limits(budget=p["dollars"]),
            )
        return Blueprint(
            agent=Agent(
                llm=context.llm, tools=[Tool(**TERMINAL)],
                agent_context=AgentContext(system_message_suffix="You direct the phases."),
            ),
            subagents={"coder": worker("write code"), "tester": worker("test it", "coder")},
            prompt="In phases, please: {task}",
            limits=Limits(iterations=p["steps"], budget=p["total"]),
            confirmation=p["confirm"] or None,
            tags={"kind": "waterfall"},
        )
'''

RFC = """
from openhands.sdk import Agent, AgentContext, Tool, register_agent
from openhands.sdk.strategy import Strategy, StrategyParam
from openhands.tools.task import TaskToolSet


def helper(llm):
    return Agent(llm=llm, tools=[])


class Published(Strategy):
    name = "published"
    description = "As the RFC has it"
    params = [StrategyParam("tone", "How it speaks", "string", "plainly")]

    def setup(self):
        register_agent(name="helper", factory_func=helper, description="helps")

    def build_agent(self, llm, params=None):
        text = f"You speak {params['tone']}."
        return Agent(llm=llm, tools=[Tool(name=TaskToolSet.name)],
                     agent_context=AgentContext(system_message_suffix=text))
"""


def fails_the_second_time(directory: Path) -> str:
    """`PHASES` that can be built before the start and not again, as after an upgrade."""
    mark = directory / "built"
    line = f"p = context.params; m = Path({str(mark)!r}); m.exists() and 1 / 0; m.touch()"
    return "from pathlib import Path\n" + PHASES.replace("p = context.params", line)
