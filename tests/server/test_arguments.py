"""`ohs serve`: which arguments are ours, and which go on to the agent-server."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from openhands_strategies.cli.serving import (
    page_address,
    split_arguments,
    upstream_arguments,
    why_it_ended,
)
from openhands_strategies.errors import UsageError

MODULE = "openhands_strategies.server.extension"


def test_ours_are_taken_out_wherever_they_stand() -> None:
    given = split_arguments(
        [
            *("--port", "9", "--extensions", "a", "./b.py", "--strict", "--with=c"),
            *("--extensions=d", "--extra-python-path", "/x"),
            *("--workspaces", "/one", "/two", "--with", "e"),
        ]
    )
    assert given.extensions == ["a", "./b.py", "d"]
    assert given.overlays == ["c", "e"]
    assert given.workspaces == ["/one", "/two"]
    assert given.strict
    assert given.upstream == ["--port", "9", "--extra-python-path", "/x"]


@pytest.mark.parametrize("arguments", [["--extensions"], ["--with="], ["--with", "--port", "1"]])
def test_an_option_without_a_value(arguments: list[str]) -> None:
    with pytest.raises(UsageError, match="needs a value"):
        split_arguments(arguments)


def test_our_module_is_appended_and_the_host_is_loopback() -> None:
    assert upstream_arguments(["--port=1"]) == [
        "--port=1",
        *("--host", "127.0.0.1", "--import-modules", MODULE),
    ]
    assert upstream_arguments(["--import-modules", "canvas_ui_tool", "--host=0.0.0.0"]) == [
        "--host=0.0.0.0",
        *("--import-modules", f"canvas_ui_tool,{MODULE}"),
    ]
    assert upstream_arguments(["--import-modules=a, b"])[-1] == f"a,b,{MODULE}"


def test_the_beginning_of_an_option_is_that_option() -> None:
    given = split_arguments(["--work", "/w", "--ho", "0.0.0.0", "--import-mod=mine", "--rel"])
    assert given.workspaces == ["/w"]
    assert given.upstream == ["--host", "0.0.0.0", "--import-modules=mine", "--reload"]
    assert upstream_arguments(given.upstream) == [
        *("--host", "0.0.0.0", "--reload", "--import-modules", f"mine,{MODULE}"),
    ]
    with pytest.raises(UsageError, match="--ext could be --extensions or --extra-python-path"):
        split_arguments(["--ext", "fusion"])
    assert split_arguments(["--new-one", "--", "x"]).upstream == ["--new-one", "--", "x"]


def test_why_the_agent_server_ended() -> None:
    assert why_it_ended(2, ["--port", "18771x"]).exit_code == 2
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        error = why_it_ended(3, ["--port", str(port)])
    assert (error.code, error.exit_code) == ("port_taken", 1)
    assert str(port) in error.message
    for arguments in (["--port", str(port)], ["--port", "99999"], ["--check-browser"]):
        assert why_it_ended(1, arguments).code == "server_ended"


@pytest.mark.parametrize(
    ("arguments", "address"),
    [
        ([], "http://127.0.0.1:8000/strategies"),
        (["--host", "0.0.0.0", "--port=9", "--new", "x"], "http://127.0.0.1:9/strategies"),
        (["--host=::1"], "http://[::1]:8000/strategies"),
        (["--port", "many"], None),
        (["--port"], None),
        (["--check-browser"], None),
        (["-h"], None),
    ],
)
def test_where_the_page_will_be(arguments: list[str], address: str | None) -> None:
    assert page_address(arguments) == address


def test_help_and_usage_cost_no_server(tmp_path: Path) -> None:
    pytest.importorskip("openhands.agent_server")

    def serve(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "openhands_strategies", "serve", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    shown = serve("--help")
    assert shown.returncode == 0
    assert "--extensions REF" in shown.stdout
    assert "openhands.agent_server" not in shown.stderr
    wrong = serve("--workspaces", "./absent")
    assert wrong.returncode == 2
    assert "--workspaces: ./absent is no directory" in wrong.stderr


def test_without_the_extra_there_is_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from openhands_strategies.cli import serving
    from openhands_strategies.cli.main import main

    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        main(["serve"])
    assert ended.value.code == 2
    assert "pip install 'openhands-strategies[server]'" in capsys.readouterr().err
