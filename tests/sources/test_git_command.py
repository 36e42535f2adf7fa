"""What git is given: a closed list of commands, a closed environment, and no secrets."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from git_server import GIT, STRATEGY, GitServer, Repository
from openhands_strategies.errors import LoadError, ResolveError
from openhands_strategies.sources.git_command import run_git
from openhands_strategies.sources.git_environment import SETTINGS
from openhands_strategies.sources.git_errors import failure, redact
from openhands_strategies.sources.git_fetch import locate_git
from openhands_strategies.sources.git_place import GitPlace
from openhands_strategies.sources.reference import GitReference

Serve = Callable[..., GitServer]
FILES = {"strategy.py": STRATEGY, "sub/strategy.py": STRATEGY + b"#\n"}
CANARY = "canary-Zq7-pa55word"


@pytest.fixture
def seen(user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict]]:
    """A stand-in for git, first on PATH, that notes arguments and environment and is git."""
    log = tmp_path / "seen"
    log.mkdir()
    stand_in = tmp_path / "bin" / "git"
    stand_in.parent.mkdir()
    stand_in.write_text(
        f"#!{sys.executable} -IS\nimport json, os, sys\n"
        f"with open(f'{log}/{{os.getpid()}}.json', 'w') as file:\n"
        "    json.dump({'arguments': sys.argv[1:], 'environment': dict(os.environ),\n"
        "               'directory': os.getcwd()}, file)\n"
        f"os.execv({GIT!r}, ['git', *sys.argv[1:]])\n"
    )
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stand_in.parent}:{os.environ['PATH']}")
    return lambda: [json.loads(file.read_text()) for file in sorted(log.iterdir())]


def ours(seen: list[dict]) -> list[dict]:
    """The calls of this package, not the one that GitPython makes when it is imported."""
    return [one for one in seen if "-c" in one["arguments"]]


def test_every_call_has_the_settings_and_closed_operands(
    seen: Callable[[], list[dict]], served: Repository, serve: Serve, store: Path
) -> None:
    commit = served.add(FILES)
    server = serve(newest=False)
    locate_git(GitReference(f"{server.url}/acme/tools", commit, "sub"), store)
    calls = ours(seen())
    verbs = set()
    for call in calls:
        arguments = call["arguments"]
        count = len(SETTINGS) + 1
        settings = arguments[1 : 2 * count : 2]
        assert settings[: len(SETTINGS)] == list(SETTINGS)
        verb, *rest = arguments[2 * count :]
        verbs.add(verb)
        outside = [one for one in rest if server.url in one or commit in one]
        for one in outside:
            assert rest.index("--end-of-options") < rest.index(one)
    assert {"version", "fetch", "cat-file", "ls-tree"} <= verbs


def test_nothing_inherited_reaches_git(
    seen: Callable[[], list[dict]],
    served: Repository,
    serve: Serve,
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commit = served.add(FILES)
    server = serve()
    other = Repository(tmp_path / "other")
    trace = tmp_path / "trace"
    hostile = {
        "GIT_DIR": str(other.path),
        "GIT_WORK_TREE": str(tmp_path),
        "GIT_INDEX_FILE": str(tmp_path / "index"),
        "GIT_OBJECT_DIRECTORY": str(tmp_path / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(tmp_path / "objects"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.hooksPath",
        "GIT_CONFIG_VALUE_0": str(tmp_path),
        "GIT_CONFIG_PARAMETERS": "'core.fsmonitor'='touch x'",
        "GIT_CONFIG_GLOBAL": str(tmp_path / "config"),
        "GIT_TEMPLATE_DIR": str(tmp_path),
        "GIT_EXEC_PATH": str(tmp_path),
        "GIT_SSH": str(tmp_path / "ssh"),
        "GIT_PROXY_COMMAND": "touch x",
        "GIT_EXTERNAL_DIFF": "touch x",
        "GIT_TRACE": str(trace),
        "GIT_TRACE_CURL": str(trace),
        "GIT_TRACE2_EVENT": str(trace),
        "GIT_ALLOW_PROTOCOL": "ext:http",
        "GIT_TERMINAL_PROMPT": "1",
        "GIT_SSL_NO_VERIFY": "1",
        "GIT_CEILING_DIRECTORIES": "/",
        "GIT_NAMESPACE": "x",
        "GIT_REPLACE_REF_BASE": "refs/x",
        "GIT_SHALLOW_FILE": str(tmp_path / "shallow"),
        "LD_PRELOAD": "",
        "SOME_TOKEN": CANARY,
    }
    for name, value in hostile.items():
        if name != "GIT_EXEC_PATH":  # GitPython runs `git version` when it is imported
            monkeypatch.setenv(name, value)
    found = locate_git(GitReference(f"{server.url}/acme/tools"), store)
    assert found.source.commit == commit  # type: ignore[union-attr]
    allowed = {
        *("HOME", "PATH", "GIT_SSL_CAINFO", "LC_ALL", "LANGUAGE", "TMPDIR", "GIT_DIR"),
        *("GIT_ALLOW_PROTOCOL", "GIT_TERMINAL_PROMPT", "GIT_NO_REPLACE_OBJECTS"),
        *("GIT_ATTR_NOSYSTEM", "GIT_LFS_SKIP_SMUDGE", "GIT_OPTIONAL_LOCKS"),
        *("GCM_INTERACTIVE", "SSH_ASKPASS_REQUIRE", "LC_CTYPE", "PWD", "_"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR"),
    }
    for call in ours(seen()):
        environment = call["environment"]
        # What git adds for the commands that it starts itself.
        names = {name for name in environment if not name.startswith("GIT_CONFIG_PARAMETERS")}
        assert names - allowed <= {"GIT_EXEC_PATH", "GIT_PREFIX", "GIT_PROTOCOL"}
        assert environment["GIT_TERMINAL_PROMPT"] == "0"
        assert environment["GIT_ALLOW_PROTOCOL"] in ("https:ssh", "none")
        directory = Path(environment["GIT_DIR"])
        assert directory == Path(os.devnull) or directory.is_relative_to(store / "tmp")
        assert call["directory"] == "/"
    assert not trace.exists()
    assert list(other.path.glob("objects/??")) == []


@pytest.mark.parametrize(
    ("verb", "options", "operands"),
    [
        ("clone", (), ()),
        ("config", (), ()),
        ("fetch", ("--upload-pack=x",), ()),
        ("fetch", ("--depth=2",), ()),
        ("ls-remote", (), ("-x",)),
        ("ls-remote", (), ("--upload-pack=x",)),
        ("ls-remote", (), ("a\nb",)),
        ("ls-remote", (), ("",)),
    ],
)
def test_no_other_command(
    verb: str, options: tuple[str, ...], operands: tuple[str, ...], user: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"list of commands|for an option"):
        run_git(GitPlace("https://example.org/x", tmp_path), verb, options, operands)


def test_a_password_by_the_users_helper(
    seen: Callable[[], list[dict]],
    served: Repository,
    serve: Serve,
    store: Path,
    user: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The canary: in a helper, a file of the user, proxies and the environment."""
    caplog.set_level(logging.DEBUG)
    served.add(FILES)
    server = serve(password=CANARY)
    monkeypatch.setenv("GITHUB_TOKEN", CANARY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{CANARY}@127.0.0.1:1")
    reference = GitReference(f"{server.url}/acme/tools")
    told: list[object] = []
    errors = []

    def attempt() -> None:
        with pytest.raises((ResolveError, LoadError)) as caught:
            locate_git(reference, store, progress=lambda *stage: told.append(stage))
        errors.append(caught.value)

    attempt()
    assert errors[-1].code == "git_auth"
    helper = user / "helper"
    helper.write_text(f'#!/bin/sh\necho username=user\necho "password=$(cat {user}/password)"\n')
    helper.chmod(0o755)
    (user / "password").write_text("wrong-" + CANARY)
    (user / ".gitconfig").write_text(f"[credential]\n\thelper = {helper}\n")
    attempt()
    assert errors[-1].code == "git_auth"
    (user / "password").write_text(CANARY)
    assert locate_git(reference, store).tree
    # Where the user's own settings put a password into the URL, git shows it; we do not.
    (user / ".gitconfig").write_text(
        f'[url "https://user:{CANARY}@127.0.0.1:1/"]\n\tinsteadOf = https://example.org/\n'
    )
    reference = GitReference("https://example.org/acme/tools")
    attempt()
    monkeypatch.delenv("NO_PROXY")
    (user / ".gitconfig").write_text("")
    attempt()
    with pytest.raises(ResolveError) as caught:
        GitReference(f"https://user:{CANARY}@example.org/acme/tools")
    errors.append(caught.value)
    arguments = [call["arguments"] for call in seen()]
    output = capfd.readouterr()
    shown = [repr(one) for error in errors for one in _chain(error)]
    everything = "\n".join([*shown, caplog.text, repr(told), *output, repr(arguments)])
    assert CANARY not in everything
    assert "***" in everything
    for path in store.rglob("*"):
        assert path.is_dir() or CANARY.encode() not in path.read_bytes()


def _chain(error: BaseException | None) -> list[object]:
    found: list[object] = []
    while error is not None:
        found += [str(error), error.args, vars(error)]
        error = error.__cause__ or error.__context__
    return found


def test_redaction(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "k3y%20value-1")
    monkeypatch.setenv("SHORT_KEY", "fatal")
    monkeypatch.setenv("HTTP_PROXY", "http://me:pr0xy-pass@proxy:1")
    text = "fatal: https://a:b@c/d and\x1b[31m 'ssh://x@y' k3y%20value-1 k3y value-1 pr0xy-pass"
    assert redact(text) == "fatal: https://***@c/d and [31m 'ssh://***@y' *** *** ***"
    assert len(redact("x" * 1000)) == 300
    said = ["remote: your password is pa55", "fatal: unable to access 'x': no"]
    error = failure("https://u:p@host/x", said)
    assert (error.code, error.message) == (
        "git_unreachable",
        "https://***@host/x: unable to access 'x': no",
    )
    assert failure("x", ["remote: hello"]).message == "x: git failed without a word"


def without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None) -> None:
    """A PATH with `env` and, perhaps, a git of its own."""
    import git.cmd  # noqa: F401  (it runs git when it is imported)

    only = tmp_path / "only"
    only.mkdir()
    (only / "env").symlink_to("/usr/bin/env")
    if script is not None:
        (only / "git").write_text(script)
        (only / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(only))


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (None, "git_missing"),
        ("#!/bin/sh\necho git version 2.20.1\n", "git_too_old"),
        ("#!/bin/sh\necho something else\n", "git_too_old"),
        ("#!/bin/sh\nexit 1\n", "git_failed"),
    ],
)
def test_no_usable_git(
    script: str | None,
    code: str,
    user: Path,
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without(tmp_path, monkeypatch, script)
    for reference in (
        GitReference("https://127.0.0.1:1/x"),
        GitReference("https://127.0.0.1:1/x", "1" * 40),
    ):
        with pytest.raises(ResolveError) as caught:
            locate_git(reference, store)
        assert (caught.value.code, bool(caught.value.hint)) == (code, True)
    assert list(store.glob("tmp/*")) == []


def test_a_git_in_the_current_directory_is_not_run(
    served: Repository,
    user: Path,
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served.add(FILES)
    (tmp_path / "git").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    import git.cmd  # noqa: F401  (it looks for git on PATH when it is imported)

    monkeypatch.setenv("PATH", f".:bin::{os.environ['PATH']}")
    assert locate_git(GitReference(f"file://{served.path}"), store).tree
    assert not (tmp_path / "ran").exists()


WARM = """
    import json, sys
    from pathlib import Path
    seen = []
    sys.addaudithook(lambda event, args: seen.append(event)
        if event in ("socket.connect", "socket.__new__", "subprocess.Popen", "os.exec",
                     "os.posix_spawn", "os.fork", "os.system") else None)
    from openhands_strategies.sources.git_fetch import locate_git
    from openhands_strategies.sources.reference import GitReference
    found = locate_git(GitReference(sys.argv[1], sys.argv[2]), Path(sys.argv[3]))
    print(json.dumps([found.tree, seen, "git" in sys.modules, "selectors" in sys.modules]))
"""


def test_a_warm_pinned_reference_costs_no_git_and_no_network(
    seen: Callable[[], list[dict]], served: Repository, serve: Serve, store: Path
) -> None:
    commit = served.add(FILES)
    server = serve()
    url = f"{server.url}/acme/tools"
    tree = locate_git(GitReference(url), store).tree
    calls, asked = len(seen()), len(server.requests)
    said = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(WARM), url, commit, str(store)],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert json.loads(said)[:3] == [tree, [], False]
    assert (len(seen()), len(server.requests)) == (calls, asked)
