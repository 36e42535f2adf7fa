"""What resolving a reference yields: a source, and where its files are."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class PathSource:
    """A file or directory on this machine.

    Attributes:
        path: Absolute path of the `.py` file or of the directory.
    """

    type: ClassVar[str] = "path"
    path: Path

    def to_json(self) -> dict[str, str]:
        """`{type, path}` as it stands in `--json` and in `run.json`."""
        return {"type": self.type, "path": str(self.path)}

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class DistributionSource:
    """An installed distribution.

    Attributes:
        name: Name in its metadata, for example `openhands-strategy-fusion`.
        version: Version in its metadata.
        entry_point: The entry point's value, `package.module:Attribute`.
        files: POSIX paths relative to the tree's root, as the installer recorded them;
            empty for an editable install, whose directory is the tree.
    """

    type: ClassVar[str] = "distribution"
    name: str
    version: str
    entry_point: str
    files: tuple[str, ...] = field(default=(), repr=False, compare=False)

    def to_json(self) -> dict[str, str]:
        """`{type, name, version, entry_point}` as in `--json` and `run.json`."""
        return {
            "type": self.type,
            "name": self.name,
            "version": self.version,
            "entry_point": self.entry_point,
        }

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class GitSource:
    """A directory of a git repository at one commit.

    Attributes:
        url: Canonical URL without credentials.
        commit: Full commit id.
        subdirectory: Directory in the repository, POSIX; None means its root.
        requested: Revision that the commit was found for; None means the default branch.
    """

    type: ClassVar[str] = "git"
    url: str
    commit: str
    subdirectory: str | None = None
    requested: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """`{type, url, commit, subdirectory, requested_revision}`."""
        return {
            "type": self.type,
            "url": self.url,
            "commit": self.commit,
            "subdirectory": self.subdirectory,
            "requested_revision": self.requested,
        }

    def __str__(self) -> str:
        inside = "" if self.subdirectory is None else f"#subdirectory={self.subdirectory}"
        return f"git+{self.url}@{self.commit}{inside}"


Source = PathSource | DistributionSource | GitSource


@dataclass(frozen=True)
class Located:
    """A strategy whose files were found; nothing of it has run.

    Attributes:
        reference: Canonical text of the reference that leads here.
        source: Where it comes from.
        root: Absolute directory of its tree, links resolved.
        module: Entry file relative to `root`, POSIX: `strategy.py`; empty for a plugin
            directory without one, which is an overlay.
        attribute: Class or instance in the module; None means its only strategy. Of a
            plugin directory without a module, the directory's own name.
        import_name: Dotted module name of a distribution, None for a path.
        name: Entry point's name, None for a path.
        only: The one file of a single-file tree, None for a directory.
        typed: Whether the user typed the reference in this command. A path that merely
            stands in a file is not typed, and needs the user's trust.
        tree: `sha256:<hex>` where `root` is a tree of the store (git); None where it must
            still be computed.
    """

    reference: str
    source: Source
    root: Path
    module: str
    attribute: str | None = None
    import_name: str | None = None
    name: str | None = None
    only: tuple[str, ...] | None = None
    typed: bool = True
    tree: str | None = None

    @property
    def file(self) -> Path:
        """Absolute path of the entry module, or of a directory without one."""
        return self.root / self.module
