"""A run is recorded in front of a real server, and played back in another place."""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openhands_strategies.testing import (
    Call,
    HttpError,
    Malformed,
    ReplayError,
    ReplayMismatch,
    Reply,
    ScriptedModel,
    Turn,
    by_model,
    call,
    failing,
    finish,
    record,
    replay,
    say,
)
from openhands_strategies.testing.cleaning import (
    REMOVED,
    Cleaner,
    accounts_here,
    filled,
    secrets_in,
)
from support import DELEGATING

KEY = "the-key-of-the-server"
LOOKS_SECRET = (
    "sk-proj-abcdefghijklmnop1234",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github_pat_11ABCDEFG0abcdefghijkl",
    "AKIAIOSFODNN7EXAMPLE",
    "rk_live_abcdefghijklmnop",
    "xoxb-1234567890-abcdef",
    "hf_abcdefghijklmnopqrst",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
)


def post(url: str, body: Mapping[str, Any], key: str = KEY) -> tuple[int, str]:
    """One request, as a client makes it."""
    request = urllib.request.Request(
        f"{url}/chat/completions",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def body(*messages: str, model: str = "m", **more: Any) -> dict[str, Any]:
    """A request: a system prompt, then user and assistant in turn."""
    roles = ["system", *(["user", "assistant"] * len(messages))]
    tool = {"type": "function", "function": {"name": "finish", "parameters": {}}}
    return {
        "model": model,
        "messages": [{"role": r, "content": m} for r, m in zip(roles, messages, strict=False)],
        "tools": [tool],
        **more,
    }


def text(document: str) -> str:
    return str(json.loads(document)["choices"][0]["message"]["content"])


@pytest.mark.parametrize("secret", LOOKS_SECRET)
def test_what_looks_like_a_key_is_taken_out(secret: str) -> None:
    cleaned = Cleaner({}).text(f"before {secret} after")
    assert cleaned == f"before {REMOVED} after"


def test_a_password_in_a_url_and_a_bearer_are_taken_out() -> None:
    cleaner = Cleaner({})
    assert cleaner.text("https://me:pass@host/x") == f"https://{REMOVED}@host/x"
    assert cleaner.text("Authorization: Bearer abcdefgh.1") == f"Authorization: Bearer {REMOVED}"


def test_values_of_variables_are_secrets_by_their_names() -> None:
    environ = {
        "LLM_API_KEY": "long-enough-1",
        "GITHUB_TOKEN": "long-enough-2",
        "DB_PASSWORD": " long-enough-3 ",
        "SHORT_TOKEN": "dev",
        "PATH": "/usr/bin:/bin",
    }
    assert secrets_in(environ) == {"long-enough-1", "long-enough-2", "long-enough-3"}
    cleaner = Cleaner({}, {"a b/c d&e"})
    assert cleaner.value({"a b/c d&e": ["x a b/c d&e", "a%20b%2Fc%20d%26e", 3, None]}) == {
        REMOVED: [f"x {REMOVED}", REMOVED, 3, None]
    }


def test_places_are_taken_out_whole_and_filled_in(tmp_path: Path) -> None:
    home, work = tmp_path / "home", tmp_path / "home" / "work"
    cleaner = Cleaner({"home": home, "workspace": work})
    told = f"{work}/a.py {work}. {work}2 {work}-old {home}/x {work}"
    cleaned = cleaner.text(told)
    assert cleaned == (
        "{{ohs:workspace}}/a.py {{ohs:workspace}}. {{ohs:home}}/work2 {{ohs:home}}/work-old"
        " {{ohs:home}}/x {{ohs:workspace}}"
    )
    assert filled({"a": [cleaned]}, {"workspace": work, "home": home}) == {"a": [told]}
    assert filled("{{ohs:secret}} {{ohs:other}}", {"home": home}) == "{{ohs:secret}} {{ohs:other}}"
    assert Cleaner({"root": Path("/")}).text("/usr/bin") == "/usr/bin"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Authorization: Basic dXNlcjpwYXNz", f"Authorization: Basic {REMOVED}"),
        ('{"Authorization": "Basic ////////"}', f'{{"Authorization": "Basic {REMOVED}"}}'),
        ("curl -H 'x: basic YWRhOnMzY3JldA=='", f"curl -H 'x: basic {REMOVED}'"),
        ("Basic functionality comes first", "Basic functionality comes first"),
        ("basic understanding of basic requirements", "basic understanding of basic requirements"),
    ],
)
def test_a_login_is_told_from_a_word(text: str, cleaned: str) -> None:
    assert Cleaner({}).text(text) == cleaned


