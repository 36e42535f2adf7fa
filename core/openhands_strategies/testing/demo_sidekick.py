"""The cheap model of the demo: looks into one module and reports."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from openhands_strategies.testing.demo_findings import (
    ESCALATION,
    failing_tests,
    failure_location,
    numbered_lines,
    policy_line,
    propose,
    tests_passed,
    tests_run,
)
from openhands_strategies.testing.replies import Call, Reply
from openhands_strategies.testing.scripts import Script
from openhands_strategies.testing.turns import Turn

_MODULE = re.compile(r"shop/(\w+)\.py")
_ATTEMPTS = 3


def modules_named(text: str) -> list[str]:
    """The modules of the sample that a text names, each once, in order."""
    return list(dict.fromkeys(_MODULE.findall(text)))


def first_useful(
    turn: Turn, command: str, useful: Callable[[str], object]
) -> tuple[str | None, bool]:
    """The first useful output of a terminal command, and whether to run it (again).

    A terminal of the SDK may lose the output of the first command in a new shell: it
    takes the shell's first prompt for the end of the command when the shell is slow to
    start. So a command without a useful output is run up to three times.
    """
    outputs = [
        result.text
        for result in turn.results_of("terminal")
        if result.arguments.get("command") == command
    ]
    found = next((text for text in outputs if useful(text)), None)
    return found, found is None and len(outputs) < _ATTEMPTS


def sidekick_script(python: str) -> Script:
    """Three terminal commands (the tests, the source, the failing test), then a report."""
    interpreter = shlex.quote(python)

    def script(turn: Turn) -> Reply:
        named = [name for text in turn.user for name in modules_named(text)]
        if not named or not turn.offers("terminal"):
            return _report(turn, f"{ESCALATION} no module to look at, or no terminal to do it with")
        module = named[-1]
        command = f"{interpreter} -B -m unittest tests.test_{module}"
        tests, again = first_useful(turn, command, tests_run)
        if again:
            return _run(f"The tests of {module}.", command)
        if tests is None:
            return _report(turn, f"{ESCALATION} the tests of shop/{module}.py could not be run")
        if tests_passed(tests):
            return _report(turn, _nothing_to_do(module))
        source_command, test_command = f"cat -n shop/{module}.py", _show_test(module, tests)
        source, again = first_useful(turn, source_command, numbered_lines)
        if again:
            return _run("They fail. Now the source.", source_command)
        _, again = first_useful(turn, test_command, lambda text: "def test_" in text)
        if again:
            return _run("And what the test expects.", test_command)
        return _report(turn, _conclusion(module, tests, source or ""))

    return script


def _run(thought: str, command: str) -> Reply:
    return Reply(text=thought, calls=(Call("terminal", {"command": command}),))


def _report(turn: Turn, text: str) -> Reply:
    if turn.offers("finish"):
        return Reply(calls=(Call("finish", {"message": text}),))
    return Reply(text=text)


def _show_test(module: str, tests: str) -> str:
    file, line = failure_location(tests) or (f"tests/test_{module}.py", 10)
    return f"sed -n '{max(line - 6, 1)},{line + 2}p' {file}"


def _conclusion(module: str, tests: str, source: str) -> str:
    file = f"shop/{module}.py"
    if (line := policy_line(source)) is not None:
        return f"{ESCALATION} {file}:{line} says that this is a policy, not mine to change"
    proposal = propose(file, source)
    if proposal is None:
        return f"{ESCALATION} I do not see the cause in {file}"
    test_file, test_line = failure_location(tests) or (f"tests/test_{module}.py", 1)
    return (
        "FINDINGS:\n"
        f"- {file}:{proposal.line} `{proposal.old}`: {proposal.why}\n"
        f"- {test_file}:{test_line} fails because of it; failing: "
        f"{', '.join(failing_tests(tests))}\n"
        "PROPOSED_NEXT_STEP:\n"
        f"- {proposal}\n"
        "RISK:\n"
        "- low, one comparison in one line, and the tests cover it"
    )


def _nothing_to_do(module: str) -> str:
    return (
        f"FINDINGS:\n- the tests of shop/{module}.py pass\n"
        "PROPOSED_NEXT_STEP:\n- nothing to change\n"
        "RISK:\n- low, nothing was found"
    )
