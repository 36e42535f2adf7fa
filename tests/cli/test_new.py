"""`ohs new`: what it makes, what it refuses, and that nothing is left where it refuses."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import openhands_strategies
from openhands_strategies.cli.creating import command
from openhands_strategies.cli.main import COMMANDS
from openhands_strategies.cli.new.names import names_of
from openhands_strategies.errors import UsageError
from openhands_strategies.manifest.reader import read_manifest
from support import write

RUFF = Path(sys.executable).parent / "ruff"
COMBINATIONS = [
    ("strategy", "skills,hooks"),
    ("strategy", "none"),
    ("strategy", "skills,hooks,agents"),
    ("overlay", "skills,hooks"),
    ("overlay", "none"),
    ("overlay", "agents"),
    ("composition", "skills,hooks,agents"),
    ("composition", "none"),
]
IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


@pytest.fixture(autouse=True)
def _own_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Git settings of nobody, so that what git knows of a user is said by the test."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(write(tmp_path / "home/gitconfig", "")))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)


def git(where: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", where, *arguments], check=True, capture_output=True)
    return done.stdout.decode().strip()


def files(root: Path) -> set[str]:
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith(".git/")}


def well_formed(root: Path) -> None:
    """By ruff with the settings of the directory itself, as its author runs it."""
    for arguments in (["format", "--check"], ["check"]):
        done = subprocess.run(
            [RUFF, *arguments, "--no-cache", "."], cwd=root, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


@pytest.mark.parametrize(("kind", "parts"), COMBINATIONS)
def test_what_is_made(ohs_here, tmp_path: Path, kind: str, parts: str) -> None:
    done = ohs_here("new", "night-shift", "--kind", kind, "--with", parts, "--json")
    assert done.code == 0, done.err
    document = json.loads(done.out)["new"]
    root = tmp_path / "night-shift"
    made = files(root)
    assert set(document["files"]) == made
    assert document["kind"] == kind
    assert document["directory"] == str(root)
    expected = {
        *(".copier-answers.yml", ".gitignore", ".github/workflows/check.yml", "LICENSE"),
        *(".plugin/plugin.json", "CHANGELOG.md", "README.md", "__init__.py", "pyproject.toml"),
        *("strategy.py", "MANIFEST.in", "tests/test_strategy.py"),
    }
    if kind == "overlay":
        expected.add("tests/base.py")
    if "skills" in parts:
        expected.add("skills/night-shift-finish/SKILL.md")
    if "hooks" in parts:
        expected |= {"hooks/hooks.json", "hooks/no_push.py", "tests/test_hooks.py"}
    if "agents" in parts:
        expected.add("agents/night-shift-reviewer.md")
    assert made == expected

    manifest = read_manifest(root, "strategy.py")
    assert manifest.name == "night-shift"
    assert manifest.findings == ()
    assert manifest.overlay is (kind == "overlay")
    assert len(manifest.capabilities.skills) == ("skills" in parts)
    assert len(manifest.capabilities.hooks) == ("hooks" in parts)
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    (attribute,) = project["entry-points"]["openhands.strategies"].values()
    assert attribute == f"openhands_strategy_night_shift.strategy:{manifest.attribute}"
    well_formed(root)

    answers = yaml.safe_load((root / ".copier-answers.yml").read_text())
    assert answers["kind"] == kind
    assert ",".join(answers["parts"]) == parts.replace("none", "")
    # Neither this machine nor what the template is written in shows in the result.
    for name in made:
        text = (root / name).read_text()
        assert str(tmp_path) not in text
        assert str(Path(openhands_strategies.__file__).parent) not in text
        assert "{%" not in text
        assert ("{{" in text) is False
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n"))


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("n" * 48, "N" + "n" * 47),
        ("a-" * 23 + "ab", "A" * 23 + "Ab"),
        ("strategy", "StrategyStrategy"),
        ("sub-agent", "SubAgentStrategy"),
        ("runtime-error", "RuntimeErrorStrategy"),
        ("a1-2b", "A12b"),
    ],
)
def test_every_name_makes_sound_code(ohs_here, tmp_path: Path, name: str, attribute: str) -> None:
    for kind in ("strategy", "overlay", "composition"):
        done = ohs_here(
            *("new", name, "--kind", kind, "--with", "skills,hooks,agents", "--no-git"),
            *("--directory", kind),
        )
        assert done.code == 0, done.err
        manifest = read_manifest(tmp_path / kind, "strategy.py")
        assert manifest.findings == ()
        assert manifest.name == name
        if kind != "composition":
            assert manifest.attribute == attribute
        well_formed(tmp_path / kind)


def test_answers_stand_in_the_result_as_they_were_given(ohs_here, tmp_path: Path) -> None:
    about = "Grüße {{ 7 * 7 }} {% raw %} it's #1: 🎉 %s"
    done = ohs_here(
        *("new", "odd", "--description", about, "--author", "Zoë O'Neil", "--no-git"),
        *("--email", "zoe@example.org", "--license", "BSD-3-Clause"),
        *("--repository", "https://github.com/acme/odd"),
    )
    assert done.code == 0, done.err
    root = tmp_path / "odd"
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert project["description"] == about
    assert project["authors"] == [{"name": "Zoë O'Neil", "email": "zoe@example.org"}]
    assert project["urls"] == {"Repository": "https://github.com/acme/odd"}
    assert project["license"] == "BSD-3-Clause"
    assert json.loads((root / ".plugin/plugin.json").read_text())["description"] == about
    assert read_manifest(root, "strategy.py").description == about
    assert "Zoë O'Neil" in (root / "LICENSE").read_text()
    assert "actions/workflows/check.yml/badge.svg" in (root / "README.md").read_text()
    well_formed(root)

    again = ohs_here(
        *("new", "odd", "--answers", "odd/.copier-answers.yml", "--directory", "twin", "--no-git")
    )
    assert again.code == 0, again.err
    assert files(tmp_path / "twin") == files(root)
    for name in files(root):
        assert (tmp_path / "twin" / name).read_bytes() == (root / name).read_bytes()


@pytest.mark.parametrize("name", ["MIT", "Apache-2.0", "BSD-3-Clause"])
def test_licences(ohs_here, tmp_path: Path, name: str) -> None:
    assert ohs_here("new", "free", "--license", name, "--no-git").code == 0
    text = (tmp_path / "free/LICENSE").read_text()
    assert {"MIT": "MIT License", "BSD-3-Clause": "BSD 3-Clause"}.get(name, "Version 2.0") in text
    assert "{{" not in text


BAD = [
    (["Night_Shift"], "name_invalid", "did you mean night-shift?"),
    (["night--shift"], "name_invalid", "did you mean night-shift?"),
    (["2nd"], "name_invalid", "did you mean nd?"),
    (["-x"], "usage", ""),
    ([""], "name_invalid", "kebab-case"),
    (["../up"], "name_invalid", "did you mean up?"),
    (["é"], "name_invalid", "kebab-case"),
    (["x" * 49], "name_invalid", "48 are the most"),
    (["x\0y"], "name_invalid", "kebab-case"),
    (["openhands-strategy-debate"], "name_invalid", "ohs new debate"),
    (["class"], "name_reserved", "ohs new class-strategy"),
    (["match"], "name_reserved", ""),
    (["json"], "name_reserved", "ohs new json-strategy"),
    (["openhands"], "name_reserved", ""),
    (["runs"], "name_reserved", ""),
    (["openhands-sdk"], "name_reserved", "ohs new openhands-sdk-strategy"),
    (["strategies"], "name_reserved", ""),
    (["ohs"], "name_reserved", ""),
    (["pytest"], "name_reserved", ""),
    (["yaml"], "name_reserved", ""),
    (["fusion"], "name_taken", "--allow-taken"),
    (["ok", "--kind", "Strategy"], "kind_unknown", "strategy, overlay, composition"),
    (["ok", "--with", "skills,hook"], "with_unknown", "skills, hooks, agents"),
    (["ok", "--with", "none,skills"], "with_unknown", ""),
    (["ok", "--license", "GPL"], "usage", ""),
    (["ok", "--description", 'say "hi"'], "answer_invalid", ""),
    (["ok", "--description", "two\nlines"], "answer_invalid", ""),
    (["ok", "--description", ""], "answer_invalid", ""),
    (["ok", "--description", "x" * 201], "answer_invalid", ""),
    (["ok", "--author", "a <b>"], "answer_invalid", ""),
    (["ok", "--email", "nobody"], "answer_invalid", "leave it out"),
    (["ok", "--email", "a@b.c\nx"], "answer_invalid", ""),
    (["ok", "--repository", "git@example.org:a/b"], "answer_invalid", ""),
    (["ok", "--repository", 'https://example.org/a"b'], "answer_invalid", ""),
    (["ok", "--answers", "missing.yml"], "answers_unreadable", ""),
    (["ok", "--answers", "full"], "answers_unreadable", ""),
    (["ok", "--answers", "broken.yml"], "answers_unreadable", ""),
    (["ok", "--answers", "list.yml"], "answers_invalid", ""),
    (["ok", "--answers", "more.yml"], "answers_invalid", ""),
    (["ok", "--answers", "kind.yml"], "answers_invalid", ""),
    (["ok", "--answers", "parts.yml"], "answers_invalid", ""),
    (["ok", "--directory", "full"], "directory_not_empty", "--directory"),
    (["ok", "--directory", "file"], "directory_invalid", ""),
    (["ok", "--directory", "dangling"], "directory_invalid", ""),
    (["ok", "--directory", "no/where"], "directory_missing", "mkdir -p"),
    (["ok", "--directory", "x" * 300], "directory_invalid", ""),
    (["ok", "--directory", "x\0y"], "directory_invalid", ""),
    (["ok", "--directory", "~nobody-of-that-name/x"], "directory_invalid", ""),
    ([], "usage", ""),
    (["ok", "more"], "usage", ""),
]


@pytest.mark.parametrize(("arguments", "code", "hint"), BAD, ids=lambda one: str(one)[:40])
def test_bad_input(ohs_here, tmp_path: Path, arguments: list[str], code: str, hint: str) -> None:
    write(tmp_path / "full/kept", "kept")
    write(tmp_path / "file", "kept")
    (tmp_path / "dangling").symlink_to("nowhere")
    write(tmp_path / "broken.yml", "kind: [")
    write(tmp_path / "list.yml", "- kind")
    write(tmp_path / "more.yml", "_src_path: x\ncolour: red")
    write(tmp_path / "kind.yml", "kind: tool")
    write(tmp_path / "parts.yml", "parts: [skills, {a: b}]")
    before = {path.name for path in tmp_path.iterdir()}
    done = ohs_here("new", *arguments, "--json")
    assert done.code == 2
    error = json.loads(done.out)["error"]
    assert error["code"] == code
    if code == "answer_invalid":
        assert error["message"].startswith(f"{arguments[1]}: ")
    assert error["message"]
    assert error["hint"]
    assert hint in error["hint"]
    assert {path.name for path in tmp_path.iterdir()} == before
    assert (tmp_path / "full/kept").read_text() == "kept"


def test_no_strategy_is_called_like_what_it_needs() -> None:
    needed = [Requirement(one) for one in requires("openhands-strategies") or ()]
    for one in needed:
        # What an extra brings is there only for those who ask for it.
        if one.marker is None:
            with pytest.raises(UsageError, match="package that ohs"):
                names_of(canonicalize_name(one.name))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("directory", ["locked", "locked/inside"])
def test_a_directory_that_cannot_be_written(ohs_here, tmp_path: Path, directory: str) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    done = ohs_here("new", "ok", "--directory", directory, "--json")
    assert done.code == 2
    assert json.loads(done.out)["error"]["code"] == "directory_unwritable"
    assert list(locked.iterdir()) == []
    assert not list(tmp_path.glob(".*"))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_place_that_takes_no_directory(ohs) -> None:
    # Not even from root.
    done = ohs("new", "ok", "--directory", "/proc/ok", "--json")
    assert done.code == 2
    assert json.loads(done.out)["error"]["code"] == "directory_unwritable"


def test_an_installed_name_and_one_of_the_project(ohs_here, tmp_path: Path) -> None:
    assert ohs_here("new", "mine", "--no-git").code == 0
    assert ohs_here("add", "./mine").code == 0
    done = ohs_here("new", "mine", "--directory", "other", "--json")
    assert done.code == 2
    assert "mine" in json.loads(done.out)["error"]["message"]
    done = ohs_here("new", "mine", "--directory", "other", "--allow-taken", "--no-git")
    assert done.code == 0, done.err
    assert read_manifest(tmp_path / "other", "strategy.py").name == "mine"


def test_an_empty_directory_is_filled_in_place(ohs, tmp_path: Path) -> None:
    done = ohs("new", "here", "--directory", ".", "--json")
    # tmp_path holds the git settings of this test.
    assert json.loads(done.out)["error"]["code"] == "directory_not_empty"
    empty = tmp_path / "empty"
    empty.mkdir()
    inode = empty.stat().st_ino
    done = ohs("new", "here", "--directory", "empty")
    assert done.code == 0, done.err
    assert empty.stat().st_ino == inode
    assert git(empty, "status", "--porcelain") == ""
    assert not list(tmp_path.glob(".empty*"))


class TestRepository:
    def test_a_first_commit_with_everything(self, ohs_here, tmp_path: Path) -> None:
        done = ohs_here("new", "first", "--json")
        document = json.loads(done.out)["new"]
        root = tmp_path / "first"
        assert document["repository"] is True
        assert document["commit"] == git(root, "rev-parse", "HEAD")
        assert git(root, "log", "--format=%an %s") == "Ada Start first"
        assert git(root, "branch", "--show-current") == "main"
        assert git(root, "status", "--porcelain", "--ignored") == ""
        tracked = git(root, "ls-tree", "-r", "--name-only", "HEAD").splitlines()
        assert set(tracked) == files(root) == set(document["files"])

    def test_the_users_settings_hold(
        self, ohs_here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in IDENTITY:
            monkeypatch.delenv(name)
        text = "[init]\ndefaultBranch = trunk\n[user]\nname = Grace\nemail = g@example.org\n"
        write(tmp_path / "home/gitconfig", text)
        assert ohs_here("new", "first").code == 0
        root = tmp_path / "first"
        assert git(root, "branch", "--show-current") == "trunk"
        assert git(root, "log", "--format=%an <%ae>") == "Grace <g@example.org>"
        assert "Grace" in (root / "LICENSE").read_text()

    def test_without_a_user_nothing_is_committed(
        self, ohs_here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in IDENTITY:
            monkeypatch.delenv(name)
        done = ohs_here("new", "first")
        assert done.code == 0
        assert "git does not know your name" in done.err
        assert (tmp_path / "first/.git").is_dir()
        assert "The authors" in (tmp_path / "first/LICENSE").read_text()

    def test_a_hook_of_the_user_that_refuses(self, ohs_here, tmp_path: Path) -> None:
        write(tmp_path / "home/hooks/pre-commit", "#!/bin/sh\necho too late >&2; exit 1").chmod(
            0o755
        )
        write(tmp_path / "home/gitconfig", f"[core]\nhooksPath = {tmp_path}/home/hooks\n")
        done = ohs_here("new", "first")
        assert done.code == 0
        assert "nothing is committed yet: too late" in done.err
        assert files(tmp_path / "first")

    def test_inside_of_another_one(self, ohs_here, tmp_path: Path) -> None:
        git(tmp_path, "init", "-q", ".")
        done = ohs_here("new", "first", "--json")
        document = json.loads(done.out)["new"]
        assert (document["repository"], document["commit"]) == (False, None)
        assert str(tmp_path) in document["note"]
        assert not (tmp_path / "first/.git").exists()

    def test_the_repository_of_a_running_hook_is_left_alone(
        self, ohs_here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = tmp_path / "other"
        other.mkdir()
        git(other, "init", "-q", ".")
        monkeypatch.setenv("GIT_DIR", str(other / ".git"))
        monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
        assert ohs_here("new", "first").code == 0
        monkeypatch.undo()
        assert not (other / ".git/index").exists()
        assert (tmp_path / "first/.git/HEAD").is_file()

    def test_none_is_wanted_or_there_is_no_git(
        self, ohs_here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert ohs_here("new", "first", "--no-git").code == 0
        monkeypatch.setenv("PATH", str(tmp_path))
        done = ohs_here("new", "second")
        assert done.code == 0
        assert "no git on PATH" in done.err
        assert not list(tmp_path.glob("*/.git"))


IMPORTED = """
import sys
from openhands_strategies.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print("copier" in sys.modules or "yaml" in sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["new", "--help"], ["list"], ["new", "json"]], ids=" ".join)
def test_the_engine_is_imported_to_render_and_for_nothing_else(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *arguments], capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1] == "False"


