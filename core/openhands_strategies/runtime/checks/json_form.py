"""The agent as JSON, and back: what a resumed run and a server start from."""

from __future__ import annotations

import json
from collections.abc import Iterator

from openhands_strategies.errors import describe
from openhands_strategies.manifest.checks import Problem, make
from openhands_strategies.runtime.checks.building import difference
from openhands_strategies.runtime.entries import Scope
from openhands_strategies.runtime.prepare import Prepared

_HINT = "keep in the agent only what is JSON: names, texts and numbers, no objects of your own"


def json_problems(prepared: Prepared, file: str, line: int) -> Iterator[Problem]:
    """The agent and the scope of its task tool come back from JSON as they were."""
    agent = prepared.agent
    try:
        written = agent.model_dump_json()
        again = type(agent).model_validate_json(written).model_dump_json()
    # A stranger's classes: whatever they raise is the finding.
    except Exception as error:  # noqa: BLE001
        yield make("json_differs", f"the agent cannot be written as JSON and read again:"
                   f" {describe(error)}", _HINT, file, line)  # fmt: skip
        return
    where = difference(json.loads(written), json.loads(again))
    if where is not None:
        yield make("json_differs", f"the agent comes back from JSON with another {where}",
                   _HINT, file, line)  # fmt: skip
    try:
        same = Scope.model_validate_json(prepared.scope.model_dump_json()) == prepared.scope
    except ValueError as error:
        yield make("json_differs", f"the sub-agents cannot be written as JSON: {describe(error)}",
                   _HINT, file, line)  # fmt: skip
        return
    if not same:
        yield make("json_differs", "the sub-agents come back from JSON otherwise", _HINT,
                   file, line)  # fmt: skip
