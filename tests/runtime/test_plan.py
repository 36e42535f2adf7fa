"""The plan as a document: what is in it, who brought it, and what making it leaves alone."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies import BuildError
from openhands_strategies.project.home import Home
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.runtime.llms import PLACEHOLDER, placeholder_llm
from openhands_strategies.runtime.loader import load
from openhands_strategies.runtime.plan import plan
from openhands_strategies.runtime.plan.changes import plan_changes
from openhands_strategies.runtime.plan.prompts import count_tokens
from openhands_strategies.runtime.prepare import Settings, prepare
from support import write

COMPOSED = """
from openhands.sdk import Agent, AgentContext, Tool
from openhands.sdk.hooks import HookConfig
from openhands.sdk.skills import KeywordTrigger, Skill
from openhands_strategies import AgentSpec, Blueprint, Limits, Strategy, StrategyParam, SubAgent
from openhands_strategies.compose import layer, part, pipeline


def hooks(command):
    return HookConfig.model_validate(
        {"pre_tool_use": [{"matcher": "terminal", "hooks": [{"command": command}]}]}
    )


class Coder(Strategy):
    name = "coder"
    description = "Codes"
    params = [StrategyParam(name="steps", type="integer", default=7)]

    def build(self, context):
        helper = SubAgent(
            description="helps",
            agent=AgentSpec(
                tools=("terminal", "grep"), suffix="ROLE-HELPER", concurrency=2),
            model="openai/gpt-4o-mini",
            limits=Limits(iterations=context.params["steps"], budget=0.5),
            hooks=hooks("echo helper"),
            workspace="src",
            rounds=3,
        )
        skill = Skill(name="style", content="Be short.", trigger=KeywordTrigger(keywords=["css"]))
        return Blueprint(
            agent=Agent(
                llm=context.llm,
                tools=[Tool(name="terminal"), Tool(name="file_editor")],
                agent_context=AgentContext(system_message_suffix="ROLE-CODER", skills=[skill]),
            ),
            subagents={"helper": helper},
            hooks=hooks("echo coder"),
            prompt="CODE: {task}",
        )


class Designer(Strategy):
    name = "designer"
    description = "Designs"

    def build(self, context):
        return Blueprint(agent=Agent(llm=context.llm, tools=[]), limits=Limits(iterations=5))


class House(Strategy):
    name = "house"
    description = "House rules"
    overlay = True

    def build(self, context):
        return Blueprint(
            agent=Agent(
                llm=context.llm,
                agent_context=AgentContext(system_message_suffix="HOUSE RULES"),
            ),
            hooks=hooks("python3 ${PLUGIN_ROOT}/composed.py"),
            limits=Limits(budget=2),
        )


class Servers(Strategy):
    name = "servers"
    description = "An agent with a server"

    def build(self, context):
        from openhands_strategies.compose.brought import with_servers
        servers = {"notes": {"command": "cat", "args": ["-u"], "env": {"TOKEN": "s3cret"}}}
        try:
            from openhands.sdk.mcp.config import MCPServer
            servers = {name: MCPServer(**one) for name, one in servers.items()}
        except ImportError:
            pass
        return Blueprint(agent=with_servers(Agent(llm=context.llm), servers))


class Few(Strategy):
    name = "few"
    description = "Few steps, and a helper and a skill more"
    overlay = True

    def build(self, context):
        aid = SubAgent(description="aids", agent=AgentSpec(), limits=Limits(iterations=50))
        guide = Skill(name="guide", content="Guide.", is_agentskills_format=True)
        return Blueprint(
            agent=Agent(llm=context.llm, agent_context=AgentContext(skills=[guide])),
            subagents={"aid": aid},
            limits=Limits(iterations=3),
        )


