"""Reads the manifest of one strategy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest.capabilities import agents_in, hooks_in, servers_in, tools_in
from openhands_strategies.manifest.classes import attribute as class_attribute
from openhands_strategies.manifest.compositions import shape_of
from openhands_strategies.manifest.dependencies import (
    ProjectFile,
    read_project,
    script_requirements,
)
from openhands_strategies.manifest.directory import read_directory
from openhands_strategies.manifest.files import PYTHON_LIMIT, exists, printable, read_bytes
from openhands_strategies.manifest.literals import Computed, check_unique
from openhands_strategies.manifest.model import Capabilities, Finding, Manifest
from openhands_strategies.manifest.plugin import PluginFiles, read_plugin
from openhands_strategies.manifest.recognise import Candidate, choose, text_of
from openhands_strategies.manifest.removed import removed_imports
from openhands_strategies.manifest.sdk_classes import local_class_findings, sdk_classes
from openhands_strategies.manifest.source import Tree
from openhands_strategies.manifest.syntax import decode
from openhands_strategies.params import StrategyParam

_DIRECTORY_MODULES: Final = ("strategy.py", "__init__.py")
_KEBAB: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MAX_NAME: Final = 100
_DISTRIBUTION_PREFIX: Final = "openhands-strategy-"


def read_manifest(
    root: Path,
    module: str,
    attribute: str | None = None,
    name: str | None = None,
    *,
    directory: bool | None = None,
) -> Manifest:
    """Read what the files say of a strategy; nothing of it is imported or run.

    Args:
        root: Directory of the tree.
        module: Entry file, relative to it, POSIX form; empty for a plugin directory
            without one.
        attribute: Class or instance that the user or an entry point named. For a plugin
            directory its own name, which counts where no plugin.json gives one.
        name: The name under which it is known, if any; decides between several
            classes and is compared with what the class says.
        directory: Whether `root` is the strategy's own, so that plugin files and
            pyproject.toml in it belong to it; by default, when the module is called
            strategy.py or `root` is a package.

    Raises:
        LoadError: `syntax_error`, `file_unreadable`, `file_encoding`, `file_too_large`,
            `too_many_files`, `link_outside`, `no_strategy`, `several_strategies`,
            `attribute_missing`, `name_invalid`, `param_declaration`, `class_name_taken`,
            `plugin_json_invalid`, `hooks_json_invalid`, `mcp_json_invalid`,
            `frontmatter_format`, `pyproject_invalid` or `script_metadata_invalid`.
    """
    try:
        if not module:
            return read_directory(root, attribute or name)
        return _read(root, module, attribute, name, directory)
    except LoadError as error:
        if name is None:
            raise
        raise LoadError(error.code, f"{printable(name)}: {error.message}", error.hint) from error


def _read(
    root: Path, module: str, attribute: str | None, name: str | None, directory: bool | None
) -> Manifest:
    tree = Tree(root)
    entry = tree.scope(module)
    candidate = choose(tree, entry, attribute, name)
    if directory is None:
        directory = Path(module).name in _DIRECTORY_MODULES or exists(root, "__init__.py")
    known = text_of(tree, candidate, "name")
    plugin = read_plugin(root, known or name) if directory else PluginFiles()
    project = read_project(root) if directory else ProjectFile()
    inline = script_requirements(decode(read_bytes(root, module, PYTHON_LIMIT), module), module)
    requirements = tuple(dict.fromkeys((*project.requirements, *inline)))
    scopes = tree.reachable(module)
    classes = sdk_classes(tree, scopes)
    where = f"{candidate.file or module}:{candidate.line}"
    if known is not None and (not known.isprintable() or len(known) > _MAX_NAME):
        raise LoadError(
            "name_invalid", f"{where}: name {printable(known, 60)!r} cannot be used", _NAME_HINT
        )
    description = text_of(tree, candidate, "description")
    shape = shape_of(tree, candidate.info, candidate.instance)
    return Manifest(
        name=known,
        description=None if description is None else printable(description),
        version=plugin.version or project.version,
        params=_params(tree, candidate, where),
        attribute=candidate.attribute,
        kind="class" if _is_class(candidate) else "instance",
        line=candidate.line,
        file=candidate.file or module,
        capabilities=Capabilities(
            hooks=plugin.hooks + hooks_in(tree, scopes),
            mcp=plugin.mcp + servers_in(tree, scopes),
            tools=tuple(dict.fromkeys((*plugin.tools, *tools_in(tree, scopes)))),
            skills=plugin.skills,
            agents=tuple(dict.fromkeys((*plugin.agents, *agents_in(tree, scopes)))),
            dependencies=requirements,
        ),
        requirements=requirements,
        sdk_classes=classes,
        removed_imports=removed_imports(scopes),
        findings=(
            *plugin.findings,
            *_disagreements(known, name, plugin, project),
            *_computed_dependencies(project),
            *local_class_findings(classes),
        ),
        parts=shape.parts,
        overlay=shape.overlay,
        replaces=shape.replaces,
    )


_NAME_HINT: Final = "a name is made of lower-case letters, digits and single hyphens"


def _is_class(candidate: Candidate) -> bool:
    if candidate.instance is not None:
        return False
    # Imported from another distribution: by convention, classes begin with a capital.
    return candidate.info is not None or candidate.attribute[:1].isupper()


def _params(tree: Tree, candidate: Candidate, where: str) -> tuple[StrategyParam, ...] | None:
    if candidate.instance is not None or candidate.info is None:
        return None
    try:
        found = class_attribute(tree, candidate.info, "params")
        if found is None:
            return ()
        reader, scope, node = found
        params = reader.params(scope, node)
    except Computed:
        return None
    check_unique(params, where)
    return params


def _disagreements(
    known: str | None, expected: str | None, plugin: PluginFiles, project: ProjectFile
) -> Iterator[Finding]:
    if known is None:
        return
    if not _KEBAB.fullmatch(known):
        yield Finding("name_form", f"the name {known!r} is not kebab-case", _NAME_HINT)
    published = (project.name or "").lower().replace("_", "-").replace(".", "-")
    others = [
        (plugin.metadata_file, plugin.name),
        ("pyproject.toml", published.removeprefix(_DISTRIBUTION_PREFIX) or None),
        ("the entry point or index", expected),
    ]
    for where, other in others:
        if other is not None and other != known:
            yield Finding(
                "name_mismatch",
                f"the class calls itself {known!r}, {where} says {printable(other, 100)!r}",
                "the class's name counts; change the other one",
            )
    if plugin.version and project.version and plugin.version != project.version:
        yield Finding(
            "version_mismatch",
            f"{plugin.metadata_file} says version {plugin.version},"
            f" pyproject.toml says {project.version}",
            "give both the same version",
        )


def _computed_dependencies(project: ProjectFile) -> Iterator[Finding]:
    if project.dynamic:
        yield Finding(
            "dependencies_computed",
            "the build computes the dependencies of pyproject.toml, so they are not checked",
            "write them as project.dependencies",
            "pyproject.toml",
        )
