"""Reading a conversation, and the pieces that scripts are made of."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from openhands_strategies.testing import (
    Call,
    HttpError,
    Reply,
    ScriptError,
    Turn,
    by_model,
    call,
    delayed,
    failing,
    finish,
    in_order,
    play,
    say,
)


def assistant_call(*calls: tuple[str, str, str]) -> dict[str, Any]:
    """An assistant message with calls of (id, name, arguments as JSON)."""
    return {
        "role": "assistant",
        "content": [],
        "tool_calls": [
            {"id": i, "type": "function", "function": {"name": name, "arguments": arguments}}
            for i, name, arguments in calls
        ],
    }


CONVERSATION = [
    {
        "role": "system",
        "content": [{"type": "text", "text": "Rules"}, {"type": "text", "text": "!"}],
    },
    {"role": "user", "content": "Do it."},
    assistant_call(("c1", "terminal", '{"command": "ls"}'), ("c2", "task", '{"prompt": "p"}')),
    {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "report"}]},
    {"role": "tool", "tool_call_id": "c1", "content": "a.py"},
    {"role": "user", "content": [{"type": "text", "text": "Go on."}]},
    {"role": "assistant", "content": "Yes."},
]
TURN = Turn("m", CONVERSATION, {"task": {}, "terminal": {}})
EMPTY = Turn("m", [{"role": "user", "content": "Hi"}])


def test_turn_reads_the_conversation() -> None:
    assert TURN.system == "Rules\n!"
    assert TURN.user == ("Do it.", "Go on.")
    assert TURN.replies == 2
    assert TURN.calls_made == (
        Call("terminal", {"command": "ls"}),
        Call("task", {"prompt": "p"}),
    )
    assert TURN.offers("task")
    assert not TURN.offers("finish")


def test_results_are_matched_to_their_calls() -> None:
    first, second = TURN.tool_results
    assert (first.name, first.arguments, first.text) == ("task", {"prompt": "p"}, "report")
    assert (second.name, second.arguments, second.text) == ("terminal", {"command": "ls"}, "a.py")
    assert TURN.last_result == second
    assert TURN.results_of("task") == (first,)


def test_a_result_without_its_call_keeps_its_name() -> None:
    lost = {"role": "tool", "tool_call_id": "gone", "name": "look", "content": None}
    (result,) = Turn("m", [lost]).tool_results
    assert (result.name, result.arguments, result.text) == ("look", {}, "")


def test_first_turn() -> None:
    assert EMPTY.system == ""
    assert EMPTY.last_result is None
    assert EMPTY.replies == 0


def test_replies_in_short() -> None:
    assert say("x") == Reply(text="x")
    assert call("look", at=1) == Reply(calls=(Call("look", {"at": 1}),))
    assert finish("bye") == call("finish", message="bye")
    assert play(say("x"), EMPTY) == say("x")
    assert play(lambda turn: say(turn.model), EMPTY) == say("m")


def test_in_order_goes_by_the_assistant_messages() -> None:
    script = in_order([say("0"), say("1"), lambda turn: say(turn.user[-1])])
    assert script(EMPTY) == say("0")
    assert script(TURN) == say("Go on.")
    assert script(TURN) == say("Go on.")


def test_in_order_ends() -> None:
    with pytest.raises(ScriptError, match=r"2 steps, reply 3 .*last tool result: a\.py"):
        in_order([say("0"), say("1")])(TURN)


def test_by_model() -> None:
    script = by_model({"m": say("mine"), "n": lambda turn: say("other")})
    assert script(EMPTY) == say("mine")
    assert script(Turn("n", [])) == say("other")
    with pytest.raises(ScriptError, match="no script for model 'z', only for: m, n"):
        script(Turn("z", []))


def test_delayed_leaves_a_delay_alone() -> None:
    assert delayed(say("x"), 0.5)(EMPTY) == Reply(text="x", delay=0.5)
    assert delayed(Reply(text="x", delay=0.0), 0.5)(EMPTY).delay == 0.0


def test_failing_counts_attempts() -> None:
    script = failing(HttpError(500), say("ok"), times=2)
    replies = [script(Turn("m", [], {}, attempt)) for attempt in range(3)]
    assert [reply.fault for reply in replies] == [HttpError(500), HttpError(500), None]


def test_the_package_needs_the_standard_library_only() -> None:
    code = """
import sys
before = {name.split(".")[0] for name in sys.modules}
import openhands_strategies.testing
after = {name.split(".")[0] for name in sys.modules}
print(sorted(after - before - {"openhands_strategies"} - sys.stdlib_module_names))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