flow = pipeline(Designer(), Coder(), name="flow", limits=Limits(steps=40))
few = layer(pipeline(Designer(), Coder(), name="flow"), Few(), name="few-steps")
over = layer(Designer(), Few(), name="over")
again = layer(layer(Designer(), Few(), name="over"), second=Few(), name="again")
ruled = layer(pipeline(Designer(), Coder(), name="flow"), House(), name="ruled")
"""


def planned(tmp_path: Path, home: Home, attribute: str, **more: Any) -> dict[str, Any]:
    file = tmp_path / "composed.py"
    if not file.exists():
        write(file, COMPOSED)
    loaded = load(resolve(f"{file}:{attribute}", base=tmp_path), home)
    params = more.pop("params", {})
    return plan(
        prepare(loaded, placeholder_llm(), params, Settings(home=home, priced=False)), **more
    )


def items(document: dict[str, Any], plural: str, role: str) -> list[dict[str, Any]]:
    return [item for item in document[plural] if item["role"] == role]


def test_every_item_says_who_brought_it(tmp_path: Path, home: Home) -> None:
    document = planned(tmp_path, home, "flow")
    for plural in ("roles", "tools", "subagents", "skills", "hooks", "mcp", "limits"):
        for item in [*document[plural], *document["prompt_tokens"]]:
            assert set(item["from"]) == {"part", "commit"}, (plural, item)
    assert [role["role"] for role in document["roles"]] == [
        "main",
        "designer",
        "coder",
        "coder/helper",
    ]
    assert {item["path"]: item["from"]["part"] for item in document["subagents"]} == {
        "designer": "designer",
        "coder": "coder",
        "coder/helper": "coder",
    }
    assert [part["label"] for part in document["strategy"]["parts"]] == ["designer", "coder"]
    assert document["strategy"]["params"] == {"coder.steps": 7}


def test_a_role_is_what_the_run_would_make_of_it(tmp_path: Path, home: Home) -> None:
    document = planned(tmp_path, home, "flow", params={"coder.steps": 9})
    main, designer, coder, helper = document["roles"]
    assert (main["kind"], designer["kind"], helper["kind"]) == ("main", "blueprint", "declared")
    assert (main["model"], main["placeholder"]) == (PLACEHOLDER, True)
    assert (helper["model"], helper["placeholder"]) == ("openai/gpt-4o-mini", False)
    assert coder["after"] == ["designer"]
    assert coder["first_message"] == "CODE: {task}"
    assert coder["subagents"] == ["helper"]
    assert (helper["workspace"], helper["concurrency"], helper["rounds"]) == ("src", 2, 3)
    assert helper["limits"] == {"iterations": 9, "budget": 0.5, "rounds": 3}
    assert main["limits"] == {"steps": 40}
    assert coder["tools"] == ["terminal", "file_editor", "task", "finish", "think"]
    assert helper["tools"] == ["terminal", "grep", "finish", "think"]
    (skill,) = items(document, "skills", "coder")
    assert (skill["when"], skill["triggers"]) == ("keyword", ["css"])


def test_steps_of_an_overlay_hold_for_every_agent(tmp_path: Path, home: Home) -> None:
    def steps(coder: int) -> dict[str, tuple[int, str]]:
        document = planned(tmp_path, home, "few", params={"steps": coder})
        return {
            one["role"]: (one["value"], one["from"]["part"])
            for one in document["limits"]
            if one["name"] == "iterations"
        }

    everybody = dict.fromkeys(
        ("main", "designer", "designer/aid", "coder", "coder/helper", "coder/aid"), (3, "few")
    )
    assert steps(7) == everybody
    assert steps(2) == {**everybody, "coder/helper": (2, "flow/coder")}


def test_tools_of_the_whole_are_from_whoever_made_them_necessary(
    tmp_path: Path, home: Home
) -> None:
    document = planned(tmp_path, home, "over")
    tools = {one["name"]: one["from"]["part"] for one in items(document, "tools", "main")}
    assert tools == {
        "task": "few",
        "invoke_skill": "few",
        "finish": "designer",
        "think": "designer",
    }
    # Overlays that bring the same helper agree, whoever has bounded it.
    assert items(planned(tmp_path, home, "again"), "limits", "aid")[0]["value"] == 3
    leading = planned(tmp_path, home, "flow")
    (task,) = [one for one in items(leading, "tools", "main") if one["name"] == "task"]
    assert task["from"]["part"] == "designer"
    (task,) = [one for one in items(leading, "tools", "coder") if one["name"] == "task"]
    assert task["from"]["part"] == "coder"


def test_parameters_of_parts_are_in_the_plan_with_their_schema(tmp_path: Path, home: Home) -> None:
    strategy = planned(tmp_path, home, "flow")["strategy"]
    assert strategy["params_schema"]["properties"] == {
        "coder.steps": {"type": "integer", "description": "", "default": 7}
    }
    assert strategy["params_schema"]["additionalProperties"] is False


def test_hooks_are_listed_in_the_order_in_which_they_run(tmp_path: Path, home: Home) -> None:
    document = planned(tmp_path, home, "ruled")
    shown = {
        role: [(hook["written"], hook["from"]["part"]) for hook in items(document, "hooks", role)]
        for role in ("main", "designer", "coder", "coder/helper")
    }
    house = ("python3 ${PLUGIN_ROOT}/composed.py", "house")
    assert shown["main"] == shown["designer"] == [house]
    assert shown["coder"] == [house, ("echo coder", "flow/coder")]
    assert shown["coder/helper"] == [
        house,
        ("echo coder", "flow/coder"),
        ("echo helper", "flow/coder"),
    ]
    ran = items(document, "hooks", "main")[0]["command"]
    assert ran.endswith("/composed.py")
    assert "PLUGIN_ROOT" not in ran
    # The overlay is for those who work, and says so.
    assert items(document, "limits", "main")[0]["from"]["part"] == "house"


def test_values_of_server_variables_are_never_shown(tmp_path: Path, home: Home) -> None:
    document = planned(tmp_path, home, "Servers", prompts=True)
    (server,) = document["mcp"]
    assert server["command"] == ["cat", "-u"]
    assert server["env"] == ["TOKEN"]
    assert "s3cret" not in str(document)
    assert document["prompt_tokens"][0]["not_counted"] == ["MCP notes"]


def test_prompts_are_those_of_the_agent(tmp_path: Path, home: Home) -> None:
    document = planned(tmp_path, home, "flow", prompts=True, workspace=Path("/far/away"))
    helper = document["roles"][3]
    assert "ROLE-HELPER" in helper["system_prompt"]
    assert "ROLE-CODER" not in helper["system_prompt"]
    tools = {tool["name"]: tool for tool in items(document, "tools", "coder")}
    assert "/far/away" in tools["file_editor"]["description"]
    assert "- helper: helps" in tools["task"]["description"]
    assert "command" in tools["terminal"]["parameters"]["properties"]
    grep = next(tool for tool in items(document, "tools", "coder/helper") if tool["name"] == "grep")
    assert "/far/away/src" in grep["description"]
    without = planned(tmp_path, home, "flow")
    assert "system_prompt" not in without["roles"][0]
    assert "description" not in without["tools"][0]


def test_tokens_are_counted_from_what_is_shown(tmp_path: Path, home: Home) -> None:
    document = planned(tmp_path, home, "flow", prompts=True)
    row = document["prompt_tokens"][2]
    role = document["roles"][2]
    assert row["system_prompt"] == count_tokens(role["system_prompt"])
    assert row["tools"] == sum(tool["tokens"] for tool in items(document, "tools", "coder"))
    assert row["total"] == row["system_prompt"] + row["tools"] + row["first_message"]
    assert row["not_counted"] == []
    assert "cl100k_base" in document["estimate"]


def test_a_tool_that_might_start_something_is_not_made(tmp_path: Path, home: Home) -> None:
    write(
        tmp_path / "starting.py",
        """
        from openhands.sdk import Agent, Tool
        from openhands.sdk.tool import register_tool
        from openhands.tools.grep import GrepTool
        from openhands_strategies import Strategy

        class PlanRocketTool(GrepTool):
            @classmethod
            def create(cls, conv_state, **params):
                raise SystemError("the tool was made")

        register_tool("rocket", PlanRocketTool)

        class Starting(Strategy):
            name = "starting"
            description = "Has a tool of its own"

            def build_agent(self, llm, params=None):
                return Agent(llm=llm, tools=[Tool(name="rocket", params={"stage": 2})])
        """,
    )
    loaded = load(resolve(str(tmp_path / "starting.py"), base=tmp_path), home)
    document = plan(
        prepare(loaded, placeholder_llm(), {}, Settings(home=home, priced=False)), prompts=True
    )
    rocket = next(tool for tool in document["tools"] if tool["name"] == "rocket")
    assert (rocket["tokens"], rocket["description"]) == (None, None)
    assert rocket["params"] == {"stage": 2}
    assert document["prompt_tokens"][0]["not_counted"] == ["rocket"]


def test_an_agent_that_may_ask_itself_is_listed_once(tmp_path: Path, home: Home) -> None:
    write(
        tmp_path / "self.py",
        """
        from openhands.sdk.strategy import Strategy
        from openhands.sdk import Agent
        from openhands.sdk.subagent import register_agent
        from openhands.sdk.tool import Tool
        from openhands.tools.task import TaskToolSet

        def make(llm):
            return Agent(llm=llm, tools=[Tool(name=TaskToolSet.name)])

        class Selfish(Strategy):
            name = "selfish"
            description = "Its agent may ask itself"

            def setup(self):
                register_agent(name="again", factory_func=make, description="asks itself")

            def build_agent(self, llm, params=None):
                return Agent(llm=llm, tools=[Tool(name=TaskToolSet.name)])
        """,
    )
    loaded = load(resolve(str(tmp_path / "self.py"), base=tmp_path), home)
    document = plan(prepare(loaded, placeholder_llm(), {}, Settings(home=home, priced=False)))
    assert [(role["role"], role["kind"]) for role in document["roles"]] == [
        ("main", "main"),
        ("again", "factory"),
    ]
    assert document["roles"][1]["subagents"] == ["again"]
    assert {item["from"]["part"] for item in document["tools"]} == {"selfish"}


def test_parameters_of_a_tool_that_do_not_fit_are_one_error(tmp_path: Path, home: Home) -> None:
    write(
        tmp_path / "wrong.py",
        """
        from openhands.sdk import Agent, Tool
        from openhands_strategies import Strategy

        class Wrong(Strategy):
            name = "wrong"
            description = "Gives a tool what it does not take"

            def build_agent(self, llm, params=None):
                return Agent(llm=llm, tools=[Tool(name="grep", params={"colour": "red"})])
        """,
    )
    loaded = load(resolve(str(tmp_path / "wrong.py"), base=tmp_path), home)
    with pytest.raises(BuildError) as caught:
        plan(prepare(loaded, placeholder_llm(), {}, Settings(home=home, priced=False)))
    assert caught.value.code == "tool_failed"
    assert "role 'main'" in caught.value.message
    assert "colour" in caught.value.message


@pytest.fixture
def audited() -> Iterator[list[tuple[str, str]]]:
    """Connections and terminals that the test makes; hooks cannot be taken out again."""
    watching = [True]
    seen: list[tuple[str, str]] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if not watching:
            return
        if event in ("socket.connect", "socket.getaddrinfo", "os.fork", "pty.spawn"):
            seen.append((event, str(arguments)))
        # Search tools ask ripgrep for its version.
        if event == "subprocess.Popen" and Path(str(arguments[0])).name != "rg":
            seen.append((event, str(arguments[:2])))

    sys.addaudithook(watch)
    yield seen
    watching.clear()


def tree_of(directory: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path.relative_to(directory)): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in [directory, *directory.rglob("*")]
    }


def test_nothing_is_started_connected_or_touched(
    tmp_path: Path,
    home: Home,
    audited: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace = tmp_path / "ws"
    write(workspace / "src" / "a.py", "print(1)\n")
    write(workspace / "AGENTS.md", "Rules.\n")
    monkeypatch.chdir(workspace)
    before = tree_of(workspace)
    document = planned(tmp_path, home, "ruled", prompts=True, workspace=workspace)
    assert len(document["roles"]) == 4
    assert tree_of(workspace) == before
    assert audited == []
    assert not home.runs.exists()


def test_differences_go_role_by_role(tmp_path: Path, home: Home) -> None:
    one = planned(tmp_path, home, "flow", prompts=True)
    two = planned(tmp_path, home, "ruled", prompts=True)
    same = planned(tmp_path, home, "flow", prompts=True, params={})
    assert plan_changes(one, same) == []
    found = {(c["role"], c["kind"], c["name"]): c for c in plan_changes(one, two)}
    assert found["main", "limit", "steps"]["change"] == "removed"
    assert found["main", "limit", "budget"]["b"] == {"value": 2}
    hook = "pre_tool_use terminal: python3 ${PLUGIN_ROOT}/composed.py"
    assert {c[0] for c in found if c[1:] == ("hook", hook)} == {
        "main",
        "designer",
        "coder",
        "coder/helper",
    }
    assert "HOUSE RULES" in found["coder", "role", "system_prompt"]["b"]
    back = plan_changes(two, one)
    assert len(back) == len(found)
    more = planned(tmp_path, home, "flow", prompts=True, params={"coder.steps": 8})
    assert [(c["role"], c["kind"], c["a"], c["b"]) for c in plan_changes(one, more)] == [
        ("", "param", 7, 8),
        ("coder/helper", "limit", {"value": 7}, {"value": 8}),
    ]


def test_a_role_that_came_is_one_difference_with_its_items(tmp_path: Path, home: Home) -> None:
    one = planned(tmp_path, home, "Designer", prompts=True)
    two = planned(tmp_path, home, "Coder", prompts=True)
    added = [c for c in plan_changes(one, two) if c["role"] == "helper"]
    assert (added[0]["kind"], added[0]["change"]) == ("role", "added")
    assert {c["change"] for c in added} == {"added"}
    assert ("tool", "grep") in {(c["kind"], c["name"]) for c in added}
