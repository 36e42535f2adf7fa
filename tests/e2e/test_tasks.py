"""Tasks across calls, conversations and processes."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.errors import RunError
from openhands_strategies.project.home import find_home
from openhands_strategies.runtime.run import execute, open_run
from openhands_strategies.runtime.run_file import read_run
from openhands_strategies.testing import Call, Reply, Turn, by_model, call, finish, in_order, say
from support import DELEGATING, Bench, bench, tool_texts, write

pytestmark = pytest.mark.e2e


def test_two_calls_that_resume_one_task_take_turns(tmp_path: Path) -> None:
    write(tmp_path / "strategy.py", DELEGATING)

    def main(turn: Turn) -> Reply:
        again = {"subagent_type": "helper", "resume": "task_00000001"}
        return in_order(
            [
                call("task", subagent_type="helper", prompt="first"),
                Reply(
                    calls=(
                        Call("task", {**again, "prompt": "second"}),
                        Call("task", {**again, "prompt": "third"}),
                    )
                ),
                finish("done"),
            ]
        )(turn)

    def helper(turn: Turn) -> Reply:
        return say(f"answer to {turn.user[-1]}")

    with bench(tmp_path / "ws", by_model({"main": main, "cheap": helper}), latency=0.3) as b:
        report = b.run(str(tmp_path))
        texts = tool_texts(b.served("main")[-1])
        served = b.served("cheap")
    assert report.status == "finished"
    assert len(texts) == 3
    assert [word in str(texts) for word in ("first", "second", "third")] == [True] * 3
    assert not any(one.overlaps(other) for one in served for other in served if one is not other)
    # The last of them has all three prompts in its context: one conversation, not three.
    assert len([m for m in served[-1].messages if m["role"] == "user"]) == 3
    assert served[-1].cached_tokens > 0


def test_a_task_is_resumed_in_a_later_run_with_its_context(tmp_path: Path) -> None:
    """The id map is on disk: a new conversation object, new managers, the same task."""
    write(tmp_path / "strategy.py", DELEGATING)

    def main(turn: Turn) -> Reply:
        step = len(turn.user)
        if turn.messages[-1]["role"] == "tool":
            return finish("done")
        if step == 1:
            return call("task", subagent_type="helper", prompt="first")
        return Reply(
            calls=(
                Call(
                    "task",
                    {"subagent_type": "helper", "resume": "task_00000001", "prompt": "second"},
                ),
                Call("task", {"subagent_type": "helper", "prompt": "new"}),
            )
        )

    def helper(turn: Turn) -> Reply:
        return say(f"I know {len(turn.user)} prompts")

    with bench(tmp_path / "ws", by_model({"main": main, "cheap": helper})) as b:
        prepared = b.prepare(str(tmp_path))
        first = b.start(prepared)
        assert execute(first, "one").status == "finished"
        file = read_run(find_home(), first.id)
        report = execute(open_run(b.prepare(str(tmp_path)), file, find_home()), "two")
        texts = tool_texts(b.served("main")[-1])
        assert "I know 2 prompts" in texts[-2]
        # Ids go on; the earlier task's entry is not overwritten.
        assert "task_00000002" in texts[-1]
        assert report.cost_usd == pytest.approx(b.model.total_cost())
        assert {(row.role, row.tasks, row.calls) for row in report.roles} == {
            ("main", 1, 4),
            ("helper", 2, 3),
        }


def test_limits_hold_on_resume_in_a_later_run(tmp_path: Path) -> None:
    write(tmp_path / "strategy.py", DELEGATING)

    def main(turn: Turn) -> Reply:
        if turn.messages[-1]["role"] == "tool":
            return finish("done")
        arguments = {"subagent_type": "helper", "prompt": f"go {len(turn.user)}"}
        if len(turn.user) == 2:
            arguments["resume"] = "task_00000001"
        return Reply(calls=(Call("task", arguments),))

    def helper(turn: Turn) -> Reply:
        return call("terminal", command=f"echo {turn.replies}")

    with bench(tmp_path / "ws", by_model({"main": main, "cheap": helper})) as b:
        first = b.start(b.prepare(str(tmp_path), {"steps": 2}))
        execute(first, "one")
        assert len(b.served("cheap")) == 2
        file = read_run(find_home(), first.id)
        execute(open_run(b.prepare(str(tmp_path), {"steps": 2}), file, find_home()), "two")
        assert len(b.served("cheap")) == 4
        assert "Status: limit" in tool_texts(b.served("main")[-1])[-1]


def by_hand(b: Bench, tmp_path: Path, visualizer: Any, persistence: Path | None) -> Any:
    """A conversation that somebody else opens with our agent, as the OpenHands CLI does."""
    from openhands.sdk import Conversation

    prepared = b.prepare(str(tmp_path))
    return Conversation(
        agent=prepared.agent,
        workspace=str(b.workspace),
        visualizer=visualizer,
        persistence_dir=str(persistence) if persistence else None,
    )


RESUMING = by_model(
    {
        "main": in_order(
            [
                call("task", subagent_type="helper", prompt="a", description="look at a"),
                call("task", subagent_type="helper", prompt="b", resume="task_00000001"),
                finish("done"),
            ]
        ),
        "cheap": in_order([say("one"), say("two")]),
    }
)


@pytest.mark.parametrize("persists", [True, False])
def test_the_visualizer_of_the_parent_shows_new_and_resumed_tasks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], persists: bool
) -> None:
    from openhands.sdk.conversation.visualizer import ConversationVisualizerBase

    class Recorder(ConversationVisualizerBase):
        def __init__(self, label: str, seen: list[tuple[str, str]]) -> None:
            super().__init__()
            self.label, self.seen = label, seen

        def on_event(self, event: Any) -> None:
            self.seen.append((self.label, type(event).__name__))

        def create_sub_visualizer(self, agent_id: str) -> ConversationVisualizerBase:
            return Recorder(agent_id, self.seen)

    write(tmp_path / "strategy.py", DELEGATING)
    seen: list[tuple[str, str]] = []
    with bench(tmp_path / "ws", RESUMING) as b:
        persistence = tmp_path / "kept" if persists else None
        conversation = by_hand(b, tmp_path, Recorder("main", seen), persistence)
        conversation.send_message("go")
        conversation.run()
        spent = conversation.conversation_stats.get_combined_metrics().accumulated_cost
        assert spent == pytest.approx(b.model.total_cost())
        conversation.close()
    subs = [kind for label, kind in seen if label == "look at a"]
    # Two prompts and two answers.
    assert subs.count("MessageEvent") == 4
    assert capsys.readouterr().out == ""


def test_without_a_visualizer_a_resumed_task_prints_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "strategy.py", DELEGATING)
    with bench(tmp_path / "ws", RESUMING) as b:
        assert b.run(str(tmp_path)).status == "finished"
    assert capsys.readouterr().out == ""


def test_an_agent_survives_json(tmp_path: Path) -> None:
    """What the SDK writes into base_state.json is enough to offer the same sub-agents."""
    from openhands.sdk.agent.base import AgentBase

    write(tmp_path / "strategy.py", DELEGATING)
    with bench(tmp_path / "ws", lambda turn: say("unused")) as b:
        agent = b.prepare(str(tmp_path), {"steps": 7}).agent
        again = AgentBase.model_validate(json.loads(agent.model_dump_json()))
    assert again.tools == agent.tools
    assert again.tools[-1].params["agents"]["helper"]["iterations"] == 7


def test_many_builds_leave_nothing_behind(tmp_path: Path) -> None:
    from openhands.sdk.subagent import registry
    from openhands.sdk.tool.registry import list_registered_tools

    write(tmp_path / "strategy.py", DELEGATING)
    with bench(tmp_path / "ws", lambda turn: say("unused")) as b:
        b.prepare(str(tmp_path))
        before = (dict(registry._agent_factories), list(list_registered_tools()))
        found: list[str] = []

        def build(model: str) -> None:
            for _ in range(20):
                agent = b.prepare(str(tmp_path), {"model": model}).agent
                found.append(agent.tools[-1].params["agents"]["helper"]["llm"]["model"] == model)  # type: ignore[arg-type]

        threads = [threading.Thread(target=build, args=(f"openai/m{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (dict(registry._agent_factories), list(list_registered_tools())) == before
    assert found == [True] * 80


def test_a_run_that_is_open_is_not_opened_twice(tmp_path: Path) -> None:
    write(tmp_path / "strategy.py", DELEGATING)
    with bench(tmp_path / "ws", lambda turn: finish("done")) as b:
        prepared = b.prepare(str(tmp_path))
        run = b.start(prepared)
        with pytest.raises(RunError) as caught:
            open_run(prepared, run.file, find_home())
        assert caught.value.code == "run_busy"
        assert execute(run, "go").status == "finished"
        assert execute(open_run(prepared, run.file, find_home()), "more").status == "finished"
