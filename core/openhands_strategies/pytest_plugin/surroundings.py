"""The environment in which a test runs strategies, and nothing of the user's beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from openhands_strategies.errors import UsageError
from openhands_strategies.project.home import Home

_RECORDED: Final = pytest.StashKey[bool]()
_TERMINALS: Final = ("subprocess", "auto")
_NO_TMUX: Final = "#!/bin/sh\n# Tests use the terminal that the SDK has without tmux.\nexit 127\n"


@dataclass(frozen=True)
class Surroundings:
    """Where a test's strategies run.

    Attributes:
        config: pytest's configuration.
        home: The test's own `OHS_HOME`.
        root: Directory that relative references start from: pytest's root directory.
        record: Replay file to write; None when nothing is recorded.
    """

    config: pytest.Config
    home: Home
    root: Path
    record: Path | None

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Mark the run that is recorded.

        Raises:
            UsageError: `record_twice` for a second one in this session.
        """
        if self.config.stash.get(_RECORDED, False):
            raise UsageError(
                "record_twice",
                f"--record-strategy {self.record} records one run, and this is a second one",
                "select one test, and let it run one strategy",
            )
        self.config.stash[_RECORDED] = True
        yield


def surround(
    config: pytest.Config, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> Surroundings:
    """Set the environment until the test ends.

    `HOME` stays: the SDK remembers it at import, and programs find their settings there.

    Args:
        config: pytest's configuration.
        directory: An empty directory.
        monkeypatch: Undoes everything.

    Raises:
        pytest.UsageError: An option that has no such value.
    """
    option = config.getoption("--record-strategy")
    record = None if option is None else (config.invocation_params.dir / option).absolute()
    if record is None:
        for name in [name for name in os.environ if name.startswith("LLM_")]:
            monkeypatch.delenv(name)
        # A script that fails must fail at once, not after minutes of retries.
        monkeypatch.setenv("LLM_NUM_RETRIES", "0")
    home = directory / "home"
    monkeypatch.setenv("OHS_HOME", str(home))
    monkeypatch.setenv("OHS_PLUGINS", "")
    _choose_distributions(config, monkeypatch)
    # Before the SDK is imported: no price map from the network, no banner.
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    monkeypatch.setenv("OPENHANDS_SUPPRESS_BANNER", "1")
    for name in ("NO_PROXY", "no_proxy"):
        known = [one for one in os.environ.get(name, "").split(",") if one.strip()]
        monkeypatch.setenv(name, ",".join([*known, "127.0.0.1", "localhost"]))
    _choose_terminal(config, directory, monkeypatch)
    return Surroundings(config, Home(home), config.rootpath, record)


def _choose_distributions(config: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = str(config.getini("strategies_installed")).strip()
    if chosen.lower() == "true":
        monkeypatch.delenv("OHS_DISTRIBUTIONS", raising=False)
    else:
        monkeypatch.setenv("OHS_DISTRIBUTIONS", "" if chosen.lower() == "false" else chosen)


def _choose_terminal(
    config: pytest.Config, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the SDK find no tmux: it then takes its other terminal, as on a machine without.

    The strategy stays as it is, and the choice reaches every role.
    """
    chosen = str(config.getini("strategies_terminal")).strip()
    if chosen not in _TERMINALS:
        raise pytest.UsageError(
            f"strategies_terminal is {chosen!r}, not one of: {', '.join(_TERMINALS)}"
        )
    if chosen == "subprocess":
        tmux = directory / "bin" / "tmux"
        tmux.parent.mkdir()
        tmux.write_text(_NO_TMUX)
        tmux.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmux.parent), prepend=os.pathsep)
