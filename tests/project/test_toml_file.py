"""Our TOML files are read strictly, and every fault has a file and a line."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openhands_strategies.project.toml_file import FileError, parse_document, read_document
from openhands_strategies.project.toml_text import line_of, portable, toml_string

TEXT = """\
# a comment with [strategies.x]
version = 1
[strategies.debate]
source = "a"   # here
[strategies."odd name"]
  source = "b"
[[strategy]]
name = "one"
[[strategy]]
name = "two"
url.deep = "x"
[other]
inline = { key = 1 }
"""


@pytest.mark.parametrize(
    ("at", "line"),
    [
        (["version"], 2),
        (["strategies", "debate"], 3),
        (["strategies", "debate", "source"], 4),
        (["strategies", "odd name", "source"], 6),
        (["strategy", 0, "name"], 8),
        (["strategy", 1], 9),
        (["strategy", 1, "name"], 10),
        (["strategy", 1, "url", "deep"], 11),
        (["other", "inline", "key"], 13),
        (["strategy", 1, "missing"], 9),
        (["nowhere"], 1),
        ([], 1),
    ],
)
def test_a_line_is_found(at: list[str | int], line: int) -> None:
    assert line_of(TEXT, at) == line


@given(st.text())
def test_a_string_is_read_as_it_was_written(text: str) -> None:
    import tomllib

    assert tomllib.loads(f"x = {toml_string(text)}") == {"x": portable(text)}


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"x = \n", 1, "not TOML"),
        (b"a = 1\nb = 'x\n", 2, "not TOML"),
        (b"a = 1\na = 2\n", 2, "not TOML"),
        (b"a = 1\n\xff\xfe", 2, "UTF-8"),
        (b"\xef\xbb\xbfa = 1", 1, "not TOML"),
        (b"a = 2020-99-99", 1, "not TOML"),
        (b"a = " + b"9" * 5000, 1, "not TOML"),
        (b"\n" + b"a." * 400_000 + b"a = 1", 2, "nested too deeply"),
        (b"x = {" + b'"".' * 200_000 + b"a = 1}", 1, "nested too deeply"),
        (b"[" + b"a . " * 200_000 + b"a]", 1, "nested too deeply"),
        (b"a = " + b"[" * 100_000 + b"]" * 100_000, 0, "nested too deeply"),
        (b"#" * 1_000_001, 0, "larger than 1 MB"),
        (b"\0", 1, "not TOML"),
    ],
)
def test_what_is_no_toml(content: bytes, line: int, words: str) -> None:
    begun = time.monotonic()
    with pytest.raises(FileError) as caught:
        parse_document(content, Path("/x/a.toml"), "some_code")
    error = caught.value
    assert (error.code, error.line, error.exit_code) == ("some_code", line, 3)
    assert words in error.message
    assert error.message.startswith(f"/x/a.toml:{line}: " if line else "/x/a.toml ")
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    "fill", [b"a", b'"', b"'a", b"a ", b"= ", b"[", b"[a", b" ", b"a\n", b"#\n"]
)
def test_large_files_take_no_long_time(fill: bytes) -> None:
    begun = time.monotonic()
    try:
        document = parse_document((fill * 1_000_000)[:900_000], Path("/x"), "some_code")
    except FileError:
        pass
    else:
        assert document.line(["a"]) == 1
    assert time.monotonic() - begun < 3


def test_what_is_no_file(tmp_path: Path) -> None:
    assert read_document(tmp_path / "none.toml", "c") is None
    assert read_document(tmp_path / "none" / "none.toml", "c") is None
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert read_document(tmp_path / "link", "c") is None
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("pipe", ".", "loop"):
        with pytest.raises(FileError) as caught:
            read_document(tmp_path / name, "c")
        assert caught.value.code == "c"
        assert str(tmp_path) in caught.value.message
