"""`ohs run --server` before anything runs there: options, and servers that are none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.cli.remote.address import server_of
from openhands_strategies.cli.remote.answers import Offer
from openhands_strategies.cli.remote.client import Client
from openhands_strategies.cli.remote.following import report_on
from openhands_strategies.cli.remote.matching import find_meant, matching_offer, serve_line
from openhands_strategies.errors import RunError, StrategyError, UsageError
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.registry.host import plugin_host

KEY = "canary-key-0123456789"

Answering = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def answering(answer: Answering) -> Iterator[str]:
    """A real HTTP server that answers everything in one way; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def run(ohs, server: str, *options: str, **environ: str):
    done = ohs(
        "run", "fusion", "--task", "x", "--server", server, "--json", *options,
        CANARY=KEY, **environ,
    )  # fmt: skip
    assert KEY not in done.out + done.err
    assert "Traceback" not in done.err
    return done.code, json.loads(done.out)["error"]


def test_what_is_no_address_of_a_server(ohs) -> None:
    for url in (
        "localhost:8000", "ftp://host", "http://", "http://user:pass-word@host/", "http://h?x=1",
        "http://h#x", "http://h:99999", "http://h/a b", "http://h/\n", "http://[::1",
    ):  # fmt: skip
        code, error = run(ohs, url)
        assert (code, error["code"]) == (2, "server_url"), url
        assert "pass-word" not in str(error)


def test_options_that_say_nothing_to_a_server(ohs) -> None:
    server = "http://127.0.0.1:9"
    for options, code in (
        (["--model", "openai/x"], "remote_option"),
        (["--base-url", "http://127.0.0.1:9/v1"], "remote_option"),
        (["--price", "1,2"], "remote_option"),
        (["--session-key-env", "NOT_SET_ANYWHERE"], "session_key_missing"),
        (["--session-key-env", "EMPTY"], "session_key_missing"),
        (["--session-key-env", "ODD"], "session_key_invalid"),
        (["--workspace", "relative/path"], "workspace_relative"),
    ):
        exit_code, error = run(ohs, server, *options, EMPTY="", ODD="two\nlines-of-a-key")
        assert (exit_code, error["code"]) == (2, code), options
        assert "lines-of-a-key" not in str(error)
    code, error = run(ohs, "http://example.invalid:8000")
    assert (code, error["code"]) == (2, "workspace_missing")
    done = ohs("run", "fusion", "--task", "x", "--session-key-env", "CANARY", "--json")
    assert done.code == 2
    assert "--server" in json.loads(done.out)["error"]["message"]
    done = ohs("run", "--resume", "0" * 32, "--server", server, "--confirm", "always", "--json")
    assert json.loads(done.out)["error"]["code"] == "remote_option"
    done = ohs("run", "--resume", "no-id", "--server", server, "--json")
    assert (done.code, json.loads(done.out)["error"]["code"]) == (2, "run_unknown")


def test_nobody_answers(ohs) -> None:
    code, error = run(ohs, "http://127.0.0.1:9/prefix/", "--session-key-env", "CANARY")
    assert (code, error["code"]) == (1, "server_unreachable")
    assert "http://127.0.0.1:9/prefix (" in error["message"]
    assert "refused" in error["message"]


def test_a_key_in_clear_is_warned_of(ohs) -> None:
    done = ohs(
        "run", "fusion", "--task", "x", "--server", "http://host.invalid", "--workspace", "/w",
        "--session-key-env", "CANARY", CANARY=KEY,
    )  # fmt: skip
    assert done.code == 1
    assert done.err.startswith(
        "warning: the key of CANARY goes to http://host.invalid unencrypted: use https\n"
    )
    assert KEY not in done.err


