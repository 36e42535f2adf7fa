"""`ohs export`: an agent profile that holds what it can, and a list of what it cannot."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from git_server import Repository
from openhands_strategies.blueprint import Blueprint
from openhands_strategies.errors import UsageError
from openhands_strategies.testing import Reply, Turn, finish, say
from openhands_strategies.testing.turns import text_of
from server_process import MODEL_KEY, running_server, server_environment
from support import write

HAS_PROFILES = any(
    Path(place, "profiles").is_dir()
    for place in find_spec("openhands.sdk").submodule_search_locations
)
needs_profiles = pytest.mark.skipif(not HAS_PROFILES, reason="this SDK has no agent profiles")
CANARY = "canary-of-the-tests-0123456789"

HEAD = """
import os
from openhands.sdk import Agent, AgentContext, Tool
from openhands_strategies import AgentSpec, Blueprint, Limits, Strategy, StrategyParam, SubAgent
"""
BARE = (
    HEAD
    + """
class Bare(Strategy):
    name = "bare"
    description = "One agent, no tools"

    def build_agent(self, llm, params=None):
        return Agent(llm=llm)
"""
)
TELLING = (
    HEAD
    + """
class Telling(Strategy):
    name = "telling"
    description = "Says what it is given"
    params = [
        StrategyParam(name="text", description="What it says", default=""),
        StrategyParam(name="token", secret=True, description="Names a variable"),
    ]

    def build(self, context):
        told = context.params["text"].format(
            model=context.llm.model,
            key=context.llm.api_key.get_secret_value(),
            token=os.environ.get(context.params["token"] or "", ""),
        )
        print("strategies print where they like")
        return Blueprint(agent=Agent(
            llm=context.llm, agent_context=AgentContext(system_message_suffix=told)))
"""
)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where upstream keeps the profiles of this test."""
    place = tmp_path / "state"
    monkeypatch.setenv("OH_PERSISTENCE_DIR", str(place))
    return place


@pytest.fixture
def export(ohs_here: Any) -> Callable[..., dict[str, Any]]:
    """Export a strategy and return the document."""

    def run(*arguments: str) -> dict[str, Any]:
        done = ohs_here("export", *arguments, "--json")
        assert done.code == 0, done.err
        found: dict[str, Any] = json.loads(done.out)
        return found

    return run


def refused(done: Any, code: int, name: str) -> None:
    assert (done.code, json.loads(done.out)["error"]["code"]) == (code, name), done.out + done.err


def names(items: list[dict[str, str]], kind: str) -> list[str]:
    return [item["name"] for item in items if item["kind"] == kind]


