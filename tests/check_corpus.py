"""A strategy directory in which nothing is wrong, and everything that can be wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

STRATEGY: Final = '''\
"""An author whose work is read."""

from __future__ import annotations

from openhands_strategies import AgentSpec, Blueprint, Strategy, StrategyParam, SubAgent


class Reviewer(Strategy):
    """See the description."""

    name = "reviewer"
    description = "An author whose work is read by a reader"
    params = [
        StrategyParam(name="rounds", type="integer", default=2, minimum=1, maximum=9,
                      description="How often"),
        StrategyParam(name="style", choices=["calm", "bold"], default="calm",
                      description="How it writes"),
    ]

    def build(self, context):
        from openhands.sdk import Agent

        reader = SubAgent(
            description="Reads a change",
            agent=AgentSpec(tools=("grep",), suffix=f"Be {context.params['style']}."),
            rounds=context.params["rounds"],
        )
        return Blueprint(agent=Agent(llm=context.llm, tools=[]), subagents={"reader": reader})
'''

PYPROJECT: Final = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "openhands-strategy-reviewer"
version = "0.1.0"
requires-python = ">=3.12"
license = "MIT"
dependencies = ["openhands-strategies>=0.1"]

[project.entry-points."openhands.strategies"]
reviewer = "openhands_strategy_reviewer.strategy:Reviewer"

[tool.setuptools]
packages = ["openhands_strategy_reviewer"]
package-dir = { openhands_strategy_reviewer = "." }
include-package-data = false

[tool.setuptools.package-data]
openhands_strategy_reviewer = ["skills/**", "hooks/**", "agents/**", ".mcp.json", ".plugin/*"]
"""

HOOKS: Final = """\
{
  "hooks": {
    "PreToolUse": [
      {"matcher": "terminal", "hooks": [{"command": "${PLUGIN_ROOT}/hooks/guard.sh"}]}
    ]
  }
}
"""

SKILL: Final = "---\nname: reading\ndescription: How to read a change\n---\nRead it twice.\n"
AGENT: Final = "---\nname: helper\ndescription: Helps\ntools:\n  - terminal\n---\nYou help.\n"

GOOD: Final[Mapping[str, str]] = {
    "__init__.py": "",
    "strategy.py": STRATEGY,
    "pyproject.toml": PYPROJECT,
    "README.md": "# Reviewer\n",
    ".plugin/plugin.json": '{"name": "reviewer", "version": "0.1.0"}\n',
    "hooks/hooks.json": HOOKS,
    "hooks/guard.sh": "#!/bin/sh\nexit 0\n",
    "skills/reading/SKILL.md": SKILL,
    "agents/helper.md": AGENT,
}

Change = str | None
"""New content, or None for a file that is taken out."""


def lay_out(directory: Path, changes: Mapping[str, Change]) -> Path:
    """Write the good directory with some files changed; shell scripts are executable."""
    for file, text in {**GOOD, **changes}.items():
        if text is None:
            continue
        path = directory / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if path.suffix == ".sh":
            path.chmod(0o755)
    return directory


def code(old: str, new: str) -> dict[str, Change]:
    """The strategy with one passage changed."""
    assert old in STRATEGY, old
    return {"strategy.py": STRATEGY.replace(old, new, 1)}


def build(body: str, head: str = "") -> dict[str, Change]:
    """The strategy with another body of `build`, and more at its top level."""
    start = STRATEGY.index("        from openhands.sdk import Agent\n")
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    changed = STRATEGY[:start] + lines
    return {"strategy.py": changed.replace("\n\nclass Rev", f"\n{head}\n\nclass Rev", 1)}


def project(old: str, new: str) -> dict[str, Change]:
    """pyproject.toml with one passage changed."""
    assert old in PYPROJECT, old
    return {"pyproject.toml": PYPROJECT.replace(old, new, 1)}