def test_more_names_that_mean_a_secret() -> None:
    names = ("MY_PAT", "SSH_PASSPHRASE", "STRIPE_KEY", "PROXY_AUTH", "KEY_OF_IT")
    environ = {name: f"value-of-{name}" for name in names}
    harmless = dict.fromkeys(("PATH", "KEYBOARD", "GIT_AUTHOR_NAME", "MONKEYS"), "long-enough")
    assert secrets_in(environ | harmless) == set(environ.values())


def test_a_place_is_known_in_escaped_json(tmp_path: Path) -> None:
    escaped = str(tmp_path).replace("/", "\\/")
    cleaner = Cleaner({"workspace": tmp_path})
    assert cleaner.text(f'"{escaped}\\/a"') == '"{{ohs:workspace}}\\/a"'


def test_who_works_here_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    monkeypatch.setattr("socket.gethostname", lambda: "ada-laptop.example.org")
    cleaner = Cleaner({}, accounts_here())
    assert cleaner.text("ada@ada-laptop:~$ ls") == f"{REMOVED}:~$ ls"
    assert cleaner.text("ada@ada-laptop.example.org") == REMOVED
    assert cleaner.text("ada was here") == "ada was here"


@given(st.text(), st.text(min_size=8), st.text())
def test_no_secret_survives(before: str, secret: str, after: str) -> None:
    cleaned = Cleaner({}, {secret}).text(before + secret + after)
    assert not any(secret in piece for piece in cleaned.split(REMOVED))


def conversation(turn: Turn) -> Reply:
    """Answers with a call on the second turn; its texts hold the key."""
    if turn.replies:
        return Reply(text=f"second {KEY}", calls=[Call("finish", {"message": f"{turn.user[-1]}"})])
    return say(f"first for {turn.user[0]}")


@pytest.mark.parametrize("stream", [False, True])
def test_a_recording_passes_everything_on_and_plays_back(tmp_path: Path, stream: bool) -> None:
    file, here, there = tmp_path / "run.json", tmp_path / "here", tmp_path / "there"
    options = {"stream": stream, "stream_options": {"include_usage": True}}
    with (
        ScriptedModel(conversation, api_key=KEY) as real,
        record(file, upstream=real.base_url, model="openai/m", workspace=here) as recorder,
    ):
        first = post(recorder.base_url, body("be good", f"look at {here}/a", **options))
        post(
            recorder.base_url, body("be good", f"look at {here}/a", "first", f"{here}/b", **options)
        )
        assert [(one.reply.text, list(one.reply.calls)) for one in recorder.served] == [
            (one.reply.text, list(one.reply.calls)) for one in real.served
        ]
        assert [one.input_tokens for one in recorder.served] == [
            one.input_tokens for one in real.served
        ]
        assert recorder.served[0].answer_id == real.served[0].answer_id
    assert first[0] == 200
    written = file.read_text()
    assert KEY not in written
    assert str(tmp_path) not in written
    document = json.loads(written)
    assert (document["version"], document["model"], len(document["turns"])) == (1, "openai/m", 2)
    assert document["turns"][1]["after"] == 0
    assert document["turns"][0]["usage"]["prompt_tokens"] > 0

    script = replay(file, workspace=there)
    assert script.model == "openai/m"
    with ScriptedModel(script) as played:
        status, answer = post(played.base_url, body("be good", f"look at {there}/a"))
        assert (status, text(answer)) == (200, f"first for look at {there}/a")
        said = ("be good", f"look at {there}/a", "first", f"{there}/b")
        message = json.loads(post(played.base_url, body(*said))[1])["choices"][0]["message"]
    assert message["content"] == f"second {REMOVED}"
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {
        "message": f"{there}/b"
    }


