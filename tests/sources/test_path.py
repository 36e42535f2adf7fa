"""Locating files and directories that the user names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openhands_strategies.errors import ResolveError
from openhands_strategies.sources.entry import entry_among
from openhands_strategies.sources.path import locate_path
from openhands_strategies.sources.reference import PathReference
from openhands_strategies.sources.source import Located, PathSource


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Run as a user whom permissions bind, where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def refused(text: str, base: Path, attribute: str | None = None) -> ResolveError:
    with pytest.raises(ResolveError) as caught:
        locate_path(PathReference(text, attribute), base)
    return caught.value


def test_a_file_is_a_tree_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "waterfall.py").write_text("x = 1\n")
    (tmp_path / "secret.txt").write_text("not part of it\n")
    located = locate_path(PathReference("waterfall.py", "Waterfall"), tmp_path)
    assert located == Located(
        reference="./waterfall.py:Waterfall",
        source=PathSource(tmp_path / "waterfall.py"),
        root=tmp_path,
        module="waterfall.py",
        attribute="Waterfall",
        only=("waterfall.py",),
    )
    assert located.file == tmp_path / "waterfall.py"
    assert located.source.to_json() == {"type": "path", "path": str(tmp_path / "waterfall.py")}


def test_a_directory_holds_strategy_py(tmp_path: Path) -> None:
    (tmp_path / "debate").mkdir()
    (tmp_path / "debate" / "strategy.py").write_text("x = 1\n")
    (tmp_path / "link").symlink_to("debate")
    for text in ("./debate", "debate/", "./link", str(tmp_path / "debate")):
        located = locate_path(PathReference(text), tmp_path)
        assert (located.root, located.module) == (tmp_path / "debate", "strategy.py")
        assert (located.only, located.attribute, located.import_name) == (None, None, None)
    assert locate_path(PathReference("."), tmp_path / "debate").root == tmp_path / "debate"


def test_a_home_path_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "x.py").write_text("")
    assert locate_path(PathReference("~/x.py"), Path("/")).file == tmp_path / "x.py"
    assert refused("~nobody-of-this-name/x.py", tmp_path).code == "path_unreadable"


def test_near_names_are_written_as_the_user_would_type_them(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "waterfall.py").write_text("")
    (tmp_path / "tools" / "waterfall.txt").write_text("")
    error = refused("tools/watrfall.py", tmp_path)
    assert error.code == "path_missing"
    assert "./tools/watrfall.py" in error.message
    assert error.hint == "did you mean ./tools/waterfall.py?"
    assert "tols does not exist either" in refused("./tols/x.py", tmp_path).hint


def test_a_directory_without_strategy_py(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    error = refused("./dir", tmp_path)
    assert error.code == "strategy_file_missing"
    (tmp_path / "dir" / "waterfall.py").write_text("")
    assert refused("./dir", tmp_path).hint == "name the file: ./dir/waterfall.py"


@pytest.mark.parametrize(
    "file",
    [
        "plugin.json",
        ".plugin/plugin.json",
        ".claude-plugin/plugin.json",
        ".mcp.json",
        "mcp.json",
        "SKILL.md",
        "skills/house/SKILL.md",
        "skills/short.md",
        "agents/reviewer.md",
        "commands/tidy.md",
        "hooks/hooks.json",
        "dev.openhands/agents/reviewer.md",
        "dev.openhands/commands/tidy.md",
        "dev.openhands/hooks/hooks.json",
    ],
)
def test_plugin_files_make_a_directory_an_overlay(tmp_path: Path, file: str) -> None:
    path = tmp_path / "House Style" / file
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    located = locate_path(PathReference("./House Style"), tmp_path)
    assert (located.module, located.attribute) == ("", "House Style")
    assert located.file == located.root == tmp_path / "House Style"
    assert entry_among([file, "README.md"]) == ""
    (tmp_path / "House Style" / "strategy.py").write_text("")
    located = locate_path(PathReference("./House Style"), tmp_path)
    assert (located.module, located.attribute) == ("strategy.py", None)
    assert entry_among([file, "strategy.py"]) == "strategy.py"


@pytest.mark.parametrize(
    "file", ["README.md", "agents/x.txt", "docs/agents/a.md", "skills/a/b/SKILL.md", "hooks/x.sh"]
)
def test_other_files_do_not(tmp_path: Path, file: str) -> None:
    path = tmp_path / "dir" / file
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    error = refused("./dir", tmp_path)
    assert error.code == "strategy_file_missing"
    assert "strategy.py" in error.hint
    assert entry_among([file]) is None


def test_other_kinds_of_files(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "gone.py").symlink_to("nowhere.py")
    for name in ("x.txt", "pipe.py", "gone.py"):
        error = refused(f"./{name}", tmp_path)
        assert (error.code, name in error.message) == ("path_kind", True)
    (tmp_path / "loop.py").symlink_to("loop.py")
    assert refused("./loop.py", tmp_path).code in ("path_kind", "path_unreadable")
    assert refused("./" + "x" * 300 + ".py", tmp_path).code in ("path_missing", "path_unreadable")


def test_what_may_not_be_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:2]:
        parent.chmod(0o755)
    (tmp_path / "x.py").write_text("")
    (tmp_path / "x.py").chmod(0)
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "strategy.py").write_text("")
    (tmp_path / "dir").chmod(0o311)
    with ordinary_user():
        for text in ("./x.py", "./dir"):
            error = refused(text, tmp_path)
            assert (error.code, text in error.message) == ("path_unreadable", True)
    (tmp_path / "dir").chmod(0o755)
