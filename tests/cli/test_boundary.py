"""Errors at the edge of the process."""

from __future__ import annotations

import os

import pytest
from rich.console import Console

from openhands_strategies.cli.boundary import guarded
from openhands_strategies.cli.frame import Frame


def test_a_reader_that_has_gone_is_no_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    def print_much() -> int:
        with os.fdopen(writing, "w") as file:
            Console(file=file).print("x\n" * 20_000)
        return 0

    assert guarded(Frame(), [], print_much) == 1
    assert "error" not in capfd.readouterr().err


def test_foreign_code_that_ends_the_process(capfd: pytest.CaptureFixture[str]) -> None:
    def leave() -> int:
        raise SystemExit(3)

    assert guarded(Frame(), [], leave) == 1
    assert "unexpected SystemExit: 3" in capfd.readouterr().err
