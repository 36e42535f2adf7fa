"""`run.json`: all that a resume needs, and never a key."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from openhands_strategies.errors import RunError, UsageError
from openhands_strategies.project.home import Home
from openhands_strategies.runtime.prepare import Settings, prepare
from openhands_strategies.runtime.run import new_run_file
from openhands_strategies.runtime.run_file import (
    FILE,
    RunFile,
    conversation_key,
    plain_url,
    read_run,
    write_run,
)
from openhands_strategies.runtime.usage import Price

ID = "0123456789abcdef" * 2


def run_file(**fields: Any) -> RunFile:
    values = {
        "conversation_id": ID,
        "reference": "./x",
        "strategy": {"name": "x"},
        "params": {"n": 1, "ü": None},
        "workspace": "/w",
        **fields,
    }
    return RunFile(**values)


def test_a_run_is_read_as_it_was_written(home: Home) -> None:
    run = run_file(prices={"m": [1.0, 2.5]}, max_budget=0.5, status="limit", created=3.25)
    write_run(home, run)
    assert read_run(home, ID) == run


def test_an_id_may_have_dashes_and_capitals(home: Home) -> None:
    write_run(home, run_file())
    assert read_run(home, str(UUID(ID)).upper()).conversation_id == ID
    assert conversation_key(str(UUID(ID))) == ID


@pytest.mark.parametrize("text", ["", "nope", "../../etc/passwd", "f" * 32, "0123"])
def test_an_unknown_id(home: Home, text: str) -> None:
    write_run(home, run_file())
    with pytest.raises(UsageError) as caught:
        read_run(home, text)
    assert caught.value.code == "run_unknown"
    assert caught.value.exit_code == 2
    assert repr(text) in caught.value.message
    assert str(home.runs) in caught.value.hint


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"version": 2}', '{"version": 1}', '{"version": "1"}']
)
def test_a_file_that_is_not_ours(home: Home, text: str) -> None:
    (home.runs / ID).mkdir(parents=True)
    (home.runs / ID / FILE).write_text(text)
    with pytest.raises(RunError) as caught:
        read_run(home, ID)
    assert caught.value.code == "run_unreadable"
    assert FILE in caught.value.message


def test_fields_of_a_later_version_are_passed_over(home: Home) -> None:
    write_run(home, run_file())
    path = home.runs / ID / FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "later": 1}))
    assert read_run(home, ID) == run_file()


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://example.org/v1", True),
        ("http://127.0.0.1:8000/v1", True),
        ("https://user@example.org/v1", False),
        ("https://user:secret@example.org/v1", False),
        ("https://:secret@example.org/v1", False),
        ("https://example.org/v1?key=secret", False),
        ("http://[broken/v1", False),
        ("", False),
        (None, False),
    ],
)
def test_a_url_that_may_hold_a_key_is_not_written(url: str | None, kept: bool) -> None:
    assert plain_url(url) == (url if kept else None)


def test_what_a_new_run_writes_down(home: Home, plain: Any, make_llm: Any, tmp_path: Any) -> None:
    llm = make_llm(api_key="sk-very-secret-4711")
    settings = Settings(
        home=home, max_budget=1.5, prices={"openai/main": Price(10.0, 40.0)}, confirmation="always"
    )
    # The price is the LLM's own by now; `main_llm` puts it there.
    llm = llm.model_copy(update={"input_cost_per_token": 1e-5, "output_cost_per_token": 4e-5})
    prepared = prepare(plain, llm, {"steps": 5}, settings)
    run = new_run_file(prepared, tmp_path, max_budget=1.5)
    write_run(home, run)
    written = (home.runs / run.conversation_id / FILE).read_text()
    assert "sk-very-secret-4711" not in written
    data = json.loads(written)
    assert data["reference"] == plain.origin.reference
    assert data["strategy"]["tree"] == plain.origin.tree
    assert data["strategy"]["source"]["type"] == "path"
    assert data["strategy"]["commit"] is None
    assert data["params"] == {"steps": 5}
    assert data["overlays"] == []
    assert data["model"] == "openai/main"
    assert data["base_url"] == llm.base_url
    assert data["prices"] == {"openai/main": [10.0, 40.0]}
    assert (data["max_budget"], data["confirmation"]) == (1.5, "always")
    assert read_run(home, run.conversation_id) == run


def test_each_run_has_its_own_id(home: Home, plain: Any, make_llm: Any, tmp_path: Any) -> None:
    prepared = prepare(plain, make_llm(), {}, Settings(home=home))
    one, other = new_run_file(prepared, tmp_path), new_run_file(prepared, tmp_path)
    assert one.conversation_id != other.conversation_id
    assert conversation_key(one.conversation_id) == one.conversation_id


def test_a_profile_is_written_instead_of_its_model_and_url(
    home: Home, plain: Any, make_llm: Any, tmp_path: Any
) -> None:
    prepared = prepare(plain, make_llm(), {}, Settings(home=home))
    run = new_run_file(prepared, tmp_path, profile="cheap")
    assert (run.profile, run.model, run.base_url) == ("cheap", None, None)
