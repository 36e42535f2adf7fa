"""Adversarial review: a reviewer that only reads, on its own model, for so many rounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from openhands_strategies.testing import Reply, Turn, by_model, call, finish, in_order, say
from support import bench, tool_texts

pytestmark = pytest.mark.e2e

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"


def review(**more: str) -> Reply:
    return call("task", subagent_type="reviewer", prompt="look at parser.py", **more)


def test_faults_are_mended_until_there_are_none(tmp_path: Path) -> None:
    made = tmp_path / "ws" / "parser.py"
    script = by_model(
        {
            "main": in_order(
                [
                    call("file_editor", command="create", path=str(made), file_text="wrong\n"),
                    review(),
                    call(
                        "file_editor",
                        command="str_replace",
                        path=str(made),
                        old_str="wrong",
                        new_str="right",
                    ),
                    review(resume="task_00000001"),
                    finish("mended one fault"),
                ]
            ),
            "cheap": in_order(
                [
                    call("terminal", command=f"rm {made}"),
                    say("FAULTS\nparser.py:1, it says wrong"),
                    say("NO_FAULTS\nread it again"),
                ]
            ),
        }
    )
    with bench(tmp_path / "ws", script) as b:
        report = b.run("adversarial-review", "write the parser", {"reviewer_model": "openai/cheap"})
        author, reviewer = b.served("main"), b.served("cheap")
    assert report.status == "finished"
    assert made.read_text() == "right\n"
    told = tool_texts(author[-1])
    assert "FAULTS\nparser.py:1" in told[1]
    assert "NO_FAULTS" in told[3]
    assert "Reviewers only read" in tool_texts(reviewer[-1])[0]
    assert "Having your work reviewed" in str(author[0].messages[0]["content"])
    assert {"task", "terminal", "file_editor"} <= set(author[0].tools)
    assert "You are the reviewer" in str(reviewer[0].messages[0]["content"])
    assert "terminal" in reviewer[0].tools
    assert not {"file_editor", "task", "task_tracker"} & set(reviewer[0].tools)
    # It knows what the author tells it and nothing of the author's conversation.
    assert "write the parser" not in str(reviewer[0].messages)
    assert report.cost_usd == pytest.approx(b.model.total_cost())


def test_rounds_are_counted_resumed_ones_included(tmp_path: Path) -> None:
    script = by_model(
        {
            "main": in_order(
                [review(), review(resume="task_00000001"), review(), finish("still open: x")]
            ),
            "cheap": in_order([say("FAULTS\nx"), say("FAULTS\nx")]),
        }
    )
    with bench(tmp_path / "ws", script) as b:
        report = b.run("adversarial-review", params={"rounds": 2, "reviewer_model": "openai/cheap"})
        told = tool_texts(b.served("main")[-1])
        assert len(b.served("cheap")) == 2
        assert "can be asked 2 times" in str(b.served("main")[0].messages[0]["content"])
    assert report.status == "finished"
    assert "'reviewer' was asked 2 times, as often as it may be" in told[2]


def test_a_round_has_its_own_limit(tmp_path: Path) -> None:
    def reading(turn: Turn) -> Reply:
        return call("think", thought=f"reading on, {turn.replies}")

    script = by_model({"main": in_order([review(), finish("unreviewed")]), "cheap": reading})
    params = {"reviewer_iterations": 2, "reviewer_model": "openai/cheap"}
    with bench(tmp_path / "ws", script) as b:
        report = b.run("adversarial-review", params=params)
        told = tool_texts(b.served("main")[-1])
        assert len(b.served("cheap")) == 2
    # The author goes on with what there is.
    assert report.status == "finished"
    assert "Status: limit" in told[0]


def test_its_guard_is_fusions_with_another_name() -> None:
    """Each plugin directory is complete by itself; the two must not drift apart."""
    own = (PLUGINS / "adversarial-review/hooks/reviewer_guard.py").read_text()
    other = (PLUGINS / "fusion/hooks/read_only.py").read_text()
    renamed = other.replace("a sidekick's slip", "a reviewer's slip")
    assert own == renamed.replace("Sidekicks only read", "Reviewers only read")
