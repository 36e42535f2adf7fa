"""A reader who types what a page says, line by line, with a scripted model at the other end."""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest
from packaging.requirements import Requirement

import cli_page
from blocks import Block
from openhands_strategies.cli.main import main
from openhands_strategies.openhands_cli.arguments import OURS
from openhands_strategies.testing import Reply, Turn, call, finish, say

ROOT = Path(__file__).parents[2]
# Words that stand for something of the reader's own: a line with one shows a form.
FORM = re.compile(r"(?<!-)\b(REF|ID|DIR|NAME|FILE|TEXT|A|B)\b|\[|<|^ohs \w+ …")
# A commit id that pages show; the reader has another one, of the repository that is served.
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ALIASES = (
    *("plan-execute", "build", "reviewer", "sidekick", "reader"),
    *("designer", "coder", "tester", "planner", "executor", "attempt"),
)
# What the pages call the models, and names whose price the SDK knows.
MODELS = {
    "anthropic/claude-sonnet-4-5": "openai/gpt-4o",
    "anthropic/claude-haiku-4-5": "openai/gpt-4o-mini",
}


def script(turn: Turn) -> Reply:
    """Every agent asks each of its own sub-agents once, then it is done."""
    if turn.offers("task"):
        seen = str([turn.system, *turn.user])
        told = str([message for message in turn.messages if message["role"] == "tool"])
        asked = {one.arguments.get("subagent_type") for one in turn.calls_made}
        for alias in ALIASES:
            if alias in seen and alias not in asked and alias not in told:
                return call("task", subagent_type=alias, prompt="do your part")
    done = f"done by {turn.model}"
    return finish(done) if turn.offers("finish") else say(done)


