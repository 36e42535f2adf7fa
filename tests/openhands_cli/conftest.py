"""The real OpenHands CLI in a process of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openhands_strategies.testing import Script, ScriptedModel
from openhands_user import Cli, MakeCli, cli_version
from support import PRICES


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "openhands_cli: needs the OpenHands CLI")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that start the CLI need the environment that has it."""
    if cli_version() is not None:
        return
    missing = pytest.mark.skip(
        reason="needs the OpenHands CLI, which has an environment of its own:"
        " make test-openhands-cli"
    )
    for item in items:
        if item.get_closest_marker("openhands_cli") is not None:
            item.add_marker(missing)


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[MakeCli]:
    """`with cli(script) as c:` a user whose model answers from the script."""
    # Short: a path that tmux makes its socket in.
    home = Path(tempfile.mkdtemp(prefix="ohc"))
    workspace = tmp_path / "ws"
    workspace.mkdir()

    @contextmanager
    def make(script: Script) -> Iterator[Cli]:
        with ScriptedModel(script, prices=PRICES) as model:
            yield Cli(home, workspace, model)

    yield make
    shutil.rmtree(home, ignore_errors=True)
