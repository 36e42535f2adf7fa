"""`ohs check` in this process, on directories that a test writes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from check_corpus import lay_out
from openhands_strategies.cli.check import carrying_out
from openhands_strategies.cli.check.journal import Request
from openhands_strategies.cli.check.live import check_live
from openhands_strategies.cli.check.steps import Steps
from openhands_strategies.cli.main import main
from openhands_strategies.cli.sdk import import_sdk

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
def check_here(
    check: Check, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Check:
    """The same with the work of its child process done here: the SDK is imported once for all."""

    def here(request: Request, steps: Steps, place: object, *, seconds: float) -> None:
        import_sdk(debug=False)
        steps.foreign = (Exception, SystemExit)
        check_live(request.located, request.given, steps, tmp_path_factory.mktemp("check"))

    monkeypatch.setattr(carrying_out, "check_apart", here)
    return check


@pytest.fixture
def reviewer(tmp_path: Path) -> Path:
    """A directory in which nothing is wrong."""
    return lay_out(tmp_path / "reviewer", {})


@pytest.fixture
def ohs_home() -> Path:
    """This test's own OHS_HOME."""
    return Path(os.environ["OHS_HOME"])
