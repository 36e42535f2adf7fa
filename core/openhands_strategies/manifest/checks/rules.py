"""What `ohs check` looks for: each code with its severity and what it means.

A code that is not listed is an error: it comes from reading, loading, building or running
the strategy, and says itself what it means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Rule:
    """A kind of finding.

    Attributes:
        severity: Errors make `ohs check` fail.
        help: What it means, for people who have never met it.
    """

    severity: Severity
    help: str


_ERRORS: Final = {
    # the files can be read
    "syntax_error": "The Python file cannot be parsed.",
    "file_encoding": "A file is not in the encoding that it declares; UTF-8 if it declares none.",
    "file_unreadable": "A file cannot be read, or is no regular file.",
    "file_too_large": "A file is larger than what is read of a stranger's files.",
    "file_name_invalid": "A file's name holds characters that do not print.",
    "too_many_files": "There are more files than are read of a stranger's tree.",
    "link_outside": "A link leads out of the strategy's directory; a copy of it would be broken.",
    "no_strategy": "The module has no class with a name and a method build or build_agent.",
    "several_strategies": "The module has several strategies and nothing says which one is meant.",
    "attribute_missing": "The module does not define what was named.",
    # the class
    "name_missing": "The class has no name.",
    "name_invalid": "The name cannot be used: too long, or with characters that do not print.",
    "name_form": "A name is made of lower-case letters, digits and single hyphens.",
    "name_mismatch": "The class, plugin.json, pyproject.toml and the entry point use one name.",
    "name_reserved": "The server has a path of this name.",
    "description_missing": "A strategy says in one line what it does.",
    "build_missing": "A strategy has a method build or build_agent.",
    "method_signature": "A method of the protocol cannot be called as it is called.",
    "method_async": "The methods of the protocol are ordinary functions.",
    "param_declaration": "A StrategyParam contradicts itself.",
    "param_undeclared": "The code reads a parameter that the strategy does not declare.",
    "import_removed": "The code uses something that the SDK has removed.",
    "import_missing": "A relative import leads to no file of the strategy.",
    "import_own": "A file beside the strategy is imported as if it were installed.",
    "class_name_taken": "SDK subclasses need names that are unique in the whole process.",
    "class_local": "The SDK refuses subclasses that are defined inside functions.",
    "secret_literal": "A key or password stands in the files.",
    # plugin files
    "plugin_json_invalid": "plugin.json is not what the SDK reads.",
    "hooks_json_invalid": "hooks.json is not what the SDK reads; it would drop all hooks.",
    "hook_missing": "A hook runs a file that does not exist.",
    "hook_not_executable": "A hook runs a file that is not executable.",
    "hook_shebang": "A hook runs a script whose first line names no interpreter.",
    "hook_relative": "Hooks run in the user's workspace, not in the strategy's directory.",
    "hook_root": "Only ${PLUGIN_ROOT}, with braces, is replaced by the strategy's directory.",
    "hook_path": "A hook names a path that exists on one machine only.",
    "hook_matcher": "A matcher that is no regular expression never matches.",
    "mcp_json_invalid": "The file of MCP servers is not what the SDK reads.",
    "mcp_command_missing": "An MCP server's command does not exist.",
    "mcp_url": "An MCP server's URL cannot be called.",
    "frontmatter_invalid": "The header of a Markdown file is no YAML.",
    "frontmatter_format": "The header of a Markdown file must be YAML.",
    "skill_file_missing": "A directory in skills/ holds no SKILL.md.",
    "skill_name_form": "A skill's name is kebab-case, at most 64 characters.",
    "skill_name_mismatch": "A skill is called as its directory is.",
    "skill_description_long": "A skill's description has at most 1024 characters.",
    "skill_clash": "Two skills have one name.",
    "subagent_clash": "Two agents have one name.",
    "tool_unknown": "An agent names a tool that nothing registers.",
    "agent_skill_unknown": "An agent names a skill that is not in skills/.",
    "agent_unsupported": "An agent sets a field that would be lost.",
    # the package
    "pyproject_invalid": "pyproject.toml cannot be read.",
    "script_metadata_invalid": "The script's metadata (PEP 723) cannot be read.",
    "requirement_invalid": "A requirement cannot be read.",
    "entry_point_invalid": "An entry point is not written as module:Attribute.",
    "entry_point_target": "An entry point leads to nothing.",
    "package_data_missing": "The wheel lacks files that the strategy needs.",
    "version_missing": "A distribution has a version.",
    # what happens when the code runs
    "import_failed": "The module raises an exception while it is imported.",
    "setup_failed": "setup() raises an exception.",
    "build_failed": "build raises an exception.",
    "build_result": "build returns neither a Blueprint nor an Agent.",
    "dependencies_missing": "A requirement is not installed here, so the code cannot be loaded.",
    "params_generated": "build fails with values that the parameters allow.",
    "plan_differs": "Two builds with the same parameters give different agents.",
    "json_differs": "The agent does not come back from JSON as it was; a run cannot be resumed.",
    "manifest_disagrees": "The code does what its files do not show; the trust prompt would lie.",
    "run_failed": "A run with a scripted model does not reach its end.",
    "subagent_failed": "A sub-agent does not finish a task from a scripted model.",
    "check_failed": "A check did not come to its end: the code broke it off, or never came back.",
}
_WARNINGS: Final = {
    "name_computed": "A name that is computed cannot be listed without running the code.",
    "description_computed": "A description that is computed cannot be listed.",
    "description_lines": "Lists show one line.",
    "params_computed": "Parameters that are computed have no form, no completion and no schema.",
    "param_description": "A parameter says in a few words what it changes.",
    "param_description_lines": "Lists show one line.",
    "param_not_secret": "A secret's value must be the name of an environment variable.",
    "param_required_default": "A required parameter is given by the user, so it has no default.",
    "param_choices": "Choices differ from each other, and there are at least two.",
    "params_text": "build fails with a text that a parameter allows.",
    "import_undeclared": "What is imported must be installed with the strategy.",
    "import_works": "A strategy does nothing when it is imported.",
    "class_name_common": "SDK subclasses need names that no other strategy will use.",
    "dependencies_computed": "Dependencies that the build computes cannot be checked.",
    "version_mismatch": "plugin.json and pyproject.toml give one version.",
    "hook_computed": "A hook that is computed cannot be shown before it is trusted.",
    "mcp_computed": "An MCP server that is computed cannot be shown before it is trusted.",
    "mcp_url_plain": "What an MCP server is told can be read on the way.",
    "skill_description": "Models choose skills by their descriptions.",
    "skill_empty": "A skill teaches something.",
    "agent_description": "The main agent chooses sub-agents by their descriptions.",
    "agent_empty": "A sub-agent needs instructions.",
    "entry_point_missing": "Without an entry point an installed strategy has no name.",
    "requirement_unpinned": "Any version of a requirement may be installed.",
    "requirement_unmet": "A requirement is not installed here.",
    "run_gated": "Hooks or reviewers of the strategy kept the scripted model from finishing.",
    "params_required": "Required parameters have no default, so values were made up.",
}
_NOTES: Final = {
    "description_long": "Lists cut a long description.",
    "param_unused": "A parameter that nothing reads changes nothing.",
    "tools_computed": "Tools that are computed cannot be shown before they are trusted.",
    "agents_computed": "Sub-agents that are computed cannot be shown before they are trusted.",
    "mcp_command_absent": "An MCP server's program is not on this machine.",
    "skill_runs": "A skill that runs commands runs them on the user's machine.",
    "license_missing": "Without a licence nobody may use it.",
    "readme_missing": "A README is the first thing that people look for.",
    "python_unbounded": "Installers then try every Python.",
    "params_untested": "There was no time to build with all generated values.",
}


def _rules() -> dict[str, Rule]:
    return {
        **{code: Rule("error", text) for code, text in _ERRORS.items()},
        **{code: Rule("warning", text) for code, text in _WARNINGS.items()},
        **{code: Rule("note", text) for code, text in _NOTES.items()},
    }


RULES: Final[Mapping[str, Rule]] = MappingProxyType(_rules())
"""Code to rule, in the order of the documentation."""