@dataclass
class Reader:
    """Works in a directory of its own; `ohs` runs in this process, which imports the SDK once.

    Attributes:
        where: The present directory.
        monkeypatch: Sets directory and environment.
        capfd: What was printed.
        commit: The reader's own commit id, where a page shows `COMMIT`.
        said: Each command of `ohs` that was run, and its output.
    """

    where: Path
    monkeypatch: pytest.MonkeyPatch
    capfd: pytest.CaptureFixture[str]
    commit: str = COMMIT
    said: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._go(self.where)

    def write(self, block: Block) -> None:
        """Write the file that a block shows."""
        assert block.file is not None
        path = self.where / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text.replace(COMMIT, self.commit))

    def type(self, line: str) -> None:
        """Do what a line of a shell says."""
        command, _, comment = line.replace(COMMIT, self.commit).partition("  #")
        expected = re.search(r"exit code (\d+)", comment)
        words = shlex.split(os.path.expandvars(command))
        name = Path(words[0]).name
        if name == "ohs" and FORM.search(command):
            check_form(command)
        elif name == "ohs":
            self._ohs(words[1:], int(expected[1]) if expected else 0, line)
        elif name == "pip" and "reviewed" in command:
            self._pip(words[1:])
        elif name in ("pip", "uv", "uvx", "make", "curl", "agent-server") or "=" in words[0]:
            check_named(line)
        elif words[:4] == ["python", "-m", "pip", "install"]:
            check_named(" ".join(words[2:]))
        else:
            getattr(self, f"_{name}")(words[1:])

    def _ohs(self, words: list[str], expected: int, line: str) -> None:
        if words[0] == "openhands":
            check_form(line)  # it has an environment of its own, and tests there
            return
        if words[0] == "serve":
            check_form(line)
            return
        words, into = _redirected(words)
        given = [MODELS.get(one, _priced(one)) for one in words]
        if words[0] == "compare":
            # How often is not the point here, and every run is a process.
            given = ["1" if before == "--repeat" else one
                     for before, one in zip(["", *given], given, strict=False)]  # fmt: skip
        with pytest.raises(SystemExit) as ended:
            main(given)
        out, err = self.capfd.readouterr()
        code = ended.value.code or 0
        assert (code, "Traceback" in err) == (expected, False), f"{line}\n{out}\n{err}"
        self.said[line] = out
        if into:
            (self.where / into).write_text(out)

    def _cd(self, words: list[str]) -> None:
        self._go((self.where / words[0]).resolve())

    def _go(self, where: Path) -> None:
        self.where = where
        self.monkeypatch.chdir(where)
        self.monkeypatch.setenv("PWD", str(where))

    def _export(self, words: list[str]) -> None:
        for name, _, value in (word.partition("=") for word in words):
            if not name.startswith("LLM_"):  # the model is the scripted one
                self.monkeypatch.setenv(name, value)

    def _mkdir(self, words: list[str]) -> None:
        for word in words:
            if word != "-p":
                (self.where / word).mkdir(parents="-p" in words)

    def _mv(self, words: list[str]) -> None:
        shutil.move(self.where / words[0], self.where / words[1])

    def _touch(self, words: list[str]) -> None:
        for word in words:
            (self.where / word).touch()

    def _pip(self, words: list[str]) -> None:
        """What a page does with a package of the reader's own; this environment stays as it is."""
        site = self.where.parent / "site"
        if words[0] == "wheel":
            self._run([sys.executable, "-m", "pip", *words, "--no-build-isolation"])
        elif words[0] == "install":
            with zipfile.ZipFile(self.where / words[-1]) as wheel:
                wheel.extractall(site)
            self.monkeypatch.syspath_prepend(str(site))
        else:
            assert words[:2] == ["uninstall", "--yes"], words
            shutil.rmtree(site)
            importlib.invalidate_caches()

    def _git(self, words: list[str]) -> None:
        self._run(["git", *words])

    def _python(self, words: list[str]) -> None:
        # Not this suite's own settings, and not its plugins' processes.
        for name in [name for name in os.environ if name.startswith("PYTEST_")]:
            self.monkeypatch.delenv(name)
        self._run([sys.executable, *words])

    def _run(self, words: list[str]) -> None:
        done = subprocess.run(
            words,
            cwd=self.where,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"


def _redirected(words: list[str]) -> tuple[list[str], str | None]:
    """A command, and the file that its output goes to."""
    return (words[:-2], words[-1]) if words[-2:-1] == [">"] else (words, None)


def _priced(word: str) -> str:
    for name, other in MODELS.items():
        word = word.replace(name, other)
    return word


def check_form(text: str) -> None:
    """The command that a text names is there, and so is each of its options."""
    stripped = (word.strip("[]…") for word in re.sub(r"\s#.*", "", text).split())
    words = [word for word in stripped if word]
    known = dict(cli_page.commands())
    path = max((one for one in known if f"{' '.join(words)} ".startswith(f"{one} ")), key=len)
    beyond = words[len(path.split()) :]
    group = isinstance(known[path], click.Group)
    assert not group or not beyond or beyond[0].startswith("-"), f"{path} has no {beyond[0]}"
    allowed = _allowed(known[path], path)
    for word in words:
        option = word.partition("=")[0]
        if option.startswith("--") and option != "--help":
            assert "*" in allowed or option in allowed, f"{text}: {path} has no {option}"


def _allowed(command: click.Command, path: str) -> set[str]:
    if path == "ohs openhands":
        return {"*"} | {option for option, _, _ in OURS}
    found = {name for one in cli_page.options(command) for name in one.opts}
    if path == "ohs serve":  # the rest is the agent-server's
        found |= set(re.findall(r"--[a-z-]+", command.help or "")) | {"--port"}
    return found


def check_named(line: str) -> None:
    """What a line installs, makes or asks for is something of ours that exists."""
    words = shlex.split(line)
    if words[0] == "curl":
        check_request(words)
        return
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), line
        return
    for word in words:
        if word.startswith("openhands-strateg") and "=" not in word:
            requirement = Requirement(word)
            known = (ROOT / "pyproject.toml").read_text()
            assert requirement.name in known or "debate" in word, line
            for extra in requirement.extras:
                assert f"\n{extra} = [" in known, f"{line}: no extra {extra}"


def check_request(words: list[str]) -> None:
    """A request goes to a route of the reference, with fields that the route has."""
    text = (ROOT / "docs/reference/rest.md").read_text()
    (url,) = [word for word in words if word.startswith("localhost")]
    path = re.sub(r"(?<=/strategies/)(?!runs|reload)[^/]+", "{name}", url.partition("/")[2])
    body = json.loads(words[words.index("-d") + 1]) if "-d" in words else {}
    title = f"## {'POST' if '-d' in words else 'GET'} /{path}\n"
    assert title in text, words
    below = text.partition(title)[2].partition("\n## ")[0]
    for field_name in body:
        assert f"| `{field_name}` |" in below, field_name
