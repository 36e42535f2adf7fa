"""The fixtures, used as a third party uses them; what needs a pytest of its own runs one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openhands_strategies import BuildError, ResolveError, Strategy, UsageError
from openhands_strategies.pytest_plugin import (
    MakeWorkspace,
    PlanStrategy,
    RunStrategy,
    StartModel,
    StrategyRun,
)
from openhands_strategies.registry.catalog import list_all
from openhands_strategies.registry.host import plugin_host
from openhands_strategies.testing import (
    Call,
    Price,
    Reply,
    ScriptedModel,
    ScriptError,
    Turn,
    by_model,
    call,
    finish,
    in_order,
    say,
)
from support import DELEGATING, write

if TYPE_CHECKING:
    from openhands.sdk import LLM, Agent

pytestmark = pytest.mark.e2e


def ask(*prompts: str) -> Reply:
    """One message of the main agent that gives the helper a task for each prompt."""
    return Reply(
        calls=[Call("task", {"subagent_type": "helper", "prompt": one}) for one in prompts]
    )


HELPER = in_order([call("terminal", command="echo seen > by_helper.txt"), finish("found it")])
AT_ONCE = by_model({"main": in_order([ask("look left", "look right"), finish("done")]),
                    "cheap": HELPER})  # fmt: skip
IN_TURN = by_model({"main": in_order([ask("first"), ask("second"), finish("done")]),
                    "cheap": HELPER})  # fmt: skip


class Plain(Strategy):
    """One agent with the terminal that its parameters of the SDK's default choose."""

    name = "plain"
    description = "One agent"

    def build_agent(self, llm: LLM, params: dict[str, object] | None = None) -> Agent:
        from openhands.sdk import Agent, Tool
        from openhands.tools.terminal import TerminalTool

        return Agent(llm=llm, tools=[Tool(name=TerminalTool.name)])


PLAIN = Plain()


@pytest.fixture
def delegating(tmp_path: Path) -> Path:
    return write(tmp_path / "delegating.py", DELEGATING)


@pytest.fixture
def guarded(tmp_path: Path) -> Path:
    """A plugin directory that lets no terminal command with `rm` through."""
    write(tmp_path / "guarded" / "strategy.py", DELEGATING)
    write(
        tmp_path / "guarded" / "hooks" / "hooks.json",
        """
        {"hooks": {
          "PreToolUse": [{"matcher": "terminal", "hooks": [
            {"type": "command", "command": "${PLUGIN_ROOT}/hooks/guard.sh"}]}],
          "UserPromptSubmit": [{"hooks": [
            {"type": "command", "command": "echo noted"}]}]
        }}
        """,
    )
    guard = write(
        tmp_path / "guarded" / "hooks" / "guard.sh",
        """\
        #!/bin/sh
        case "$(cat)" in *"rm -"*) echo "no deletion here" >&2; exit 2;; esac
        """,
    )
    guard.chmod(0o755)
    return tmp_path / "guarded"


def message_of(run: StrategyRun, name: str, *arguments: object, **options: object) -> str:
    """What an assertion that fails says."""
    with pytest.raises(AssertionError) as caught:
        getattr(run, f"assert_{name}")(*arguments, **options)
    return str(caught.value)