@needs_profiles
def test_fusion_is_written_as_far_as_a_profile_goes(ohs_here: Any, state: Path) -> None:
    done = ohs_here("export", "fusion", "--agent-profile", "careful", "--param", "sidekicks=3")
    path = state / "agent-profiles" / "careful.json"
    assert (done.code, done.out) == (0, f"wrote {path}\n")
    lines = done.err.splitlines()
    assert "carries tool terminal" in lines
    assert "carries prompt system_message_suffix" in lines
    assert "carries limit tool_concurrency_limit" in lines
    (told,) = [line for line in lines if line.startswith("leaves out subagent sidekick")]
    assert "still speaks of it" in told
    assert any(line.startswith("leaves out tool strategy_task_tool_set:") for line in lines)
    assert any(line.startswith("leaves out skill cutting-work:") for line in lines)
    assert any("'default', which is not saved yet" in line for line in lines)
    profile = json.loads(path.read_text())
    assert [tool["name"] for tool in profile["tools"]] == ["terminal", "file_editor"]
    assert profile["tool_concurrency_limit"] == 3
    assert profile["llm_profile_ref"] == "default"
    assert "Up to 3 run at the same time" in profile["system_message_suffix"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(one.suffix for one in path.parent.iterdir()) == [".json", ".lock"]


@needs_profiles
def test_all_that_the_plan_shows_is_carried_or_left_out(ohs_here: Any, export: Any) -> None:
    options = ("waterfall", "--with", "guardrails")
    left = export(*options, "--agent-profile", "phases")["leaves_out"]
    plan = json.loads(ohs_here("plan", *options, "--json").out)
    of_main = {
        key: [item for item in plan[key] if item.get("role") == "main"]
        for key in ("hooks", "skills", "limits", "mcp")
    }
    assert len(of_main["hooks"]) >= 3
    assert names(left, "hook") == [
        f"{one['event']} {one['matcher']}: {one['written']}" for one in of_main["hooks"]
    ]
    assert names(left, "skill") == [one["name"] for one in of_main["skills"]]
    assert names(left, "limit") == [one["name"] for one in of_main["limits"]]
    assert names(left, "mcp") == [one["name"] for one in of_main["mcp"]]
    assert names(left, "subagent") == [one["path"] for one in plan["subagents"]]
    assert len(plan["subagents"]) >= 3
    assert names(left, "parameter") == list(plan["strategy"]["params"])


@needs_profiles
def test_every_kind_of_thing_is_told_apart(export: Any, tmp_path: Path) -> None:
    write(
        tmp_path / "rich.py",
        HEAD
        + """
from collections.abc import Sequence
from openhands.sdk.context.condenser import LLMSummarizingCondenser
from openhands.sdk.critic import PassCritic
from openhands.sdk.skills import Skill
from openhands.sdk.tool import ToolDefinition, register_tool

class ExportedTool(ToolDefinition):
    name = "exported_tool"

    @classmethod
    def create(cls, conv_state=None, **params):
        return []

register_tool("exported_tool", ExportedTool)

class Rich(Strategy):
    name = "rich"
    description = "Has something of everything"

    def build(self, context):
        other = context.llm_for("openai/other")
        condenser = LLMSummarizingCondenser(llm=other, max_size=60, keep_first=4)
        agent = Agent(
            llm=context.llm.model_copy(update={"temperature": 0.25}),
            tools=[
                Tool(name="exported_tool"), Tool(name="apply_patch"), Tool(name="grep"),
                Tool(name="terminal", params={"terminal_type": "subprocess"}),
            ],
            include_default_tools=["FinishTool", "SwitchLLMTool"],
            mcp_config={"docs": {"command": "true", "env": {"TOKEN": "CANARY"}}},
            filter_tools_regex="^(?!grep).*$",
            persona="You are a careful librarian.",
            system_prompt_kwargs={"cli_mode": False},
            condenser=condenser,
            critic=PassCritic(),
            agent_context=AgentContext(
                system_message_suffix="ROLE-RICH",
                user_message_suffix="Answer in verse.",
                secrets={"PASSWORD": "CANARY"},
                skills=[Skill(name="sorting", content="Sort.", trigger=None)],
                disabled_skills=["noise"],
            ),
        )
        helper = Blueprint(agent=Agent(llm=context.llm), subagents={
            "deep": SubAgent(description="d", agent=AgentSpec())})
        return Blueprint(
            agent=agent, subagents={"helper": SubAgent(description="h", agent=helper)},
            prompt="Now: {task}", limits=Limits(budget=2.0, iterations=9),
            confirmation="risky", tags={"team": "books"},
        )
""".replace("CANARY", CANARY),
    )
    document = export("./rich.py", "--agent-profile", "rich")
    text = Path(document["path"]).read_text()
    profile = json.loads(text)
    assert CANARY not in text + json.dumps(document)
    assert profile["persona"] == "You are a careful librarian."
    assert profile["system_message_suffix"] == "ROLE-RICH"
    assert profile["disabled_skills"] == ["noise"]
    assert profile["mcp_server_refs"] == []
    assert profile["public_skills"] == []
    assert (profile["condenser"]["max_size"], profile["condenser"]["keep_first"]) == (60, 4)
    assert [(tool["name"], tool["params"]) for tool in profile["tools"]] == [
        ("grep", {}),
        ("terminal", {"terminal_type": "subprocess"}),
        ("switch_llm", {}),
    ]
    carried, left, added = (document[key] for key in ("carries", "leaves_out", "adds"))
    assert names(carried, "tool") == ["grep", "terminal", "switch_llm"]
    assert names(carried, "prompt") == ["persona", "system_message_suffix"]
    assert names(carried, "skill") == ["disabled_skills"]
    assert {kind: names(left, kind) for kind in sorted({one["kind"] for one in left})} == {
        "condenser": ["condenser"],
        "confirmation": ["risky"],
        "critic": ["critic"],
        "limit": ["iterations", "budget"],
        "mcp": ["docs"],
        "model": ["temperature"],
        "prompt": ["system_prompt_kwargs", "user_message_suffix", "first message"],
        "secret": ["PASSWORD"],
        "skill": ["sorting"],
        "subagent": ["helper", "helper/deep"],
        "tag": ["team"],
        "tool": ["exported_tool", "apply_patch", "strategy_task_tool_set", "filter_tools_regex"],
    }
    assert all(one["why"] for one in (*left, *added))
    assert names(added, "tool") == ["think"]
    assert names(added, "skill") == ["load_project_skills", "skills of the user"]


@needs_profiles
def test_a_bare_agent_is_a_true_profile(export: Any, tmp_path: Path) -> None:
    write(tmp_path / "bare.py", BARE)
    document = export("./bare.py", "--agent-profile", "bare")
    assert (document["carries"], document["leaves_out"]) == ([], [])
    profile = json.loads(Path(document["path"]).read_text())
    assert profile["tools"] == []
    assert profile["condenser"]["enabled"] is False
    from openhands.sdk.profiles import AgentProfileStore

    kept = AgentProfileStore(Path(document["path"]).parent).load("bare")
    assert (str(kept.id), kept.revision) == (document["id"], document["revision"])


@needs_profiles
def test_a_name_is_taken_once_and_replaced_by_force(ohs_here: Any, export: Any) -> None:
    first = export("single", "--agent-profile", "mine.json")
    assert (first["agent_profile"], first["revision"]) == ("mine", 0)
    kept = Path(first["path"]).read_text()
    refused(ohs_here("export", "fusion", "--agent-profile", "mine", "--json"), 2,
            "agent_profile_taken")  # fmt: skip
    assert Path(first["path"]).read_text() == kept
    second = export("fusion", "--agent-profile", "mine", "--force")
    assert (second["id"], second["revision"]) == (first["id"], 1)
    assert "sidekicks" in Path(first["path"]).read_text()
    # What stands under a name and cannot be read is taken too.
    Path(first["path"]).write_text("no JSON")
    refused(ohs_here("export", "single", "--agent-profile", "mine", "--json"), 2,
            "agent_profile_taken")  # fmt: skip


@needs_profiles
def test_of_many_exports_at_once_one_has_the_name(state: Path) -> None:
    from openhands.sdk.profiles import OpenHandsAgentProfile

    from openhands_strategies.runtime.agent_profile.storing import save_profile

    def save(number: int) -> str:
        profile = OpenHandsAgentProfile(name="one", llm_profile_ref=f"llm-{number}")
        try:
            save_profile(profile, force=False)
        except UsageError as error:
            return error.code
        return "saved"

    with ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(save, range(16)))
    won = [number for number, end in enumerate(ends) if end == "saved"]
    assert (len(won), ends.count("agent_profile_taken")) == (1, 15)
    kept = json.loads((state / "agent-profiles" / "one.json").read_text())
    assert kept["llm_profile_ref"] == f"llm-{won[0]}"


