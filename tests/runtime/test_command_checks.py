"""Scripts of hooks and commands of MCP servers are looked for when a strategy is built."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.blueprint import AgentSpec, Blueprint, Brought, SubAgent
from openhands_strategies.errors import LoadError
from openhands_strategies.runtime.plugin_directory.command_words import scripts_in
from openhands_strategies.runtime.plugin_directory.commands import check_commands
from support import write


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/r/a.sh", [("/r/a.sh", True)]),
        ("'/r r/a.sh' --x /r/b", [("/r r/a.sh", True)]),
        ("python3 -u /r/a.py --x", [("/r/a.py", False)]),
        ("/usr/bin/python3.12 /r/a.py", [("/r/a.py", False)]),
        ("X=1 exec env Y=2 /r/a.sh", [("/r/a.sh", True)]),
        ("cd /x && bash /r/a.sh | tee /r/log", [("cd", True), ("/r/a.sh", False), ("tee", True)]),
        ("if /r/a; then /r/b; fi", [("/r/a", True), ("/r/b", True), ("fi", True)]),
        ("python3 -c 'import x' /r/a", []),
        ("</r/in /r/a >/r/out", [("/r/a", True)]),
        ("uv run /r/a.py", [("/r/a.py", True)]),
        ("echo 'unfinished", []),
        ("", []),
        ("/r/a\n/r/b", [("/r/a", True), ("/r/b", True)]),
        ("/r/a # /r/b; /r/c\n/r/d", [("/r/a", True), ("/r/d", True)]),
        ("python3 /r/a <<X\n/r/b\nX", [("/r/a", False)]),
        ("grep ';' /r/b", [("grep", True)]),
    ],
)
def test_what_a_command_runs(command: str, expected: list[tuple[str, bool]]) -> None:
    assert list(scripts_in(command)) == expected


@pytest.fixture
def blueprint(make_llm: Any) -> Any:
    def make(command: str, *, below: int = 0) -> Blueprint:
        from openhands.sdk import Agent
        from openhands.sdk.hooks import HookConfig

        hooks = HookConfig.model_validate({"PreToolUse": [{"hooks": [{"command": command}]}]})
        agent = Agent(llm=make_llm(), tools=[])
        made = Blueprint(agent=agent, hooks=hooks)
        for level in range(below):
            inner = made if level else AgentSpec()
            subagent = SubAgent(description="x", agent=inner, hooks=None if level else hooks)
            made = Blueprint(agent=agent, subagents={"a": subagent})
        return made

    return make


@pytest.mark.parametrize("below", [0, 1, 2])
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("{root}/gone.sh", "hook_missing"),
        ("python3 {root}/gone.py", "hook_missing"),
        ("true && {root}/hooks", "hook_missing"),
        ("{root}/plain.sh", "hook_not_executable"),
        ("{root}/gone.sh || true", "hook_missing"),
        ("/no/such/script.sh", "hook_missing"),
        ("python3 /no/such/script.py", "hook_missing"),
        ("/etc/passwd --check", "hook_not_executable"),
        ("~/no/such.sh", "hook_missing"),
        ("surely-no-such-command --flag", "hook_missing"),
        ("cat | surely-no-such-command", "hook_missing"),
        ("if surely-no-such-command; then exit 2; fi", "hook_missing"),
        ("$PLUGIN_ROOT/plain.sh", "hook_root"),
        ("sh '$CLAUDE_PLUGIN_ROOT/plain.sh'", "hook_root"),
        ("./scripts/check.sh", "hook_relative"),
        ("python3 scripts/check.sh", "hook_relative"),
    ],
)
def test_missing_and_not_executable(
    tmp_path: Path, blueprint: Any, command: str, code: str, below: int
) -> None:
    root = tmp_path / "a tree"
    write(root / "plain.sh", "#!/bin/sh\n").chmod(0o644)
    write(root / "scripts" / "check.sh", "#!/bin/sh\n")
    (root / "hooks").mkdir()
    given = blueprint(command.format(root=shlex.quote(str(root))), below=below)
    with pytest.raises(LoadError) as caught:
        check_commands(given, root, "strategy 'x' (./x)")
    assert caught.value.code == code
    assert caught.value.message.startswith("strategy 'x' (./x): the hook of pre_tool_use ")
    assert str(tmp_path) not in caught.value.message
    assert caught.value.hint
    assert "hooks.json" not in caught.value.hint


@pytest.mark.parametrize(
    "command",
    [
        "{root}/run.sh --now",
        "sh {root}/plain.sh",
        "python3 {root}/plain.sh || true",
        "echo {root}/gone",
        "./in/the/workspace.sh",
        "PLUGIN_ROOT=x; $PLUGIN_ROOT/gone",
        "command -v gone >/dev/null && gone --now",
        "[ -x /no/such ] && /no/such",
        "gone || exit 2",
        "true || gone",
        "grep -q ';' gone && exit 2 || exit 0",
        "case x in gone) true;; esac",
        "f() {{ true; }}; f",
        "cat <<X\ngone\nX",
        "nice -n 10 sh {root}/plain.sh",
        "for x in gone; do echo $x; done",
        "env -C /tmp ls",
        "$SHELL -c true",
        "gone 'unfinished",
    ],
)
def test_what_is_there_or_not_ours_passes(tmp_path: Path, blueprint: Any, command: str) -> None:
    write(tmp_path / "plain.sh", "#!/bin/sh\n").chmod(0o644)
    write(tmp_path / "run.sh", "#!/bin/sh\n").chmod(0o755)
    check_commands(blueprint(command.format(root=tmp_path)), tmp_path, "x")


@pytest.mark.parametrize(
    ("server", "found"),
    [
        ({"command": "sh"}, True),
        ({"command": "surely-no-such-command"}, False),
        ({"command": "{root}/serve"}, True),
        ({"command": "{root}/gone"}, False),
        ({"command": "{root}/plain"}, False),
        ({"command": "sh", "args": ["{root}/plain"]}, True),
        ({"command": "sh", "args": ["-x", "{root}/gone"]}, False),
        ({"command": "sh", "args": ["/elsewhere/gone"]}, True),
        ({"command": "./serve", "cwd": "{root}"}, True),
        ({"command": "serve", "env": {"PATH": "{root}"}}, True),
        ({"command": "${{SERVER}}"}, True),
        ({"url": "https://example.org/mcp"}, True),
    ],
)
def test_commands_of_mcp_servers(
    tmp_path: Path, make_llm: Any, server: dict[str, Any], found: bool
) -> None:
    from openhands.sdk import Agent

    from openhands_strategies.compose.brought import with_servers
    from openhands_strategies.runtime.plugin_directory.servers import checked_servers

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(one) for key, one in value.items()}
        if isinstance(value, list):
            return [filled(one) for one in value]
        return value.format(root=tmp_path)

    write(tmp_path / "serve", "#!/bin/sh\n").chmod(0o755)
    write(tmp_path / "plain", "").chmod(0o644)
    servers = checked_servers({"one": filled(server)}, ".mcp.json", "x")
    blueprint = Blueprint(agent=with_servers(Agent(llm=make_llm(), tools=[]), servers))
    if found:
        check_commands(blueprint, tmp_path, "x")
        return
    with pytest.raises(LoadError) as caught:
        check_commands(blueprint, tmp_path, "x")
    assert caught.value.code == "mcp_command_missing"
    assert "'one'" in caught.value.message


def test_what_a_part_brought_was_looked_at_with_the_part(tmp_path: Path, blueprint: Any) -> None:
    """The tree of the whole says nothing about a path that a part's hook names."""
    write(tmp_path / "scripts" / "check.sh", "#!/bin/sh\n")
    given = blueprint("./scripts/check.sh")
    mark = Brought("hook", "pre_tool_use: ./scripts/check.sh", "house")
    check_commands(replace(given, brought=(mark,)), tmp_path, "x")
    with pytest.raises(LoadError, match="from the user's workspace") as caught:
        check_commands(given, tmp_path, "x")
    assert caught.value.hint == "write ${PLUGIN_ROOT}/scripts/check.sh"
