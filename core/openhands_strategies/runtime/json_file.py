"""JSON files of ours: written whole, and read again when somebody else took a part of them."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any, Final

_TRIES: Final = 3
_PAUSE: Final = 0.05


def write_json(path: Path, data: Any) -> None:
    """Write a JSON file so that a reader sees the old or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1, ensure_ascii=False)
            file.write("\n")
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_json(path: Path) -> Any:
    """Read a file that `write_json` wrote.

    Where agents run, one look is not enough: a terminal of the SDK without tmux goes on
    reading the number of its closed descriptor for a moment, and takes bytes of the file
    that was opened under it.

    Raises:
        FileNotFoundError: It is not there.
        OSError: It cannot be read.
        ValueError: It holds no JSON, however often it is read.
    """
    for _ in range(_TRIES - 1):
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            time.sleep(_PAUSE)
    return json.loads(path.read_text(encoding="utf-8"))
