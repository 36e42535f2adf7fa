"""`ohs run --server` as a process, against a real agent-server and the scripted model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from openhands_strategies.testing import (
    DEMO_PRICES,
    DEMO_TASK,
    MAIN_MODEL,
    SIDEKICK_MODEL,
    Reply,
    ScriptedModel,
    Turn,
    by_model,
    call,
    copy_sample,
    demo_script,
    finish,
    in_order,
    run_sample_tests,
)
from server_process import KEY, Server, running_server
from support import DELEGATING, task, write
from terminal import Terminal, terminal

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]

# What `run --json` prints of a local run.
KEYS = {
    "status", "conversation_id", "strategy", "overlays", "params", "answer", "roles", "cost_usd",
    "seconds", "error", "warnings",
}  # fmt: skip
ROLE_KEYS = {
    "role", "model", "tasks", "calls", "input_tokens", "output_tokens", "cached_tokens", "seconds",
    "cost_usd", "at_main_price_usd",
}  # fmt: skip


@dataclass(frozen=True)
class Done:
    """How one `ohs` ended."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.out)["error"]
        return found


def command(server: Server, *options: str) -> list[str]:
    place = ["--server", f"http://127.0.0.1:{server.port}", "--session-key-env", "SESSION_KEY"]
    return [sys.executable, "-m", "openhands_strategies", "run", *options, *place]


def environment(key: str = KEY) -> dict[str, str]:
    return {**os.environ, "SESSION_KEY": key}