def test_the_page_has_every_option() -> None:
    page = (Path(__file__).parents[2] / "docs/new.md").read_text()
    assert COMMANDS["new"][0] == "creating"
    own = {option for one in command.params for option in one.opts if option.startswith("--")}
    table = "\n".join(line for line in page.splitlines() if line.startswith("| `--"))
    assert set(re.findall(r"`(--[a-z-]+)", table)) == own - {"--json", "--debug"}


def test_the_page_shows_the_directory(ohs_here, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/new.md").read_text()
    made = ohs_here("new", "night-shift", "--with", "skills,hooks,agents", "--json")
    shown = re.findall(r"(?<=\s)(?:[\w.-]+/)*(?:[\w-]*\.\w[\w.-]*|LICENSE|(?<=/))(?=\s)",
                       page.partition("night-shift/\n")[2].partition("```")[0])  # fmt: skip
    tops = {one.partition("/")[0] for one in json.loads(made.out)["new"]["files"]}
    assert {one.partition("/")[0] for one in shown} == tops
    assert all((tmp_path / "night-shift" / one).exists() for one in shown)


def test_a_broken_project_file_is_told_and_does_not_matter(ohs_here, tmp_path: Path) -> None:
    write(tmp_path / ".openhands/strategies.toml", "[strategies")
    done = ohs_here("new", "ok", "--no-git")
    assert done.code == 0, done.err
    assert (tmp_path / "ok/strategy.py").is_file()


class Asked:
    """`ohs new` on a terminal of its own."""

    def __init__(self, where: Path, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "openhands_strategies", "new", *arguments],
            cwd=where,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = b""

    def _read(self) -> bool:
        if not select.select([self.master], [], [], 0.1)[0]:
            return True
        try:
            piece = os.read(self.master, 1 << 16)
        except OSError:  # Linux tells the end of a terminal so
            return False
        # The terminal is asked where its cursor is.
        if b"\x1b[6n" in piece:
            os.write(self.master, b"\x1b[1;1R")
        self.seen += piece
        return piece != b""

    def answer(self, question: str, text: str) -> None:
        """Wait for a question and type an answer."""
        deadline = time.monotonic() + 60
        while question.encode() not in self.seen:
            assert self._read(), self.seen
            assert time.monotonic() < deadline, self.seen
        os.write(self.master, text.encode())

    def end(self) -> int:
        deadline = time.monotonic() + 60
        while self._read() and time.monotonic() < deadline:
            if self.process.poll() is not None:
                self._read()
                break
        os.close(self.master)
        return self.process.wait(10)


def test_what_is_left_open_is_asked_on_a_terminal(tmp_path: Path) -> None:
    given = ("--kind", "overlay", "--with", "hooks", "--author", "Ada", "--email", "", "--no-git")
    asked = Asked(tmp_path, "ok", "--license", "MIT", *given)
    asked.answer("What it does", " at night\r")
    asked.answer("Where it will be published", "https://example.org/acme/ok\r")
    assert asked.end() == 0
    assert b"made ok (overlay)" in asked.seen
    answers = yaml.safe_load((tmp_path / "ok/.copier-answers.yml").read_text())
    assert answers["description"] == "House rules for any strategy at night"
    assert answers["repository"] == "https://example.org/acme/ok"
    assert b"Licence" not in asked.seen


def test_questions_that_are_broken_off_leave_nothing(tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    asked = Asked(tmp_path, "ok")
    asked.answer("What it is", "\x03")
    assert asked.end() == 130
    assert b"[interrupted]" in asked.seen
    assert set(tmp_path.iterdir()) == before
