"""`ohs plan`: the tree, the document, differences, and one named error for bad input."""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from git_server import Repository
from support import write

PAGE = (Path(__file__).parents[2] / "docs" / "plan.md").read_text()

HEAD = """
from openhands.sdk import Agent, AgentContext, Tool
from openhands.sdk.hooks import HookConfig
from openhands_strategies import AgentSpec, Blueprint, Limits, Strategy, StrategyParam, SubAgent
from openhands_strategies.compose import layer, pipeline, team


def agent(context, suffix="", *tools):
    return Agent(
        llm=context.llm,
        tools=[Tool(name=name) for name in tools],
        agent_context=AgentContext(system_message_suffix=suffix),
    )


class Worker(Strategy):
    name = "worker"
    description = "Works"
    params = [StrategyParam(name="level", type="integer", default=1)]

    def build(self, context):
        return Blueprint(
            agent=agent(context, "ROLE-WORKER", "terminal"),
            limits=Limits(iterations=20 + context.params["level"]),
        )


class Other(Strategy):
    name = "other"
    description = "Works otherwise"
    params = [StrategyParam(name="level", default="high")]

    def build(self, context):
        return Blueprint(agent=agent(context, "ROLE-OTHER", "grep"))

"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return write(tmp_path / "work.py", HEAD)


def document(done: Any) -> dict[str, Any]:
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def masked(text: str) -> str:
    """Without what depends on the version of the SDK: the length of its prompts."""
    joined = re.sub(r"\n[│├└─ ]+(?=first\b|message\b|[\d,]+ )", " ", text)
    return re.sub(r"\b\d[\d,]*(?= (a turn|system|tools|first))", "N", joined)


def block(language: str, number: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[number]


def test_the_example_of_the_page(ohs_here, tmp_path: Path) -> None:
    (tmp_path / "reviewed.py").write_text(block("python"))
    commands = [
        line
        for number in range(PAGE.count("```sh\n"))
        for line in block("sh", number).splitlines()
        if "REF" not in line and " A " not in line
    ]
    assert len(commands) == 2
    first = ohs_here(*shlex.split(commands[0])[1:])
    assert first.code == 0, first.err
    assert masked(first.out) == masked(block("text"))
    second = ohs_here(*shlex.split(commands[1])[1:])
    assert second.code == 0, second.err
    assert second.out.startswith("--- fusion ")
    assert "\n  + subagent reviewer" in second.out
    assert "\n  - subagent sidekick" in second.out


def test_every_line_fits_and_no_text_steers_the_terminal(ohs_here, tmp_path: Path) -> None:
    write(
        tmp_path / "evil.py",
        HEAD
        + r"""
class Evil(Strategy):
    name = "evil"
    description = "x"

    def build(self, context):
        helper = SubAgent(
            description="\x1b[2J\x07[bold]no markup[/bold] " + "long " * 60,
            agent=AgentSpec(suffix="\x1b]0;title\x07"),
        )
        hooks = {"pre_tool_use": [{"hooks": [{"command": "echo \x1b[1A" + "y" * 200}]}]}
        return Blueprint(
            agent=agent(context),
            subagents={"a\x1b[5mb": helper},
            hooks=HookConfig.model_validate(hooks),
            prompt="\x9b31m {task}",
        )