def ohs(server: Server, *options: str, key: str = KEY, cwd: Path | None = None) -> Done:
    done = subprocess.run(
        command(server, *options),
        cwd=cwd or server.home,
        env=environment(key),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert KEY not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def typed(server: Server, strategy: str, name: str, *more: str) -> list[str]:
    """The options of a run with the profile and in the workspace of this name."""
    workspace = str(server.workspace(name))
    return [
        strategy, "--task", "do it", "--workspace", workspace, "--llm-profile", f"{name}-main",
        *more,
    ]  # fmt: skip


def test_fusion_runs_there_and_is_reported_as_here(server: Server, tmp_path: Path) -> None:
    workspace = copy_sample(server.workspace("remote-fusion") / "shop")
    script = demo_script(workspace, sys.executable)
    path = tmp_path / "report.json"
    with ScriptedModel(script, prices=DEMO_PRICES, latency=0.3) as model:
        price = DEMO_PRICES[MAIN_MODEL]
        server.save_profile("remote-fusion", f"openai/{MAIN_MODEL}", model.base_url, price)
        cheap, sidekick = DEMO_PRICES[SIDEKICK_MODEL], f"openai/{SIDEKICK_MODEL}"
        # The current directory is the workspace: the server is on this machine.
        done = ohs(
            server, "fusion", "--task", DEMO_TASK, "--llm-profile", "remote-fusion",
            "--param", f"sidekick_model={sidekick}", "--param", "sidekicks=3",
            "--price", f"{sidekick}={cheap.input},{cheap.output}", "--max-budget", "5",
            "--report", str(path), cwd=workspace,
        )  # fmt: skip
        assert done.code == 0, done.err
        document = json.loads(path.read_text())
        assert set(document) == KEYS
        assert {frozenset(row) for row in document["roles"]} == {frozenset(ROLE_KEYS)}
        assert document["status"] == "finished"
        assert document["params"]["sidekicks"] == 3
        assert document["cost_usd"] == pytest.approx(model.total_cost())
        assert document["seconds"] > 0
        assert document["strategy"]["name"] == "fusion"
        assert run_sample_tests(workspace, sys.executable).passed
        roles = {row["role"]: row for row in document["roles"]}
        assert roles["sidekick"]["calls"] == model.by_model()[SIDEKICK_MODEL].calls
        assert roles["sidekick"]["at_main_price_usd"] > roles["sidekick"]["cost_usd"]
    assert done.out.strip() == document["answer"].strip()
    run = document["conversation_id"]
    for line in (
        f"page       http://127.0.0.1:{server.port}/strategies#/run/{run}",
        f"workspace  {workspace} on the server",
        "model      of the server's LLM profile 'remote-fusion'",
        "limits     $5 for the whole run",
        f"main started: openai/{MAIN_MODEL}",
        "main done: ",
        "saved.",
    ):
        assert line in done.err
    assert done.err.count(f" started: {sidekick}") >= 2
    assert path.read_text().count(KEY) == 0


def test_a_path_and_its_overlay_are_the_servers(server: Server) -> None:
    with server.model(in_order([finish("done")]), "remote-with") as model:
        options = typed(server, "./spending.py", "remote-with", "--with", "./house.py", "--json")
        done = ohs(server, *options, "--param", "dollars=0.3", "--confirm", "never")
        assert done.code == 0, done.err
        document = json.loads(done.out)
        # The bare name means the part's parameter, as in a local run.
        assert document["params"]["spending.dollars"] == 0.3
        assert [one["name"] for one in document["overlays"]] == ["house"]
        assert "Write as this house does." in str(model.served[0].messages[0])
        assert document["cost_usd"] == pytest.approx(model.total_cost())


def test_a_name_that_is_unknown_here_is_the_servers(server: Server, tmp_path: Path) -> None:
    with server.model(in_order([finish("done")]), "remote-name"):
        done = ohs(server, *typed(server, "spending", "remote-name"), cwd=tmp_path)
    assert done.code == 0, done.err
    assert "no strategy is named 'spending' here: the server's is used, from" in done.err
    assert f"{server.home}/spending.py" in done.err


def test_a_limit_ends_it_with_1_and_it_can_go_on(server: Server) -> None:
    def main(turn: Turn) -> Reply:
        return call("terminal", command=f"echo {turn.replies}")

    with server.model(main, "remote-limit"):
        options = typed(server, "./delegating", "remote-limit", "--param", "main_steps=2")
        done = ohs(server, *options, "--json")
        assert done.code == 1
        document = json.loads(done.out)
        assert (document["status"], document["error"]["code"]) == ("limit", "limit_reached")
        run = document["conversation_id"]
        again = f"ohs run --resume {run} --server http://127.0.0.1:{server.port}"
        assert document["error"]["hint"] == f"{again} --session-key-env SESSION_KEY"
        assert document["roles"][0]["calls"] == 2
        more = ohs(server, "--resume", run, "--json")
        assert more.code == 1, more.err
        assert json.loads(more.out)["roles"][0]["calls"] == 4
    with server.model(main, "remote-budget"):
        options = typed(server, "./spending.py", "remote-budget", "--param", "dollars=0.05")
        done = ohs(server, *options)
        assert done.code == 1
        assert "[budget_spent]" in done.err
        assert "of $0.05 are spent" in done.err


def test_what_the_server_refuses_has_the_exit_code_of_a_local_run(server: Server) -> None:
    profile = ["--task", "x", "--llm-profile", "remote-refused-main", "--json"]
    shared = [*profile, "--workspace", str(server.workspace("refused"))]
    refused = [
        ((".fusion", *shared), 3, "path_missing"),
        (("absolutely-unknown", *shared), 3, "strategy_not_served"),
        (("stranger", *shared), 4, "not_trusted"),
        (("./broken.py", *shared), 3, "syntax_error"),
        (("raising", *shared), 3, "build_failed"),
        (("fusion", *shared, "--param", "sidekicks=many"), 2, "param_type"),
        (("fusion", *shared, "--param", "sidekicks=99"), 2, "param_range"),
        (("fusion", *shared, "--param", "sidekick=3"), 2, "param_unknown"),
        (("fusion", *shared, "--llm-profile", "absent"), 2, "profile_missing"),
        (("fusion", *shared, "--with", "absent"), 3, "strategy_not_served"),
        (("fusion", *profile, "--workspace", "/"), 2, "workspace_outside"),
        (("fusion", *profile, "--workspace", "here"), 2, "workspace_relative"),
        (("--resume", "0" * 32, "--json"), 2, "run_unknown"),
    ]
    with server.model(in_order([finish("never")]), "remote-refused") as model:
        for options, code, name in refused:
            done = ohs(server, *options)
            assert (done.code, done.error["code"]) == (code, name), (options, done.out, done.err)
            if name == "param_range":
                assert done.error["hint"] == "sidekicks takes an integer from 1 to 16"
            if name == "strategy_not_served":
                assert "'fusion'" in done.error["message"]
                assert done.error["hint"].startswith("on the server: ")
        assert not model.served


def test_a_strategy_that_was_edited_since_is_not_run(server: Server, tmp_path: Path) -> None:
    write(tmp_path / "delegating" / "strategy.py", DELEGATING + "\n# edited\n")
    options = typed(server, "./delegating", "remote-differs", "--json")
    done = ohs(server, *options, cwd=tmp_path)
    assert done.code == 3
    assert done.error["code"] == "strategy_differs"
    assert str(tmp_path / "delegating") in done.error["message"]
    assert str(server.home / "delegating") in done.error["message"]
    assert done.error["hint"].startswith("on the server: ohs serve --extensions ./delegating")
    # The same files at another place are the same strategy.
    write(tmp_path / "copied" / "strategy.py", DELEGATING)
    with server.model(in_order([finish("done")]), "remote-differs"):
        options = typed(server, "./copied", "remote-differs", "--json")
        done = ohs(server, *options, cwd=tmp_path)
        assert done.code == 0, done.err


def test_keys(server: Server) -> None:
    options = ["fusion", "--task", "x", "--json"]
    wrong = ohs(server, *options, key="another-key-0123456789")
    assert (wrong.code, wrong.error["code"]) == (2, "unauthorized")
    assert "SESSION_KEY" in wrong.error["message"]
    assert "another-key" not in wrong.out + wrong.err
    bare = subprocess.run(
        command(server, *options)[:-2], capture_output=True, text=True, check=False
    )
    assert bare.returncode == 2
    assert "--session-key-env VAR" in json.loads(bare.stdout)["error"]["hint"]


def started(server: Server, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(server, *options),
        cwd=server.home,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_ctrl_c_stops_the_run_on_the_server_and_it_can_be_resumed(server: Server) -> None:
    def cheap(turn: Turn) -> Reply:
        return finish("done") if "quick" in turn.user[0] else call("terminal", command="sleep 0.2")

    steps = [task("helper", "work for long"), task("helper", "quick"), finish("enough")]
    steps.append(finish("and more"))
    script = by_model({"main": in_order(steps), "cheap": cheap})
    with server.model(script, "remote-stop") as model:
        options = typed(server, "./delegating", "remote-stop", "--param", "steps=300", "--json")
        process = started(server, *options)
        try:
            while sum(one.model == "cheap" for one in model.served) < 3:
                assert process.poll() is None, process.communicate()
                time.sleep(0.1)
            begun = time.monotonic()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
        assert time.monotonic() - begun < 12
        assert process.returncode == 130, err
        assert "Traceback" not in err
        document = json.loads(out)
        assert document["status"] == "interrupted"
        assert document["error"]["code"] == "interrupted"
        assert [row["role"] for row in document["roles"]] == ["main", "helper"]
        run = document["conversation_id"]
        assert server.report(run)["status"] == "paused"
        time.sleep(2)
        calls = len(model.served)
        time.sleep(1)
        assert len(model.served) == calls, "a helper goes on after the stop"

        done = ohs(server, "--resume", run)
        assert done.code == 0, done.err
        assert done.out == "enough\n"
        assert f"{run} (resumed)" in done.err
        # One that has ended is reported, and asked for more only with a task.
        again = ohs(server, "--resume", run, "--json")
        assert again.code == 0
        assert json.loads(again.out)["answer"] == "enough"
        more = ohs(server, "--resume", run, "--task", "and then?", "--json")
        assert json.loads(more.out)["answer"] == "and more", more.err


def test_what_needs_a_yes_is_rejected_where_nobody_can_answer(server: Server) -> None:
    def main(turn: Turn) -> Reply:
        last = turn.last_result
        if last is not None and "nobody can confirm actions in this run" in last.text:
            return finish("without")
        return call("terminal", command="touch forbidden")

    with server.model(main, "remote-asked") as model:
        options = typed(server, "./spending.py", "remote-asked", "--confirm", "always", "--json")
        options += ["--param", "dollars=2"]
        done = ohs(server, *options)
        assert done.code == 0, (done.out, done.err)
        assert "nobody can answer here, so these are rejected" in done.err
        assert "nobody can confirm actions in this run" in str(model.served[-1].messages)
    assert not (server.workspace("remote-asked") / "forbidden").exists()


TOUCH = call("terminal", command="touch refused")


@contextmanager
def at_the_question(server: Server, name: str) -> Iterator[tuple[Terminal, str]]:
    """A run from a terminal that asks about its first action, and what it has shown by then."""
    options = typed(server, "./spending.py", name, "--confirm", "always")
    arguments = command(server, *options, "--param", "dollars=2")[3:]
    with terminal(server.home, *arguments, SESSION_KEY=KEY) as screen:
        yield screen, screen.wait_for("Run this action? [y/N] ")


def test_a_person_at_a_terminal_is_asked(server: Server) -> None:
    def main(turn: Turn) -> Reply:
        if turn.replies == 0:
            return call("terminal", command="touch refused\necho \x1b[8mhidden")
        return call("terminal", command="touch allowed") if turn.replies == 1 else finish("done")

    with server.model(main, "remote-yes") as model:
        with at_the_question(server, "remote-yes") as (screen, shown):
            assert "main wants to use terminal" in shown
            assert "touch refused" in shown
            assert "echo \\x1b[8mhidden" in shown
            screen.type("n\n")
            assert "touch allowed" in screen.wait_for("Run this action? [y/N] ")
            screen.type("y\n")
            code, out = screen.end()
        assert (code, out) == (0, "done\n"), screen.seen
        assert "the user said no" in str(model.served[1].messages)
    workspace = server.workspace("remote-yes")
    assert {one.name for one in workspace.iterdir()} - {".git"} == {"allowed"}


def test_a_server_that_is_killed_and_comes_back_is_found_again(tmp_path: Path) -> None:
    home = tmp_path / "server"
    write(home / "delegating" / "strategy.py", DELEGATING)

    def cheap(turn: Turn) -> Reply:
        if turn.replies == 0:
            return call("terminal", command="echo looked")
        return Reply(text="I looked", delay=20 if turn.attempt == 0 else 0)

    steps = [task("helper", "look"), finish("all done")]
    script = by_model({"main": in_order(steps), "cheap": cheap})
    served = ["--extensions", "./delegating"]
    with (
        running_server(home, served) as first,
        first.model(script, "remote-killed") as model,
    ):
        process = started(first, *typed(first, "./delegating", "remote-killed"))
        try:
            while not any(one.model == "cheap" for one in model.served):
                assert process.poll() is None, process.communicate()
                time.sleep(0.1)
            time.sleep(1)
            first.kill()
            with running_server(home, served, port=first.port) as second:
                out, err = process.communicate(timeout=60)
                assert process.returncode == 1, err
                assert "trying again for 60 seconds" in err
                assert "[run_failed]" in err
                assert KEY not in out + err
                again = next(line for line in err.splitlines() if line.startswith("hint: "))
                _, run = again.split(" --resume ")
                done = ohs(second, "--resume", run.split()[0])
                assert done.code == 0, done.err
                assert done.out == "all done\n"
        finally:
            process.kill()


def test_an_agent_server_without_the_extension(tmp_path: Path) -> None:
    plain = [sys.executable, "-m", "openhands.agent_server"]
    with running_server(tmp_path / "plain", ["--host", "127.0.0.1"], command=plain) as other:
        done = ohs(other, "fusion", "--task", "x", "--json")
    assert (done.code, done.error["code"]) == (3, "server_without_strategies")
    assert done.error["hint"].endswith(" && ohs serve --extensions fusion")


def test_a_yes_after_somebody_else_said_no_allows_nothing(server: Server) -> None:
    with server.model(in_order([TOUCH, finish("done")]), "remote-both") as model:
        with at_the_question(server, "remote-both") as (screen, shown):
            run = shown.split("/strategies#/run/")[1].split()[0]
            path = f"/api/conversations/{run}/events/respond_to_confirmation"
            answer = server.post(path, json={"accept": False, "reason": "not like this"})
            assert answer.status_code == 200
            screen.type("y\n")
            screen.wait_for("somebody else has answered already")
            # Upstream lets the run stand after a no; it goes on all the same.
            assert server.report(run)["status"] == "idle"
            code, out = screen.end()
        assert (code, out) == (0, "done\n"), screen.seen
        assert "not like this" in str(model.served[1].messages)
    assert not (server.workspace("remote-both") / "refused").exists()


def test_a_run_that_was_left_at_a_question_is_asked_about_again(server: Server) -> None:
    with server.model(in_order([TOUCH, finish("done")]), "remote-left") as model:
        with at_the_question(server, "remote-left") as (screen, shown):
            run = shown.split("/strategies#/run/")[1].split()[0]
            screen.process.send_signal(signal.SIGINT)
            screen.wait_for(f"resume with: ohs run --resume {run} --server")
            assert screen.end()[0] == 130
        assert not (server.workspace("remote-left") / "refused").exists()
        # More work is no yes to what was asked before; here nobody can give one.
        done = ohs(server, "--resume", run, "--task", "go on", "--json")
        assert done.code == 0, (done.out, done.err)
        assert "nobody can confirm actions in this run" in str(model.served[1].messages)
    assert not (server.workspace("remote-left") / "refused").exists()


def test_a_git_strategy_is_the_one_at_that_commit(server: Server, tmp_path: Path) -> None:
    repository = server.home / "repository"
    options = ["--task", "x", "--workspace", str(server.home), "--json"]
    done = ohs(server, f"git+file://{repository}", *options)
    # It is the server's own: that nobody there has agreed to it is for the server to say.
    assert (done.code, done.error["code"]) == (4, "not_trusted")

    clone = tmp_path / "clone"
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "clone", "-q", str(repository), str(clone)], check=True)
    (clone / "strategy.py").open("a").write("\n# newer\n")
    subprocess.run([*git, "commit", "-qam", "two"], cwd=clone, check=True)
    commits = [
        subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=place, capture_output=True, text=True, check=True
        ).stdout.strip()
        for place in (repository, clone)
    ]
    done = ohs(server, f"git+file://{clone}", *options)
    assert (done.code, done.error["code"]) == (3, "strategy_differs")
    for commit in commits:
        assert f"at {commit[:12]}" in done.error["message"]
    pinned = f"git+file://{clone}@{commits[1]}"
    assert (
        done.error["hint"]
        == f"on the server: ohs trust {pinned} && ohs serve --extensions {pinned}"
    )
