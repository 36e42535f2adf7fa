"""What is known of a strategy without running it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from openhands_strategies.params import StrategyParam, param_json

COMPUTED: Final = "computed"
"""Stands where a value exists only once the code runs."""


@dataclass(frozen=True)
class Hook:
    """A hook's command; prompt and agent hooks have their prompt as command.

    Attributes:
        event: snake_case event, or "computed".
        matcher: Which tools it matches; "*" for all.
        command: As written, placeholders and all; "computed" when code makes it.
        file: Where it stands, relative to the tree.
        type: `command`, `prompt` or `agent`.
    """

    event: str
    matcher: str
    command: str
    file: str
    type: str = "command"


@dataclass(frozen=True)
class McpServer:
    """An MCP server; `command` holds the whole command line, or `url` is set."""

    name: str
    file: str
    command: str | None = None
    url: str | None = None

    def to_json(self) -> dict[str, str]:
        entry = {"name": self.name, "file": self.file}
        if self.command is not None:
            entry["command"] = self.command
        if self.url is not None:
            entry["url"] = self.url
        return entry


@dataclass(frozen=True)
class Skill:
    """A skill; `commands` are shell commands that its text runs when it is rendered."""

    name: str
    description: str
    file: str
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Capabilities:
    """What a strategy brings along, as read from its files; each list is in file order.

    Attributes:
        tools: Tool names; "default tools" for the SDK's preset, "computed" when some
            exist only once the code runs.
        agents: Names of sub-agents; "computed" as for tools.
        dependencies: Requirements (PEP 508).
    """

    hooks: tuple[Hook, ...] = ()
    mcp: tuple[McpServer, ...] = ()
    tools: tuple[str, ...] = ()
    skills: tuple[Skill, ...] = ()
    agents: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain lists and dictionaries, as `show --json` has them."""
        return {
            "hooks": [asdict(hook) for hook in self.hooks],
            "mcp": [server.to_json() for server in self.mcp],
            "tools": list(self.tools),
            "skills": [{**asdict(one), "commands": list(one.commands)} for one in self.skills],
            "agents": list(self.agents),
            "dependencies": list(self.dependencies),
        }


@dataclass(frozen=True)
class SdkClass:
    """A subclass of an SDK class whose subclasses' names are global to the process.

    Attributes:
        bases: The SDK's base classes it belongs to, for example `("CriticBase",)`.
        nested: Whether a function or class encloses it; the SDK refuses such classes
            inside functions.
    """

    name: str
    bases: tuple[str, ...]
    line: int
    file: str
    nested: bool = False


@dataclass(frozen=True)
class RemovedImport:
    """Something that the code uses and the SDK has removed, or never had there.

    Attributes:
        name: What is used, for example `openhands.tools.delegate.DelegateTool`.
        replacement: What to use instead, ready to follow "use".
    """

    name: str
    replacement: str
    line: int
    file: str


@dataclass(frozen=True)
class Finding:
    """Something that does not stop a run but is wrong; shown by `ohs check`."""

    code: str
    message: str
    hint: str = ""
    file: str = ""
    line: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Manifest:
    """One strategy, read from its files.

    Attributes:
        name: The class's name; None when it is computed.
        description: One line; None when it is computed.
        version: From plugin.json, else from pyproject.toml.
        params: Declared parameters; None when they are computed.
        attribute: Class or instance in the entry module; empty for a plugin directory
            without one.
        kind: Whether `attribute` is a class or an instance, or there is only a directory.
        line: Line of the definition in `file`; 0 for a directory.
        file: File of the definition, relative to the tree; the entry module, or one
            that it imports from. The plugin.json of a directory, if any.
        requirements: Requirements (PEP 508) of the tree or the file.
        sdk_classes: SDK subclasses in all files that the entry module reaches.
        removed_imports: Uses of what the SDK no longer has.
        findings: For `ohs check`.
        parts: Label to reference of each strategy that it is made of, "computed" for one
            that the code makes, with parts of such a one as `label.label`; None when the
            parts are computed.
        overlay: Whether it only adds to another strategy.
        replaces: What it says that it replaces in that one; None when that is computed.
    """

    name: str | None
    description: str | None
    version: str | None
    params: tuple[StrategyParam, ...] | None
    attribute: str
    kind: Literal["class", "instance", "directory"]
    line: int
    file: str
    capabilities: Capabilities = field(default_factory=Capabilities)
    requirements: tuple[str, ...] = ()
    sdk_classes: tuple[SdkClass, ...] = ()
    removed_imports: tuple[RemovedImport, ...] = ()
    findings: tuple[Finding, ...] = ()
    parts: Mapping[str, str] | None = field(default_factory=dict)
    overlay: bool = False
    replaces: tuple[str, ...] | None = ()

    def to_json(self) -> Mapping[str, Any]:
        """The manifest's share of a `list` or `show` entry."""
        return {
            "name": self.name,
            "description": self.description,
            "version": self.version,
            "params": COMPUTED
            if self.params is None
            else [param_json(param) for param in self.params],
            "attribute": self.attribute,
            "kind": self.kind,
            "file": self.file,
            "line": self.line,
            "capabilities": self.capabilities.to_json(),
            "requirements": list(self.requirements),
            "findings": [finding.to_json() for finding in self.findings],
            "parts": COMPUTED if self.parts is None else dict(self.parts),
            "overlay": self.overlay,
            "replaces": COMPUTED if self.replaces is None else list(self.replaces),
        }