""",
    )
    for options in ((), ("--prompts",), ("--diff", "./work.py:Worker")):
        write(tmp_path / "work.py", HEAD)
        done = ohs_here("plan", "./evil.py:Evil", *options)
        assert done.code == 0, done.err
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", done.out), options
        if not options:
            assert max(map(len, done.out.splitlines())) <= 80
            assert "[/bold]" in done.out


def test_the_document_is_alone_on_stdout(ohs, work: Path, tmp_path: Path) -> None:
    """A process of its own, without model or key, in a directory that stays as it is."""
    work.write_text("print('loud')\n" + work.read_text())
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = ohs("plan", "./work.py:Worker", "--json", "--param", "level=3")
    found = document(done)
    assert set(found) >= {
        "strategy",
        "roles",
        "tools",
        "subagents",
        "skills",
        "hooks",
        "mcp",
        "limits",
        "prompt_tokens",
    }
    (role,) = found["roles"]
    assert role["placeholder"] is True
    assert role["limits"] == {"iterations": 23}
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_parameters_of_parts_are_named_with_or_without_a_value(ohs_here, tmp_path: Path) -> None:
    write(
        tmp_path / "flow.py",
        """
        from openhands_strategies.compose import layer, pipeline

        careful = layer("fusion", "guardrails", name="careful")
        flow = pipeline("plan-execute", build=careful, name="flow")
        """,
    )
    values = ("--param", "build.fusion.sidekicks=2", "--param", "replans=0")
    shown = ohs_here("plan", "./flow.py:flow", *values)
    assert shown.code == 0, shown.err
    assert "build.fusion.sidekicks=2" in shown.out
    unset = shown.out.partition("── unset")[2].partition("──")[0]
    assert "build.fusion.sidekick_model" in unset
    assert "sidekicks" not in unset
    assert "asked once  plan-execute" in shown.out
    strategy = document(ohs_here("plan", "./flow.py:flow", "--json"))["strategy"]
    schema = strategy["params_schema"]
    assert set(schema["properties"]) == set(strategy["params"])
    assert schema["properties"]["build.fusion.sidekick_model"]["type"] == "string"


def test_no_server_is_asked_even_where_one_is_named(ohs_here, work: Path, monkeypatch) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0.2)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        monkeypatch.setenv("LLM_BASE_URL", url)
        monkeypatch.setenv("LLM_MODEL", "litellm_proxy/any")
        monkeypatch.setenv("LLM_API_KEY", "sk-secret-4711")
        done = ohs_here("plan", "./work.py:Worker", "--json", "--prompts")
        with pytest.raises(TimeoutError):
            listening.accept()
    found = document(done)
    assert found["roles"][0]["model"] == "litellm_proxy/any"
    assert "sk-secret" not in done.out
    assert (
        document(ohs_here("plan", "./work.py:Worker", "--json", "--model", "openai/gpt-4o"))[
            "roles"
        ][0]["model"]
        == "openai/gpt-4o"
    )


BAD = (
    HEAD
    + """
both = pipeline(Worker(), Other(), name="both")
missing = pipeline(Worker(), "./nowhere.py", name="missing")


class Grep(Strategy):
    name = "grep-overlay"
    description = "Brings a tool that one phase has with other parameters"
    overlay = True

    def build(self, context):
        tool = Tool(name="terminal", params={"terminal_type": "subprocess"})
        return Blueprint(agent=Agent(llm=context.llm, tools=[tool]))


class Plain(Strategy):
    name = "plain"
    description = "Nothing of its own"

    def build(self, context):
        return Blueprint(agent=agent(context, "", "grep"))


fitting = pipeline(Worker(), Plain(), name="fitting")


class Deep(Strategy):
    name = "deep"
    description = "Too deep"

    def build(self, context):
        def level(n):
            made = AgentSpec() if n == 0 else Blueprint(
                agent=agent(context), subagents=level(n - 1))
            return {"next": SubAgent(description="deeper", agent=made)}
        return Blueprint(agent=agent(context), subagents=level(5))


class Hooked(Strategy):
    name = "hooked"
    description = "Names a script that is not there"

    def build(self, context):
        hooks = {"stop": [{"hooks": [{"command": "${PLUGIN_ROOT}/gone.sh"}]}]}
        return Blueprint(agent=agent(context), hooks=HookConfig.model_validate(hooks))


class Trees(Strategy):
    name = "trees"
    description = "Attempts in worktrees"

    def build(self, context):
        attempt = SubAgent(description="tries", agent=AgentSpec(), worktree=True)
        return Blueprint(agent=agent(context), subagents={"attempt": attempt})