def test_a_run_shows_roles_prompts_tool_calls_delegations_and_costs(
    strategy_run: RunStrategy, strategy_workspace: MakeWorkspace, delegating: Path
) -> None:
    workspace = strategy_workspace({"notes/a.txt": "some text"})
    run = strategy_run(delegating, AT_ONCE, task="find the bug", workspace=workspace)

    run.assert_finished()
    assert (run.status, run.answer, run.error) == ("finished", "done", None)
    run.assert_roles({"main": "main", "helper": "cheap"})
    run.assert_roles(["helper", "main"])
    assert (run.main.calls, run.role("helper").calls) == (2, 4)
    assert run.main.first_message == "find the bug"
    assert sorted(run.role("helper").first_messages) == ["look left", "look right"]
    run.assert_prompt("helper", "You are the helper.", "look right")
    assert "You are the helper." not in run.main.system
    assert run.main.tools == ("finish", "task", "terminal", "think")
    assert run.role("helper").states == ("completed", "completed")

    made = run.assert_tool_call("helper", "terminal", command="echo seen > by_helper.txt")
    assert (made.role, made.failed) == ("helper", False)
    assert run.assert_tool_call("main", "finish").arguments == {"message": "done"}
    run.assert_no_tool_call("main", "terminal")
    assert (workspace / "by_helper.txt").read_text() == "seen\n"
    assert run.workspace == workspace

    run.assert_delegations(("main", "helper"), ("main", "helper"))
    assert [one.prompt for one in run.delegations] == ["look left", "look right"]
    assert {(one.state, one.result) for one in run.delegations} == {("completed", "found it")}
    run.assert_costs()
    counted = [one.cost_usd for one in run.served]
    assert run.cost_usd == pytest.approx(sum(cost for cost in counted if cost is not None))
    assert len(run.served) == 6


def test_what_is_wrong_is_said_with_what_there_was(
    strategy_run: RunStrategy, delegating: Path
) -> None:
    run = strategy_run(delegating, AT_ONCE, prices={"main": Price(1.0, 1.0)})
    assert "no price for cheap: give prices={'cheap': Price(input, output)}" in message_of(
        run, "costs"
    )
    told = message_of(run, "roles", {"main": "main", "helper": "main"})
    assert "helper: cheap" in told
    assert "reviewer" in message_of(run, "roles", ["main", "reviewer"])
    assert "no role 'reviewer' was started, only: main, helper" in message_of(
        run, "prompt", "reviewer", "x"
    )
    told = message_of(run, "prompt", "helper", "You are the reviewer.")
    assert told.startswith("'You are the reviewer.' stands in no prompt of role 'helper'")
    assert "look left" in told
    assert "You are the helper." in told
    told = message_of(run, "tool_call", "helper", "terminal", command="ls")
    assert told.startswith("role 'helper' did not call terminal(command='ls')")
    assert "helper: terminal(command='echo seen > by_helper.txt')" in told
    assert "main: task(" in message_of(run, "no_tool_call", "main", "task")
    told = message_of(run, "delegations", ("main", "helper"))
    assert "expected the delegations main -> helper\n" in told
    assert "main -> helper: look right (completed)" in told
    assert message_of(run, "hook", "PreToolUse", tool="terminal", blocked=True) == (
        "no PreToolUse hook ran with tool 'terminal', blocked True\nhooks that ran:\n  none"
    )


def test_tasks_that_overlap_are_told_from_tasks_in_turn(
    strategy_run: RunStrategy, scripted_model: StartModel, delegating: Path
) -> None:
    at_once = strategy_run(delegating, scripted_model(AT_ONCE, latency=0.3))
    at_once.assert_overlapping("helper")
    assert "worked at the same time\ntasks:" in message_of(at_once, "one_after_the_other")
    in_turn = strategy_run(delegating, scripted_model(IN_TURN, latency=0.1))
    in_turn.assert_one_after_the_other("helper")
    assert "no two tasks worked at the same time" in message_of(in_turn, "overlapping")
    in_turn.assert_delegations(("main", "helper"), ("main", "helper"))


def test_hooks_of_a_plugin_directory_are_seen_in_every_role(
    strategy_run: RunStrategy, strategy_workspace: MakeWorkspace, guarded: Path
) -> None:
    workspace = strategy_workspace({"kept.txt": "kept"})
    remove = call("terminal", command="rm -f kept.txt")
    script = by_model(
        {
            "main": in_order([remove, ask("remove it"), finish("done")]),
            "cheap": in_order([remove, finish("could not")]),
        }
    )
    run = strategy_run(guarded, script, workspace=workspace)
    run.assert_finished()
    assert (workspace / "kept.txt").exists()
    for role in ("main", "helper"):
        seen = run.assert_hook(
            "PreToolUse", role=role, tool="terminal", command="guard.sh", blocked=True
        )
        assert (seen.exit_code, seen.blocked) == (2, True)
        assert "no deletion here" in seen.reason + seen.stderr
        refused = run.role(role).called("terminal")[0]
        assert refused.failed
        assert "no deletion here" in refused.result
    assert run.assert_hook("UserPromptSubmit", role="main").tool is None


