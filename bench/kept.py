"""What a process keeps: sizes of the SDK's tables, modules and objects.

Imported by a server as `--import-modules kept`, with a file named in KEPT, it writes them
there each time that the server gets SIGUSR1.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from pathlib import Path


def kept() -> dict[str, int]:
    """Sizes by name; all but `objects` must not grow with what was started or built."""
    from openhands.sdk.subagent.registry import get_registered_agent_definitions
    from openhands.sdk.tool.registry import list_registered_tools

    gc.collect()
    return {
        "agents": len(get_registered_agent_definitions()),
        "tools": len(list_registered_tools()),
        "modules": len(sys.modules),
        "objects": len(gc.get_objects()),
    }


def grown(before: dict[str, int], after: dict[str, int]) -> list[str]:
    """Names of what must not grow and did."""
    return [name for name in before if name != "objects" and after[name] > before[name]]


def _write_on_signal(path: Path) -> None:
    def write(number: int, frame: object) -> None:
        new = path.with_suffix(".new")
        new.write_text(json.dumps(kept()))
        new.replace(path)

    signal.signal(signal.SIGUSR1, write)


if "KEPT" in os.environ:
    _write_on_signal(Path(os.environ["KEPT"]))