def recorded(tmp_path: Path, *requests: Mapping[str, Any]) -> Path:
    """A replay file of a server that numbers its answers."""
    file, count = tmp_path / "run.json", iter(range(100))
    with (
        ScriptedModel(lambda _: say(f"answer {next(count)}")) as real,
        record(file, upstream=real.base_url, model="openai/m", workspace=tmp_path) as recorder,
    ):
        for one in requests:
            assert post(recorder.base_url, one)[0] == 200
    return file


def mismatch(script: Any, request: Mapping[str, Any]) -> str:
    """What a request says that departs from a recording."""
    answers = []
    with pytest.raises(ReplayMismatch) as caught, ScriptedModel(script) as played:
        answers.append(post(played.base_url, request))
    told = str(caught.value)
    assert answers[0][0] == 500
    # The model's client is told too: the run's own error then says what happened.
    assert json.dumps(told)[1:-1] in answers[0][1]
    return told


def test_equal_requests_get_their_answers_in_order(tmp_path: Path) -> None:
    same = body("s", "try it")
    file = recorded(tmp_path, same, same, body("s", "other"), same)
    with ScriptedModel(replay(file)) as played:
        answers = [text(post(played.base_url, same)[1]) for _ in range(3)]
        other = text(post(played.base_url, body("s", "other"))[1])
    assert (answers, other) == (["answer 0", "answer 1", "answer 3"], "answer 2")


def test_times_and_ids_do_not_count(tmp_path: Path) -> None:
    file = recorded(tmp_path, body("now 2026-01-02T03:04:05.678 id " + "ab" * 16, "hi 2026-01-02"))
    with ScriptedModel(replay(file)) as played:
        said = body("now 2027-12-11 10:09:08 id " + "cd" * 16 + "  ", "hi 2027-03-04")
        assert post(played.base_url, said)[0] == 200


def test_a_departure_is_shown_as_a_difference(tmp_path: Path) -> None:
    file = recorded(
        tmp_path, body("line one\nbe good\nline three", "go"), body("other", "unlike anything")
    )
    told = mismatch(replay(file), body("line one\nbe bad\nline three", "go"))
    assert f"{file}: the run departs from the recording at turn 1" in told
    assert "--- recorded (turn 1)\n+++ came" in told
    assert "-  be good\n" in told
    assert "+  be bad\n" in told
    assert "unlike" not in told
    told = mismatch(replay(file), body("line one\nbe good\nline three", "stop"))
    assert "-  go" in told
    assert "+  stop" in told
    told = mismatch(replay(file), body("s", "go", model="n"))
    assert "has no request to model 'n', only to: m" in told
    with ScriptedModel(replay(file, system=False)) as played:
        assert post(played.base_url, body("quite another", "go", tools=[]))[0] == 200


def with_result(result: str) -> dict[str, Any]:
    """A second turn, after a tool has answered."""
    made = {"id": "c1", "type": "function", "function": {"name": "finish", "arguments": "{}"}}
    start = body("s", "go")
    start["messages"] += [
        {"role": "assistant", "content": None, "tool_calls": [made]},
        {"role": "tool", "tool_call_id": "c1", "content": result},
    ]
    return start


def test_tool_results_count_only_where_that_is_asked(tmp_path: Path) -> None:
    file = recorded(tmp_path, with_result("took 1 s"), with_result("took 2 s"))
    with ScriptedModel(replay(file)) as played:
        # One that is as recorded gets its own answer, another one the first.
        assert text(post(played.base_url, with_result("took 2 s"))[1]) == "answer 1"
        assert text(post(played.base_url, with_result("took 3 s"))[1]) == "answer 0"
    assert "+  took 3 s" in mismatch(replay(file, strict=True), with_result("took 3 s"))


