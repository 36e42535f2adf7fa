"""`--headless` and `--json`: what the model receives, what is enforced, what stays the user's."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from openhands_strategies.testing import Reply, Turn, by_model, call, finish, in_order, say
from openhands_user import PHASES, RFC, MakeCli
from support import write

pytestmark = [pytest.mark.openhands_cli, pytest.mark.e2e, pytest.mark.slow_start]

PLUGINS = Path(__file__).parents[2] / "plugins"

# An MCP server with one tool, named after who brings it.
BELL = """
from fastmcp import FastMCP
app = FastMCP("NAME")
@app.tool
def NAME_bell() -> str:
    "Ring."
    return "rung"
app.run(show_banner=False)
"""


def task(alias: str, prompt: str) -> Reply:
    return call("task", subagent_type=alias, prompt=prompt, security_risk="LOW")


def shell(command: str) -> Reply:
    return call("terminal", command=command, security_risk="LOW")


def test_fusion(cli: MakeCli) -> None:
    script = by_model(
        {
            "main": in_order([task("sidekick", "look"), finish("all done")]),
            "cheap": in_order([shell("echo seen"), say("I saw it")]),
        }
    )
    with cli(script) as c:
        done = c.headless("--strategy", "fusion", "--param", "sidekick_model=openai/cheap")
        main, sidekick = c.served("main"), c.served("cheap")
        record = c.record(done.conversation)
    assert done.code == 0, done.err
    assert done.events[0]["kind"] == "MessageEvent"
    assert done.events[-1]["observation"]["content"][0]["text"] == "all done"
    first = str(main[0].messages[1]["content"])
    assert "do it" in first
    assert "fusion style" in first
    # What the CLI tells every model stands beside what the strategy tells this one.
    system = str(main[0].messages[0]["content"])
    assert "Your current working directory is:" in system
    assert "task" in main[0].tools
    assert "I saw it" in str(main[-1].messages[-1]["content"])
    assert "exit code 0" in str(sidekick[-1].messages[-1]["content"])
    assert record["reference"] == "fusion"
    assert record["params"]["sidekick_model"] == "openai/cheap"
    assert "key-of-the-environment" not in json.dumps(record)
    assert f"ohs openhands --resume {done.conversation[:8]}" in done.err


def test_the_waterfall_that_we_ship(cli: MakeCli) -> None:
    def script(turn: Turn) -> Reply:
        if "You are the designer" in turn.system:
            return say("DESIGN: one class, Queue")
        if "You are the coder" in turn.system:
            made = {"command": "create", "path": str(c.workspace / "queue.py"), "file_text": "x"}
            steps = [call("file_editor", **made, security_risk="LOW"), say("CODED: queue.py")]
            return in_order(steps)(turn)
        if "You are the tester" in turn.system:
            return say("PASSED: it imports")
        phases = [task("designer", "a queue"), task("coder", "go on"), task("tester", "go on")]
        return in_order([*phases, finish("built and tested")])(turn)

    with cli(script) as c:
        done = c.headless("--strategy", str(PLUGINS / "waterfall"), task="a queue, please")
        made = (c.workspace / "queue.py").read_text()
        systems = [str(one.messages[0]["content"]) for one in c.model.served]
        (tested,) = [
            one for one in c.model.served if "You are the tester" in str(one.messages[0]["content"])
        ]
    assert done.code == 0, done.err
    assert done.events[-1]["observation"]["content"][0]["text"] == "built and tested"
    assert made == "x"
    assert "Leading a waterfall" in systems[0]
    assert "CODED: queue.py" in str(tested.messages[1]["content"])


def test_phases_in_their_order(cli: MakeCli, tmp_path: Path) -> None:
    strategy = write(tmp_path / "phases.py", PHASES)
    script = by_model(
        {
            "main": in_order(
                [
                    task("tester", "too early"),
                    task("coder", "write"),
                    task("tester", "test"),
                    finish("through"),
                ]
            ),
            "cheap": lambda turn: say("coded" if "write code" in turn.system else "tested"),
        }
    )
    with cli(script) as c:
        # The model of the environment, in the settings that are stored.
        c.save_settings(model="openai/stored")
        done = c.headless("--strategy", str(strategy), task="a shop", json_mode=False)
        assert c.served("stored") == []
        main, workers = c.served("main"), c.served("cheap")
        state = json.loads((c.kept(done.conversation) / "base_state.json").read_text())
    assert done.code == 0, done.err
    assert "through" in done.out
    first = main[0].messages
    assert "In phases, please: a shop" in str(first[1]["content"])
    assert "You direct the phases." in str(first[0]["content"])
    assert "only after 'coder'" in str(main[1].messages[-1]["content"])
    # The tester is told what the coder did.
    assert "# Result of coder" in str(workers[-1].messages[1]["content"])
    assert state["tags"] == {"kind": "waterfall", "strategy": "phases"}
    assert state["agent"]["llm"]["temperature"] == 0.3


def test_an_rfc_style_file(cli: MakeCli, tmp_path: Path) -> None:
    strategy = write(tmp_path / "published.py", RFC)
    script = in_order([task("helper", "help"), finish("done")])
    with cli(lambda turn: say("helped") if not turn.offers("task") else script(turn)) as c:
        done = c.headless("--strategy", str(strategy), "--param", "tone=loudly")
        main = [one for one in c.model.served if "task" in one.tools]
    assert done.code == 0, done.err
    assert "You speak loudly." in str(main[0].messages[0]["content"])
    assert "helped" in str(main[-1].messages[-1]["content"])


def test_settings_hooks_skills_and_servers_of_the_user_stay(cli: MakeCli, tmp_path: Path) -> None:
    """A plugin directory and a user who each bring hooks, skills and MCP servers."""
    plugin = tmp_path / "plugin"
    write(plugin / "strategy.py", PHASES)
    write(plugin / ".plugin" / "plugin.json", '{"name": "phases", "version": "1.0.0"}')
    write(
        plugin / "hooks" / "hooks.json",
        """
        {"PreToolUse": [{"matcher": "terminal", "hooks": [{"type": "command",
          "command": "if grep -q forbidden; then echo 'the strategy refuses' >&2; exit 2; fi"}]}]}
        """,
    )
    write(plugin / "skills" / "zebra" / "SKILL.md", "---\nname: zebra\ndescription: x\n---\nTidy.")
    write(plugin / "server.py", BELL.replace("NAME", "strategys"))
    own = {"command": sys.executable, "args": ["${PLUGIN_ROOT}/server.py"]}
    write(plugin / ".mcp.json", json.dumps({"mcpServers": {"strategys": own}}))
    script = by_model(
        {
            "main": in_order(
                [
                    shell("touch forbidden"),
                    shell("touch private"),
                    task("coder", "write"),
                    finish("done"),
                ]
            ),
            "cheap": in_order([shell("touch private"), shell("touch forbidden"), say("tried")]),
        }
    )
    with cli(script) as c:
        own = c.home / ".openhands"
        settings = c.save_settings()
        before = settings.read_bytes()
        server = write(tmp_path / "server.py", BELL.replace("NAME", "users"))
        servers = {"users": {"command": sys.executable, "args": [str(server)]}}
        (own / "mcp.json").write_text(json.dumps({"mcpServers": servers}))
        servers_before = (own / "mcp.json").read_bytes()
        write(
            own / "hooks.json",
            """
            {"PreToolUse": [{"matcher": "terminal", "hooks": [{"type": "command",
              "command": "if grep -q private; then echo 'the user refuses' >&2; exit 2; fi"}]}]}
            """,
        )
        write(c.workspace / "AGENTS.md", "Speak of the house rules of this project.")
        done = c.run("--strategy", str(plugin), "--headless", "--json", "-t", "x")
        main, worker = c.served("main"), c.served("cheap")
        assert settings.read_bytes() == before
        assert (own / "mcp.json").read_bytes() == servers_before
    assert done.code == 0, done.err
    results = [str(m["content"]) for m in main[-1].messages if m["role"] == "tool"]
    assert "the strategy refuses" in results[0]
    assert "the user refuses" in results[1]
    # Both reach the sub-agents too.
    results = [str(m["content"]) for m in worker[-1].messages if m["role"] == "tool"]
    assert "the user refuses" in results[0]
    assert "the strategy refuses" in results[1]
    assert not list(c.workspace.glob("[fp][or]*"))
    # Of several servers, each tool has its server's name before its own.
    assert {"users_users_bell", "strategys_strategys_bell"} <= set(main[0].tools)
    system = str(main[0].messages[0]["content"])
    for text in ("house rules of this project", "You direct the phases.", "zebra"):
        assert text in system


def test_limits_hold_and_are_told(cli: MakeCli, tmp_path: Path) -> None:
    strategy = write(tmp_path / "phases.py", PHASES)
    busy = by_model(
        {
            "main": lambda turn: task("coder", f"part {turn.replies}"),
            "cheap": lambda turn: shell(f"echo {turn.replies}"),
        }
    )
    with cli(busy) as c:
        # A worker's call costs about 0.004 dollars here.
        done = c.headless(
            *("--strategy", str(strategy), "--param", "dollars=0.02", "--param", "total=0.15")
        )
        report = str(c.served("main")[1].messages[-1]["content"])
        spent = sum(one.cost_usd or 0 for one in c.model.served)
        calls = len(c.served("main"))
        after = c.headless("--resume", done.conversation, task="go on")
        assert len(c.served("main")) == calls
    assert "Status: limit" in report
    ends = [event for event in done.events if event["kind"] == "ConversationErrorEvent"]
    assert [end["code"] for end in ends] == ["BudgetSpent"]
    assert "of $0.15 are spent" in ends[0]["detail"]
    assert 0.15 <= spent < 0.35
    # Resumed, it has spent what it had spent.
    assert after.events[-1]["code"] == "BudgetSpent"


def test_steps_of_the_main_agent(cli: MakeCli, tmp_path: Path) -> None:
    strategy = write(tmp_path / "phases.py", PHASES)
    with cli(lambda turn: shell(f"echo {turn.replies}")) as c:
        done = c.headless("--strategy", str(strategy), "--param", "steps=3")
        assert len(c.served("main")) == 3
    assert done.events[-1]["code"] == "MaxIterationsReached"


def test_where_nobody_can_answer_the_strategys_confirmation_rejects(
    cli: MakeCli, tmp_path: Path
) -> None:
    strategy = write(tmp_path / "phases.py", PHASES)
    script = by_model(
        {
            "main": in_order([shell("touch made"), task("coder", "write"), finish("over")]),
            "cheap": in_order([shell("touch made-too"), say("tried")]),
        }
    )
    arguments = ("--strategy", str(strategy), "--param", "confirm=always")
    with cli(script) as c:
        done = c.headless(*arguments)
        results = [str(m["content"]) for m in c.served("main")[-1].messages if m["role"] == "tool"]
        assert not (c.workspace / "made").exists()
        allowed = c.headless(*arguments, "--yolo")
        assert (c.workspace / "made").exists()
        assert (c.workspace / "made-too").exists()
    assert done.code == allowed.code == 0, done.err + allowed.err
    assert "nobody can confirm actions in this run" in results[0]


def test_risky_rejects_only_what_the_model_calls_risky(cli: MakeCli, tmp_path: Path) -> None:
    strategy = write(tmp_path / "phases.py", PHASES)
    script = in_order(
        [
            shell("touch harmless"),
            call("terminal", command="touch risky", security_risk="HIGH"),
            finish("over"),
        ]
    )
    with cli(script) as c:
        done = c.headless("--strategy", str(strategy), "--param", "confirm=risky")
        results = [str(m["content"]) for m in c.served("main")[-1].messages if m["role"] == "tool"]
        assert (c.workspace / "harmless").exists()
        assert not (c.workspace / "risky").exists()
    assert done.code == 0, done.err
    assert "nobody can confirm actions in this run" in results[1]


def test_a_budget_without_a_price_is_told_in_one_line(cli: MakeCli, tmp_path: Path) -> None:
    strategy = write(tmp_path / "phases.py", PHASES)
    with cli(in_order([finish("done")])) as c:
        done = c.run(
            *("--strategy", str(strategy), "--param", "dollars=1", "--headless"),
            *("--override-with-envs", "-t", "x"),
        )
    (line,) = [one for one in done.err.splitlines() if "coder" in one and "note" in one]
    assert "the budget of $1 for coder is not enforced" in line
    assert "--price openai/cheap=IN,OUT" in line


def test_an_overlay_is_laid_over_it_and_kept(cli: MakeCli, tmp_path: Path) -> None:
    """`--with` a directory that holds only skills and hooks."""
    strategy = write(tmp_path / "phases.py", PHASES)
    overlay = tmp_path / "house"
    write(overlay / ".plugin" / "plugin.json", '{"name": "house", "version": "1.0.0"}')
    write(overlay / "skills" / "tidy" / "SKILL.md", "---\nname: tidy\ndescription: y\n---\nTidy.")
    write(
        overlay / "hooks" / "hooks.json",
        """
        {"PreToolUse": [{"matcher": "terminal", "hooks": [{"type": "command",
          "command": "echo 'the house refuses' >&2; exit 2"}]}]}
        """,
    )
    script = in_order([shell("touch made"), finish("done"), shell("touch made"), finish("more")])
    with cli(script) as c:
        done = c.headless("--strategy", str(strategy), "--with", str(overlay))
        record = c.record(done.conversation)
        other = c.headless("--resume", done.conversation, "--with", "fusion", task="x")
        again = c.headless("--resume", done.conversation, task="more")
        last = c.served("main")[-1]
        assert not (c.workspace / "made").exists()
    assert done.code == again.code == 0, done.err + again.err
    assert record["overlays"] == [str(overlay)]
    results = [str(m["content"]) for m in last.messages if m["role"] == "tool"]
    assert "the house refuses" in results[0]
    assert "the house refuses" in results[2]
    assert "tidy" in str(last.messages[0]["content"])
    assert json.loads(other.out)["error"]["code"] == "resume_conflict"


def test_a_saved_profile_serves_the_sidekicks(cli: MakeCli) -> None:
    """And without `--override-with-envs` the main agent has the stored settings."""
    from openhands.sdk import LLM
    from openhands.sdk.llm.llm_profile_store import LLMProfileStore

    script = by_model(
        {
            "main": in_order([task("sidekick", "look"), finish("done")]),
            "cheap": in_order([say("looked")]),
        }
    )
    with cli(script) as c:
        c.save_settings()
        small = LLM(model="openai/cheap", api_key="k", base_url=c.model.base_url)
        store = LLMProfileStore(c.home / ".openhands" / "profiles")
        store.save("small", small, include_secrets=True)
        done = c.run(
            *("--strategy", "fusion", "--param", "sidekick_profile=small", "--headless", "-t", "x")
        )
        assert len(c.served("cheap")) == 1
        state = json.loads((c.kept(done.conversation) / "base_state.json").read_text())
    assert done.code == 0, done.err
    assert state["agent"]["llm"]["temperature"] == 0.3
    assert "will be ignored" in done.err


def test_the_warning_and_the_steps_of_all(cli: MakeCli, tmp_path: Path) -> None:
    text = PHASES.replace('iterations=p["steps"]', "steps=4, warn_at=0.1")
    strategy = write(tmp_path / "phases.py", text)
    busy = by_model(
        {
            "main": lambda turn: task("coder", f"part {turn.replies}"),
            "cheap": lambda turn: say("coded"),
        }
    )
    with cli(busy) as c:
        done = c.headless("--strategy", str(strategy), "--param", "total=1")
        assert len(c.model.served) == 4
    assert done.events[-1]["code"] == "StepsSpent"
    assert "all 4 model calls are made" in done.events[-1]["detail"]
    assert "of the budget of $1 are spent" in done.err