@pytest.mark.parametrize("name", ["", ".json", "../x", "a/b", "-x", ".x", "a b", "ä", "x" * 65])
def test_a_bad_name_costs_no_sdk(ohs: Any, state: Path, name: str) -> None:
    arguments = ("export", "single", f"--agent-profile={name}", "--json")
    done = ohs(*arguments, PYTHONPROFILEIMPORTTIME="1")
    refused(done, 2, "agent_profile_name")
    assert "agent_profile.storing" in done.err
    assert "openhands.sdk" not in done.err
    assert not state.exists()


@needs_profiles
def test_the_rule_for_names_is_upstreams() -> None:
    from openhands.sdk.profiles.agent_profile_store import PROFILE_NAME_PATTERN

    from openhands_strategies.runtime.agent_profile.storing import NAME

    assert f"^{NAME.pattern}$" == PROFILE_NAME_PATTERN


def test_the_options_that_it_needs(ohs: Any) -> None:
    refused(ohs("export", "single", "--json"), 2, "usage")
    refused(ohs("export", "--agent-profile", "x", "--json"), 2, "usage")


@needs_profiles
def test_the_checks_are_those_of_a_plan(ohs_here: Any, tmp_path: Path, state: Path) -> None:
    def ends(code: int, name: str, *arguments: str) -> None:
        refused(ohs_here("export", *arguments, "--agent-profile", "x", "--json"), code, name)

    repository = Repository(tmp_path / "repository")
    repository.add({"strategy.py": BARE.encode()})
    ends(4, "not_trusted", f"git+file://{repository.path}")
    ends(3, "strategy_unknown", "nobody-has-this-name")
    ends(3, "path_missing", "./absent.py")
    ends(2, "overlay_alone", "guardrails")
    ends(2, "param_unknown", "single", "--param", "colour=red")
    ends(2, "param_range", "fusion", "--param", "sidekicks=99")
    ends(2, "profile_missing", "single", "--llm-profile", "nobody")
    write(tmp_path / "raising.py", BARE.replace("return Agent(llm=llm)", "raise KeyError('x')"))
    ends(3, "build_failed", "./raising.py")
    assert not (state / "agent-profiles").exists()


