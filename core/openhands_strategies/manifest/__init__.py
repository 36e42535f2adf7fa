"""Knows a strategy from its files, without running anything of it."""

from __future__ import annotations

from openhands_strategies.manifest.dependencies import missing_requirements
from openhands_strategies.manifest.files import printable
from openhands_strategies.manifest.model import (
    COMPUTED,
    Capabilities,
    Finding,
    Hook,
    Manifest,
    McpServer,
    RemovedImport,
    SdkClass,
    Skill,
)
from openhands_strategies.manifest.plugin import PluginFiles, read_plugin
from openhands_strategies.manifest.reader import read_manifest

__all__ = [
    "COMPUTED",
    "Capabilities",
    "Finding",
    "Hook",
    "Manifest",
    "McpServer",
    "PluginFiles",
    "RemovedImport",
    "SdkClass",
    "Skill",
    "missing_requirements",
    "printable",
    "read_manifest",
    "read_plugin",
]
