"""Waterfall: the order, the rounds, the limits, and a designer that cannot edit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.testing import Reply, Script, Turn, call, finish, in_order, say
from openhands_strategies.testing.turns import text_of
from support import Bench, bench

pytestmark = pytest.mark.e2e

ROLES = {
    "You are the designer": "designer",
    "You are the coder": "coder",
    "You are the tester": "tester",
    "Leading a waterfall": "main",
}


def role_of(system: str) -> str:
    return next(role for text, role in ROLES.items() if text in system)


def by_role(steps: dict[str, Sequence[Reply | Script]]) -> Script:
    def script(turn: Turn) -> Reply:
        return in_order(steps[role_of(turn.system)])(turn)

    return script


def task(alias: str, prompt: str = "go on", **more: str) -> Reply:
    return call("task", subagent_type=alias, prompt=prompt, **more)


def served(b: Bench, role: str) -> list[Any]:
    return [one for one in b.model.served if role_of(str(one.messages[0]["content"])) == role]


def results(one: Any) -> list[str]:
    return [text_of(m) for m in one.messages if m["role"] == "tool"]


def test_design_code_test_and_one_correction(tmp_path: Path) -> None:
    made = tmp_path / "ws" / "queue.py"
    script = by_role(
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
        main, designer = served(b, "main"), served(b, "designer")
        coder, tester = served(b, "coder"), served(b, "tester")
    assert report.status == "finished"
    assert made.read_text() == "class Queue: pass\n"
    told = results(main[-1])
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
    looked, edited = results(designer[-1])
    assert "The designer may not edit" not in looked
    assert "The designer may not edit" in edited
    # Each phase begins with the result before it, word for word, and knows nothing else.
    first = str(coder[0].messages[1]["content"])
    assert first.index("DESIGN: one class, Queue") < first.index("write it")
    assert "CODED: queue.py" in str(tester[0].messages[1]["content"])
    assert "a queue, please" not in str(tester[0].messages)
    assert report.cost_usd == pytest.approx(b.model.total_cost())


def test_corrections_are_counted(tmp_path: Path) -> None:
    script = by_role(
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
        told = results(served(b, "main")[-1])
        assert len(served(b, "coder")) == 1
        assert len(served(b, "designer")) == 1
        system = str(served(b, "main")[0].messages[0]["content"])
    assert report.status == "finished"
    assert "'coder' was asked 1 times, as often as it may be" in told[2]
    assert "'designer' was asked 1 times" in told[3]
    assert "There are no corrections" in system


@pytest.mark.parametrize("how", ["hands back", "limit"])
def test_a_phase_that_does_not_complete_ends_the_work(tmp_path: Path, how: str) -> None:
    def stuck(turn: Turn) -> Reply:
        return call("think", thought=f"still thinking, {turn.replies}")

    def script(turn: Turn) -> Reply:
        role = role_of(turn.system)
        if role == "main":
            return in_order(
                [task("designer"), task("coder"), task("tester"), finish("it ended early")]
            )(turn)
        if role == "coder":
            return stuck(turn) if how == "limit" else say("ESCALATE_TO_MAIN: no compiler")
        return say("DESIGN")

    with bench(tmp_path / "ws", script) as b:
        report = b.run("waterfall", params={"max_turns": 2})
        told = results(served(b, "main")[-1])
        assert served(b, "tester") == []
        assert len(served(b, "coder")) == (2 if how == "limit" else 1)
    assert report.status == "failed"
    assert report.error is not None
    assert report.error.code == "phase_failed"
    assert "no further task is accepted" in told[1]
    assert "no further task is accepted" in told[2]
