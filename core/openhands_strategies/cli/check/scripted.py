"""A run with a scripted model: every sub-agent is asked once, then the main agent finishes."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from openhands_strategies.manifest.checks import Problem, make
from openhands_strategies.project.home import Home
from openhands_strategies.testing import HttpError, Reply, Turn, call, finish, say

if TYPE_CHECKING:
    from openhands.sdk import LLM

    from openhands_strategies.runtime.entries import Entry
    from openhands_strategies.runtime.prepare import Prepared
    from openhands_strategies.runtime.report import Report

MODEL: Final = "openai/ohs-check"
TASK: Final = "This is a check of ohs. Ask every sub-agent once, then finish."
_SECONDS: Final = 180.0
_MOST_FINISHES: Final = 4
_MARK: Final = "[ohs check: "
_NEVER: Final = "never started"


def scripted_llm(base_url: str) -> LLM:
    """An LLM whose answers a scripted model gives."""
    from openhands.sdk import LLM

    return LLM(
        model=MODEL,
        base_url=base_url,
        api_key="not-needed",
        usage_id="main",
        num_retries=0,
        input_cost_per_token=1e-6,
        output_cost_per_token=4e-6,
    )


@dataclass
class Script:
    """Answers every agent of one run; whose turn it is stands in what the agent was asked."""

    agents: Mapping[str, Entry] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    refused: str = ""

    def __call__(self, turn: Turn) -> Reply:
        path = _path_of(turn)
        aliases = _in_order(self._below(path)) if turn.offers("task") else []
        results = turn.results_of("task")
        if len(results) < len(aliases):
            inner = "/".join((*path, aliases[len(results)]))
            prompt = f"{_MARK}{inner}] Say that you are there, and nothing else."
            return call("task", prompt=prompt, subagent_type=aliases[len(results)],
                        description=f"check {inner}"[:60])  # fmt: skip
        for alias, result in zip(aliases, results, strict=False):
            self.failed["/".join((*path, alias))] = result.text
        if not turn.offers("finish"):
            return say("I am there.")
        tried = [made for made in turn.calls_made if made.name == "finish"]
        if len(tried) >= _MOST_FINISHES:
            self.refused = next((one for one in reversed(turn.user)), "it is asked to go on")
            # Whatever keeps it from finishing may keep a stop from working, too.
            return Reply(fault=HttpError(400, "kept from finishing"))
        # The SDK takes an agent that repeats itself for a stuck one.
        return finish("I am there." + f" I have said so {len(tried)} times." * bool(tried))

    def _below(self, path: tuple[str, ...]) -> Mapping[str, Entry]:
        agents = self.agents
        for alias in path:
            entry = agents.get(alias)
            # One that is offered what its parent is would ask itself for ever.
            if entry is None or entry.same_scope:
                return {}
            agents = entry.agents
        return agents


def scripted_problems(
    prepared: Prepared, script: Script, directory: Path, file: str, line: int
) -> Iterator[Problem]:
    """Run it to its end with real tools, in a repository that is made for it.

    Args:
        prepared: Built with the LLM of `scripted_llm`.
        script: What that model answers from.
        directory: For the repository and for the run's own files.
        file: Where the strategy is defined.
        line: In it.
    """
    script.agents = prepared.scope.agents
    home = Home(directory / "home")
    with _workspace(directory) as workspace:
        report, states = _execute(prepared, workspace, home, script)
    yield from _judged(report, states, script, file, line)


def _execute(
    prepared: Prepared, workspace: Path, home: Home, script: Script
) -> tuple[Report, dict[str, str]]:
    from openhands_strategies.runtime.run import execute, new_run_file, open_run

    # Nobody is there to say yes, and nothing that matters can happen.
    run = open_run(prepared, new_run_file(prepared, workspace), home, confirm=lambda *_: True)
    late = threading.Timer(_SECONDS, run.fleet.stop)
    late.daemon = True
    late.start()
    try:
        report = execute(run, TASK)
    finally:
        late.cancel()
    return report, {view.role: view.state for view in run.fleet.views()}


def _judged(
    report: Report, states: Mapping[str, str], script: Script, file: str, line: int
) -> Iterator[Problem]:
    if report.status != "finished" and script.refused:
        yield make("run_gated", "an agent was kept from finishing"
                   f" {_MOST_FINISHES} times: {' '.join(script.refused.split())[:200]}",
                   "nothing, if that is what the strategy is there for", file, line)  # fmt: skip
        return
    for path in _paths(script.agents):
        state = states.get(path, _NEVER)
        if state in ("completed", "escalated"):
            continue
        # Who would have asked it has failed, and that is told below.
        if state == _NEVER and report.status == "failed":
            continue
        told = " ".join(script.failed.get(path, "").split())[:300]
        yield make("subagent_failed", f"the sub-agent {path!r} did not finish ({state})"
                   + (f": {told}" if told else ""),
                   "ohs plan shows what it is made of", file, line)  # fmt: skip
    if report.status == "finished":
        return
    why = report.error.message if report.error is not None else f"it ended as {report.status}"
    if report.status == "interrupted":
        why = f"it did not end within {_SECONDS:g} seconds"
    hint = (
        report.error.hint if report.error is not None and "resume" not in report.error.hint else ""
    )
    yield make("run_failed", f"a run with a scripted model failed: {why}",
               hint or "ohs plan shows what it starts", file, line)  # fmt: skip


def _paths(agents: Mapping[str, Entry], above: str = "") -> Iterator[str]:
    for alias, entry in agents.items():
        yield f"{above}{alias}"
        if not entry.same_scope:
            yield from _paths(entry.agents, f"{above}{alias}/")


def _in_order(agents: Mapping[str, Entry]) -> list[str]:
    """Aliases, each after those that it comes after."""
    ordered: list[str] = []
    while len(ordered) < len(agents):
        ordered += [
            alias
            for alias, entry in agents.items()
            if alias not in ordered and set(entry.after) <= set(ordered)
        ]
    return ordered


def _path_of(turn: Turn) -> tuple[str, ...]:
    """Aliases down to the agent whose turn it is; none for the main agent."""
    for text in turn.user:
        _, found, rest = text.rpartition(_MARK)
        if found:
            return tuple(rest.partition("]")[0].split("/"))
    return ()


@contextmanager
def _workspace(directory: Path) -> Iterator[Path]:
    """A git repository with one file, as worktrees need it."""
    with tempfile.TemporaryDirectory(dir=directory) as name:
        place = Path(name).resolve() / "workspace"
        place.mkdir()
        (place / "README.md").write_text("A workspace that is made for a check.\n")
        git = ["git", "-c", "user.name=ohs", "-c", "user.email=ohs@localhost", "-C", str(place)]
        for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "start"]):
            subprocess.run([*git, *arguments], check=False, capture_output=True)
        yield place