@pytest.mark.parametrize(
    "body",
    [
        b"<html>404</html>",
        b"",
        b"[]",
        b'{"detail": "Not Found"}',
        b'{"strategies": {"name": "fusion"}}',
        b'{"strategies": [{"name": 7}]}',
        b'{"strategies": [null]}',
        b"[" * 200_000,
        b'{"strategies": [{"name": "\xff"}]}',
        b'{"strategies": ' + b"1" * 10_000 + b"}",
    ],
    ids=range(10),
)
def test_what_is_no_list_of_strategies(ohs, body: bytes) -> None:
    with answering(lambda handler: send(handler, body)) as server:
        code, error = run(ohs, server, "--session-key-env", "CANARY")
    assert (code, error["code"]) == (3, "server_without_strategies")
    assert error["hint"].startswith("on the server: pip install openhands-strategy-fusion==")
    assert error["hint"].endswith(" && ohs serve --extensions fusion")


def test_a_server_without_the_extension(ohs) -> None:
    with answering(lambda handler: send(handler, b'{"detail": "Not Found"}', 404)) as server:
        code, error = run(ohs, server, "--with", "guardrails")
    assert (code, error["code"]) == (3, "server_without_strategies")
    assert error["hint"].endswith(" && ohs serve --extensions fusion guardrails")


def test_an_answer_without_end_is_left(ohs) -> None:
    sent: list[int] = []

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                sent.append(handler.wfile.write(b" " * 1_000_000))
        except OSError:
            return

    with answering(endless) as server:
        code, error = run(ohs, server)
    assert (code, error["code"]) == (3, "server_without_strategies")
    assert sum(sent) < 60_000_000


def test_a_redirect_is_not_followed(ohs) -> None:
    asked: list[str | None] = []

    def thief(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.headers.get("X-Session-API-Key"))
        send(handler, b"{}")

    with answering(thief) as other:

        def redirect(handler: BaseHTTPRequestHandler) -> None:
            send(handler, b"", 307, Location=f"{other}/{handler.headers['X-Session-API-Key']}")

        with answering(redirect) as server:
            code, error = run(ohs, server, "--session-key-env", "CANARY")
    assert (code, error["code"]) == (2, "server_redirects")
    assert f"{other}/<key>" in error["message"]
    assert not asked


def test_a_server_that_repeats_the_key(ohs) -> None:
    offer = {"name": "fusion", "tree": None, "error": {"code": "x", "message": "", "hint": ""}}

    def parrot(handler: BaseHTTPRequestHandler) -> None:
        key = handler.headers["X-Session-API-Key"]
        error = {"code": key, "message": f"\x1b]0;{key}\x07", "hint": [f"{key}"][0]}
        send(handler, json.dumps({"strategies": [{**offer, "error": error}]}).encode())

    with answering(parrot) as server:
        code, error = run(ohs, server, "--session-key-env", "CANARY")
        assert (code, error["code"]) == (1, "server_refused")
        done = ohs(
            "run", "fusion", "--task", "x", "--server", server, "--session-key-env", "CANARY",
            CANARY=KEY,
        )  # fmt: skip
    assert "<key>" in done.err
    assert KEY not in done.err
    assert "\x1b" not in done.err


