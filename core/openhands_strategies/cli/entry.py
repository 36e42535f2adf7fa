"""One strategy as `list` and `show` tell of it: read from its files, never run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from openhands_strategies.errors import LoadError, StrategyError, describe
from openhands_strategies.manifest.model import Capabilities, Manifest
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.sources.source import Located


@dataclass(frozen=True)
class Entry:
    """A located strategy with its manifest, or with the reason why it has none.

    Attributes:
        located: Where it is.
        manifest: None when its files cannot be read.
        error: Why; None when they can.
    """

    located: Located
    manifest: Manifest | None
    error: StrategyError | None

    @property
    def name(self) -> str:
        """What users type; the class's name, or the file's, for a path."""
        own = self.manifest.name if self.manifest else None
        return self.located.name or own or self.located.reference

    @property
    def version(self) -> str | None:
        """The distribution's version, else what the files say."""
        own = self.manifest.version if self.manifest else None
        return getattr(self.located.source, "version", None) or own

    def to_json(self) -> dict[str, Any]:
        """The entry of `list --json`."""
        shared = dict(self.manifest.to_json()) if self.manifest else {}
        return {
            "name": self.name,
            "description": shared.get("description"),
            "version": self.version,
            "source": self.located.source.to_json(),
            "params": shared.get("params", []),
            # A path that the user typed, or what pip installed: trusted by that act.
            "trusted": self.located.source.type in ("path", "distribution"),
            "error": self.error.to_json() if self.error else None,
        }

    def to_full_json(self) -> dict[str, Any]:
        """The document of `show --json`, but for `shadows`."""
        shared = dict(self.manifest.to_json()) if self.manifest else {}
        entry = {**self.to_json(), "reference": self.located.reference}
        for key in ("attribute", "kind", "file", "line", "requirements", "findings"):
            entry[key] = shared.get(key)
        entry["capabilities"] = shared.get("capabilities") or Capabilities().to_json()
        return entry


def read_entry(located: Located) -> Entry:
    """Read a strategy's files; what is wrong with them becomes the entry's error."""
    try:
        manifest = read_manifest(located.root, located.module, located.attribute, located.name)
        return Entry(located, manifest, None)
    except StrategyError as error:
        return Entry(located, None, error)
    except OSError as error:
        problem = LoadError(
            "file_unreadable", f"{located.reference}: {describe(error)}", "check who may read it"
        )
        return Entry(located, None, problem)
