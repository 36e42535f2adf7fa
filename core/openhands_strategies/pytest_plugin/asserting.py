"""The assertions of a run: each raises an AssertionError that shows what there was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.testing.ledger import usage_of

if TYPE_CHECKING:
    from openhands_strategies.pytest_plugin.result import StrategyRun
    from openhands_strategies.pytest_plugin.seen import Delegation, HookRun, ToolCall

_DOLLARS: Final = 1e-9
_SHOWN: Final = 40


def finished(run: StrategyRun) -> None:
    """See `StrategyRun.assert_finished`."""
    if run.status == "finished":
        return
    why = f"{run.error.code}: {run.error.message}" if run.error else "no error is known"
    raise _failure(
        f"the run ended as {run.status!r} ({why})",
        "what the roles did",
        [f"{role.name}: {role.calls} model calls" for role in run.roles]
        + [f"{call} -> {_short(call.result)}" for call in run.tool_calls],
    )


def roles(run: StrategyRun, expected: Mapping[str, str] | Sequence[str]) -> None:
    """See `StrategyRun.assert_roles`."""
    found = {role.name: ", ".join(role.models) for role in run.roles}
    if isinstance(expected, Mapping):
        right = dict(expected) == found
    else:
        right = sorted(expected) == sorted(found)
    if not right:
        wanted = expected if isinstance(expected, Mapping) else sorted(expected)
        raise _failure(
            f"expected the roles {wanted}",
            "roles that were started",
            [f"{name}: {models or 'no model call'}" for name, models in found.items()],
        )


def prompt(run: StrategyRun, role: str, texts: Iterable[str]) -> None:
    """See `StrategyRun.assert_prompt`."""
    one = run.role(role)
    told = [one.system, *one.first_messages]
    for text in texts:
        if not any(text in prompt for prompt in told):
            raise _failure(
                f"{text!r} stands in no prompt of role {role!r}",
                "its first user messages, and the end of its system prompt",
                [*one.first_messages, f"… {one.system[-1500:]}"],
            )


def tool_call(run: StrategyRun, role: str, tool: str, arguments: Mapping[str, Any]) -> ToolCall:
    """See `StrategyRun.assert_tool_call`."""
    calls = run.role(role).tool_calls
    for call in calls:
        given = call.arguments
        if call.name == tool and all(
            name in given and given[name] == value for name, value in arguments.items()
        ):
            return call
    asked = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    raise _failure(f"role {role!r} did not call {tool}({asked})", "its tool calls", map(str, calls))


def no_tool_call(run: StrategyRun, role: str, tool: str) -> None:
    """See `StrategyRun.assert_no_tool_call`."""
    if calls := run.role(role).called(tool):
        raise _failure(f"role {role!r} called {tool!r}", "these calls", map(str, calls))


def delegations(run: StrategyRun, expected: Sequence[tuple[str, str]]) -> None:
    """See `StrategyRun.assert_delegations`."""
    found = [(one.asked_by, one.role) for one in run.delegations]
    if found != [tuple(pair) for pair in expected]:
        wanted = ", ".join(f"{asked_by} -> {role}" for asked_by, role in expected) or "none"
        raise _failure(
            f"expected the delegations {wanted}", "delegations", map(str, run.delegations)
        )


def overlapping(run: StrategyRun, names: Sequence[str]) -> None:
    """See `StrategyRun.assert_overlapping`."""
    chosen = _of(run, names)
    if not any(one.overlaps(other) for one, other in combinations(chosen, 2)):
        raise _failure("no two tasks worked at the same time", "tasks", _times(chosen))


def one_after_the_other(run: StrategyRun, names: Sequence[str]) -> None:
    """See `StrategyRun.assert_one_after_the_other`."""
    chosen = _of(run, names)
    for one, other in combinations(chosen, 2):
        # Who asks is at work while it waits for whom it asked.
        nested = one.role.startswith(f"{other.role}/") or other.role.startswith(f"{one.role}/")
        if one.overlaps(other) and not nested:
            raise _failure(
                f"{one.role!r} and {other.role!r} worked at the same time", "tasks", _times(chosen)
            )


def hook(
    run: StrategyRun,
    event: str,
    role: str | None,
    tool: str | None,
    command: str,
    blocked: bool | None,
) -> HookRun:
    """See `StrategyRun.assert_hook`."""
    for one in run.hooks:
        if (
            one.event == event
            and role in (None, one.role)
            and tool in (None, one.tool)
            and command in one.command
            and blocked in (None, one.blocked)
        ):
            return one
    given = {"role": role, "tool": tool, "command": command or None, "blocked": blocked}
    asked = ", ".join(f"{name} {value!r}" for name, value in given.items() if value is not None)
    raise _failure(
        f"no {event} hook ran" + (f" with {asked}" if asked else ""),
        "hooks that ran",
        map(str, run.hooks),
    )


def costs(run: StrategyRun) -> None:
    """See `StrategyRun.assert_costs`."""
    unknown = sorted({one.model for one in run.served if one.cost_usd is None})
    if unknown:
        wanted = ", ".join(f"{model!r}: Price(input, output)" for model in unknown)
        raise AssertionError(
            f"the server has no price for {', '.join(unknown)}: give prices={{{wanted}}}"
        )
    wrong = []
    names = [*(row.role for row in run.report.roles), *(role.name for role in run.roles)]
    for name in dict.fromkeys(names):
        rows = [row for row in run.report.roles if row.role == name]
        there = usage_of([one for role in run.roles if role.name == name for one in role.served])
        reported = (
            sum(row.calls for row in rows),
            sum(row.input_tokens for row in rows),
            sum(row.output_tokens for row in rows),
            sum(row.cost_usd or 0.0 for row in rows),
        )
        counted = (there.calls, there.input_tokens, there.output_tokens, there.cost_usd or 0.0)
        if reported[:3] != counted[:3] or abs(reported[3] - counted[3]) > _DOLLARS:
            wrong.append(f"{name}: reported {_account(reported)}, counted {_account(counted)}")
    known = {id(one) for role in run.roles for one in role.served}
    stray = [one for one in run.served if id(one) not in known]
    wrong += [f"nobody's: a call of model {one.model}, ${one.cost_usd:.6f}" for one in stray]
    if wrong:
        raise _failure("the report and the server's account differ", "differences", wrong)


def _account(given: tuple[int, int, int, float]) -> str:
    calls, read, written, dollars = given
    return f"{calls} calls, {read}+{written} tokens, ${dollars:.6f}"


def _of(run: StrategyRun, names: Sequence[str]) -> list[Delegation]:
    return [one for one in run.delegations if not names or one.role in names]


def _times(tasks: Sequence[Delegation]) -> list[str]:
    first = min((one.started for one in tasks if one.started is not None), default=0.0)
    return [
        f"{one}, no model call"
        if one.started is None or one.ended is None
        else f"{one}, {one.started - first:.3f} s to {one.ended - first:.3f} s"
        for one in tasks
    ]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:199]}…"


def _failure(what: str, title: str, lines: Iterable[str]) -> AssertionError:
    shown = list(lines)
    more = [f"… and {len(shown) - _SHOWN} more"] if len(shown) > _SHOWN else []
    listed = [f"  {line}" for line in [*shown[:_SHOWN], *more]] or ["  none"]
    return AssertionError("\n".join([what, f"{title}:", *listed]))
