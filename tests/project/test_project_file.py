"""`.openhands/strategies.toml`: found, read strictly, and edited without a loss."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openhands_strategies.errors import StrategyError, UsageError
from openhands_strategies.project.home import Home
from openhands_strategies.project.project_edit import (
    add_entry,
    remove_entry,
    with_entry,
    without_entry,
)
from openhands_strategies.project.project_file import (
    ProjectFile,
    find_project,
    parse_project,
    project_to_write,
    read_project_file,
    user_file,
)
from openhands_strategies.project.toml_file import FileError

WRITTEN = """\
# Our strategies.

[strategies.zeta]   # first on purpose
source = "./tools/zeta"

# Pinned until the review is done.
[strategies.debate]
source = 'git+https://example.org/acme/strategies@v2#subdirectory=plugins/debate' # quoted so
"""


def project(directory: Path, text: str) -> ProjectFile:
    path = directory / ".openhands" / "strategies.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return read_project_file(path)


def test_it_is_found_upwards(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    assert find_project(deep) is None
    project(tmp_path, WRITTEN)
    found = find_project(deep)
    assert found is not None
    assert found.path == tmp_path / ".openhands" / "strategies.toml"
    assert found.lock_path == tmp_path / ".openhands" / "strategies.lock"
    assert found.base == tmp_path
    assert {name: (one.source, one.line) for name, one in found.entries.items()} == {
        "zeta": ("./tools/zeta", 4),
        "debate": ("git+https://example.org/acme/strategies@v2#subdirectory=plugins/debate", 8),
    }
    project(tmp_path / "a", "")
    nearest = find_project(deep)
    assert nearest is not None
    assert (nearest.base, nearest.entries) == (tmp_path / "a", {})


def test_where_a_new_one_goes(tmp_path: Path) -> None:
    deep = tmp_path / "repository" / "src"
    deep.mkdir(parents=True)
    assert project_to_write(deep).base == deep
    (tmp_path / "repository" / ".git").write_text("gitdir: elsewhere")
    assert project_to_write(deep).base == tmp_path / "repository"
    assert not (tmp_path / "repository" / ".openhands").exists()


def test_the_users_own(home: Home) -> None:
    assert user_file(home).entries == {}
    add_entry(user_file(home), "mine", "/srv/mine")
    own = user_file(home)
    assert (own.base, own.path, own.user) == (home.path, home.path / "strategies.toml", True)
    assert own.entries["mine"].source == "/srv/mine"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[strategies.debate\nsource = 'x'", 1, "not TOML"),
        ("strategies = 1", 1, "strategies is an integer, not a table"),
        ("[strategies]\ndebate = 'x'", 2, "a string, not a table"),
        ("[[strategies]]\nsource = 'x'", 1, "an array, not a table"),
        ("[strategies.debate]", 1, "has no source"),
        ("\n[strategies.debate]\nsource = 3", 3, "source is an integer, not a string"),
        ("[strategies.debate]\nsource = true", 2, "source is a boolean"),
        ("[strategies.debate]\nsource = ''", 2, "source is empty"),
        ('[strategies.debate]\nsource = "a\\u001b[31m"', 2, "control character"),
        ("[strategies.debate]\nsource = 'x'\nref = 'v1'", 3, "unknown key 'ref'"),
        ("[strategies.Debate]\nsource = 'x'", 1, "'Debate' is no strategy name"),
        ("[strategies.'../x']\nsource = 'x'", 1, "no strategy name"),
        ("[strategies.'--yes']\nsource = 'x'", 1, "no strategy name"),
        ("version = 1\n", 1, "unknown key 'version'"),
        ("[trust]\nall = true", 1, "unknown key 'trust'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(FileError) as caught:
        project(tmp_path, text)
    error = caught.value
    assert (error.code, error.line) == ("project_file_invalid", line)
    assert words in error.message
    assert f"{tmp_path}/.openhands/strategies.toml:{line}: " in error.message
    assert "\x1b" not in error.message


def test_edits_keep_comments_and_order(tmp_path: Path) -> None:
    before = project(tmp_path, WRITTEN)
    after = add_entry(before, "fusion", "fusion")
    assert after.text == WRITTEN + '\n[strategies.fusion]\nsource = "fusion"\n'
    assert list(after.entries) == ["zeta", "debate", "fusion"]
    assert remove_entry(after, "fusion").text.rstrip() == WRITTEN.rstrip()
    gone = remove_entry(after, "zeta")
    assert list(gone.entries) == ["debate"]
    assert "# Our strategies." in gone.text
    assert "# Pinned until the review is done." in gone.text
    assert "# quoted so" in gone.text
    assert [path.name for path in before.path.parent.iterdir()] == ["strategies.toml"]


def test_a_file_with_nothing_left_goes_and_takes_its_directory(tmp_path: Path) -> None:
    empty = project_to_write(tmp_path)
    added = add_entry(empty, "fusion", "fusion")
    assert added.text == '[strategies.fusion]\nsource = "fusion"\n'
    remove_entry(added, "fusion")
    assert list(tmp_path.iterdir()) == []
    commented = project(tmp_path, "# keep me\n")
    remove_entry(add_entry(commented, "fusion", "fusion"), "fusion")
    assert commented.path.read_text().strip() == "# keep me"


def test_a_name_means_one_source(tmp_path: Path) -> None:
    before = project(tmp_path, WRITTEN)
    assert add_entry(before, "zeta", "./tools/zeta").text == WRITTEN
    with pytest.raises(UsageError) as caught:
        add_entry(before, "zeta", "./other")
    assert (caught.value.code, "--as" in caught.value.hint) == ("name_taken", True)
    secret = project(tmp_path / "s", "[strategies.a]\nsource = 'git+https://u:CANARY@x.org/a'\n")
    with pytest.raises(UsageError) as caught:
        add_entry(secret, "a", "./other")
    assert "CANARY" not in caught.value.message
    with pytest.raises(UsageError) as caught:
        add_entry(before, "No Name", "./other")
    assert caught.value.code == "name_invalid"
    with pytest.raises(UsageError) as caught:
        remove_entry(before, "fusion")
    assert (caught.value.code, caught.value.hint) == ("entry_unknown", "its entries: debate, zeta")
    assert before.path.read_text() == WRITTEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "# only a comment",
        "[strategies]\n",
        "[strategies]\na.source = 'x'\n",
        "strategies.a.source = 'x'\n",
        "strategies.a = { source = 'x' }\n",
        "[strategies]\na = { source = 'x' }\n",
        "[strategies.a]\nsource = '''x'''\n",
        '[ strategies . "a" ]\nsource = "x"',
        "[strategies.a]\r\nsource = 'x'\r\n",
    ],
)
def test_every_way_to_write_it_can_be_edited(tmp_path: Path, text: str) -> None:
    before = project(tmp_path, text)
    sources = {name: entry.source for name, entry in before.entries.items()}
    after = add_entry(before, "new", "./new")
    assert {n: e.source for n, e in after.entries.items()} == {**sources, "new": "./new"}
    assert ("\r" in after.text) == ("\r" in text)
    assert "\n\n\n\n" not in after.text
    if "a" in sources:
        rest = remove_entry(after, "a")
        assert {n: e.source for n, e in rest.entries.items()} == {"new": "./new"}


def test_an_entry_in_an_inline_table_is_edited_or_left_alone(tmp_path: Path) -> None:
    text = "strategies = { a = { source = 'x' } }\n"
    before = project(tmp_path, text)
    code, after = "", before
    try:
        after = add_entry(before, "new", "./new")
    except FileError as error:
        code = error.code
    assert (code, set(after.entries)) in (("project_file_edit", {"a"}), ("", {"a", "new"}))
    assert before.path.read_text() == after.text


names = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,5}){0,2}", fullmatch=True)
signs = st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=("C", "Z"))
sources = st.text(signs, min_size=1, max_size=40)


@given(st.dictionaries(names, sources, max_size=5), names, sources)
def test_edits_do_only_what_was_asked(entries: dict[str, str], name: str, source: str) -> None:
    path = Path("/nowhere/.openhands/strategies.toml")
    known = ProjectFile(path)
    for one, where in entries.items():
        known = _read(path, with_entry(known, one, where))
    assert {n: e.source for n, e in known.entries.items()} == entries
    added = _read(path, with_entry(known, name, source))
    assert {n: e.source for n, e in added.entries.items()} == {**entries, name: source}
    removed = tomllib.loads(without_entry(added, name)).get("strategies", {})
    assert {n: e["source"] for n, e in removed.items()} == {
        n: s for n, s in entries.items() if n != name
    }


def _read(path: Path, text: str) -> ProjectFile:
    return parse_project(text, path)


def test_eight_processes_edit_one_file(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from openhands_strategies.project.project_edit import add_entry, remove_entry
from openhands_strategies.project.project_file import project_to_write
base, number = Path(sys.argv[1]), sys.argv[2]
for turn in range(5):
    add_entry(project_to_write(base), f"s{number}-{turn}", f"./s{number}")
remove_entry(project_to_write(base), f"s{number}-0")
"""
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(number)])
        for number in range(8)
    ]
    assert [process.wait(60) for process in running] == [0] * 8
    found = find_project(tmp_path)
    assert found is not None
    assert set(found.entries) == {f"s{n}-{turn}" for n in range(8) for turn in range(1, 5)}
    assert [path.name for path in found.path.parent.iterdir()] == ["strategies.toml"]


def test_a_link_planted_by_a_repository_is_not_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("[strategies.a]\nsource = './a'\n")
    directory = tmp_path / "work" / ".openhands"
    directory.mkdir(parents=True)
    (directory / "strategies.toml").symlink_to(victim)
    (directory / ".strategies.toml.new").symlink_to(victim)
    found = find_project(tmp_path / "work")
    assert found is not None
    add_entry(found, "b", "./b")
    assert victim.read_text() == "[strategies.a]\nsource = './a'\n"
    (directory / ".strategies.lock-held").symlink_to(victim)
    with pytest.raises(StrategyError) as caught:
        add_entry(found, "c", "./c")
    assert caught.value.code == "file_write"
    assert victim.read_text() == "[strategies.a]\nsource = './a'\n"
