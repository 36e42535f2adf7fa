"""What `ohs trust` shows, in lines that a stranger's text cannot steer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from openhands_strategies.cli.text import aligned, printable
from openhands_strategies.manifest.files import DATA_LIMIT
from openhands_strategies.project.changes import KINDS, CapabilityLines, FileChanges
from openhands_strategies.project.trust_facts import TrustFacts
from openhands_strategies.project.trust_file import TrustedPath, TrustedTree

_WORDS: Final = {
    "hooks": "hook",
    "mcp": "MCP server",
    "tools": "tool",
    "skills": "skill",
    "agents": "sub-agent",
    "dependencies": "needs",
}
_FILES: Final = 40


def fact_lines(facts: TrustFacts, *, whatever_it_holds: bool = False) -> Iterator[str]:
    """Source, capabilities in full and what differs from the last trusted tree.

    Args:
        facts: What was read.
        whatever_it_holds: Consent is to a path, and not to its content.
    """
    yield printable(facts.name, 200)
    source = facts.source
    rows = [("source", str(source.get("url") or source.get("path") or source.get("type")))]
    rows += [("directory", str(source["subdirectory"]))] if source.get("subdirectory") else []
    rows += [("requested", str(source["requested_revision"]))
             ] if source.get("requested_revision") else []  # fmt: skip
    rows += [("commit", facts.commit)] if facts.commit else []
    rows += [("tree", facts.tree)]
    yield from aligned([(what, printable(text, 4000)) for what, text in rows], indent="  ")
    yield ""
    yield "what it brings" if facts.capabilities else "what it brings: nothing but its code"
    yield from _capability_lines(facts.capabilities, "  ")
    if facts.last is not None:
        yield ""
        yield from _difference_lines(facts)
    yield ""
    yield (
        "Its code runs with your rights. Consent is to this path, whatever it holds later."
        if whatever_it_holds
        else "Its code runs with your rights. Consent is to exactly this tree."
    )


def record_json(record: TrustedTree | TrustedPath) -> dict[str, Any]:
    """A consent as a document: `type` is `tree` or `path`."""
    if isinstance(record, TrustedPath):
        return {"type": "path", **asdict(record)}
    capabilities = {kind: list(found) for kind, found in record.capabilities.items()}
    return {
        "type": "tree",
        "tree": record.tree,
        "name": record.name,
        "date": record.date,
        "url": record.url,
        "subdirectory": record.subdirectory,
        "commit": record.commit,
        "path": record.path,
        "capabilities": capabilities,
    }


def record_lines(records: Sequence[TrustedTree | TrustedPath]) -> list[str]:
    """A table of consents."""
    return aligned([("NAME", "DATE", "COMMIT", "SOURCE"), *map(_row, records)])


def _row(record: TrustedTree | TrustedPath) -> tuple[str, str, str, str]:
    date = printable(record.date, 30)
    if isinstance(record, TrustedPath):
        what = " (may be fetched from)" if record.fetch else " (whatever it holds)"
        return "-", date, "-", printable(record.path, 4000) + what
    source = record.url or record.path or record.tree
    inside = f"#subdirectory={record.subdirectory}" if record.subdirectory else ""
    commit = (record.commit or "-")[:12]
    return (
        printable(record.name, 60),
        date,
        printable(commit, 12),
        printable(source + inside, 4000),
    )


def _capability_lines(lines: CapabilityLines, indent: str) -> list[str]:
    # Never cut: what is not shown is not agreed to.
    rows = [
        (_WORDS[kind], printable(text, DATA_LIMIT))
        for kind in KINDS
        for text in lines.get(kind, ())
    ]
    return aligned(rows, indent=indent)


def _difference_lines(facts: TrustFacts) -> Iterator[str]:
    last = facts.last
    if last is None:
        return
    commit = f" at commit {last.commit}" if last.commit else ""
    yield printable(f"changed since you agreed on {last.date}{commit}", 400)
    if facts.difference:
        yield from _capability_lines(facts.difference.added, "  + ")
        yield from _capability_lines(facts.difference.removed, "  - ")
    else:
        yield "  it brings what it brought then"
    if facts.files is None:
        yield "  which files differ cannot be told: that tree is no longer in the store"
    else:
        yield from _file_lines(facts.files)


def _file_lines(files: FileChanges) -> Iterator[str]:
    kinds = (("added", files.added), ("removed", files.removed), ("changed", files.changed))
    rows = [(f"file {what}", printable(path, 500)) for what, paths in kinds for path in paths]
    yield from aligned(rows[:_FILES], indent="  ")
    if len(rows) > _FILES:
        yield f"  … and {len(rows) - _FILES} files more, which are NOT shown"