@needs_profiles
def test_no_secret_and_no_stand_in_is_kept(
    ohs_here: Any, export: Any, tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "telling.py", TELLING)
    monkeypatch.setenv("OF_MINE", f'{CANARY} "ä"')
    monkeypatch.setenv("LLM_API_KEY", MODEL_KEY)
    monkeypatch.setenv("LLM_MODEL", "openai/of-the-environment")

    def tell(text: str, *more: str) -> tuple[str, ...]:
        options = ("--param", f"text={text}", "--param", "token=OF_MINE")
        return ("./telling.py", "--agent-profile", "told", *options, *more)

    for text, code, error in (
        ("I know {token}", 3, "secret_in_profile"),
        ("I know {key}", 3, "secret_in_profile"),
        ("I am {model}", 2, "model_in_profile"),
        (f"I know {MODEL_KEY}", 3, "secret_in_profile"),
    ):
        done = ohs_here("export", *tell(text), "--json")
        refused(done, code, error)
        assert not any(secret in done.out + done.err for secret in (CANARY, MODEL_KEY)), text
    assert list((state / "agent-profiles").glob("*")) == []
    # A saved LLM profile says which model it will be; its key is not even read.
    llm = {"model": "openai/of-the-profile", "api_key": "gAAAAA-encrypted-by-a-server"}
    write(state / "profiles" / "work.json", json.dumps(llm))
    document = export(*tell("I am {model}", "--llm-profile", "work"))
    assert document["llm_profile"] == {"name": "work", "saved": True}
    assert names(document["leaves_out"], "parameter") == ["text", "token"]
    text = Path(document["path"]).read_text()
    kept = json.loads(text)
    assert kept["system_message_suffix"] == "I am openai/of-the-profile"
    assert kept["llm_profile_ref"] == "work"
    for secret in (CANARY, MODEL_KEY, "gAAAAA", "of-the-environment", "none-", "unknown-"):
        assert secret not in text


@needs_profiles
def test_what_the_schema_refuses_is_named_without_its_value(
    ohs_here: Any, tmp_path: Path, state: Path
) -> None:
    long = f"Agent(llm=llm, persona='{CANARY}' * 3000)"
    write(tmp_path / "long.py", BARE.replace("Agent(llm=llm)", long))
    done = ohs_here("export", "./long.py", "--agent-profile", "x", "--json")
    refused(done, 3, "agent_profile_refused")
    assert "persona: " in json.loads(done.out)["error"]["message"]
    assert CANARY not in done.out + done.err
    assert not (state / "agent-profiles").exists()


@needs_profiles
def test_a_tool_whose_parameters_a_profile_refuses(export: Any, tmp_path: Path) -> None:
    tools = "[Tool(name='SwitchLLMTool', params={'x': 1}), Tool(name='grep', params={'y': {1}})]"
    write(tmp_path / "odd.py", BARE.replace("Agent(llm=llm)", f"Agent(llm=llm, tools={tools})"))
    document = export("./odd.py", "--agent-profile", "odd")
    assert json.loads(Path(document["path"]).read_text())["tools"] == [
        {"name": "grep", "params": {"y": [1]}}
    ]
    assert names(document["leaves_out"], "tool") == ["switch_llm"]


@needs_profiles
def test_a_place_that_cannot_be_used(ohs_here: Any, tmp_path: Path, state: Path) -> None:
    write(tmp_path / "bare.py", BARE)
    write(state, "a file where a directory should be")
    arguments = ("export", "./bare.py", "--agent-profile", "x", "--json")
    refused(ohs_here(*arguments), 2, "agent_profiles_unusable")
    state.unlink()
    write(state / "agent-profiles", "here as well")
    refused(ohs_here(*arguments), 2, "agent_profiles_unusable")


