"""All checks that only read files, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest.checks import (
    agents,
    code,
    computed,
    hooks,
    identity,
    imports,
    methods,
    parameters,
    project,
    published,
    secrets,
    servers,
    skills,
)
from openhands_strategies.manifest.checks.problem import Problem, of_error, of_finding
from openhands_strategies.manifest.checks.subject import Subject
from openhands_strategies.manifest.files import exists
from openhands_strategies.manifest.model import Manifest
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.manifest.recognise import Candidate, choose, text_of
from openhands_strategies.manifest.source import Tree

Check = Callable[[Subject], Iterator[Problem]]

_OF_CODE: Final[tuple[Check, ...]] = (
    identity.problems,
    parameters.problems,
    methods.problems,
    imports.problems,
    code.problems,
    computed.problems,
)
_OF_FILES: Final[tuple[Check, ...]] = (
    skills.problems,
    agents.problems,
    hooks.problems,
    servers.problems,
    secrets.problems,
)
_OF_PACKAGE: Final[tuple[Check, ...]] = (project.problems, published.problems)
_DIRECTORY_MODULES: Final = ("strategy.py", "__init__.py")


def static_problems(
    root: Path, module: str, attribute: str | None = None, name: str | None = None
) -> list[Problem]:
    """Find what is wrong with a strategy without running it.

    Args:
        root: Directory of the tree.
        module: Entry file in it; empty for a plugin directory without one.
        attribute: Class or instance, where one was named; of a directory its own name.
        name: What an entry point or an index calls it.

    Returns:
        Everything found, by file and line. What keeps one check from going on is a problem
        itself and does not keep the others from it.
    """
    found: list[Problem] = []
    manifest: Manifest | None = None
    try:
        manifest = read_manifest(root, module, attribute, name)
    except LoadError as error:
        found.append(of_error(error, root, module))
    subject = _subject(root, module, attribute, name, manifest, found)
    file, line = subject.place
    if manifest is not None:
        place = file or manifest.file
        found.extend(of_finding(finding, place, line) for finding in manifest.findings)
    for check in _checks(subject):
        try:
            found.extend(check(subject))
        except LoadError as error:
            found.append(of_error(error, root, module))
    return sorted(_unique(found), key=lambda one: (one.file, one.line, one.code))


def _checks(subject: Subject) -> Iterator[Check]:
    if subject.module:
        yield from _OF_CODE
    yield from _OF_FILES
    if subject.directory:
        yield from _OF_PACKAGE


def _subject(
    root: Path,
    module: str,
    attribute: str | None,
    name: str | None,
    manifest: Manifest | None,
    found: list[Problem],
) -> Subject:
    tree = Tree(root)
    subject = Subject(root, module, not module, tree, None, manifest, name)
    if not module:
        return replace(subject, name=manifest.name if manifest is not None else attribute)
    # As `read_manifest` decides it.
    own = Path(module).name in _DIRECTORY_MODULES or exists(root, "__init__.py")
    candidate: Candidate | None = None
    known = name
    try:
        candidate = choose(tree, tree.scope(module), attribute, name)
        known = text_of(tree, candidate, "name") or name
    except LoadError as error:
        found.append(of_error(error, root, module))
    return replace(subject, directory=own, candidate=candidate, name=known)


def _unique(found: list[Problem]) -> list[Problem]:
    """One problem for what two checks have met: the first one that was found."""
    seen: dict[tuple[str, str, int], Problem] = {}
    texts: set[tuple[str, str, int, str]] = set()
    kept: list[Problem] = []
    for one in found:
        key = (one.code, one.file, one.line)
        first = seen.setdefault(key, one)
        same_text = (*key, one.message) in texts
        # The reader's message names the strategy first; the check's own does not.
        if first is one or not (same_text or first.message.endswith(one.message)):
            kept.append(one)
        texts.add((*key, one.message))
    return kept