def test_overlays_and_parameters_reach_the_run(
    strategy_run: RunStrategy, strategy_plan: PlanStrategy, delegating: Path, guarded: Path
) -> None:
    overlay = guarded.parent / "style"
    write(overlay / "skills" / "tone" / "SKILL.md",
          "---\nname: tone\ndescription: how to write\n---\nWrite short sentences.\n")  # fmt: skip
    params = {"model": "openai/main"}
    script = in_order([finish("done")])
    run = strategy_run(delegating, script, overlays=[overlay], params=params)
    run.assert_finished()
    # A layered strategy's parameters carry the label of the part that has them.
    assert {value for key, value in run.report.params.items() if key.endswith("model")} == {
        "openai/main"
    }
    plan = strategy_plan(delegating, overlays=[overlay], params=params)
    assert [one["name"] for one in plan["skills"]] == ["tone"]
    assert {one["role"]: one["model"] for one in plan["roles"]} == {
        "main": "openai/main",
        "helper": "openai/main",
    }
    with pytest.raises(UsageError, match="steps"):
        strategy_run(delegating, script, params={"steps": "many"})


def test_a_class_and_an_instance_of_a_module_run(strategy_run: RunStrategy) -> None:
    script = [call("terminal", command="echo $((6 * 7))"), finish("done")]
    for strategy in (Plain, PLAIN):
        run = strategy_run(strategy, script)
        run.assert_finished()
        # The SDK's tmux terminal is not there, so this one answers at once.
        assert "42" in run.assert_tool_call("main", "terminal").result
        run.assert_costs()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that is on the path and not installed; its strategies import each other."""
    directory = tmp_path / "thirdparty"
    write(directory / "__init__.py", "from .nested import flow, Nested\n")
    write(directory / "texts.py", "SUFFIX = 'You lead the helper.'\n")
    write(directory / "nested.py", NESTED)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "thirdparty"]:
        monkeypatch.delitem(sys.modules, name)
    return directory


NESTED = """
from openhands.sdk import Agent, AgentContext
from openhands_strategies import AgentSpec, Blueprint, Strategy, SubAgent
from openhands_strategies.compose import pipeline
from .texts import SUFFIX


class Nested(Strategy):
    name = "nested"
    description = "A lead with a helper below the main agent"

    def build(self, context):
        llm = context.llm
        helper = SubAgent(description="helps", agent=AgentSpec(suffix="You are the helper."))
        lead = Blueprint(
            agent=Agent(llm=llm, agent_context=AgentContext(system_message_suffix=SUFFIX)),
            subagents={"helper": helper},
        )
        return Blueprint(
            agent=Agent(llm=llm),
            subagents={"lead": SubAgent(description="leads", agent=lead)},
        )


