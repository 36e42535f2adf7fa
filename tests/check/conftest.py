"""`ohs check` in this process, on directories that a test writes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from check_corpus import lay_out
from openhands_strategies.cli.main import main

Check = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Check:
    """Run `ohs check --json` and return its exit code and document."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        with pytest.raises(SystemExit) as ended:
            main(["check", "--json", *arguments])
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        assert isinstance(ended.value.code, int)
        return ended.value.code, json.loads(out)

    return run


@pytest.fixture
def reviewer(tmp_path: Path) -> Path:
    """A directory in which nothing is wrong."""
    return lay_out(tmp_path / "reviewer", {})


@pytest.fixture
def ohs_home() -> Path:
    """This test's own OHS_HOME."""
    return Path(os.environ["OHS_HOME"])
