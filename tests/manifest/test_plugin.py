"""Plugin directories of both formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import frontmatter
import pytest

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest import Hook, McpServer, Skill, read_manifest, read_plugin
from openhands_strategies.manifest.frontmatter import split_header
from openhands_strategies.manifest.plugin import AGENT_PLUGINS_SCHEMA, skill_files
from openhands_strategies.manifest.shapes import hooks_of

type Write = Callable[[dict[str, str | bytes]], Path]

ONE = "class One:\n    name = 'one'\n    def build(self, context): ...\n"


def agent_plugin(**more: object) -> str:
    return json.dumps({"$schema": AGENT_PLUGINS_SCHEMA, "name": "one", **more})


def test_a_directory_without_plugin_files_is_fine(write: Write) -> None:
    manifest = read_manifest(write({"strategy.py": ONE}), "strategy.py")

    assert manifest.version is None
    assert manifest.findings == ()
    assert manifest.capabilities.skills == ()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("plugin.json", agent_plugin(version="1.2")),
        (".plugin/plugin.json", '{"name": "one", "version": "1.2", "author": "me"}'),
        (".claude-plugin/plugin.json", '{"name": "one", "version": "1.2"}'),
        ("plugin.json", '{"name": "one", "version": "1.2"}'),
    ],
)
def test_metadata_of_each_format(write: Write, file: str, content: str) -> None:
    root = write({"strategy.py": ONE, file: content})

    plugin = read_plugin(root)

    assert (plugin.metadata_file, plugin.name, plugin.version) == (file, "one", "1.2")
    assert read_manifest(root, "strategy.py").version == "1.2"


def test_the_format_with_a_schema_comes_before_the_others(write: Write) -> None:
    nested = '{"name": "nested"}'
    both = write({"plugin.json": agent_plugin(), ".plugin/plugin.json": nested})
    assert read_plugin(both).name == "one"

    foreign = write({"plugin.json": '{"tool": 1}', ".plugin/plugin.json": nested})
    assert read_plugin(foreign).name == "nested"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("plugin.json", '{"$schema": "https://example.org/2.0", "name": "one"}'),
        ("plugin.json", '{"version": "1"}'),
        (".plugin/plugin.json", '{"name": 3}'),
        (".plugin/plugin.json", '{"name": "one", "version": 1}'),
    ],
)
def test_metadata_that_the_sdk_refuses_is_an_error(write: Write, file: str, content: str) -> None:
    with pytest.raises(LoadError) as caught:
        read_plugin(write({file: content}))

    assert caught.value.code == "plugin_json_invalid"
    assert file in caught.value.message


def test_skills_of_every_layout(write: Write) -> None:
    root = write(
        {
            "skills/folded/SKILL.md": "---\nname: Folded\ndescription: >-\n  two\n  lines\n---\nx",
            "skills/lower/skill.md": "no header",
            "skills/flat.md": '---\nname: flat-name\ndescription: "Use it: now"\n---\n',
            "skills/README.md": "no skill",
            "skills/empty/notes.md": "no skill",
            "skills/folded/references/more.md": "---\nname: resource\n---\n",
        }
    )
    assert read_plugin(root).skills == (
        Skill("flat-name", "Use it: now", "skills/flat.md"),
        Skill("Folded", "two lines", "skills/folded/SKILL.md"),
        Skill("lower", "", "skills/lower/skill.md"),
    )


def test_a_single_skill_at_the_root(write: Write) -> None:
    root = write({"SKILL.md": "---\nname: solo\ndescription: alone\n---\n"})

    assert read_plugin(root).skills == (Skill("solo", "alone", "SKILL.md"),)


@pytest.mark.parametrize("file", ["SKILL.md", "skill.md", "Skill.MD"])
def test_a_skill_at_the_root_is_found_as_it_is_loaded(write: Write, file: str) -> None:
    root = write({file: "no header, but !`touch it`"})

    assert list(skill_files(root)) == [file]
    assert read_plugin(root, "lone").skills == (Skill("lone", "", file, ("touch it",)),)


def test_commands_that_a_skill_runs_are_shown(write: Write) -> None:
    text = "Run !`git status` now.\n```\n!`not this`\n```\n`nor this` \\!`nor that` !`date`\n"
    root = write({"skills/s.md": text})

    assert read_plugin(root).skills[0].commands == ("git status", "date")


@pytest.mark.parametrize(
    "data",
    [
        {"PreToolUse": [{"matcher": "terminal", "hooks": [{"command": "a"}]}]},
        {"pre_tool_use": [{"matcher": "terminal", "hooks": [{"type": "command", "command": "a"}]}]},
        {"hooks": {"PreToolUse": [{"matcher": "terminal", "hooks": [{"command": "a"}]}]}},
    ],
)
def test_hooks_in_all_spellings(write: Write, data: object) -> None:
    root = write({"hooks/hooks.json": json.dumps(data), "strategy.py": ONE})

    assert read_manifest(root, "strategy.py").capabilities.hooks == (
        Hook("pre_tool_use", "terminal", "a", "hooks/hooks.json"),
    )


def test_every_event_and_type_of_hook() -> None:
    data = {
        "stop": [{"hooks": [{"type": "prompt", "prompt": "done?"}]}],
        "SessionStart": [{"matcher": "", "hooks": [{"type": "agent", "system_prompt": "look"}]}],
        "session_end": [],
        "user_prompt_submit": [{"matcher": "x|y"}],
        "PostToolUse": [{"hooks": [{"command": "a"}, {"command": "b"}]}],
    }
    assert hooks_of(data, "f") == (
        Hook("stop", "*", "done?", "f", "prompt"),
        Hook("session_start", "*", "look", "f", "agent"),
        Hook("post_tool_use", "*", "a", "f"),
        Hook("post_tool_use", "*", "b", "f"),
    )


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ({"hooks": []}, "no object of events"),
        ({"BeforeTool": []}, "'BeforeTool' is no event"),
        ({"stop": {}}, "stop holds no list"),
        ({"stop": [], "Stop": []}, "twice"),
        ({"stop": ["x"]}, "matcher"),
        ({"stop": [{"matcher": 3}]}, "matcher"),
        ({"stop": [{"hooks": [{"type": "shell", "command": "x"}]}]}, "unknown type"),
        ({"stop": [{"hooks": [{"type": "command"}]}]}, "without its command"),
        ({"stop": [{"hooks": [{"command": ["x"]}]}]}, "without its command"),
        ({"stop": [{"hooks": [{"command": "x"}] * 600}]}, "more than"),
    ],
)
def test_hooks_that_the_sdk_would_drop_are_errors(data: object, part: str) -> None:
    with pytest.raises(LoadError) as caught:
        hooks_of(data, "hooks/hooks.json")

    assert caught.value.code == "hooks_json_invalid"
    assert part in caught.value.message


def test_agents_with_their_hooks_and_servers(write: Write) -> None:
    header = (
        "---\nname: checker\nhooks:\n  stop:\n    - hooks:\n        - command: sh check.sh\n"
        "mcp_config:\n  files:\n    command: mcp\n    args: [a, b]\n---\nYou check.\n"
    )
    root = write({"agents/a.md": header, "agents/plain.md": "x", "agents/README.md": "x"})

    plugin = read_plugin(root)

    assert plugin.agents == ("checker", "plain")
    assert plugin.hooks == (Hook("stop", "*", "sh check.sh", "agents/a.md"),)
    assert plugin.mcp == (McpServer("files", "agents/a.md", command="mcp a b"),)


def test_the_places_of_agent_plugins(write: Write) -> None:
    root = write(
        {
            "plugin.json": agent_plugin(),
            "dev.openhands/hooks/hooks.json": '{"stop": [{"hooks": [{"command": "a"}]}]}',
            "dev.openhands/agents/b.md": "x",
            "mcp.json": '{"$schema": "x", "mcpServers": {"web": {"url": "https://example.org"}}}',
        }
    )
    plugin = read_plugin(root)

    assert [hook.file for hook in plugin.hooks] == ["dev.openhands/hooks/hooks.json"]
    assert plugin.agents == ("b",)
    assert plugin.mcp == (McpServer("web", "mcp.json", url="https://example.org"),)


def test_mcp_servers_of_the_directory_and_of_skills(write: Write) -> None:
    root = write(
        {
            ".mcp.json": '{"mcpServers": {"a": {"command": "run", "args": ["--all", "x y"]}}}',
            "skills/s/SKILL.md": "x",
            "skills/s/.mcp.json": '{"mcpServers": {"b": {"url": "https://example.org"}}}',
        }
    )
    assert [server.to_json() for server in read_plugin(root).mcp] == [
        {"name": "a", "file": ".mcp.json", "command": "run --all 'x y'"},
        {"name": "b", "file": "skills/s/.mcp.json", "url": "https://example.org"},
    ]


@pytest.mark.parametrize("servers", ["[]", '{"a": 1}', '{"a": {}}', '{"a": {"command": ""}}'])
def test_broken_servers_are_errors(write: Write, servers: str) -> None:
    with pytest.raises(LoadError) as caught:
        read_plugin(write({".mcp.json": f'{{"mcpServers": {servers}}}'}))

    assert caught.value.code == "mcp_json_invalid"


def test_a_header_that_is_no_yaml_is_a_finding(write: Write) -> None:
    root = write({"skills/bad.md": "---\nname: [\n---\n", "skills/latin.md": b"\xe9", "a": ""})

    plugin = read_plugin(root)

    assert plugin.skills == ()
    assert [(one.code, one.file) for one in plugin.findings] == [
        ("frontmatter_invalid", "skills/bad.md"),
        ("file_encoding", "skills/latin.md"),
    ]


@pytest.mark.parametrize("header", ['{\n"name": "x"\n}\n', "+++\nname = 'x'\n+++\n"])
def test_headers_of_other_formats_are_refused(write: Write, header: str) -> None:
    with pytest.raises(LoadError) as caught:
        read_plugin(write({"agents/a.md": header}))

    assert caught.value.code == "frontmatter_format"


@pytest.mark.parametrize(
    ("text", "header", "body"),
    [
        ("plain", {}, "plain"),
        ("---\nname: a\n", {}, "---\nname: a\n"),
        ("---\nname: a b\n---\nbody\n", {"name": "a b"}, "body"),
        ("---\nname: 'it''s'\n---\n", {"name": "it's"}, ""),
        ('---\nname: "a: b"\n---\n', {"name": "a: b"}, ""),
        ("---\nname: on # no\n---\n", {"name": "on"}, ""),
        ("----\nversion: 1.0\nflag: true\n----\n", {"version": "1.0", "flag": "true"}, ""),
        ("---\nlist: [a, 1]\n---\n", {"list": ["a", "1"]}, ""),
        ("---\n- a\n---\n", {}, ""),
        ("---\ntag: !!python/name:os.system x\n---\n", {"tag": "x"}, ""),
    ],
)
def test_headers(text: str, header: dict[str, object], body: str) -> None:
    assert split_header(text, "f.md") == (header, body)


_HOOKS = "hooks: {stop: [{hooks: [{command: evil}]}]}"


@pytest.mark.parametrize(
    "text",
    [
        f"---\nname: a\n{_HOOKS}\n---\nbody",
        f"---\rname: a\r{_HOOKS}\r---\rbody",
        f"---\n<<: {{{_HOOKS}}}\n---\nbody",
        f"---\n!!merge any: {{{_HOOKS}}}\n---\nbody",
        f"---\nx: &x {{{_HOOKS}}}\n<<: [*x]\n---\nbody",
        f"---\n? hooks\n: {_HOOKS.removeprefix('hooks: ')}\n---\nbody",
        '{\n"hooks": {"stop": []}\n}\nbody',
        '}\n"hooks": {"stop": []}\n}\nbody',
    ],
)
def test_what_the_sdk_finds_in_a_header_is_shown_or_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "agent.md"
    file.write_bytes(text.encode())
    with file.open(encoding="utf-8") as stream:
        assert "hooks" in frontmatter.load(stream).metadata  # as the SDK reads it

    try:
        header, _ = split_header(text, "agent.md")
    except LoadError as error:
        assert error.code == "frontmatter_format"  # noqa: PT017
    else:
        assert "hooks" in header


def test_the_servers_of_every_sdk_are_shown(write: Write) -> None:
    header = "mcp_config: {one: {command: a}}\nmcp_servers: {two: {command: b}}"
    root = write({"agents/helper.md": f"---\n{header}\n---\nHelp."})

    assert [one.name for one in read_plugin(root).mcp] == ["one", "two"]


def test_names_and_versions_that_disagree_are_findings(write: Write) -> None:
    root = write(
        {
            "strategy.py": ONE,
            ".plugin/plugin.json": '{"name": "two", "version": "1"}',
            "pyproject.toml": '[project]\nname = "openhands-strategy-three"\nversion = "2"\n',
        }
    )
    manifest = read_manifest(root, "strategy.py", name="four")

    assert [finding.code for finding in manifest.findings] == ["name_mismatch"] * 3 + [
        "version_mismatch"
    ]
    assert "'one', .plugin/plugin.json says 'two'" in manifest.findings[0].message
    assert manifest.version == "1"


def test_names_that_agree_are_no_finding(write: Write) -> None:
    root = write(
        {
            "strategy.py": ONE,
            "plugin.json": agent_plugin(version="1"),
            "pyproject.toml": '[project]\nname = "openhands_strategy_one"\nversion = "1"\n',
        }
    )
    assert read_manifest(root, "strategy.py", name="one").findings == ()


def test_a_single_file_does_not_own_what_lies_beside_it(write: Write) -> None:
    root = write(
        {
            "one.py": ONE,
            "strategy.py": ONE,
            "plugin.json": "{",
            "pyproject.toml": '[project]\nname = "x"\ndependencies = ["no-such-thing"]\n',
        }
    )
    assert read_manifest(root, "one.py").requirements == ()
    assert read_manifest(root, "strategy.py", directory=False).requirements == ()
    with pytest.raises(LoadError):
        read_manifest(root, "one.py", directory=True)
