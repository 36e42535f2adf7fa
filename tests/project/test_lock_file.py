"""`.openhands/strategies.lock`: stable bytes, read strictly, compared with the project."""

from __future__ import annotations

import contextlib
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openhands_strategies.project.lock_file import (
    LockedDistribution,
    LockedGit,
    format_lock,
    lock_matches,
    lock_text,
    parse_lock,
    read_lock,
)
from openhands_strategies.project.project_file import ProjectFile, parse_project
from openhands_strategies.project.toml_file import FileError

PATH = Path("/project/.openhands/strategies.lock")
COMMIT = "1" * 40
TREE = "sha256:" + "a" * 64
DEBATE = LockedGit(
    name="debate",
    url="https://example.org/acme/strategies",
    requested="v2",
    commit=COMMIT,
    subdirectory="plugins/debate",
    tree=TREE,
)
FUSION = LockedDistribution("fusion", "openhands-strategy-fusion", "0.1.0")
WRITTEN = f"""\
# Written by ohs; do not edit.
version = 1

[[strategy]]
name = "debate"
url = "https://example.org/acme/strategies"
requested-revision = "v2"
commit-id = "{COMMIT}"
subdirectory = "plugins/debate"
tree = "{TREE}"

[[strategy]]
name = "fusion"
distribution = "openhands-strategy-fusion"
version = "0.1.0"
"""


def test_the_form_is_the_one_of_the_contract() -> None:
    assert format_lock([FUSION, DEBATE]) == format_lock([DEBATE, FUSION]) == WRITTEN
    assert parse_lock(WRITTEN, PATH) == {"debate": DEBATE, "fusion": FUSION}
    assert lock_text([]) is None
    assert read_lock(Path("/nowhere/strategies.lock")) == {}


names = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,5}){0,2}", fullmatch=True)
hexes = st.sampled_from([40, 64]).flatmap(
    lambda n: st.text("0123456789abcdef", min_size=n, max_size=n)
)
parts = st.from_regex(r"[A-Za-z0-9_äß][A-Za-z0-9_.+é-]{0,7}", fullmatch=True).filter(
    lambda part: ".." not in part and not part.endswith((".", ".lock", ".git"))
)
gits = st.builds(
    LockedGit,
    name=names,
    url=st.builds("{}example.org/{}".format, st.sampled_from(["https://", "ssh://git@"]), parts),
    commit=hexes,
    tree=st.builds("sha256:{}".format, st.text("0123456789abcdef", min_size=64, max_size=64)),
    requested=st.none() | st.lists(parts, min_size=1, max_size=3).map("/".join),
    subdirectory=st.none() | st.lists(parts, min_size=1, max_size=3).map("/".join),
)  # fmt: skip
distributions = st.builds(
    LockedDistribution,
    name=names,
    distribution=st.from_regex(r"[a-z][a-z0-9_.-]{0,10}[a-z]", fullmatch=True),
    version=st.from_regex(r"[0-9]+(\.[0-9]+){0,3}((a|rc)[0-9])?(\+[a-z0-9]+)?", fullmatch=True),
)


@given(st.lists(gits | distributions, max_size=6, unique_by=lambda one: one.name))
def test_what_is_written_is_read_again(locked: list[LockedGit | LockedDistribution]) -> None:
    text = format_lock(locked)
    read = parse_lock(text, PATH)
    assert read == {one.name: one for one in locked}
    assert list(read) == sorted(read)
    assert format_lock(read.values()) == text


