"""Every command and every block of code in README.md works as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from openhands_strategies.testing import Reply, ScriptedModel, Turn, call, finish
from support import PRICES

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]

README = Path(__file__).parents[1] / "README.md"
# The scripted model speaks OpenAI's protocol; both names have a known price.
MODELS = {
    "anthropic/claude-sonnet-4-5": "openai/gpt-4o",
    "anthropic/claude-haiku-4-5": "openai/gpt-4o-mini",
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)


def commands() -> list[str]:
    joined = "\n".join(blocks("sh")).replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.startswith("ohs ")]


def script(turn: Turn) -> Reply:
    if turn.replies == 0 and turn.offers("task"):
        name = "sidekick" if "sidekick" in turn.system else "reviewer"
        return call("task", subagent_type=name, prompt="look")
    return finish(f"done by {turn.model}")


@pytest.mark.parametrize("command", commands())
def test_command(tmp_path: Path, command: str) -> None:
    (source,) = blocks("python")
    (tmp_path / "reviewed.py").write_text(source)
    for name, other in MODELS.items():
        command = command.replace(name, other)
    words = shlex.split(command)
    with ScriptedModel(script, prices=PRICES) as model:
        done = subprocess.run(
            [sys.executable, "-m", "openhands_strategies", *words[1:]],
            cwd=tmp_path,
            env={
                **os.environ,
                "LLM_MODEL": "openai/gpt-4o",
                "LLM_API_KEY": "any",
                "LLM_BASE_URL": model.base_url,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        models = {one.model for one in model.served}
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    if words[1] == "run":
        assert "done by gpt-4o" in done.stdout
        assert models == ({"gpt-4o", "gpt-4o-mini"} if "fusion" in command else {"gpt-4o"})
    else:
        assert ("fusion" in done.stdout) or ("reviewed" in done.stdout)


def test_the_first_strategy_is_short() -> None:
    (source,) = blocks("python")
    body = source[source.index("class ") :]
    assert len([line for line in body.splitlines() if line.strip()]) <= 15


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README.read_text()):
        if "://" not in target:
            assert (README.parent / target).exists(), target
