"""What a conversation of the OpenHands CLI was started with, kept beside it as `run.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.errors import RunError, UsageError, describe
from openhands_strategies.runtime.json_file import write_json
from openhands_strategies.runtime.run_file import FILE, VERSION, RunFile

if TYPE_CHECKING:
    from openhands_strategies.sources.source import Located

STATE: Final = "base_state.json"
"""The SDK's own file: a conversation that has it was started before."""


def read_record(directory: Path) -> RunFile | None:
    """The record of a conversation; None when it was started without a strategy.

    Raises:
        RunError: `run_unreadable` when the file is not what we write.
    """
    path = directory / FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict) or data.get("version") != VERSION:
            raise ValueError(f"it is no run file of version {VERSION}")
        known = {name: data[name] for name in RunFile.__dataclass_fields__ if name in data}
        return RunFile(**known)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise RunError(
            "run_unreadable",
            f"{path} cannot be read: {describe(error)}",
            "start a new conversation",
        ) from error


def write_record(directory: Path, record: RunFile) -> None:
    write_json(directory / FILE, asdict(record))


def exists(directory: Path) -> bool:
    """Whether a conversation of any kind is kept there."""
    return (directory / STATE).is_file()


def check_same_strategy(record: RunFile, reference: str, located: Located) -> None:
    """Refuse to resume with another strategy, or with another commit of it.

    Args:
        record: What the conversation was started with.
        reference: What the user asks for now.
        located: Where that leads to.

    Raises:
        UsageError: `resume_conflict`.
    """
    was = record.strategy
    source = dict(located.source.to_json())
    place = ("type", "path", "url", "subdirectory", "name")
    same = all(source.get(key) == was["source"].get(key) for key in place)
    same = same and located.module == was["module"]
    if located.attribute is not None:
        same = same and located.attribute == was["attribute"]
    if not same:
        why = f"it was started with {record.reference}, not with {reference}"
        raise _conflict(record, "strategy", why, "--strategy")
    # Files of a path may change: what runs is what was loaded at the start.
    if source.get("commit") != was["source"].get("commit"):
        why = f"it was started with {was['source'].get('commit')}, {reference} is now"
        raise _conflict(record, "commit", f"{why} {source.get('commit')}", "--strategy")


def check_same_params(record: RunFile, given: Iterable[str], values: Mapping[str, Any]) -> None:
    """Refuse to resume with other parameters.

    Args:
        record: What the conversation was started with.
        given: Names of those that the user gives now.
        values: Validated parameters.

    Raises:
        UsageError: `resume_conflict`.
    """
    for name in given:
        was = record.params.get(name)
        if values[name] != was:
            shown = "without it" if was is None else f"with {name}={was}"
            raise _conflict(record, f"--param {name}", f"it was started {shown}", "--param")


def check_same_overlays(record: RunFile, overlays: Sequence[Located]) -> None:
    """Refuse to resume with other overlays; none given means those of the start.

    Raises:
        UsageError: `resume_conflict`.
    """
    if overlays and [one.reference for one in overlays] != record.overlays:
        was = " ".join(f"--with {one}" for one in record.overlays) or "none"
        raise _conflict(record, "--with", f"it was started with {was}", "--with")


def _conflict(record: RunFile, what: str, why: str, option: str) -> UsageError:
    return UsageError(
        "resume_conflict",
        f"conversation {record.conversation_id} cannot be resumed with another {what}: {why}",
        f"leave {option} out, or start a new conversation",
    )
