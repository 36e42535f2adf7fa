"""`fleet.json`: what each role of a run has used, written after every model call.

The SDK writes a conversation's costs down only now and then. A process that is killed
must not forget dollars that were spent, so the fleet keeps its own account.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from openhands_strategies.errors import RunError, describe
from openhands_strategies.runtime.json_file import read_json, write_json
from openhands_strategies.runtime.roles import RoleView
from openhands_strategies.runtime.usage import Usage

FILE: Final = "fleet.json"


def write_views(directory: Path, views: Iterable[RoleView]) -> None:
    """Write a run's account into the directory of its main conversation."""
    write_json(directory / FILE, {"version": 1, "roles": [asdict(view) for view in views]})


def read_views(directory: Path) -> list[RoleView]:
    """Read a run's account; who was at work when it was written was interrupted.

    Raises:
        RunError: `fleet_unreadable` when the file is not what we write.
    """
    path = directory / FILE
    try:
        data = read_json(path)
        views = [
            RoleView(**{**role, "usage": tuple(Usage(**usage) for usage in role["usage"])})
            for role in data["roles"]
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(
            "fleet_unreadable", f"{path} cannot be read: {describe(error)}", "start a new run"
        ) from error
    return [replace(v, state="interrupted") if v.state == "working" else v for v in views]
