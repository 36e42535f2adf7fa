"""Editing a project file so that people's comments and order survive."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import TYPE_CHECKING

from openhands_strategies.errors import UsageError
from openhands_strategies.project.project_file import ProjectFile, read_project_file
from openhands_strategies.project.toml_file import FileError
from openhands_strategies.project.toml_text import line_of
from openhands_strategies.project.writing import editing, write_file
from openhands_strategies.sources.redacting import shown
from openhands_strategies.sources.reference import is_name

if TYPE_CHECKING:
    from tomlkit import TOMLDocument


def with_entry(project: ProjectFile, name: str, source: str) -> str:
    """The file's text with one more entry, or with another source for that name.

    Comments and order stay.

    Raises:
        FileError: `project_file_edit` when the file is written in a way that cannot be
            edited.
    """

    def change(document: TOMLDocument) -> None:
        import tomlkit

        entry = tomlkit.table()
        entry["source"] = source
        if "strategies" not in document:
            document["strategies"] = tomlkit.table(is_super_table=True)
        strategies = document["strategies"]
        if name in strategies:
            strategies[name]["source"] = source
        else:
            strategies[name] = entry

    wanted = {**_sources(project), name: source}
    return _edited(project, change, wanted)


def without_entry(project: ProjectFile, name: str) -> str:
    """The file's text without one entry; empty when nothing is left to say.

    Raises:
        FileError: `project_file_edit`, as for `with_entry`.
    """

    def change(document: TOMLDocument) -> None:
        del document["strategies"][name]
        if not document["strategies"]:
            del document["strategies"]

    wanted = _sources(project)
    del wanted[name]
    # tomlkit counts comments before the next table to the one that goes: try lines first.
    text = _without_lines(project, name)
    if not _says(text, wanted):
        text = _edited(project, change, wanted)
    return text if text.strip() else ""


def add_entry(project: ProjectFile, name: str, source: str) -> ProjectFile:
    """Write one entry into the file and return what it is then.

    The file is read again while nobody else writes it, so that no edit is lost.

    Raises:
        UsageError: `name_taken` when the name stands for another source.
        FileError: `project_file_invalid` or `project_file_edit`.
        LoadError: `file_busy` or `file_write`.
    """
    with editing(project.path.parent, tidy=not project.user):
        project = read_project_file(project.path, user=project.user)
        check_free(project, name, source)
        write_file(project.path, with_entry(project, name, source))
        return read_project_file(project.path, user=project.user)


def remove_entry(project: ProjectFile, name: str) -> ProjectFile:
    """Take one entry out of the file; a file that has nothing left is removed.

    Raises:
        UsageError: `entry_unknown`.
        FileError: `project_file_invalid` or `project_file_edit`.
        LoadError: `file_busy` or `file_write`.
    """
    with editing(project.path.parent, tidy=not project.user):
        project = read_project_file(project.path, user=project.user)
        if name not in project.entries:
            raise entry_unknown(project, name)
        write_file(project.path, without_entry(project, name) or None)
        return read_project_file(project.path, user=project.user)


def check_free(project: ProjectFile, name: str, source: str) -> None:
    """Refuse a name that stands for another source.

    Raises:
        UsageError: `name_taken`, or `name_invalid` when it is not kebab-case.
    """
    if not is_name(name):
        raise UsageError(
            "name_invalid",
            f"{shown(name)!r} is no strategy name",
            "names are kebab-case: --as my-name",
        )
    known = project.entries.get(name)
    if known is not None and known.source != source:
        raise UsageError(
            "name_taken",
            f"{known.file}:{known.line}: the name {name!r} stands for {shown(known.source)}",
            f"choose another with --as, or ohs remove {name}",
        )


def entry_unknown(project: ProjectFile, name: str) -> UsageError:
    """The error `entry_unknown`: a name that the file does not have."""
    names = ", ".join(sorted(project.entries)) or "none"
    return UsageError(
        "entry_unknown", f"{project.path} has no {shown(name)!r}", f"its entries: {names}"
    )


def _sources(project: ProjectFile) -> dict[str, str]:
    return {entry.name: entry.source for entry in project.entries.values()}


def _without_lines(project: ProjectFile, name: str) -> str:
    """The text without the lines from the entry's header to its source."""
    lines = project.text.split("\n")
    first = line_of(project.text, ["strategies", name]) - 1
    last = line_of(project.text, ["strategies", name, "source"])
    rest = lines[last:]
    if (first == 0 or not lines[first - 1].strip()) and rest and not rest[0].strip():
        del rest[0]
    return "\n".join([*lines[:first], *rest])


def _says(text: str, wanted: dict[str, str]) -> bool:
    try:
        found = tomllib.loads(text)
    except ValueError:
        return False
    expected = {name: {"source": one} for name, one in wanted.items()}
    return bool(found.get("strategies", {}) == expected)


def _edited(
    project: ProjectFile, change: Callable[[TOMLDocument], None], wanted: dict[str, str]
) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    windows = "\r\n" in project.text
    try:
        document = tomlkit.parse(project.text.replace("\r\n", "\n"))
        change(document)
        text = tomlkit.dumps(document)
    except (TOMLKitError, ValueError, TypeError, KeyError) as error:
        raise _cannot_edit(project) from error
    # What comes out is compared with what was asked for: nothing else may change.
    if not _says(text, wanted):
        raise _cannot_edit(project)
    return text.replace("\n", "\r\n") if windows else text


def _cannot_edit(project: ProjectFile) -> FileError:
    return FileError(
        "project_file_edit",
        f"{project.path} is written in a way that cannot be edited here",
        "edit it yourself: [strategies.NAME] and below it source = …",
        file=project.path,
    )
