"""Strangers' files: each gives one clear error, soon, and no traceback of another kind."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest import read_manifest

type Write = Callable[[dict[str, str | bytes]], Path]

GOOD = "class One:\n    name = 'one'\n    def build(self, context): ...\n"


def code_of(root: Path, module: str = "strategy.py") -> str:
    with pytest.raises(LoadError) as caught:
        read_manifest(root, module)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 1000
    return caught.value.code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"def f(:\n", "syntax_error"),
        (b"class One:\nname = 1\n", "syntax_error"),
        (b"x = 1\n\0", "file_encoding"),
        (b"x = '\xff'\n", "file_encoding"),
        (b"# -*- coding: no-such -*-\n", "file_encoding"),
        (b"# -*- coding: hex -*-\n", "file_encoding"),
        (b"# -*- coding: ascii -*-\nx = '\xc3\xa9'\n", "file_encoding"),
        (b"x = " + b"(" * 5_000, "syntax_error"),
        (b"x = " + b"[" * 150 + b"]" * 150 + b"\n" + b"-" * 200_000 + b"1", "syntax_error"),
        (b"x = " + b"not " * 100_000 + b"1", "syntax_error"),
        (b"x = a" + b".b" * 200_000, "syntax_error"),
        (b"x = 1" + b" + 1" * 100_000, "syntax_error"),
        (b"x = " + b"9" * 5_000, "syntax_error"),
        (b"#" * 1_000_001, "file_too_large"),
        (b"class A: pass\n" * 1_001, "file_too_large"),
    ],
)
def test_python_that_cannot_be_read(write: Write, content: bytes, code: str) -> None:
    assert code_of(write({"strategy.py": content})) == code


def test_a_syntax_error_names_file_line_and_cause(write: Write) -> None:
    with pytest.raises(LoadError) as caught:
        read_manifest(write({"one.py": "\n\nx = )\n"}), "one.py")

    assert caught.value.message == "one.py:3: unmatched ')'"


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + GOOD.encode(),
        b"# -*- coding: latin-1 -*-\n" + GOOD.encode() + b"x = '\xe9'\n",
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.encode() + b"x = '\\d'\n",
    ],
)
def test_unusual_but_right_python_is_read_without_a_warning(write: Write, content: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_manifest(write({"one.py": content}), "one.py").name == "one"


def test_classes_in_a_circle_end(write: Write) -> None:
    source = "class A(B):\n    name = 'a'\nclass B(A):\n    def build(self, c): ...\n"
    assert read_manifest(write({"one.py": source}), "one.py", "A").name == "a"

    assert code_of(write({"strategy.py": "from .strategy import A\n"})) == "no_strategy"
    circle: dict[str, str | bytes] = {
        "strategy.py": "from .b import A\n",
        "b.py": "from .strategy import A\n",
    }
    assert code_of(write(circle)) == "no_strategy"


def test_missing_folders_and_pipes(write: Write, tmp_path: Path) -> None:
    assert code_of(tmp_path) == "file_unreadable"
    (tmp_path / "strategy.py").mkdir()
    assert code_of(tmp_path) == "file_unreadable"

    os.mkfifo(tmp_path / "pipe.py")
    assert code_of(tmp_path, "pipe.py") == "file_unreadable"


def test_links_out_of_the_tree_are_refused(write: Write, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "hooks.json").write_text("{}")
    (outside / "one.py").write_text(GOOD)
    root = write({"strategy.py": GOOD, "hooks/keep": ""})

    (root / "hooks/hooks.json").symlink_to(outside / "hooks.json")
    assert code_of(root) == "link_outside"
    (root / "hooks/hooks.json").unlink()
    (root / "hooks/hooks.json").symlink_to(root / "hooks/hooks.json")
    # Python 3.12 does not resolve a loop, 3.13 does and cannot open it.
    assert code_of(root) in ("link_outside", "file_unreadable")
    (root / "hooks/hooks.json").unlink()

    (root / "linked.py").symlink_to(outside / "one.py")
    assert code_of(root, "linked.py") == "link_outside"
    assert code_of(root, "../outside/one.py") == "link_outside"

    (root / "inner.py").symlink_to(root / "strategy.py")
    assert read_manifest(root, "inner.py").name == "one"


def test_a_linked_skill_is_left_out_and_reported(write: Write, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("---\nname: stolen\n---\n")
    root = write({"strategy.py": GOOD, "skills/good.md": "text"})
    (root / "skills/bad.md").symlink_to(tmp_path / "secret.md")
    (root / "agents").mkdir()
    (root / "agents/bad.md").symlink_to(tmp_path / "secret.md")

    manifest = read_manifest(root, "strategy.py")

    assert [skill.name for skill in manifest.capabilities.skills] == ["good"]
    assert manifest.capabilities.agents == ()
    assert [finding.file for finding in manifest.findings] == ["skills/bad.md", "agents/bad.md"]


@pytest.mark.parametrize("file", ["plugin.json", ".mcp.json", "hooks/hooks.json"])
@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"[" * 100_000, b"1" * 5_000, b'{"a": "\xff"}', b" " * 500_001]
)
def test_broken_json_names_its_file(write: Write, file: str, content: bytes) -> None:
    root = write({"strategy.py": GOOD, file: content})

    with pytest.raises(LoadError) as caught:
        read_manifest(root, "strategy.py")

    assert caught.value.code in (
        "plugin_json_invalid",
        "mcp_json_invalid",
        "hooks_json_invalid",
        "file_encoding",
        "file_too_large",
    )
    assert file in caught.value.message


@pytest.mark.parametrize("content", ["x = [" + "[" * 50_000, "x = ", "[project]\nname = 1\nx"])
def test_broken_toml_is_an_error(write: Write, content: str) -> None:
    assert code_of(write({"strategy.py": GOOD, "pyproject.toml": content})) == "pyproject_invalid"


def test_file_names_with_control_characters_are_refused(write: Write) -> None:
    root = write({"strategy.py": GOOD, "skills/a\x1b[31m.md": "text"})

    assert code_of(root) == "file_name_invalid"


@pytest.mark.parametrize(
    "source",
    [
        "class A0:\n    name = 'a'\n    def build(self, c): ...\n"
        + "".join(f"class A{n}(A{n - 1}): pass\n" for n in range(1, 999)),
        GOOD + "".join(f"from .m{n} import *\n" for n in range(20_000)) + "y = zz\n",
        GOOD + "".join(f"from .m{n} import a{n}\n" for n in range(20_000)),
        GOOD + "def f():\n    return " + "[f()]" + "\n" + "Agent(tools=f())\n" * 20_000,
        GOOD
        + "from openhands.sdk.hooks import HookConfig\nh = h\n"
        + "HookConfig(stop=[h])\n" * 20_000,
        GOOD + "# /// script\n" * 70_000,
        GOOD + "a = [a]\nAgent(tools=a, subagents=a, mcp_config=a)\n" * 5_000,
    ],
    ids=["bases", "stars", "imports", "calls", "hooks", "scripts", "names"],
)
def test_files_made_to_take_long_do_not(write: Write, source: str) -> None:
    root = write({"one.py": source})
    start = time.process_time()
    with suppress(LoadError):
        read_manifest(root, "one.py")

    assert time.process_time() - start < 10


def test_yaml_aliases_do_not_multiply(write: Write) -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)
    )
    header = f"---\n{bomb}name: [*a59]\ndescription: *a59\n---\ntext\n"
    root = write({"strategy.py": GOOD, "skills/bomb.md": header})

    skills = read_manifest(root, "strategy.py").capabilities.skills

    assert [(skill.name, skill.description) for skill in skills] == [("bomb", "")]
