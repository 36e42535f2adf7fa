"""`run.json`: what a run was started with, so that it can be resumed as it was.

It stands in the run's directory beside the SDK's own files and never holds a key.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from openhands_strategies.errors import RunError, UsageError, describe
from openhands_strategies.project.home import Home
from openhands_strategies.runtime.json_file import read_json, write_json

FILE: Final = "run.json"
VERSION: Final = 1


@dataclass(frozen=True)
class RunFile:
    """One run.

    Attributes:
        conversation_id: 32 hex digits; also the directory's name.
        reference: What the user typed.
        strategy: The origin as JSON (name, source, commit, tree, …).
        params: Validated parameters.
        overlays: References that were layered on top.
        workspace: Absolute path.
        model: Main model; None when a profile was used.
        base_url: Of the main model, without any user part.
        profile: LLM profile of the main agent.
        prices: Model to (input, output) dollars for a million tokens.
        confirmation: `never`, `risky` or `always`.
        max_budget: Dollars that the user allowed for the whole fleet.
        status: `running`, `finished`, `failed`, `limit` or `interrupted`.
        created: Unix time of the first start.
        sdk: Version of openhands-sdk.
        version: Format of this file.
    """

    conversation_id: str
    reference: str
    strategy: dict[str, Any]
    params: dict[str, Any]
    workspace: str
    model: str | None = None
    base_url: str | None = None
    profile: str | None = None
    prices: dict[str, list[float]] = field(default_factory=dict)
    overlays: list[str] = field(default_factory=list)
    confirmation: str | None = None
    max_budget: float | None = None
    status: str = "running"
    created: float = 0.0
    sdk: str = ""
    version: int = VERSION


def conversation_key(text: str) -> str | None:
    """The hex form of a conversation id, or None when the text is no id."""
    try:
        return UUID(text).hex
    except ValueError:
        return None


def write_run(home: Home, run: RunFile) -> None:
    write_json(home.runs / run.conversation_id / FILE, asdict(run))


def read_run(home: Home, conversation_id: str) -> RunFile:
    """Read a run by its id, with or without dashes.

    Raises:
        UsageError: `run_unknown`.
        RunError: `run_unreadable` when the file is not what we write.
    """
    key = conversation_key(conversation_id)
    path = home.runs / (key or "-") / FILE
    if key is None or not path.is_file():
        raise UsageError(
            "run_unknown",
            f"there is no run {conversation_id!r}",
            f"runs are kept in {home.runs}",
        )
    try:
        data = read_json(path)
        if not isinstance(data, dict) or data.get("version") != VERSION:
            raise ValueError(f"it is no run file of version {VERSION}")
        known = {name: data[name] for name in RunFile.__dataclass_fields__ if name in data}
        return RunFile(**known)
    except (OSError, ValueError, TypeError) as error:
        raise RunError(
            "run_unreadable", f"{path} cannot be read: {describe(error)}", "start a new run"
        ) from error


def plain_url(url: str | None) -> str | None:
    """A base URL as it may be written down; one with a user part is not."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return None if parts.username or parts.password or parts.query else url
