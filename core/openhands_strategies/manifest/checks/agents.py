"""Agents in Markdown: named once, described, with tools and skills that exist."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest.checks.places import line_of
from openhands_strategies.manifest.checks.problem import Problem, make
from openhands_strategies.manifest.checks.subject import Subject
from openhands_strategies.manifest.files import inside, read_text
from openhands_strategies.manifest.frontmatter import split_header
from openhands_strategies.manifest.plugin import AGENT_FOLDERS, markdown_files, read_skills
from openhands_strategies.manifest.sdk_names import FAMILY_OF, sdk_tool_name

_SETS: Final = frozenset({"browser_tool_set", "task_tool_set", "task"})
_ASKING: Final = ("always_confirm", "confirm_risky")


def problems(subject: Subject) -> Iterator[Problem]:
    if not subject.directory:
        return
    root = subject.root
    first: dict[str, str] = {}
    skills = {skill.name for skill in read_skills(root, subject.name)}
    known = _known_tools(subject)
    for file in markdown_files(root, AGENT_FOLDERS):
        if not inside(root, root / file):
            continue
        try:
            header, body = split_header(read_text(root, file), file)
        except LoadError as error:
            if error.code not in ("frontmatter_invalid", "file_encoding"):
                raise
            continue  # a finding of the manifest
        name = str(header.get("name") or PurePosixPath(file).stem)
        other = first.setdefault(name, file)
        if other != file:
            yield make("subagent_clash", f"{file} and {other} are both called {name!r}",
                       "rename one of them", file, line_of(root, file, "name:"))  # fmt: skip
        yield from _agent(name, header, body, file, subject)
        for tool in _texts(header.get("tools")):
            if known is not None and tool not in known:
                yield make("tool_unknown", f"the agent {name!r} has the tool {tool!r}, which the"
                           " SDK does not have", f"tools: {', '.join(sorted(known))}",
                           file, line_of(root, file, tool))  # fmt: skip
        for skill in _texts(header.get("skills")):
            if skill not in skills:
                yield make("agent_skill_unknown",
                           f"the agent {name!r} names the skill {skill!r}, which is not in skills/",
                           f"skills: {', '.join(sorted(skills)) or 'none'}",
                           file, line_of(root, file, skill))  # fmt: skip


def _agent(
    name: str, header: dict[str, Any], body: str, file: str, subject: Subject
) -> Iterator[Problem]:
    if not str(header.get("description") or "").strip():
        yield make("agent_description", f"the agent {name!r} has no description",
                   "write description: … in its header: the main agent chooses by it",
                   file)  # fmt: skip
    if not body.strip():
        yield make("agent_empty", f"the agent {name!r} has no instructions below its header",
                   "write its system prompt", file)  # fmt: skip
    if header.get("permission_mode") in _ASKING or header.get("profile_store_dir"):
        key = "permission_mode" if header.get("permission_mode") in _ASKING else "profile_store_dir"
        yield make("agent_unsupported", f"the agent {name!r} sets {key}, which cannot be honoured",
                   "leave it out", file, line_of(subject.root, file, key))  # fmt: skip


def _known_tools(subject: Subject) -> frozenset[str] | None:
    """Names of tools; None where the strategy's code may register others."""
    if any(base == "ToolDefinition" for one in _classes(subject) for base in one):
        return None
    names = {sdk_tool_name(one) for one, base in FAMILY_OF.items() if base == "ToolDefinition"}
    return frozenset({name for name in names if name} | _SETS)


def _classes(subject: Subject) -> list[tuple[str, ...]]:
    manifest = subject.manifest
    return [one.bases for one in manifest.sdk_classes] if manifest is not None else []


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [one.strip() for one in value.split(",") if one.strip()]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
