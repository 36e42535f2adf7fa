"""Bad input that is found once the SDK is there, in the order that contracts.md fixes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import write

TASK = ("--task", "do it")
MODEL = ("--model", "openai/main", "--base-url", "http://127.0.0.1:9/v1")
HEAD = "from openhands_strategies import Strategy\n"
CLASS = HEAD + "class S(Strategy):\n    name = 's'\n    description = 'd'\n"


def one_error(done, code: int, name: str) -> str:
    """One error, no traceback, nothing on stdout; what came before are progress lines."""
    assert done.code == code, done
    assert done.out == ""
    lines = done.err.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == 1, done.err
    assert errors[0].endswith(f"[{name}]")
    assert "Traceback" not in done.err
    assert lines[-1] == errors[0] or lines[-1].startswith("hint: ")
    return done.err


@pytest.fixture(autouse=True)
def _nothing_half_written(ohs_home: Path):
    yield
    assert not list(ohs_home.glob("runs/*"))


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (HEAD + "1 / 0\nclass S(Strategy):\n    name = 's'\n", "import_failed", "bad.py:2"),
        (HEAD + "raise SystemExit(0)\nclass S(Strategy):\n    name='s'\n", "import_failed", ""),
        (CLASS + "    def setup(self): 1 / 0\n", "setup_failed", "ZeroDivisionError"),
        (CLASS + "    def build(self, context): 1 / 0\n", "build_failed", "ZeroDivisionError"),
        (CLASS + "    def build(self, context): return 7\n", "build_result", "int"),
        (CLASS + "    def build_agent(self, llm, params=None): pass\n", "build_result", "NoneType"),
        (CLASS, "not_implemented", "build"),
        (
            "from openhands.tools.delegate import DelegateTool\n" + CLASS,
            "import_removed",
            "TaskToolSet",
        ),
        (
            '# /// script\n# dependencies = ["not-there-at-all>=3"]\n# ///\n' + CLASS,
            "dependencies_missing",
            "pip install 'not-there-at-all>=3'",
        ),
    ],
    ids=[
        "import", "exit", "setup", "build", "wrong", "none", "neither", "removed", "missing",
    ],
)  # fmt: skip
def test_what_a_strategy_gets_wrong_is_exit_code_3(
    ohs_here, tmp_path: Path, text: str, name: str, said: str
) -> None:
    write(tmp_path / "bad.py", text)
    err = one_error(ohs_here("run", "./bad.py", *TASK, *MODEL), 3, name)
    assert said in err
    assert "'s'" in err or "bad.py" in err


def test_debug_shows_where_a_strategy_failed(ohs_here, tmp_path: Path) -> None:
    write(tmp_path / "bad.py", CLASS + "    def setup(self): 1 / 0\n")
    done = ohs_here("--debug", "run", "./bad.py", *TASK, *MODEL)
    assert done.code == 3
    assert "ZeroDivisionError" in done.err
    assert 'bad.py", line 5, in setup' in done.err


@pytest.mark.parametrize(
    ("param", "name", "hint"),
    [
        ("dept=3", "param_unknown", "did you mean 'depth'"),
        ("depth=deep", "param_type", "an integer from 1 to 4"),
        ("depth=9", "param_range", "an integer from 1 to 4"),
        ("style=loud", "param_choice", "one of calm, bold"),
        ("token=sk-secret-value", "param_secret", "the name of an environment variable"),
    ],
)
def test_parameters_are_checked_before_the_model(
    ohs_here, good: Path, param: str, name: str, hint: str
) -> None:
    done = ohs_here("run", "./good.py", *TASK, "--param", param)
    assert hint in one_error(done, 2, name)
    assert "sk-secret-value" not in done.err


def test_loading_is_checked_before_parameters(ohs_here, tmp_path: Path) -> None:
    write(tmp_path / "bad.py", CLASS + "    def setup(self): 1 / 0\n")
    one_error(ohs_here("run", "./bad.py", *TASK, "--param", "x=1"), 3, "setup_failed")


def test_a_missing_model_names_the_variable_and_comes_before_the_workspace(
    ohs_here, good: Path
) -> None:
    done = ohs_here("run", "./good.py", *TASK, "--workspace", "missing")
    assert "LLM_MODEL" in one_error(done, 2, "model_missing")


def test_a_missing_key_names_the_variable(
    ohs_here, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    done = ohs_here("run", "./good.py", *TASK, "--model", "openai/gpt-5")
    assert "LLM_API_KEY" in one_error(done, 2, "key_missing")


def test_a_missing_profile(ohs_here, good: Path) -> None:
    done = ohs_here("run", "./good.py", *TASK, "--llm-profile", "nobody-has-this")
    one_error(done, 2, "profile_missing")


@pytest.mark.parametrize("name", ["missing", "good.py"])
def test_the_workspace_must_be_a_directory(ohs_here, good: Path, name: str) -> None:
    done = ohs_here("run", "./good.py", *TASK, *MODEL, "--workspace", name)
    assert str(good.parent / name) in one_error(done, 2, "workspace_missing")


def test_an_unreachable_server_is_told_at_once(ohs_here, good: Path) -> None:
    done = ohs_here("run", "./good.py", *TASK, *MODEL)
    err = one_error(done, 1, "model_unreachable")
    assert "127.0.0.1:9" in err
    assert "--base-url" in err


def test_an_unreachable_server_from_the_environment(
    ohs_here, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_BASE_URL", "http://127.0.0.1:9/v1")
    done = ohs_here("run", "./good.py", *TASK, "--model", "openai/main")
    assert "LLM_BASE_URL" in one_error(done, 1, "model_unreachable")


@pytest.mark.parametrize("url", ["localhost:8000/v1", "http://", "http://host:port/v1"])
def test_a_base_url_that_is_none(ohs_here, good: Path, url: str) -> None:
    done = ohs_here("run", "./good.py", *TASK, "--model", "openai/main", "--base-url", url)
    one_error(done, 2, "base_url_invalid")


def test_a_budget_needs_a_price(ohs_here, good: Path) -> None:
    done = ohs_here("run", "./good.py", *TASK, *MODEL, "--max-budget", "1")
    assert "--price openai/main=IN,OUT" in one_error(done, 2, "price_unknown")


def test_an_error_is_one_json_document(ohs_here, good: Path) -> None:
    done = ohs_here("run", "./good.py", *TASK, *MODEL, "--json")
    assert done.code == 1
    assert json.loads(done.out)["error"]["code"] == "model_unreachable"
    assert "error:" not in done.err


def test_what_a_strategy_prints_does_not_reach_stdout(ohs_here, tmp_path: Path) -> None:
    write(tmp_path / "loud.py", "import os\nprint('loud')\nos.write(1, b'low')\n" + CLASS)
    done = ohs_here("run", "./loud.py", *TASK, "--param", "x=1", "--json")
    assert json.loads(done.out)["error"]["code"] == "param_unknown"
    assert "loud" in done.err
    assert "low" in done.err


def test_an_unexpected_failure_is_one_line(
    ohs_here, good: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # A home that cannot be a directory makes the runtime fail where nobody expects it.
    (tmp_path / "home").write_text("")
    monkeypatch.setenv("OHS_HOME", str(tmp_path / "home"))
    done = ohs_here("run", "./good.py", *TASK, *MODEL)
    assert done.code in (1, 3)
    assert len([line for line in done.err.splitlines() if line.startswith("error:")]) == 1
    assert "Traceback" not in done.err
