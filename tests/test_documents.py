"""The examples of the documentation run as they stand there, against the scripted model."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from openhands_strategies.testing import Reply, ScriptedModel, Turn, call, finish, say
from support import PRICES, write

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]

DOCS = Path(__file__).parents[1] / "docs"
OFFER = re.compile(r"^- ([a-z0-9-]+): ", re.MULTILINE)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


def commands(page: str) -> list[str]:
    joined = "\n".join(blocks(page, "sh")).replace("\\\n", " ")
    return [line.split("  #")[0] for line in joined.splitlines() if line.startswith("ohs ")]


def files(page: str) -> dict[str, str]:
    """Blocks of Python that begin with the name of their file."""
    named = (re.match(r"# ([\w/]+\.py)\n", block) for block in blocks(page, "python"))
    return {match[1]: match.string for match in named if match}


def script(turn: Turn) -> Reply:
    """Every agent asks each of its own sub-agents once, then it is done."""
    told = str([message for message in turn.messages if message["role"] == "tool"])
    asked = {one.arguments.get("subagent_type") for one in turn.tool_results}
    if turn.offers("task"):
        for alias in OFFERED[turn.model]:
            if alias in turn.system and alias not in asked and alias not in told:
                return call("task", subagent_type=alias, prompt="do your part")
    return finish("done") if turn.offers("finish") else say("done")


# Phases and members that the pages name; an agent is told its own in its system prompt.
OFFERED = {"gpt-4o": ("plan-execute", "build", "reviewer"), "gpt-4o-mini": ()}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in files("composing.md").items():
        write(tmp_path / name, text)
    write(tmp_path / "house-style/skills/style/SKILL.md", "---\nname: style\n---\nShort names.\n")
    return tmp_path


def ohs(project: Path, command: str) -> subprocess.CompletedProcess[str]:
    with ScriptedModel(script, prices=PRICES) as model:
        return subprocess.run(
            [sys.executable, "-m", "openhands_strategies", *shlex.split(command)[1:]],
            cwd=project,
            env={
                **os.environ,
                "LLM_MODEL": "openai/gpt-4o",  # its price is known
                "LLM_API_KEY": "any",
                "LLM_BASE_URL": model.base_url,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )


@pytest.mark.parametrize("command", commands("composing.md"))
def test_a_command_of_the_page_on_composing(project: Path, command: str) -> None:
    done = ohs(project, command)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr + done.stdout


def test_the_examples_of_the_page_on_composing_are_planned(project: Path) -> None:
    for reference in ("./review_flow.py:flow", "./review_flow.py:crew", "./twice.py"):
        done = ohs(project, f"ohs plan {reference} --json")
        assert done.returncode == 0, done.stderr + done.stdout