flow = pipeline(one=Nested(), two=Nested())
"""


def test_roles_below_roles_and_tasks_that_are_resumed(
    strategy_run: RunStrategy, package: Path
) -> None:
    from thirdparty import Nested

    def asking(alias: str, prompt: str, **more: str) -> Reply:
        return call("task", subagent_type=alias, prompt=prompt, **more)

    def script(turn: Turn) -> Reply:
        if "You are the helper." in turn.system:
            return finish(f"helped with {turn.user[-1]}")
        if "You lead the helper." in turn.system:
            again = len(turn.user) > 1
            if len(turn.results_of("task")) == len(turn.user) - 1:
                return asking("helper", "more" if again else "some")
            return finish("led")
        resumed = {"resume": "task_00000001"}
        steps = [asking("lead", "start"), asking("lead", "go on", **resumed), finish("done")]
        return steps[turn.replies]

    run = strategy_run(Nested, script)
    run.assert_finished()
    run.assert_roles(["main", "lead", "lead/helper"])
    run.assert_delegations(
        ("main", "lead"), ("lead", "lead/helper"), ("main", "lead"), ("lead", "lead/helper")
    )
    assert [one.result for one in run.delegations if one.asked_by == "lead"] == [
        "helped with some",
        "helped with more",
    ]
    first, again = (one for one in run.delegations if one.role == "lead")
    assert (first.task_id, again.task_id) == ("task_00000001", "task_00000001")
    # A task that goes on later is two pieces of work, not one that lasts throughout.
    assert not first.overlaps(again)
    run.assert_one_after_the_other()
    run.assert_costs()
    assert run.role("lead").states == ("completed",)
    assert run.role("lead").calls == 4


def test_an_instance_that_is_imported_from_elsewhere(
    strategy_plan: PlanStrategy, package: Path
) -> None:
    from thirdparty import flow

    globals()["imported_flow"] = flow
    try:
        plan = strategy_plan(flow)
    finally:
        del globals()["imported_flow"]
    assert plan["strategy"]["source"] == {"type": "path", "path": str(package)}
    assert [one["label"] for one in plan["strategy"]["parts"]] == ["one", "two"]


def test_a_class_of_an_installed_package_is_that_package(strategy_plan: PlanStrategy) -> None:
    pytest.importorskip("openhands_strategy_fusion")
    from openhands_strategy_fusion.strategy import Fusion

    source = strategy_plan(Fusion)["strategy"]["source"]
    assert (source["type"], source["name"]) == ("distribution", "openhands-strategy-fusion")


def test_distributions_are_chosen_by_names_as_pip_compares_them() -> None:
    def names(**environ: str) -> set[str | None]:
        return {
            one.name for one in list_all(host=plugin_host({"OHS_PLUGINS": "", **environ})).entries
        }

    everything = names()
    assert {"fusion", "waterfall"} <= everything
    assert names(OHS_DISTRIBUTIONS="") == set()
    assert names(OHS_DISTRIBUTIONS="OpenHands_Strategy.Fusion, nobody") == {"fusion"}


def test_a_class_without_a_name_in_its_module_is_refused(strategy_run: RunStrategy) -> None:
    class Hidden(Plain):
        pass

    with pytest.raises(UsageError) as caught:
        strategy_run(Hidden, [finish("done")])
    assert caught.value.code == "strategy_unnamed"
    assert "Hidden" in caught.value.message


def test_a_run_that_fails_is_a_result_and_a_script_that_fails_is_an_error(
    strategy_run: RunStrategy, delegating: Path
) -> None:
    ask_on = in_order([call("terminal", command="true")] * 9)
    run = strategy_run(delegating, ask_on, params={"main_steps": 2})
    assert run.status == "limit"
    told = message_of(run, "finished")
    assert told.startswith("the run ended as 'limit' (limit_reached: ")
    assert "main: 2 model calls" in told
    with pytest.raises(ScriptError, match="has 1 steps, reply 2 is asked for"):
        strategy_run(delegating, [call("terminal", command="true")])
    broken = write(
        delegating.parent / "broken.py", DELEGATING.replace("return Blueprint(", "return dict(")
    )
    with pytest.raises(BuildError):
        strategy_run(broken, [finish("done")])


def test_confirmation_is_asked_of_the_test(strategy_run: RunStrategy, delegating: Path) -> None:
    asked: list[str] = []

    def refuse(role: str, actions: object) -> bool:
        asked.append(role)
        return False

    script = [call("terminal", command="touch made.txt"), finish("could not")]
    run = strategy_run(delegating, script, confirmation="always", confirm=refuse)
    assert asked == ["main"]
    assert run.assert_tool_call("main", "terminal").failed
    assert not (run.workspace / "made.txt").exists()


def test_a_workspace_may_be_a_repository(strategy_workspace: MakeWorkspace) -> None:
    def git(workspace: Path, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=workspace, capture_output=True, text=True, check=True
        ).stdout

    first = strategy_workspace({"src/a.py": "    print(1)\n"}, git=True)
    assert (first / "src/a.py").read_text() == "print(1)\n"
    assert git(first, "status", "--porcelain") == ""
    assert git(first, "log", "--format=%s") == "start\n"
    second = strategy_workspace({"b.txt": "b"}, copy=first)
    assert sorted(one.name for one in second.iterdir()) == ["b.txt", "src"]
    with pytest.raises(UsageError, match="outside"):
        strategy_workspace({"../c.txt": "c"})


def test_installed_strategies_have_no_names(strategy_run: RunStrategy) -> None:
    with pytest.raises(ResolveError) as caught:
        strategy_run("fusion", [finish("done")])
    assert "strategies_installed" in "".join(caught.value.__notes__)


def test_the_environment_is_as_before_without_the_fixtures(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pytest of its own, whose only difference is the plugin that it loads."""
    pytester.makepyfile(
        """
        import json, os, sys

        def test_nothing(tmp_path):
            names = ("OHS_HOME", "OHS_PLUGINS", "OHS_DISTRIBUTIONS", "LLM_MODEL", "NO_PROXY")
            heavy = ("openhands.sdk", "openhands.tools", "litellm", "pydantic",
                     "openhands_strategies.testing", "openhands_strategies.runtime")
            print("ENV", {name: os.environ.get(name) for name in names})
            print("HEAVY", [name for name in heavy if name in sys.modules])
        """
    )
    monkeypatch.setenv("LLM_MODEL", "mine")
    monkeypatch.delenv("OHS_HOME", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    # Other installed plugins may import pydantic; only this one counts here.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    done = pytester.runpytest_subprocess(
        "-p", "openhands_strategies.pytest_plugin.plugin", "-s", timeout=60
    )
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["*ENV *'OHS_HOME': None, 'OHS_PLUGINS': None, *", "HEAVY []*"])
    done.stdout.fnmatch_lines(
        ["*'OHS_DISTRIBUTIONS': None, 'LLM_MODEL': 'mine', 'NO_PROXY': None}"]
    )


