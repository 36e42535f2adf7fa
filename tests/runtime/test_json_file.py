"""JSON files that are read while others take bytes of them."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from openhands_strategies.runtime.json_file import read_json, write_json


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.json"
    write_json(path, {"a": "ä"})
    assert read_json(path) == {"a": "ä"}
    assert [one.name for one in path.parent.iterdir()] == ["file.json"]


def test_a_read_that_got_a_part_only_is_made_again(tmp_path: Path) -> None:
    """A pipe gives each reader what its writer says: nothing at first, half, then all."""
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def say() -> None:
        for text in ("", '{"a": ', '{"a": 1}'):
            with path.open("w") as pipe:
                pipe.write(text)
            time.sleep(0.3)  # the reader has closed it by then, and waits for the next writer

    writer = threading.Thread(target=say, daemon=True)
    writer.start()
    assert read_json(path) == {"a": 1}
    writer.join(5)


def test_what_is_no_json_stays_an_error(tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("{")
    with pytest.raises(ValueError, match="Expecting"):
        read_json(tmp_path / "broken")
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "missing")