def test_failures_of_the_server_are_passed_on_and_not_recorded(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    with (
        ScriptedModel(failing(HttpError(429, "slow down"), say("well"))) as real,
        record(file, upstream=real.base_url, model="openai/m", workspace=tmp_path) as recorder,
    ):
        assert post(recorder.base_url, body("s", "go"))[0] == 429
        assert post(recorder.base_url, body("s", "go"))[0] == 200
        assert urllib.request.urlopen(f"{recorder.base_url}/models").status == 200
    assert len(json.loads(file.read_text())["turns"]) == 1


def test_a_redirect_takes_the_key_nowhere(tmp_path: Path) -> None:
    reached: list[str] = []

    class Redirecting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reached.append(f"{self.path} {self.headers['Authorization']}")
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        do_POST = do_GET

    with HTTPServer(("127.0.0.1", 0), Redirecting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        upstream = f"http://127.0.0.1:{server.server_port}/v1"
        with (
            pytest.raises(ReplayError, match="no request reached"),
            record(tmp_path / "r.json", upstream=upstream, model="m", workspace=tmp_path) as one,
        ):
            assert post(one.base_url, body("s", "go"))[0] == 302
        server.shutdown()
    assert reached == [f"/v1/chat/completions Bearer {KEY}"]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (lambda _: Reply(fault=Malformed()), "no chat completion"),
        (lambda _: Reply(fault=HttpError(500)), "no request reached the recorder"),
    ],
)
def test_what_cannot_be_recorded_is_not_written(tmp_path: Path, script: Any, message: str) -> None:
    file = tmp_path / "run.json"
    with (
        ScriptedModel(script) as real,
        pytest.raises(ReplayError, match=message),
        record(file, upstream=real.base_url, model="openai/m", workspace=tmp_path) as recorder,
    ):
        post(recorder.base_url, body("s", "go"))
    assert not file.exists()


def test_only_chat_completions_are_recorded(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    seen = []
    with (
        pytest.raises(ReplayError, match="only chat completions"),
        record(file, upstream="http://127.0.0.1:9/v1", model="openai/m", workspace=tmp_path) as one,
    ):
        seen += [post(f"{one.base_url}/responses", {}), post(one.base_url, body("s", "go"))]
    assert [status for status, _ in seen] == [404, 502]
    with (
        pytest.raises(ReplayError, match="no URL"),
        record(file, upstream="ftp://host", model="openai/m", workspace=tmp_path),
    ):
        pass
    with (
        pytest.raises(ZeroDivisionError),
        record(file, upstream="http://127.0.0.1:9", model="openai/m", workspace=tmp_path),
    ):
        raise ZeroDivisionError
    assert not file.exists()


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="pytest --record-strategy"):
        assert replay(tmp_path / "no.json").model
    good = json.loads(recorded(tmp_path, body("s", "go")).read_text())
    for number, damaged in enumerate(
        ("{", "[]", "{}", json.dumps({**good, "version": 2}), json.dumps({**good, "turns": [1]}))
    ):
        file = tmp_path / f"{number}.json"
        file.write_text(damaged)
        with pytest.raises(ReplayError, match="is no replay file"):
            assert replay(file).model
    with pytest.raises(ReplayMismatch, match="0 of the 1 recorded requests came"):
        replay(tmp_path / "run.json").check_played(0)


# The real thing: a run of a strategy with the SDK, recorded by one pytest, played by another.

RECORDED_TEST = """
    from pathlib import Path
    from openhands_strategies.testing import replay

    FILE = Path(__file__).parent / "replays" / "fix.json"

    def test_fix(strategy_run, strategy_workspace):
        workspace = strategy_workspace({"a.txt": "one"})
        run = strategy_run("./strategy.py", replay(FILE), task=f"Write into {workspace}",
                           workspace=workspace, params={"model": "openai/small"})
        run.assert_finished()
        run.assert_roles({"main": "big", "helper": "small"})
        run.assert_delegations(("main", "helper"), ("main", "helper"))
        assert (workspace / "out.txt").read_text() == f"{workspace}/a.txt\\n"
        assert run.main.calls == 3
"""


