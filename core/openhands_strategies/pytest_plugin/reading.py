"""Read a finished run from its directory: what the SDK and the task tools wrote down.

The files are the same on all supported SDKs, and they hold the sub-agents' conversations too,
which the main conversation does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from openhands_strategies.pytest_plugin.seen import Delegation, HookRun, Role, ToolCall
from openhands_strategies.runtime.roles import MAIN
from openhands_strategies.runtime.table import SUBAGENTS_DIR, read_records
from openhands_strategies.testing.ledger import Served

_TASK = "task"
# The SDK adds these to the parameters of every tool.
_ADDED = frozenset({"security_risk", "summary"})


@dataclass(frozen=True)
class _Conversation:
    """One conversation: its role, its events, the requests that its models answered."""

    role: str
    state: str
    events: Sequence[Mapping[str, Any]]
    served: Sequence[Served]
    tasks: Mapping[str, _Conversation]


def read_run(
    directory: Path, status: str, served: Sequence[Served]
) -> tuple[tuple[Role, ...], tuple[Delegation, ...]]:
    """The roles and the delegations of a run.

    Args:
        directory: Of the main conversation.
        status: How the run ended.
        served: What the model's server answered.

    Returns:
        Roles, main first, in order of first start; delegations in order.
    """
    main = _read(directory, MAIN, status, {one.answer_id: one for one in served})
    roles: dict[str, Role] = {}
    for one in _all(main):
        role = roles.get(one.role, Role(one.role))
        roles[one.role] = replace(
            role,
            served=sorted((*role.served, *one.served), key=lambda request: request.started),
            tool_calls=(*role.tool_calls, *_tool_calls(one)),
            hooks=(*role.hooks, *_hooks(one)),
            states=(*role.states, one.state),
        )
    delegated = sorted(_delegations(main), key=lambda pair: pair[0])
    return tuple(roles.values()), tuple(one for _, one in delegated)


def _read(directory: Path, role: str, state: str, by_id: Mapping[str, Served]) -> _Conversation:
    below = directory / SUBAGENTS_DIR
    above = "" if role == MAIN else f"{role}/"
    tasks = {
        record.id: _read(
            below / record.conversation_id, f"{above}{record.role}", record.state, by_id
        )
        for record in sorted(read_records(below), key=lambda record: record.started)
    }
    found = {by_id[one].answer_id: by_id[one] for one in _answer_ids(directory) if one in by_id}
    return _Conversation(
        role=role,
        state=state,
        events=[_json(path) for path in sorted((directory / "events").glob("event-*.json"))],
        served=sorted(found.values(), key=lambda request: request.started),
        tasks=tasks,
    )


def _json(path: Path) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def _answer_ids(directory: Path) -> Iterator[str]:
    """Ids of the answers to a conversation's own models, its condenser's included."""
    state = directory / "base_state.json"
    if not state.is_file():
        return
    metrics = _json(state).get("stats", {}).get("usage_to_metrics", {})
    for usage_id, one in metrics.items():
        # What its tasks used is added to its own at their end.
        if not usage_id.startswith(f"{_TASK}:"):
            yield from (str(usage["response_id"]) for usage in one.get("token_usages") or ())


def _all(conversation: _Conversation) -> Iterator[_Conversation]:
    yield conversation
    for task in conversation.tasks.values():
        yield from _all(task)


def _actions(conversation: _Conversation) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each tool call's event, with the event of its result; that is empty where none came."""
    results = {
        one["tool_call_id"]: one
        for one in conversation.events
        if one.get("kind") in ("ObservationEvent", "AgentErrorEvent", "UserRejectObservation")
    }
    for one in conversation.events:
        if one.get("kind") == "ActionEvent":
            yield one, results.get(one["tool_call_id"], {})


def _tool_calls(conversation: _Conversation) -> Iterator[ToolCall]:
    for action, result in _actions(conversation):
        told, failed = _told(result)
        yield ToolCall(
            role=conversation.role,
            name=str(action["tool_name"]),
            arguments=_arguments(action),
            result=told,
            failed=failed,
        )


def _arguments(action: Mapping[str, Any]) -> dict[str, Any]:
    try:
        given = json.loads(action["tool_call"]["arguments"] or "{}")
    except ValueError:
        given = {}  # the SDK has refused the call, and says so in its result
    return {key: one for key, one in given.items() if key not in _ADDED}


def _told(result: Mapping[str, Any]) -> tuple[str, bool]:
    if result.get("kind") == "AgentErrorEvent":
        return str(result.get("error") or ""), True
    if result.get("kind") == "UserRejectObservation":
        return str(result.get("rejection_reason") or ""), True
    observation = result.get("observation") or {}
    parts = observation.get("content") or ()
    text = "\n".join(one["text"] for one in parts if isinstance(one.get("text"), str))
    return text, bool(observation.get("is_error"))


def _hooks(conversation: _Conversation) -> Iterator[HookRun]:
    for one in conversation.events:
        if one.get("kind") == "HookExecutionEvent":
            yield HookRun(
                role=conversation.role,
                event=str(one["hook_event_type"]),
                command=str(one["hook_command"]),
                tool=one.get("tool_name"),
                exit_code=int(one["exit_code"]),
                blocked=bool(one.get("blocked")),
                reason=str(one.get("reason") or ""),
                stdout=str(one.get("stdout") or ""),
                stderr=str(one.get("stderr") or ""),
            )


def _delegations(conversation: _Conversation) -> Iterator[tuple[str, Delegation]]:
    """Every delegation below a conversation, each with the time at which it was asked."""
    above = "" if conversation.role == MAIN else f"{conversation.role}/"
    for action, result in _actions(conversation):
        if action["tool_name"] != _TASK:
            continue
        arguments, observation = _arguments(action), result.get("observation") or {}
        task_id = str(observation.get("task_id") or "")
        task = conversation.tasks.get(task_id)
        alias = str(observation.get("subagent") or arguments.get("subagent_type") or "")
        begun, ended = _span(conversation, action, task)
        yield (
            str(action["timestamp"]),
            Delegation(
                asked_by=conversation.role,
                role=task.role if task else f"{above}{alias}",
                prompt=str(arguments.get("prompt") or ""),
                result=_told(result)[0],
                state=str(observation.get("status") or ""),
                task_id=task_id if task else "",
                started=begun,
                ended=ended,
            ),
        )
    for task in conversation.tasks.values():
        yield from _delegations(task)


def _span(
    parent: _Conversation, action: Mapping[str, Any], task: _Conversation | None
) -> tuple[float | None, float | None]:
    """When a task worked: a resumed one only what came of this call of the tool."""
    if task is None:
        return None, None
    asked = next(
        (one.ended for one in parent.served if one.answer_id == action.get("llm_response_id")), None
    )
    if asked is None:
        return None, None
    after = min((one.started for one in parent.served if one.started >= asked), default=None)
    own = [
        one
        for one in task.served
        if one.started >= asked and (after is None or one.started < after)
    ]
    if not own:
        return None, None
    return own[0].started, max(one.ended for one in own)
