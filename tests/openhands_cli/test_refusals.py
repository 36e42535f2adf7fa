"""What does not run: said before the start, in the conversation, or when all is over."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from openhands_strategies.testing import finish, in_order
from openhands_user import OPTIONS, PHASES, MakeCli, fails_the_second_time
from support import write

pytestmark = [pytest.mark.openhands_cli, pytest.mark.e2e, pytest.mark.slow_start]


def test_errors_come_before_the_cli_starts(cli: MakeCli, tmp_path: Path) -> None:
    strategy = write(tmp_path / "phases.py", PHASES)
    with cli(in_order([])) as c:
        wrong = c.headless("--strategy", str(strategy), "--param", "steps=many")
        unknown = c.headless("--strategy", "no-such-thing", json_mode=False)
        web = c.run("web", "--strategy", "fusion")
        helped = c.run("--help")
        version = c.run("--version")
        assert not (c.home / ".openhands" / "conversations").exists()
    assert wrong.code == 2
    assert json.loads(wrong.out)["error"]["code"] == "param_type"
    assert unknown.code == 3
    assert "no-such-thing" in unknown.err
    assert web.code == 2
    assert "openhands web takes no --strategy" in web.err
    assert helped.code == version.code == 0
    assert "--strategy REF" in helped.out
    assert "--override-with-envs" in helped.out
    assert "OpenHands CLI 1.16.0" in version.out


def test_a_workspace_that_the_strategy_cannot_work_in(cli: MakeCli) -> None:
    with cli(in_order([])) as c:
        done = c.headless("--strategy", "best-of-n")
        assert c.model.served == []
        assert not (c.home / ".openhands" / "conversations").exists()
    assert done.code == 2
    assert json.loads(done.out)["error"]["code"] == "workspace_not_git"


def test_a_strategy_that_fails_in_the_conversation_is_said_as_ours(
    cli: MakeCli, tmp_path: Path
) -> None:
    strategy = write(tmp_path / "phases.py", fails_the_second_time(tmp_path))
    with cli(in_order([])) as c:
        done = c.headless("--strategy", str(strategy))
        assert c.model.served == []
        assert not list((c.home / ".openhands").glob("conversations/*/run.json"))
    assert done.code == 3
    error = json.loads(done.out[done.out.index('{\n  "error"') :])["error"]
    assert error["code"] == "build_failed"
    assert "division by zero" in error["message"]
    assert "Traceback" not in done.out + done.err
    assert len(done.out + done.err) < 4_000


def test_a_conversation_that_was_made_elsewhere_is_noticed(cli: MakeCli, tmp_path: Path) -> None:
    """A CLI whose start, after everything was looked at, takes another `Conversation`."""
    strategy = write(tmp_path / "phases.py", PHASES)
    other = write(
        tmp_path / "other.py",
        """
        import sys
        import openhands_cli.entrypoint as entrypoint
        import openhands_cli.setup as setup
        from openhands_strategies.cli.main import main
        start, conversation = entrypoint.main, setup.Conversation
        def changed():
            setup.Conversation = conversation
            start()
        entrypoint.main = changed
        sys.exit(main())
        """,
    )
    with cli(in_order([finish("plain")])) as c:
        done = c.run_command(
            *(sys.executable, str(other), "openhands", *OPTIONS, "--strategy", str(strategy)),
            *("--headless", "--override-with-envs", "-t", "x"),
        )
    assert done.code == 3
    assert done.conversation.replace("-", "") in done.err
    assert "WITHOUT the strategy" in done.err


def test_without_a_strategy_it_is_the_plain_cli(cli: MakeCli) -> None:
    with cli(in_order([finish("plain"), finish("more")])) as c:
        done = c.headless()
        assert not (c.kept(done.conversation) / "run.json").exists()
        again = c.headless("--resume", done.conversation, "--strategy", "fusion", task="more")
        plain = c.headless("--resume", done.conversation, task="more")
        assert not (c.kept(done.conversation) / "run.json").exists()
    assert done.code == plain.code == 0
    assert plain.conversation == done.conversation
    assert "plain" in done.out
    assert again.code == 2
    assert "was started without a strategy" in json.loads(again.out)["error"]["message"]