@needs_profiles
def test_every_field_of_a_blueprint_is_thought_of() -> None:
    """A new field must either be compared or be named as left out."""
    from openhands_strategies.runtime.agent_profile.beyond import BEYOND

    # `workers` and `brought` say how it was put together; a run needs neither.
    compared = {"agent", "workers", "brought"}
    assert {field.name for field in fields(Blueprint)} == compared | set(BEYOND)


@pytest.mark.skipif(HAS_PROFILES, reason="this SDK has agent profiles")
def test_an_sdk_without_agent_profiles_is_named(ohs: Any, state: Path) -> None:
    arguments = ("export", "single", "--agent-profile", "x", "--json")
    done = ohs(*arguments, PYTHONPROFILEIMPORTTIME="1")
    refused(done, 2, "agent_profiles_missing")
    error = json.loads(done.out)["error"]
    assert "1.21" in error["message"]
    assert "1.58" in error["hint"]
    assert "openhands.sdk." not in done.err
    assert not state.exists()


@needs_profiles
@pytest.mark.e2e
@pytest.mark.slow_start
def test_upstreams_own_server_lists_it_and_starts_conversations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unmodified agent-server, without our extension; the profile comes while it runs."""
    pytest.importorskip("openhands.agent_server")
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)

    def working(turn: Turn) -> Reply:
        # Upstream also asks for a title.
        return finish("all done") if turn.offers("finish") else say("A title")

    home = tmp_path / "home"
    command = [sys.executable, "-m", "openhands.agent_server"]
    with (
        running_server(home, ["--host", "127.0.0.1"], command=command) as server,
        server.model(working, "exported") as model,
    ):
        assert server.get("/api/strategies").status_code == 404
        done = subprocess.run(
            [
                *(sys.executable, "-m", "openhands_strategies", "export", "fusion", "--json"),
                *("--agent-profile", "from-fusion", "--llm-profile", "exported-main"),
            ],
            cwd=tmp_path,
            env=server_environment(home),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        kept = Path(document["path"])
        assert kept.is_relative_to(home)
        assert MODEL_KEY not in kept.read_text() + done.stdout + done.stderr
        listed = {one["name"]: one for one in server.get("/api/agent-profiles").json()["profiles"]}
        assert listed["from-fusion"]["id"] == document["id"]
        assert listed["from-fusion"]["llm_profile_ref"] == "exported-main"
        tried = server.post("/api/agent-profiles/from-fusion/materialize").json()
        assert (tried["valid"], tried["errors"], tried["llm_api_key_set"]) == (True, [], True)
        started = server.post(
            "/api/conversations",
            json={
                "agent_profile_id": document["id"],
                "workspace": {"kind": "LocalWorkspace", "working_dir": str(server.workspace("w"))},
                "initial_message": {
                    "content": [{"type": "text", "text": "Look around."}],
                    "run": True,
                },
            },
        )
        assert started.status_code == 201, started.text
        path = f"/api/conversations/{started.json()['id']}"
        assert wait_for(lambda: server.get(path).json(), "finished"), server.tail()
        launched = server.get(path).json()["launched_agent_profile"]
        assert launched["agent_profile_id"] == document["id"]
        (request,) = [one for one in model.served if one.tools]
        suffix = json.loads(kept.read_text())["system_message_suffix"]
        assert suffix.strip() in text_of(request.messages[0])
        assert set(request.tools) == {"terminal", "file_editor", "finish", "think"}
        # What we take every server to know, this one knows; what we leave out it does not.
        assert "apply_patch" not in server.get("/api/tools/").json()
        assert not unknown_tools(server.client)


def wait_for(look: Callable[[], dict[str, Any]], status: str, seconds: float = 60) -> bool:
    """Wait for a conversation's status."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if look()["execution_status"] == status:
            return True
        time.sleep(0.2)
    return False


def unknown_tools(client: httpx.Client) -> set[str]:
    from openhands.sdk.tool.builtins import BUILT_IN_TOOL_CLASSES

    from openhands_strategies.runtime.agent_profile.tools import served_tools

    own = {one.name for one in BUILT_IN_TOOL_CLASSES.values()}
    return served_tools() - own - set(client.get("/api/tools/").json())