@given(
    st.text(max_size=300) | st.text("[]=\"'\n.# abcdefstrategynamurl0123456789:/-", max_size=300)
)
def test_no_text_is_more_than_refused(text: str) -> None:
    for content in (text, f"version = 1\n[[strategy]]\n{text}"):
        with contextlib.suppress(FileError):
            parse_lock(content, PATH)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("version = 1\n\n", "version = 2\nnew = true\n", 2, "version 2 of this file is not known"),
        ("version = 1\n\n", "\n\n", 1, "has no version"),
        ("version = 1\n\n", "version = '1'\n\n", 2, "version is a string"),
        ("version = 1\n\n", "version = true\n\n", 2, "version is a boolean"),
        ("version = 1\n\n", "version = 1\nextra = 1\n", 3, "unknown key 'extra'"),
        ("[[strategy]]", "[strategy.x]", 12, "not TOML"),
        (WRITTEN[WRITTEN.index("[") :], "strategy = 1", 4, "not an array"),
        ('name = "debate"', 'name = "Debate"', 5, "no strategy name"),
        ('name = "debate"', 'name = "fusion"', 13, "locked twice"),
        ('name = "debate"', 'name = "debate"\npath = "./evil"', 6, "unknown key 'path'"),
        ('name = "debate"', 'name = "debate"\ntrusted = true', 6, "unknown key 'trusted'"),
        ('name = "debate"\n', "", 4, "has no name"),
        ('name = "debate"', "name = 1", 5, "name is an integer"),
        ("https://example.org/", "ext::sh -c touch% /", 4, ""),
        ("https://example.org/", "EXT::x/", 4, "https or ssh"),
        ("https://example.org/", "http://example.org/", 4, "https or ssh"),
        ("https://example.org/", "--upload-pack=x/", 4, ""),
        ("https://example.org/", "https://user:CANARY@example.org/", 4, "***@"),
        ("https://example.org/", "https://EXAMPLE.org/", 4, "its only form"),
        ('"v2"', '"--upload-pack=touch"', 4, "no commit, tag or branch"),
        ('"v2"', '"a..b"', 4, "no commit, tag or branch"),
        ('"v2"', '"a\\nb"', 7, "control character"),
        ('"v2"', f'"{"2" * 40}"', 8, "is not the commit"),
        (f'"{COMMIT}"', '"1111"', 8, "commit-id '1111' cannot be right"),
        (f'"{COMMIT}"', f'"{"G" * 40}"', 8, "cannot be right"),
        (f'"{COMMIT}"', f'"{COMMIT}0"', 8, "cannot be right"),
        ('"plugins/debate"', '"../debate"', 4, "no directory inside"),
        ('"plugins/debate"', '"/etc"', 4, "no directory inside"),
        ('"plugins/debate"', '"plugins/.GIT"', 4, "no directory inside"),
        ('"plugins/debate"', '"./plugins/debate"', 4, "its only form"),
        (TREE, "sha256:abc", 10, "tree 'sha256:abc' cannot be right"),
        (TREE, "sha256:" + "A" * 64, 10, "cannot be right"),
        (TREE, "sha256:../../" + "a" * 58, 10, "cannot be right"),
        (f'tree = "{TREE}"', "", 4, "has no tree"),
        ('"openhands-strategy-fusion"', '"-r evil.txt"', 14, "cannot be right"),
        ('"openhands-strategy-fusion"', '"x @ file:///evil"', 14, "cannot be right"),
        ('"0.1.0"', '"1 --index-url=x"', 15, "cannot be right"),
        ('version = "0.1.0"', "", 12, "has no version"),
        ('version = "0.1.0"', 'version = "0.1.0"\nurl = "x"', 16, "unknown key 'url'"),
    ],
)
def test_hostile_lock_files(old: str, new: str, line: int, words: str) -> None:
    text = WRITTEN.replace(old, new, 1)
    assert text != WRITTEN
    with pytest.raises(FileError) as caught:
        parse_lock(text, PATH)
    error = caught.value
    assert (error.code, error.line) == ("lock_file_invalid", line)
    assert words in error.message
    assert error.message.startswith(f"{PATH}:{line}: ")
    assert "CANARY" not in error.message + error.hint
    if "version 2" in words:
        assert error.hint == "update openhands-strategies"


def project(text: str) -> ProjectFile:
    return parse_project(textwrap.dedent(text), PATH.with_suffix(".toml"))


def test_what_matches_and_what_does_not() -> None:
    ours = project("""
        [strategies.debate]
        source = "github:acme/strategies@v2#subdirectory=plugins/debate"
        [strategies.fusion]
        source = "fusion"
        [strategies.local]
        source = "./tools/local"
    """)
    debate = LockedGit(
        "debate", "https://github.com/acme/strategies", COMMIT, TREE, "v2", "plugins/debate"
    )
    good = {"debate": debate, "fusion": FUSION}
    assert lock_matches(ours, good) == []
    through_an_index = LockedGit("fusion", debate.url, COMMIT, TREE, COMMIT, "plugins/fusion")
    assert lock_matches(ours, {**good, "fusion": through_an_index}) == []
    assert lock_matches(ours, {}) == ["debate is not locked", "fusion is not locked"]
    for other in (
        LockedGit("debate", debate.url + "2", COMMIT, TREE, "v2", "plugins/debate"),
        LockedGit("debate", debate.url, COMMIT, TREE, "v3", "plugins/debate"),
        LockedGit("debate", debate.url, COMMIT, TREE, "v2", "plugins/other"),
        LockedGit("debate", debate.url, COMMIT, TREE, None, "plugins/debate"),
        LockedDistribution("debate", "x", "1"),
    ):
        assert lock_matches(ours, {**good, "debate": other}) == [
            "debate is locked for another source"
        ]
    local = LockedGit("local", debate.url, COMMIT, TREE)
    old = LockedDistribution("old", "old", "1")
    assert lock_matches(ours, {**good, "local": local, "old": old}) == [
        "local is locked, but is a path",
        "old is locked, but not in strategies.toml",
    ]
