"""The commands of docs/sharing.md, one after the other as they stand there, with real git.

`github:` leads to a server on loopback, through git's own `insteadOf`.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from git_server import GitServer, Repository, make_certificates
from openhands_strategies.testing import ScriptedModel, finish
from support import PRICES, write

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]

PAGE = (Path(__file__).parents[1] / "docs" / "sharing.md").read_text()
STRATEGY = """\
from openhands_strategies import Strategy

class Debate(Strategy):
    name = "debate"
    description = "{text}"

    def build_agent(self, llm, params=None):
        from openhands.sdk import Agent
        return Agent(llm=llm, tools=[])
"""
INDEX = """\
version = 1
[strategies.debate]
source = "./plugins/debate"
description = "Two agents argue"
"""


def commands() -> list[str]:
    """Every command of the page's blocks, in its order."""
    return "".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)).splitlines()


@dataclass
class Shell:
    """Runs commands as a user in a project would; the model is scripted."""

    project: Path
    environ: dict[str, str]

    def run(self, command: str) -> str:
        words = shlex.split(command)
        assert words[0] == "ohs"
        done = subprocess.run(
            [sys.executable, "-m", "openhands_strategies", *words[1:]],
            cwd=self.project / "index" if command == "ohs index check ." else self.project,
            env={**os.environ, **self.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if command == "ohs trust debate":
            # Nobody sits at this terminal: the same again, with the answer.
            assert (done.returncode, "ohs trust debate --yes" in done.stderr) == (4, True)
            return self.run("ohs trust debate --yes")
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), (command, done)
        return done.stdout + done.stderr


def test_the_page_from_its_first_command_to_its_last(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "served" / "acme" / "strategies")
    repository.config(uploadpack_allowFilter="true", uploadpack_allowAnySHA1InWant="true")
    for tag in ("v1", "v2"):
        text = STRATEGY.format(text=f"Two agents argue, {tag}").encode()
        files = {"plugins/debate/strategy.py": text, "registry.toml": INDEX.encode()}
        repository.tag(tag, repository.add(files))
    project, home = tmp_path / "project", tmp_path / "user"
    project.mkdir()
    write(project / "index" / "registry.toml", INDEX)
    write(project / "index" / "plugins" / "debate" / "strategy.py", STRATEGY)
    certificates = make_certificates(tmp_path)
    with (
        GitServer(tmp_path / "served", certificates) as server,
        ScriptedModel(lambda turn: finish(f"done by {turn.model}"), prices=PRICES) as model,
    ):
        write(home / ".gitconfig", f'[url "{server.url}/"]\n\tinsteadOf = https://github.com/\n')
        shell = Shell(
            project,
            {
                "HOME": str(home),
                "OHS_HOME": str(tmp_path / "ohs"),
                "GIT_SSL_CAINFO": str(certificates.authority),
                "LLM_MODEL": "openai/gpt-4o",
                "LLM_API_KEY": "any",
                "LLM_BASE_URL": model.base_url,
            },
        )
        said = {command: shell.run(command) for command in commands()}
    text = "\n".join(said)
    add, run = (next(one for one in said if one.startswith(f"ohs {verb} ")) for verb in
                ("add", "run"))  # fmt: skip
    assert "added debate" in said[add]
    assert "done by gpt-4o" in said[run]
    assert "up to date" in said["ohs list --outdated"]
    assert "Two agents argue\n" in said["ohs search debate"]
    assert "Two agents argue, v2" in said["ohs show debate"]
    assert "debate" in said["ohs trust --list"]
    assert "every entry is as it should be" in said["ohs index check ."]
    assert "no longer trusted:" in said["ohs trust --revoke debate"]
    assert not (project / ".openhands").exists()
    for verb in ("sync --frozen", "sync --frozen --offline", "update", "store verify", "store gc"):
        assert f"ohs {verb}" in text


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`(ohs [^`]+)`", PAGE))))
def test_what_the_text_mentions_is_there(command: str) -> None:
    words = [word for word in shlex.split(command)[1:] if re.fullmatch(r"[a-z-]+", word)]
    verbs = words[: 2 if words[0] in ("index", "store") else 1]
    done = subprocess.run(
        [sys.executable, "-m", "openhands_strategies", *verbs, "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for option in re.findall(r"--[a-z]+", command):
        assert option in done.stdout