def test_the_sdk_is_not_imported(tmp_path: Path) -> None:
    code = """
import sys
from openhands_strategies.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
heavy = {"openhands.sdk", "openhands.tools", "litellm"}
print(code, sorted(set(sys.modules) & heavy), file=sys.stderr)
"""
    document = {
        "conversation_id": "0" * 32,
        "strategy": {"name": "fusion"},
        "params": {},
        "status": "finished",
        "answer": "done",
        "roles": [],
    }

    def whole(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/api/strategies":
            send(handler, b'{"strategies": [{"name": "other"}]}')
        else:
            send(handler, json.dumps(document).encode())

    with answering(whole) as server:
        done = subprocess.run(
            [sys.executable, "-c", code, "run", "other", "--task", "x", "--server", server],
            cwd=tmp_path,
            env={**os.environ},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stderr.splitlines()[-1] == "0 []", done.stderr
    assert done.stdout == "done\n"


def test_a_strangers_texts_are_cleaned_for_the_terminal(tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07"
    used = {
        "model": f"m{evil}", "calls": 1, "input_tokens": 2, "output_tokens": 3, "cached_tokens": 0,
        "seconds": 1.5, "cost_usd": None, "state": f"done{evil}", "activity": evil,
    }  # fmt: skip
    document = {
        **RUN,
        "status": "limit",
        "strategy": {"name": evil, "source": {"type": "path", "path": evil}, "tree": evil},
        "workspace": evil,
        "answer": evil,
        "roles": [{**used, "role": "main", "tasks": 1}, {**used, "role": evil, "tasks": 1}],
        "subagents": [{**used, "role": evil, "id": evil, "label": evil}],
        "error": {"code": evil, "message": evil, "hint": evil},
    }
    statuses = [503, 200, 200]

    def hostile(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/api/strategies":
            send(handler, b'{"strategies": [{"name": "other"}]}')
        elif handler.command == "GET" and statuses[0] == 503:
            refused = {"code": "x", "message": evil, "hint": evil}
            send(handler, json.dumps(refused).encode(), statuses.pop(0))
        else:
            send(handler, json.dumps(document).encode())

    with answering(hostile) as server, following(server, tmp_path) as process:
        out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert err.count("owned") > 5
    assert "trying again" in err
    assert "main done" in err
    assert "\x1b" not in out + err
    assert "\x07" not in out + err


UUID = "00000000-0000-0000-0000-000000000000"
RUN: dict[str, Any] = {
    "conversation_id": UUID,
    "strategy": {"name": "fusion"},
    "params": {},
    "status": "running",
    "roles": [],
}


def test_a_server_that_does_not_come_back_is_given_up() -> None:
    with (
        Client(server_of("http://127.0.0.1:9", None)) as client,
        pytest.raises(RunError, match="there was no word of it for 2 seconds") as caught,
    ):
        report_on(client, "0" * 32, lambda _: None, 2.0)
    assert caught.value.code == "server_lost"
    assert caught.value.hint == f"ohs run --resume {'0' * 32} --server http://127.0.0.1:9"


def test_a_server_that_restarts_is_waited_for() -> None:
    answers = [502, 503, 200]

    def restarting(handler: BaseHTTPRequestHandler) -> None:
        send(handler, json.dumps(RUN).encode(), answers.pop(0))

    with answering(restarting) as server, Client(server_of(server, None)) as client:
        assert report_on(client, "0" * 32, lambda _: None).status == "running"
    assert not answers


@pytest.mark.parametrize(
    "change",
    [
        {"conversation_id": "../../secrets"},
        {"status": None},
        {"roles": [{"role": "main"}]},
        {"seconds": -1},
        {"params": []},
    ],
    ids=str,
)
def test_a_report_that_is_none(change: dict[str, Any]) -> None:
    with (
        answering(lambda one: send(one, json.dumps({**RUN, **change}).encode())) as server,
        Client(server_of(server, None)) as client,
        pytest.raises(StrategyError) as caught,
    ):
        report_on(client, "0" * 32, lambda _: None)
    assert caught.value.code == "server_answer"


def test_a_git_strategy_is_pinned_by_its_commit(repository, tmp_path: Path) -> None:
    reference = f"git+file://{repository}"
    meant = find_meant(reference, plugin_host(), lambda _: None, Fetching())
    assert meant.located is not None
    commit = meant.located.source.commit
    line = serve_line([meant])
    pinned = f"git+file://{repository}@{commit}"
    assert line == f"on the server: ohs trust {pinned} && ohs serve --extensions {pinned}"

    def offer(**more: Any) -> Offer:
        git = {"type": "git", "url": "https://elsewhere/copy", "subdirectory": None}
        return Offer.model_validate({"name": meant.names[0], "source": git, **more})

    # The same files, or the same commit, wherever they were fetched from.
    for same in (offer(tree=meant.tree), offer(tree=None, source={"commit": commit})):
        assert matching_offer(meant, [same], line) is same
    for other in (offer(tree="sha256:0"), offer(tree=meant.tree, name="other-name")):
        with pytest.raises(StrategyError) as caught:
            matching_offer(meant, [other], line)
        assert caught.value.exit_code == 3
        assert caught.value.hint == line


@pytest.fixture
def repository(tmp_path: Path, good: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    (root / "strategy.py").write_text(good.read_text())
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], cwd=root, check=True)
    return root


def test_addresses() -> None:
    for text, url, loopback in (
        ("http://LOCALHOST:8000/", "http://localhost:8000", True),
        ("https://host/prefix/", "https://host/prefix", False),
        ("http://[::1]:8000", "http://[::1]:8000", True),
        ("http://127.1.2.3", "http://127.1.2.3", True),
        ("http://127.0.0.1.example.org", "http://127.0.0.1.example.org", False),
    ):
        found = server_of(text, None)
        assert (found.url, found.loopback) == (url, loopback)
    with pytest.raises(UsageError):
        server_of("http://host", "VAR", {})
    assert KEY not in repr(server_of("http://host", "VAR", {"VAR": KEY}))


class Slow:
    """A server that has one run; it starts slowly, and stops when it likes.

    Args:
        stubborn: Whether it goes on when it is asked to stop.
    """

    def __init__(self, *, stubborn: bool = False, starting: float = 0.0) -> None:
        self.stubborn, self.starting = stubborn, starting
        self.posts: list[str] = []
        self.looks = 0

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        document: dict[str, Any] = dict(RUN)
        if handler.command == "POST":
            handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
            self.posts.append(handler.path)
            if handler.path.endswith("/start"):
                time.sleep(self.starting)
        elif handler.path == "/api/strategies":
            document = {"strategies": [{"name": "other"}]}
        else:
            self.looks += 1
            stopped = not self.stubborn and any(one.endswith("/interrupt") for one in self.posts)
            document["status"] = "paused" if stopped else "running"
        send(handler, json.dumps(document).encode())


@contextmanager
def following(server: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    options = ["--task", "x", "--server", server, "--session-key-env", "CANARY"]
    with subprocess.Popen(
        [sys.executable, "-m", "openhands_strategies", "run", "other", *options],
        cwd=cwd,
        env={**os.environ, "CANARY": KEY},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_ctrl_c_while_it_starts_stops_what_was_started(tmp_path: Path) -> None:
    slow = Slow(starting=2)
    with answering(slow) as server, following(server, tmp_path) as process:
        wait_until(lambda: slow.posts)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "waiting for the server, to stop the run" in err
    assert slow.posts == ["/api/strategies/other/start", f"/api/conversations/{UUID}/interrupt"]
    assert f"stopped; resume with: ohs run --resume {UUID} --server {server}" in err
    assert "Traceback" not in err


def test_a_run_that_does_not_stop_is_said_to_go_on(tmp_path: Path) -> None:
    slow = Slow(stubborn=True)
    with answering(slow) as server, following(server, tmp_path) as process:
        wait_until(lambda: slow.looks > 1)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert 9 < time.monotonic() - begun < 15
    assert f"the run may go on at {server}: it was not stopped (it still works)" in err
    assert "[not_stopped]" in err
    assert slow.posts.count(f"/api/conversations/{UUID}/interrupt") > 2


def test_a_second_ctrl_c_leaves_at_once(tmp_path: Path) -> None:
    slow = Slow(stubborn=True)
    with answering(slow) as server, following(server, tmp_path) as process:
        wait_until(lambda: slow.looks > 1)
        process.send_signal(signal.SIGINT)
        wait_until(lambda: len(slow.posts) > 1)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - begun < 2
    assert f"left; the run may go on at {server}: ohs run --resume {UUID} --server" in err
    assert KEY not in err