def main_model(turn: Turn) -> Reply:
    """Knows the workspace from the task only, as a real model does, and repeats a key."""
    workspace = re.findall(r"Write into (\S+)", turn.user[0])[0]
    if not turn.replies:
        asked = [{"subagent_type": "helper", "prompt": f"look {n}"} for n in ("left", "right")]
        return Reply(text=f"I use {LOOKS_SECRET[0]}", calls=[Call("task", one) for one in asked])
    if turn.replies == 1:
        return call("terminal", command=f"echo {workspace}/a.txt > {workspace}/out.txt")
    return finish(f"wrote {workspace}/out.txt with {KEY}")


def helper_model(turn: Turn) -> Reply:
    if not turn.replies:
        return call("terminal", command="pwd; date")
    return finish(f"{turn.user[0]}: {turn.tool_results[-1].text}")


@pytest.fixture
def third_party(pytester: pytest.Pytester) -> pytest.Pytester:
    """A package with one strategy and one test of it. The SDK is imported once, here."""
    import openhands.tools.terminal  # noqa: F401

    import openhands_strategies.runtime.run  # noqa: F401

    pytester.path.joinpath("strategy.py").write_text(DELEGATING)
    pytester.makepyfile(test_it=RECORDED_TEST)
    return pytester


@pytest.mark.e2e
def test_a_run_is_recorded_by_an_option_and_then_needs_no_key(
    third_party: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = third_party.runpytest_inprocess()
    without.assert_outcomes(failed=1)
    without.stdout.fnmatch_lines(["*there is no replay file *fix.json: record it with pytest*"])

    file = third_party.path / "replays" / "fix.json"
    with (
        ScriptedModel(by_model({"big": main_model, "small": helper_model}), api_key=KEY) as real,
        monkeypatch.context() as patch,
    ):
        patch.setenv("LLM_MODEL", "openai/big")
        patch.setenv("LLM_BASE_URL", real.base_url)
        patch.setenv("LLM_API_KEY", KEY)
        option = f"--record-strategy={file.relative_to(third_party.path)}"
        third_party.runpytest_inprocess(option).assert_outcomes(passed=1)
        answered = len(real.served)
    written = file.read_text()
    assert answered == len(json.loads(written)["turns"]) == 7
    for removed in (KEY, LOOKS_SECRET[0], str(third_party.path), str(Path.home()), "/tmp/"):
        assert removed not in written, removed

    third_party.runpytest_inprocess().assert_outcomes(passed=1)
    # The same once more, on other directories, and with a strategy that was changed.
    strategy = third_party.path / "strategy.py"
    strategy.write_text(DELEGATING.replace("You are the helper.", "You are the one who helps."))
    changed = third_party.runpytest_inprocess()
    changed.assert_outcomes(failed=1)
    changed.stdout.fnmatch_lines(
        [
            "E*ReplayMismatch: *the run departs from the recording at turn *",
            "E*--- recorded (turn *)",
            "E*-*You are the helper.",
            "E*+*You are the one who helps.",
        ]
    )


@pytest.mark.e2e
def test_one_run_is_recorded_and_settings_are_needed(
    third_party: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = third_party.runpytest_inprocess("--record-strategy=x.json")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*--record-strategy needs a model and its server*"])
    third_party.makepyfile(
        test_it="""
        from openhands_strategies import UsageError
        import pytest

        def test_twice(strategy_run):
            strategy_run("./strategy.py", [])
            with pytest.raises(UsageError, match="records one run, and this is a second one"):
                strategy_run("./strategy.py", [])
        """
    )
    with ScriptedModel(lambda _: finish("done")) as real, monkeypatch.context() as patch:
        patch.setenv("LLM_MODEL", "openai/big")
        patch.setenv("LLM_BASE_URL", real.base_url)
        third_party.runpytest_inprocess("--record-strategy=x.json").assert_outcomes(passed=1)
    assert len(json.loads((third_party.path / "x.json").read_text())["turns"]) == 1