def test_the_entry_point_brings_fixtures_and_options(pytester: pytest.Pytester) -> None:
    done = pytester.runpytest_subprocess("-W", "error", "--help", timeout=60)
    done.stdout.fnmatch_lines(["*--record-strategy=FILE*", "*strategies_installed*"])
    done = pytester.runpytest_subprocess("--fixtures", timeout=60)
    for name in ("scripted_model", "strategy_run", "strategy_plan", "strategy_workspace"):
        done.stdout.fnmatch_lines([f"{name} -- *"])
    assert "_strategy_surroundings" not in str(done.stdout)


@pytest.fixture
def inner(pytester: pytest.Pytester, delegating: Path) -> pytest.Pytester:
    """A pytest in this process, which has the SDK: importing it takes ten seconds."""
    import openhands.tools.terminal  # noqa: F401

    import openhands_strategies.runtime.run  # noqa: F401

    pytester.path.joinpath("strategy.py").write_text(delegating.read_text())
    return pytester


def test_options_of_the_configuration(inner: pytest.Pytester) -> None:
    inner.makeini(
        """
        [pytest]
        strategies_installed = openhands-strategy-fusion
        strategies_terminal = auto
        """
    )
    inner.makepyfile(
        """
        import os, shutil, pytest
        from openhands_strategies import ResolveError

        def test_names(strategy_plan):
            assert strategy_plan("fusion")["strategy"]["name"] == "fusion"
            with pytest.raises(ResolveError):
                strategy_plan("waterfall")

        def test_relative_to_the_root(strategy_plan, monkeypatch, tmp_path):
            monkeypatch.chdir(tmp_path)
            assert strategy_plan("./strategy.py")["strategy"]["name"] == "delegating"
            assert strategy_plan(".")["strategy"]["name"] == "delegating"

        def test_terminal(strategy_plan):
            assert "ohs" not in (shutil.which("tmux") or "")

        def test_environment(strategy_plan):
            assert os.environ["OHS_PLUGINS"] == ""
            assert "127.0.0.1" in os.environ["NO_PROXY"]
            assert not any(name.startswith("LLM_M") for name in os.environ)
        """
    )
    inner.runpytest_inprocess().assert_outcomes(passed=4)


