"""What a strategy needs to be installed, and what of it is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest.files import exists, parse_toml, printable, read_text

OURSELVES: Final = "openhands-strategies"
_PYPROJECT: Final = "pyproject.toml"
_MAX_REQUIREMENTS: Final = 200


@dataclass(frozen=True)
class ProjectFile:
    """What pyproject.toml says of the project.

    Attributes:
        name: `project.name`; None when there is no such file or no name.
        version: `project.version`; None when it is dynamic.
        requirements: `project.dependencies`.
        dynamic: Whether the build computes the dependencies.
    """

    name: str | None = None
    version: str | None = None
    requirements: tuple[str, ...] = ()
    dynamic: bool = False


def read_project(root: Path) -> ProjectFile:
    """Read pyproject.toml, if there is one.

    Raises:
        LoadError: `pyproject_invalid`, or a code of `read_text`.
    """
    if not exists(root, _PYPROJECT):
        return ProjectFile()
    data = parse_toml(read_text(root, _PYPROJECT), _PYPROJECT, "pyproject_invalid")
    project = data.get("project", {})
    if not isinstance(project, dict):
        raise _wrong("pyproject_invalid", _PYPROJECT, "project is no table")
    name, version = project.get("name"), project.get("version")
    dynamic = project.get("dynamic", [])
    return ProjectFile(
        printable(name) if isinstance(name, str) else None,
        printable(version) if isinstance(version, str) else None,
        _texts(project, "dependencies", _PYPROJECT, "pyproject_invalid"),
        isinstance(dynamic, list) and "dependencies" in dynamic,
    )


def script_requirements(source: str, file: str) -> tuple[str, ...]:
    """Requirements of inline script metadata (PEP 723); empty when there is none.

    Raises:
        LoadError: `script_metadata_invalid`: two such blocks, or no TOML in it.
    """
    blocks = _script_blocks(source.splitlines())
    if len(blocks) > 1:
        raise _wrong("script_metadata_invalid", file, "it has two `# /// script` blocks")
    if not blocks:
        return ()
    data = parse_toml(blocks[0], f"the script block of {file}", "script_metadata_invalid")
    return _texts(data, "dependencies", file, "script_metadata_invalid")


def missing_requirements(
    requirements: Iterable[str], installed: Callable[[str], str | None] | None = None
) -> list[str]:
    """Return the requirements that this environment does not meet, in their order.

    Extras are not looked into; of a requirement with a URL only the name is. This
    package itself counts as installed, also where it runs from its sources.

    Args:
        requirements: Requirements (PEP 508); those whose marker excludes this
            environment are skipped.
        installed: Distribution name to its version, None when it is not installed; by
            default looks into this environment.

    Raises:
        LoadError: `requirement_invalid`.
    """
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name
    from packaging.version import InvalidVersion

    look_up = installed or _installed_version
    missing: list[str] = []
    for text in requirements:
        try:
            requirement = Requirement(text)
        except (InvalidRequirement, RecursionError) as error:
            raise LoadError(
                "requirement_invalid",
                f"{printable(text, 100)!r} is no requirement",
                'write it as in "httpx>=0.27"',
            ) from error
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = look_up(requirement.name)
        if version is None:
            if canonicalize_name(requirement.name) != OURSELVES:
                missing.append(text)
            continue
        try:
            fits = requirement.specifier.contains(version, prereleases=True)
        except InvalidVersion:
            fits = not requirement.specifier
        if not fits:
            missing.append(text)
    return missing


def _installed_version(name: str) -> str | None:
    from importlib_metadata import PackageNotFoundError, version

    try:
        # A broken installation has metadata without a version.
        found: str | None = version(name)
    except (PackageNotFoundError, KeyError):
        return None
    return found


def _script_blocks(lines: list[str]) -> list[str]:
    """The contents of all `# /// script` blocks; a line at a time, so in linear time."""
    blocks: list[str] = []
    number = 0
    while number < len(lines):
        if lines[number].rstrip() != "# /// script":
            number += 1
            continue
        end, closing = number + 1, 0
        while end < len(lines) and (lines[end] == "#" or lines[end].startswith("# ")):
            # The last such line of the comment closes the block.
            closing = end if lines[end].rstrip() == "# ///" else closing
            end += 1
        if closing:
            content = lines[number + 1 : closing]
            blocks.append("\n".join(line[2:] for line in content))
        number = end
    return blocks


def _texts(table: dict[str, Any], key: str, file: str, code: str) -> tuple[str, ...]:
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise _wrong(code, file, f"{key} is no list of texts")
    if len(values) > _MAX_REQUIREMENTS:
        raise _wrong(code, file, f"more than {_MAX_REQUIREMENTS} {key}")
    return tuple(printable(one) for one in values)


def _wrong(code: str, file: str, what: str) -> LoadError:
    return LoadError(code, f"{file}: {what}", "correct the file")
