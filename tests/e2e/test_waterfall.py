"""Waterfall: the order, the rounds, the limits, and a designer that cannot edit."""

from __future__ import annotations

from pathlib import Path

import pytest

from openhands_strategies.testing import Reply, Turn, call, finish, in_order, say
from support import Roles, bench, task, tool_texts

pytestmark = pytest.mark.e2e

ROLES = Roles(
    {
        "designer": "You are the designer",
        "coder": "You are the coder",
        "tester": "You are the tester",
        "main": "Leading a waterfall",
    }
)


def test_design_code_test_and_one_correction(tmp_path: Path) -> None:
    made = tmp_path / "ws" / "queue.py"
    script = ROLES.script(
        {
            "main": [
                task("coder", "too early"),
                task("designer", "a queue, please"),
                task("tester", "too early"),
                task("coder", "write it"),
                task("tester", "test it"),
                task("coder", "mend it", resume="task_00000002"),
                task("tester", "again", resume="task_00000003"),
                finish("built and tested"),
            ],
            "designer": [
                call("file_editor", command="view", path=str(tmp_path / "ws")),
                call("file_editor", command="create", path=str(made), file_text="cheating\n"),
                say("DESIGN: one class, Queue"),
            ],
            "coder": [
                call("file_editor", command="create", path=str(made), file_text="class Queue: x\n"),
                say("CODED: queue.py"),
                call(
                    "file_editor",
                    command="str_replace",
                    path=str(made),
                    old_str="x",
                    new_str="pass",
                ),
                say("CORRECTED: queue.py"),
            ],
            "tester": [say("FAILED: x is not defined"), say("PASSED: it imports")],
        }
    )
    with bench(tmp_path / "ws", script) as b:
        report = b.run("waterfall", "a queue, please", {"designer_model": "openai/cheap"})
        main, designer = ROLES.served(b, "main"), ROLES.served(b, "designer")
        coder, tester = ROLES.served(b, "coder"), ROLES.served(b, "tester")
    assert report.status == "finished"
    assert made.read_text() == "class Queue: pass\n"
    told = tool_texts(main[-1])
    assert "only after 'designer' has completed" in told[0]
    assert "only after 'coder' has completed" in told[2]
    assert "FAILED: x is not defined" in told[4]
    assert "PASSED: it imports" in told[6]
    # What each of them may do.
    assert not {"terminal", "file_editor"} & set(main[0].tools)
    assert "task" in main[0].tools
    assert {"file_editor", "grep", "glob"} <= set(designer[0].tools)
    assert "terminal" not in designer[0].tools
    for phase in (designer, coder, tester):
        assert "task" not in phase[0].tools
    assert {"terminal", "file_editor"} <= set(coder[0].tools)
    assert {one.model for one in designer} == {"cheap"}
    # The guard lets the designer look and refuses to let it edit.
    looked, edited = tool_texts(designer[-1])
    assert "The designer may not edit" not in looked
    assert "The designer may not edit" in edited
    # Each phase begins with the result before it, word for word, and knows nothing else.
    first = str(coder[0].messages[1]["content"])
    assert first.index("DESIGN: one class, Queue") < first.index("write it")
    assert "CODED: queue.py" in str(tester[0].messages[1]["content"])
    assert "a queue, please" not in str(tester[0].messages)
    assert report.cost_usd == pytest.approx(b.model.total_cost())


def test_corrections_are_counted(tmp_path: Path) -> None:
    script = ROLES.script(
        {
            "main": [
                task("designer"),
                task("coder"),
                task("coder", resume="task_00000002"),
                task("designer", resume="task_00000001"),
                finish("done"),
            ],
            "designer": [say("DESIGN")],
            "coder": [say("CODED")],
        }
    )
    with bench(tmp_path / "ws", script) as b:
        report = b.run("waterfall", params={"corrections": 0})
        told = tool_texts(ROLES.served(b, "main")[-1])
        assert len(ROLES.served(b, "coder")) == 1
        assert len(ROLES.served(b, "designer")) == 1
        system = str(ROLES.served(b, "main")[0].messages[0]["content"])
    assert report.status == "finished"
    assert "'coder' was asked 1 times, as often as it may be" in told[2]
    assert "'designer' was asked 1 times" in told[3]
    assert "There are no corrections" in system


@pytest.mark.parametrize("how", ["hands back", "limit"])
def test_a_phase_that_does_not_complete_ends_the_work(tmp_path: Path, how: str) -> None:
    def stuck(turn: Turn) -> Reply:
        return call("think", thought=f"still thinking, {turn.replies}")

    def script(turn: Turn) -> Reply:
        role = ROLES.of(turn.system)
        if role == "main":
            return in_order(
                [task("designer"), task("coder"), task("tester"), finish("it ended early")]
            )(turn)
        if role == "coder":
            return stuck(turn) if how == "limit" else say("ESCALATE_TO_MAIN: no compiler")
        return say("DESIGN")

    with bench(tmp_path / "ws", script) as b:
        report = b.run("waterfall", params={"max_turns": 2})
        told = tool_texts(ROLES.served(b, "main")[-1])
        assert ROLES.served(b, "tester") == []
        assert len(ROLES.served(b, "coder")) == (2 if how == "limit" else 1)
    assert report.status == "failed"
    assert report.error is not None
    assert report.error.code == "phase_failed"
    assert "no further task is accepted" in told[1]
    assert "no further task is accepted" in told[2]