"""
)


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (["./nowhere.py"], "path_missing", 3),
        (["./bad.py:missing"], "path_missing", 3),
        (["./cycle.py"], "composition_cycle", 3),
        (["./bad.py:both"], "parameter_conflict", 2),
        (["./bad.py:Worker", "--param", "level=high"], "param_type", 2),
        (["./bad.py:Worker", "--param", "level"], "param_format", 2),
        (["./bad.py:fitting", "--with", "./bad.py:Grep"], "overlay_misplaced", 3),
        (["./bad.py:Grep"], "overlay_alone", 2),
        (["./bad.py:Worker", "--with", "./nowhere.py"], "path_missing", 3),
        (["./bad.py:Deep"], "depth_limit", 3),
        (["./bad.py:Hooked"], "hook_missing", 3),
        (["./bad.py:Trees"], "workspace_not_git", 2),
        (["./bad.py:Worker", "--workspace", "./nowhere"], "workspace_missing", 2),
        (["./bad.py:Worker", "--diff", "./nowhere.py"], "path_missing", 3),
        ([], "usage", 2),
    ],
)
def test_bad_input_is_one_named_error(
    ohs_here, tmp_path: Path, arguments: list[str], code: str, exit_code: int
) -> None:
    write(tmp_path / "bad.py", BAD)
    write(
        tmp_path / "cycle.py",
        """
        from openhands_strategies.compose import pipeline

        again = pipeline("./cycle.py", name="again")
        """,
    )
    done = ohs_here("plan", *arguments, "--json")
    assert "Traceback" not in done.err
    error = json.loads(done.out)["error"]
    assert (error["code"], done.code) == (code, exit_code), error
    assert "\n" not in error["message"] + error["hint"]


def test_a_git_workspace_has_worktrees(ohs_here, tmp_path: Path) -> None:
    write(tmp_path / "bad.py", BAD)
    subprocess.run(["git", "init", "-q", str(tmp_path / "ws")], check=True)
    found = document(ohs_here("plan", "./bad.py:Trees", "--workspace", "ws", "--json"))
    assert found["roles"][1]["worktree"] is True


def versioned(steps: int) -> dict[str, bytes]:
    """A strategy with a tool class of its own: two of them do not fit into one process."""
    return {
        "strategy.py": f"""
from openhands.sdk import Agent, Tool
from openhands.sdk.tool import register_tool
from openhands.tools.grep import GrepTool
from openhands_strategies import Blueprint, Limits, Strategy

class PlannedVersionTool(GrepTool):
    pass

register_tool("planned_version", PlannedVersionTool)

class Versioned(Strategy):
    name = "versioned"
    description = "Has versions"

    def build(self, context):
        tools = [Tool(name="planned_version")]
        return Blueprint(
            agent=Agent(llm=context.llm, tools=tools), limits=Limits(iterations={steps}))
""".encode()
    }


def test_two_versions_from_git_are_compared(ohs_here, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "served" / "acme")
    commits = [repository.add(versioned(3)), repository.add(versioned(4))]
    one, two = (f"git+file://{repository.path}@{commit}" for commit in commits)
    refused = ohs_here("plan", one, "--json")
    assert (json.loads(refused.out)["error"]["code"], refused.code) == ("not_trusted", 4)
    for reference in (one, two):
        assert ohs_here("trust", reference, "--yes").code == 0
    found = document(ohs_here("plan", one, "--diff", two, "--json"))
    assert [found["a"]["commit"], found["b"]["commit"]] == commits
    assert found["changes"] == [
        {
            "role": "main",
            "kind": "limit",
            "name": "iterations",
            "change": "changed",
            "a": {"value": 3},
            "b": {"value": 4},
        }
    ]
    plan = document(ohs_here("plan", one, "--json"))
    assert {item["from"]["commit"] for item in plan["tools"]} == {commits[0]}


def test_differences_have_colours_on_a_terminal_only(
    ohs_here, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("plan", "./work.py:Worker", "--diff", "./work.py:Other", "--param", "level=2")
    plain = ohs_here(*arguments)
    assert plain.code == 0, plain.err
    assert "\n  - limit iterations 22\n" in plain.out
    assert "\n  + tool grep\n" in plain.out
    assert "\n    -ROLE-WORKER\n" in plain.out
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = ohs_here(*arguments).out
    assert "\x1b[32m  + tool grep" in coloured
    assert "\x1b[31m  - limit iterations 22" in coloured
