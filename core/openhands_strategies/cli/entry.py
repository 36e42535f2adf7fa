"""One strategy as `list` and `show` tell of it: read from its files, never run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from openhands_strategies.cli.text import printable
from openhands_strategies.errors import LoadError, StrategyError, describe
from openhands_strategies.manifest.model import Capabilities, Manifest
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.project.indexes import IndexSource
from openhands_strategies.project.trust import is_trusted
from openhands_strategies.project.trust_file import TrustFile
from openhands_strategies.sources.source import GitSource, Located, PathSource, Source
from openhands_strategies.sources.tree import hash_tree, tree_files

_FULL: Final = (
    "attribute",
    "kind",
    "file",
    "line",
    "requirements",
    "findings",
    "parts",
    "replaces",
)


@dataclass(frozen=True)
class Entry:
    """A located strategy with its manifest, or with the reason why it has none.

    Attributes:
        located: Where it is.
        manifest: None when its files cannot be read.
        error: Why; None when they can.
        consents: All consents, where many entries are read; None reads them anew.
    """

    located: Located
    manifest: Manifest | None
    error: StrategyError | None
    consents: TrustFile | None = None

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

    @property
    def trusted(self) -> bool:
        """Whether it may run; what cannot be read, or whose consent cannot be, may not."""
        try:
            # Where the hash decides nothing (typed, added, installed) no file is read.
            if is_trusted(self.located, self.located.tree or "", consents=self.consents):
                return True
            if not isinstance(self.located.source, PathSource):
                return False
            root, only = self.located.root, self.located.only
            tree = hash_tree(root, tree_files(root, only))
            return is_trusted(self.located, tree, consents=self.consents)
        except (StrategyError, OSError):
            return False

    def to_json(self) -> dict[str, Any]:
        """The entry of `list --json`."""
        shared = dict(self.manifest.to_json()) if self.manifest else {}
        return {
            "name": self.name,
            "description": shared.get("description"),
            "version": self.version,
            "source": self.located.source.to_json(),
            "params": shared.get("params", []),
            "overlay": shared.get("overlay", False),
            "trusted": self.trusted,
            "error": self.error.to_json() if self.error else None,
        }

    def to_full_json(self) -> dict[str, Any]:
        """The document of `show --json`, but for `shadows`."""
        shared = dict(self.manifest.to_json()) if self.manifest else {}
        entry = {**self.to_json(), "reference": self.located.reference}
        for key in _FULL:
            entry[key] = shared.get(key)
        entry["capabilities"] = shared.get("capabilities") or Capabilities().to_json()
        return entry


def source_text(source: Source | IndexSource, limit: int = 2000) -> str:
    """A source for people, on one line; of a commit id the digits that one quotes.

    Args:
        source: The source.
        limit: Characters that may be shown; of a longer git source, the URL is cut.
    """
    if not isinstance(source, GitSource):
        return printable(str(source), limit)
    url = f"git+{source.url}"
    rest = str(replace(source, commit=source.commit[:12])).removeprefix(url)
    return printable(url, max(limit - len(rest), 20)) + printable(rest, limit)


def read_entry(located: Located, consents: TrustFile | None = None) -> Entry:
    """Read a strategy's files; what is wrong with them becomes the entry's error."""
    try:
        manifest = read_manifest(located.root, located.module, located.attribute, located.name)
        return Entry(located, manifest, None, consents)
    except StrategyError as error:
        return Entry(located, None, error, consents)
    except OSError as error:
        problem = LoadError(
            "file_unreadable", f"{located.reference}: {describe(error)}", "check who may read it"
        )
        return Entry(located, None, problem, consents)
