"""Where a user's strategies, runs and consents are kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The directory `OHS_HOME`; nothing in it need exist.

    Attributes:
        path: Absolute directory.
    """

    path: Path

    @property
    def store(self) -> Path:
        """Immutable copies of trees."""
        return self.path / "store"

    @property
    def runs(self) -> Path:
        """One directory for each run, named by its conversation."""
        return self.path / "runs"

    @property
    def trust_file(self) -> Path:
        """The user's recorded consents."""
        return self.path / "trust.toml"


def find_home(environ: Mapping[str, str] | None = None) -> Home:
    """Return the home that `OHS_HOME` names, `~/.openhands/strategies` by default.

    Args:
        environ: `os.environ` by default. A relative `OHS_HOME` starts from the current
            directory; an empty one counts as unset.
    """
    chosen = (os.environ if environ is None else environ).get("OHS_HOME", "").strip()
    return Home(Path(chosen or "~/.openhands/strategies").expanduser().absolute())