def hook(command: str) -> dict[str, Change]:
    """hooks.json with another command."""
    return {"hooks/hooks.json": HOOKS.replace("${PLUGIN_ROOT}/hooks/guard.sh", command)}


def skill(header: str, body: str = "Read it twice.") -> dict[str, Change]:
    return {"skills/reading/SKILL.md": f"---\n{header}\n---\n{body}\n"}


def agent(header: str, body: str = "You help.") -> dict[str, Change]:
    return {"agents/helper.md": f"---\n{header}\n---\n{body}\n"}


def mcp(server: str) -> dict[str, Change]:
    return {".mcp.json": '{"mcpServers": {"one": ' + server + "}}\n"}


PARAM: Final = 'StrategyParam(name="style", choices=["calm", "bold"], default="calm",'
IMPORTS: Final = "from openhands_strategies import AgentSpec"
SDK_CLASS: Final = (
    "from openhands.sdk.critic import CriticBase\n\nclass {}(CriticBase):\n    pass\n"
)
TOKEN: Final = "ghp_" + "a1B2" * 9

# Name of the mistake to the files that make it, its code, and file and line where it stands.
STATIC: Final[Mapping[str, tuple[Mapping[str, Change], str, str]]] = {
    # the Python file
    "a colon is missing": (
        code("def build(self, context):", "def build(self, context)"),
        "syntax_error",
        "strategy.py:20",
    ),
    "a NUL byte": ({"strategy.py": STRATEGY + "\0"}, "file_encoding", "strategy.py:1"),
    "no class": ({"strategy.py": "X = 1\n"}, "no_strategy", "strategy.py:1"),
    "two classes": (
        {
            "strategy.py": STRATEGY
            + STRATEGY[STRATEGY.index("class ") :]
            .replace("Reviewer", "Second")
            .replace('"reviewer"', '"second"')
        },
        "several_strategies",
        "strategy.py:1",
    ),
    # name and description
    "a name with capitals": (code('"reviewer"', '"Reviewer_2"'), "name_form", "strategy.py:8"),
    "a name of another kind": (
        code('name = "reviewer"', "name = str('re') + 'viewer'"),
        "name_computed",
        "strategy.py:8",
    ),
    "a name with a bell": (code('"reviewer"', '"re\\aviewer"'), "name_invalid", "strategy.py:8"),
    "a name of the server": (code('"reviewer"', '"runs"'), "name_reserved", "strategy.py:8"),
    "no description": (
        code('    description = "An author whose work is read by a reader"\n', ""),
        "description_missing",
        "strategy.py:8",
    ),
    "a description of two lines": (
        code("whose work is read by", "whose\\nwork by"),
        "description_lines",
        "strategy.py:12",
    ),
    "a computed description": (
        code('description = "', 'description = str() + "'),
        "description_computed",
        "strategy.py:8",
    ),
    "a long description": (
        code('n = "An', 'n = "' + "An author " * 30 + "An"),
        "description_long",
        "strategy.py:12",
    ),
    "another name in plugin.json": (
        {".plugin/plugin.json": '{"name": "critic"}'},
        "name_mismatch",
        "strategy.py:8",
    ),
    "another name of the entry point": (
        project("reviewer = ", "critic = "),
        "name_mismatch",
        "pyproject.toml:13",
    ),
    "another version in plugin.json": (
        {".plugin/plugin.json": '{"name": "reviewer", "version": "9"}'},
        "version_mismatch",
        "pyproject.toml:1",
    ),
    # methods
    "no build": (code("def build(", "def make("), "build_missing", "strategy.py:8"),
    "build without context": (
        code("def build(self, context):\n", "def build(self):\n"),
        "method_signature",
        "strategy.py:20",
    ),
    "an asynchronous build": (
        code("def build(", "async def build("),
        "method_async",
        "strategy.py:20",
    ),
    "a constructor with arguments": (
        code("    def build(", "    def __init__(self, x):\n        pass\n\n    def build("),
        "method_signature",
        "strategy.py:20",
    ),
    # parameters
    "a parameter without a type": (
        code('type="integer"', 'type="int"'),
        "param_declaration",
        "strategy.py:14",
    ),
    "a default out of range": (
        code("default=2", "default=20"),
        "param_declaration",
        "strategy.py:14",
    ),
    "an unknown field": (
        code(PARAM, PARAM.replace("choices", "options")),
        "param_declaration",
        "strategy.py:16",
    ),
    "one parameter twice": (
        code('name="style"', 'name="rounds"'),
        "param_declaration",
        "strategy.py:8",
    ),
    "no description of a parameter": (
        code(',\n                      description="How often"', ""),
        "param_description",
        "strategy.py:14",
    ),
    "parameters from a function": (
        {
            "strategy.py": STRATEGY.replace("params = [", "params = list([").replace(
                "    ]\n\n    def", "    ])\n\n    def"
            )
        },
        "params_computed",
        "strategy.py:8",
    ),
    "an undeclared parameter": (
        code("context.params['style']", "context.params['mood']"),
        "param_undeclared",
        "strategy.py:25",
    ),
    "a parameter that nothing reads": (
        code("context.params['style']", "1"),
        "param_unused",
        "strategy.py:16",
    ),
    "a secret in clear": (
        code(PARAM, 'StrategyParam(name="api_token", description="x"),\n' + PARAM),
        "param_not_secret",
        "strategy.py:16",
    ),
    "one choice only": (code('["calm", "bold"]', '["calm"]'), "param_choices", "strategy.py:16"),
    "required with a default": (
        code('default="calm"', 'default="calm", required=True'),
        "param_required_default",
        "strategy.py:16",
    ),
    # imports and classes
    "a removed tool": (
        code(IMPORTS, "from openhands.tools.delegate import DelegateTool\n" + IMPORTS),
        "import_removed",
        "strategy.py:5",
    ),
    "a file that is not there": (
        code(IMPORTS, "from .texts import PROMPT\n" + IMPORTS),
        "import_missing",
        "strategy.py:5",
    ),
    "an own file as if installed": (
        {**code(IMPORTS, "import texts\n" + IMPORTS), "texts.py": ""},
        "import_own",
        "strategy.py:5",
    ),
    "an undeclared import": (
        code(IMPORTS, "import not_there_at_all\n" + IMPORTS),
        "import_undeclared",
        "strategy.py:5",
    ),
    "work at import": (
        code("\n\nclass Rev", "\nprint('hello')\n\nclass Rev"),
        "import_works",
        "strategy.py:7",
    ),
    "a class name of the SDK": (
        code("\n\nclass Rev", SDK_CLASS.format("PassCritic") + "\n\nclass Rev"),
        "class_name_taken",
        "strategy.py:8",
    ),
    "a common class name": (
        code("\n\nclass Rev", SDK_CLASS.format("MyCritic") + "\n\nclass Rev"),
        "class_name_common",
        "strategy.py:8",
    ),
    "a class in a function": (
        build(
            "from openhands.sdk.critic import CriticBase\nclass ReviewerCritic(CriticBase):\n"
            "    pass\nreturn ReviewerCritic()"
        ),
        "class_local",
        "strategy.py:23",
    ),
    "a key in the code": (code("How it writes", f"{TOKEN}"), "secret_literal", "strategy.py:17"),
    "computed tools": (
        code("tools=[]", "tools=list(context.tools())"),
        "tools_computed",
        "strategy.py:8",
    ),
    "computed sub-agents": (
        code('subagents={"reader": reader}', "subagents=self.agents(reader)"),
        "agents_computed",
        "strategy.py:8",
    ),
    # hooks
    "hooks that are no JSON": (
        {"hooks/hooks.json": "{\n  nothing\n"},
        "hooks_json_invalid",
        "hooks/hooks.json:2",
    ),
    "an unknown event": (
        {"hooks/hooks.json": HOOKS.replace("PreToolUse", "BeforeTool")},
        "hooks_json_invalid",
        "hooks/hooks.json:1",
    ),
    "a hook script that is missing": (
        hook("${PLUGIN_ROOT}/hooks/gard.sh"),
        "hook_missing",
        "hooks/hooks.json:4",
    ),
    "a script that is not executable": (
        {**hook("${PLUGIN_ROOT}/hooks/guard.py"), "hooks/guard.py": "#!/usr/bin/env python3\n"},
        "hook_not_executable",
        "hooks/guard.py:1",
    ),
    "a script without an interpreter": (
        {"hooks/guard.sh": "exit 0\n"},
        "hook_shebang",
        "hooks/guard.sh:1",
    ),
    "a relative script": (hook("./hooks/guard.sh"), "hook_relative", "hooks/hooks.json:4"),
    "a root without braces": (
        hook("$PLUGIN_ROOT/hooks/guard.sh"),
        "hook_root",
        "hooks/hooks.json:4",
    ),
    "a path of one's own": (hook("/home/me/guard.sh"), "hook_path", "hooks/hooks.json:4"),
    "a broken matcher": (
        {"hooks/hooks.json": HOOKS.replace('"terminal"', '"term(inal"')},
        "hook_matcher",
        "hooks/hooks.json:4",
    ),
    # MCP servers
    "a server of nothing": (mcp('{"args": []}'), "mcp_json_invalid", ".mcp.json:1"),
    "a server whose file is missing": (
        mcp('{"command": "${PLUGIN_ROOT}/server.py"}'),
        "mcp_command_missing",
        ".mcp.json:1",
    ),
    "a server in clear": (mcp('{"url": "http://example.org/mcp"}'), "mcp_url_plain", ".mcp.json:1"),
    "a URL of another kind": (mcp('{"url": "ftp://example.org"}'), "mcp_url", ".mcp.json:1"),
    "a program that nobody has": (
        mcp('{"command": "not-there-at-all"}'),
        "mcp_command_absent",
        ".mcp.json:1",
    ),
    "a key of a server": (
        mcp(f'{{"command": "sh", "env": {{"TOKEN": "{TOKEN}"}}}}'),
        "secret_literal",
        ".mcp.json:1",
    ),
    # skills
    "a header that is no YAML": (
        skill("name: [reading"),
        "frontmatter_invalid",
        "skills/reading/SKILL.md:1",
    ),
    "a header in TOML": (
        {"skills/reading/SKILL.md": "+++\nname = 'reading'\n+++\nText\n"},
        "frontmatter_format",
        "skills/reading/SKILL.md:1",
    ),
    "a skill of another name": (
        skill("name: writing\ndescription: x"),
        "skill_name_mismatch",
        "skills/reading/SKILL.md:2",
    ),
    "a skill with capitals": (
        {"skills/Reading/SKILL.md": SKILL.replace("name: reading", "name: Reading")},
        "skill_name_form",
        "skills/Reading/SKILL.md:2",
    ),
    "a skill without a description": (
        skill("name: reading"),
        "skill_description",
        "skills/reading/SKILL.md:1",
    ),
    "a skill with a long description": (
        skill(f"name: reading\ndescription: {'long ' * 300}"),
        "skill_description_long",
        "skills/reading/SKILL.md:3",
    ),
    "an empty skill": (
        skill("name: reading\ndescription: x", ""),
        "skill_empty",
        "skills/reading/SKILL.md:1",
    ),
    "a skill that runs a command": (
        skill("name: reading\ndescription: x", "See !`date`."),
        "skill_runs",
        "skills/reading/SKILL.md:5",
    ),
    "a directory without a skill": (
        {"skills/other/notes.txt": "x"},
        "skill_file_missing",
        "skills/other:1",
    ),
    "two skills of one name": (
        {"skills/other.md": SKILL},
        "skill_clash",
        "skills/reading/SKILL.md:2",
    ),
    # agents
    "an agent without a description": (
        agent("name: helper"),
        "agent_description",
        "agents/helper.md:1",
    ),
    "an agent without instructions": (
        agent("name: helper\ndescription: x", ""),
        "agent_empty",
        "agents/helper.md:1",
    ),
    "an unknown tool": (
        agent("name: helper\ndescription: x\ntools:\n  - hammer"),
        "tool_unknown",
        "agents/helper.md:5",
    ),
    "an unknown skill": (
        agent("name: helper\ndescription: x\nskills:\n  - cooking"),
        "agent_skill_unknown",
        "agents/helper.md:5",
    ),
    "two agents of one name": ({"agents/other.md": AGENT}, "subagent_clash", "agents/other.md:2"),
    "a policy of its own": (
        agent("name: helper\ndescription: x\npermission_mode: always_confirm"),
        "agent_unsupported",
        "agents/helper.md:4",
    ),
    # the package
    "plugin.json without a name": (
        {".plugin/plugin.json": "{}"},
        "plugin_json_invalid",
        ".plugin/plugin.json:1",
    ),
    "a broken pyproject": (
        project("[project]", "[project"),
        "pyproject_invalid",
        "pyproject.toml:5",
    ),
    "no entry point": (
        project('reviewer = "openhands_strategy_reviewer.strategy:Reviewer"', ""),
        "entry_point_missing",
        "pyproject.toml:5",
    ),
    "an entry point to nothing": (
        project("strategy:Reviewer", "main:Reviewer"),
        "entry_point_target",
        "pyproject.toml:13",
    ),
    "an entry point to no class": (
        project("strategy:Reviewer", "strategy:Reviever"),
        "entry_point_target",
        "pyproject.toml:13",
    ),
    "an entry point without a class": (
        project(".strategy:Reviewer", ".strategy"),
        "entry_point_invalid",
        "pyproject.toml:13",
    ),
    "no requirement": (
        project("openhands-strategies>=0.1", "openhands strategies"),
        "requirement_invalid",
        "pyproject.toml:10",
    ),
    "an open requirement": (
        project('>=0.1"]', '>=0.1", "pydantic"]'),
        "requirement_unpinned",
        "pyproject.toml:10",
    ),
    "an unmet requirement": (
        project('>=0.1"]', '>=0.1", "not-there-at-all>=3"]'),
        "requirement_unmet",
        "pyproject.toml:10",
    ),
    "computed dependencies": (
        project('dependencies = ["openhands-strategies>=0.1"]', 'dynamic = ["dependencies"]'),
        "dependencies_computed",
        "pyproject.toml:1",
    ),
    "a wheel without skills": (
        project('"skills/**", ', ""),
        "package_data_missing",
        "pyproject.toml:18",
    ),
    "a wheel without hooks": (
        project('"hooks/**", ', '"hooks/*.txt", '),
        "package_data_missing",
        "pyproject.toml:18",
    ),
    "no licence": (project('license = "MIT"\n', ""), "license_missing", "pyproject.toml:1"),
    "no README": ({"README.md": None}, "readme_missing", "pyproject.toml:1"),
    "no Python version": (
        project('requires-python = ">=3.12"\n', ""),
        "python_unbounded",
        "pyproject.toml:1",
    ),
    "no version": (project('version = "0.1.0"\n', ""), "version_missing", "pyproject.toml:1"),
}

