"""What a user is shown before they agree to run a tree."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.errors import LoadError, TrustError
from openhands_strategies.manifest.files import printable
from openhands_strategies.project.changes import (
    CapabilityLines,
    Difference,
    FileChanges,
    capability_difference,
    capability_lines,
    file_changes,
)
from openhands_strategies.project.home import Home
from openhands_strategies.project.trust_file import TrustedTree, read_trust
from openhands_strategies.sources.source import GitSource, Located, PathSource
from openhands_strategies.sources.store import get_tree

if TYPE_CHECKING:
    from openhands_strategies.manifest.model import Manifest

_COUNTED: Final = {"hooks": "hook", "mcp": "MCP server", "skills": "skill"}


@dataclass(frozen=True)
class TrustFacts:
    """What the user is shown before they agree; all of it was read, nothing was run.

    Attributes:
        name: The strategy's name.
        reference: What leads to it.
        source: `{type, …}` as in `--json`.
        tree: `sha256:<hex>` of the tree that would run.
        commit: Full commit id, for git.
        capabilities: What it can do, in full.
        last: The tree of the same source that the user agreed to last.
        difference: What it can do now and could not then, and the other way round.
        files: Files that differ from that tree; None when that is not in the store.
    """

    name: str
    reference: str
    source: dict[str, Any]
    tree: str
    commit: str | None = None
    capabilities: CapabilityLines = field(default_factory=dict)
    last: TrustedTree | None = None
    difference: Difference = field(default_factory=Difference)
    files: FileChanges | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists."""
        return {
            "name": self.name,
            "reference": self.reference,
            "source": self.source,
            "tree": self.tree,
            "commit": self.commit,
            "capabilities": {kind: list(found) for kind, found in self.capabilities.items()},
            "last": None if self.last is None else {
                "tree": self.last.tree, "commit": self.last.commit, "date": self.last.date},
            "difference": None if self.last is None else self.difference.to_json(),
            "files": None if self.files is None else self.files.to_json(),
        }  # fmt: skip


class NotTrusted(TrustError):
    """`not_trusted`: nobody has agreed to run this tree.

    Attributes:
        facts: What to show before asking.
    """

    def __init__(self, facts: TrustFacts) -> None:
        about = [
            f"{len(facts.capabilities[kind])} {word}{'s' * (len(facts.capabilities[kind]) > 1)}"
            for kind, word in _COUNTED.items()
            if facts.capabilities.get(kind)
        ]
        changed = "" if facts.last is None else " changed since you agreed to it and"
        commit = "" if facts.commit is None else f" at commit {facts.commit}"
        what = f", and it has {', '.join(about)}" if about else ""
        super().__init__(
            "not_trusted",
            f"strategy {facts.name!r} ({facts.reference}{commit}){changed} is not trusted{what}",
            f"look at it and agree: ohs trust {shlex.quote(facts.reference)}",
        )
        self.facts = facts


def trust_facts(located: Located, tree: str, manifest: Manifest | None, home: Home) -> TrustFacts:
    """Gather what the user should see before agreeing.

    Raises:
        FileError: `trust_file_invalid`.
    """
    record = record_of(located, tree, manifest)
    known = [one for one in read_trust(home).trees if one.place == record.place]
    last = known[-1] if known else None
    return TrustFacts(
        name=record.name,
        reference=located.name or located.reference,
        source=dict(located.source.to_json()),
        tree=tree,
        commit=record.commit,
        capabilities=record.capabilities,
        last=last,
        difference=Difference() if last is None
        else capability_difference(last.capabilities, record.capabilities),
        files=None if last is None else _files(last, located, home),
    )  # fmt: skip


def record_of(located: Located, tree: str, manifest: Manifest | None) -> TrustedTree:
    """The consent to a tree, without its date."""
    source = located.source
    name = (manifest.name if manifest else None) or located.name or located.reference
    record = TrustedTree(
        tree=tree,
        name=printable(located.name or name, 200),
        date="",
        capabilities=capability_lines(manifest.capabilities) if manifest else {},
    )
    if isinstance(source, GitSource):
        inside = source.subdirectory
        return replace(record, url=source.url, subdirectory=inside, commit=source.commit)
    if isinstance(source, PathSource):
        return replace(record, path=str(source.path))
    return record


def _files(last: TrustedTree, located: Located, home: Home) -> FileChanges | None:
    """What changed since a trusted tree; None when it cannot be told."""
    old = get_tree(home.store, last.tree)
    if old is None:
        return None
    try:
        return file_changes(old, located.root, located.only)
    except LoadError:
        return None  # beside the point here; `ohs store verify` names it