def test_a_choice_that_there_is_not(inner: pytest.Pytester) -> None:
    inner.makeini("[pytest]\nstrategies_terminal = screen\n")
    inner.makepyfile("def test_it(strategy_plan): pass")
    done = inner.runpytest_inprocess()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*strategies_terminal is 'screen', not one of: subprocess, auto*"])


def test_a_failing_assertion_in_a_report(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        from openhands_strategies.testing import finish

        def test_it(strategy_run):
            strategy_run("./strategy.py", [finish("done")]).assert_roles(["main", "helper"])

        def test_model(scripted_model):
            import urllib.request
            model = scripted_model([])
            body = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
            request = urllib.request.Request(model.base_url + "/chat/completions", body)
            try:
                urllib.request.urlopen(request)
            except OSError:
                pass
        """
    )
    done = inner.runpytest_inprocess()
    done.assert_outcomes(passed=1, failed=1, errors=1)
    done.stdout.fnmatch_lines(
        [
            "E*AssertionError: expected the roles *'helper', 'main'*",
            "E*roles that were started:",
            "E*main: main",
        ]
    )
    done.stdout.fnmatch_lines(["*ScriptError: m: the script has 0 steps*"])


def test_annotations_cost_nothing() -> None:
    code = textwrap.dedent(
        """
        import sys
        import openhands_strategies.pytest_plugin as plugin
        light = set(sys.modules)
        assert not {name for name in light if name.startswith("openhands_strategies.testing")}
        assert plugin.Delegation.__name__ == "Delegation"
        assert {getattr(plugin, name).__name__ for name in plugin.__all__} == set(plugin.__all__)
        assert "openhands.sdk" not in sys.modules
        """
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ), timeout=60)


def test_a_turn_is_what_a_script_sees(strategy_run: RunStrategy, delegating: Path) -> None:
    def script(turn: Turn) -> Reply:
        return finish(turn.user[0].upper()) if turn.offers("finish") else say("no")

    assert strategy_run(delegating, script, task="shout").answer == "SHOUT"


PAGE = Path(__file__).parents[2] / "docs" / "testing.md"


def test_the_examples_of_the_page_pass(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    import openhands.tools.terminal  # noqa: F401

    import openhands_strategies.runtime.run  # noqa: F401

    blocks = re.findall(r"```python\n# (\S+\.py)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for name, text in blocks:
        write(pytester.path / name, text)
    assert [name for name, _ in blocks] == [
        "strategy.py",
        "tests/test_scouted.py",
        "tests/test_replay.py",
    ]
    pytester.runpytest_inprocess("tests/test_scouted.py").assert_outcomes(passed=2)
    scouting = call("task", subagent_type="scout", prompt="What do they say?")
    script = by_model(
        {
            "big-model": in_order([scouting, finish("Buy milk.")]),
            "small-model": in_order([call("terminal", command="cat *"), finish("milk")]),
        }
    )
    command = re.findall(r"^pytest (.+)$", PAGE.read_text(), re.MULTILINE)[0].split()
    with ScriptedModel(script) as real, monkeypatch.context() as patch:
        patch.setenv("LLM_MODEL", "openai/big-model")
        patch.setenv("LLM_BASE_URL", real.base_url)
        pytester.runpytest_inprocess(*command).assert_outcomes(passed=1)
    pytester.runpytest_inprocess("tests").assert_outcomes(passed=3)