# Found only once the code runs.
# Mistakes that end the process of whoever runs them, or keep it for ever.
ENDING: Final[Mapping[str, tuple[Mapping[str, Change], str]]] = {
    "build that ends the process": (build("import os; os._exit(0)"), "exit code 0"),
    "build that kills the process": (
        build("import os; os.kill(os.getpid(), 9)"),
        "ended by SIGKILL",
    ),
    # Not even when it is asked to end.
    "build that never returns": (
        build("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"),
        "no end within",
    ),
    "build that interrupts": (build("raise KeyboardInterrupt"), "KeyboardInterrupt"),
}
"""Mistake to what is changed, and words of its finding, `check_failed`."""

LIVE: Final[Mapping[str, tuple[Mapping[str, Change], str]]] = {
    "an import that fails": (code("\n\nclass Rev", "\nONE = 1 / 0\n\nclass Rev"), "import_failed"),
    "setup that fails": (
        code("    def build(", "    def setup(self):\n        1 / 0\n\n    def build("),
        "setup_failed",
    ),
    "build that fails": (build("return 1 / 0"), "build_failed"),
    "a number for a blueprint": (build("return 7"), "build_result"),
    "a tool that nobody registers": (
        {
            "strategy.py": STRATEGY.replace("import Agent\n", "import Agent, Tool\n").replace(
                "tools=[])", "tools=[Tool(name='hammer')])"
            )
        },
        "tool_unknown",
    ),
    "a tool's parameter that is no JSON": (
        {
            "strategy.py": STRATEGY.replace("import Agent\n", "import Agent, Tool\n").replace(
                "tools=[])", "tools=[Tool(name='terminal', params={'x': object()})])"
            )
        },
        "json_differs",
    ),
    "a parameter that a tool does not take": (
        {
            "strategy.py": STRATEGY.replace("import Agent\n", "import Agent, Tool\n").replace(
                "tools=[])", "tools=[Tool(name='terminal', params={'nonsense': 3})])"
            )
        },
        "run_failed",
    ),
    "build that leaves the program": (build("raise SystemExit(0)"), "build_failed"),
    "a value that build cannot bear": (
        code('rounds=context.params["rounds"]', 'rounds=9 // abs(context.params["rounds"] - 9)'),
        "params_generated",
    ),
    "a text that build cannot bear": (
        {
            "strategy.py": STRATEGY.replace(
                'choices=["calm", "bold"], default="calm"', 'default="calm"'
            ).replace("return Blueprint(", 'context.params["style"][0]\n        return Blueprint(')
        },
        "params_text",
    ),
    "random texts": (
        {
            "strategy.py": STRATEGY.replace('Reads a change"', 'Reads" + str(id(object()))')
            .replace("import Agent\n", "import Agent\n        import uuid\n")
            .replace("str(id(object()))", "uuid.uuid4().hex")
        },
        "plan_differs",
    ),
    "another name when it runs": (
        code(
            "    def build(", "    def setup(self):\n        self.name = 'other'\n\n    def build("
        ),
        "manifest_disagrees",
    ),
    "another parameter when it runs": (
        code(
            "    def build(",
            "    def setup(self):\n        self.params = self.params[:1]\n\n    def build(",
        ),
        "manifest_disagrees",
    ),
    "a tool that the files do not show": (
        {
            "strategy.py": STRATEGY.replace("import Agent\n", "import Agent, Tool as T\n").replace(
                "tools=[])", "**{'tools': [T(**{'name': 'gr' + 'ep'}), T(**{'name': 'glob'})]})"
            )
        },
        "manifest_disagrees",
    ),
    "a parameter of another kind": (
        {"strategy.py": STRATEGY.replace("params = [", "params = [7,")},
        "params_invalid",
    ),
    "a sub-agent that comes after nobody": (
        code("            rounds=", "            after=('writer',),\n            rounds="),
        "after_unknown",
    ),
    "a hook that stops every task": (
        {
            "hooks/guard.sh": "#!/bin/sh\necho never >&2; exit 2\n",
            "hooks/hooks.json": HOOKS.replace('"terminal"', '"task"'),
        },
        "subagent_failed",
    ),
    "a hook that lets nobody finish": (
        {
            "hooks/guard.sh": "#!/bin/sh\necho not yet >&2; exit 2\n",
            "hooks/hooks.json": HOOKS.replace("PreToolUse", "Stop").replace('"terminal"', '"*"'),
        },
        "run_gated",
    ),
}
