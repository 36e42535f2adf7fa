"""The final table and the JSON of a run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openhands_strategies.errors import RunError
from openhands_strategies.runtime.report import Report, RoleRow, role_rows
from openhands_strategies.runtime.roles import RoleView
from openhands_strategies.runtime.usage import Price, Usage


def view(key: str, role: str, *usage: Usage, **fields: Any) -> RoleView:
    return RoleView(key=key, role=role, model="openai/cheap", usage=usage, **fields)


MAIN = view("main", "main", Usage("openai/main", 3, 1000, 100, 500, 0.9, True), seconds=9.0)
ONE = view("t1", "sidekick", Usage("openai/cheap", 2, 2000, 200, 0, 0.02, True), seconds=3.0)
TWO = view("t2", "sidekick", Usage("openai/cheap", 1, 1000, 100, 100, 0.01, True), seconds=4.0)


def test_the_tasks_of_one_role_and_model_are_one_row() -> None:
    main, sidekick = role_rows([MAIN, ONE, TWO], Price(10.0, 40.0, cached=1.0))
    assert (main.role, main.tasks, main.calls, main.cost_usd) == ("main", 1, 3, 0.9)
    assert (sidekick.role, sidekick.model, sidekick.tasks) == ("sidekick", "openai/cheap", 2)
    assert (sidekick.calls, sidekick.input_tokens, sidekick.output_tokens) == (3, 3000, 300)
    assert (sidekick.cached_tokens, sidekick.seconds) == (100, 7.0)
    assert sidekick.cost_usd == pytest.approx(0.03)


def test_what_the_sidekicks_would_have_cost_at_the_main_price() -> None:
    main, sidekick = role_rows([MAIN, ONE, TWO], Price(10.0, 40.0, cached=1.0))
    # 2900 fresh tokens at 10, 100 cached at 1, 300 written at 40, for a million.
    assert sidekick.at_main_price_usd == pytest.approx((29_000 + 100 + 12_000) / 1e6)
    assert main.at_main_price_usd is None
    assert role_rows([MAIN, ONE], None)[1].at_main_price_usd is None


def test_one_role_on_two_models_has_two_rows() -> None:
    mixed = view(
        "t1",
        "sidekick",
        Usage("openai/cheap", 1, priced=True),
        Usage("openai/other", 2, priced=True),
    )
    rows = role_rows([MAIN, mixed], None)
    assert [(row.role, row.model) for row in rows] == [
        ("main", "openai/main"),
        ("sidekick", "openai/cheap"),
        ("sidekick", "openai/other"),
    ]


def test_a_task_without_a_call_cost_nothing_and_spoils_nothing() -> None:
    row = role_rows([ONE, view("t3", "sidekick")], None)[0]
    assert (row.tasks, row.cost_usd) == (2, 0.02)


def test_an_unknown_price_is_unknown_in_row_and_sum() -> None:
    odd = view("t1", "sidekick", Usage("openai/odd", 1, 10, 1))
    report = make_report(roles=role_rows([MAIN, odd], None))
    assert report.roles[1].cost_usd is None
    assert report.cost_usd is None
    data = report.to_json()
    assert data["cost_usd"] is None
    assert [row["cost_usd"] for row in data["roles"]] == [0.9, None]


def make_report(**fields: Any) -> Report:
    values = {
        "status": "finished",
        "conversation_id": "ab" * 16,
        "strategy": {
            "name": "fusion",
            "source": {"type": "path", "path": "/x"},
            "tree": "sha256:00",
            "module": "strategy.py",
        },
        "params": {"parallel": 3},
        "answer": "Done.",
        "roles": role_rows([MAIN, ONE], Price(10.0, 40.0)),
        "seconds": 12.34567,
        **fields,
    }
    return Report(**values)


def test_the_document_of_a_run() -> None:
    data = json.loads(json.dumps(make_report().to_json()))
    assert set(data) == {
        "status",
        "conversation_id",
        "strategy",
        "params",
        "answer",
        "roles",
        "cost_usd",
        "seconds",
        "error",
        "overlays",
        "warnings",
    }
    assert data["strategy"] == {
        "name": "fusion",
        "source": {"type": "path", "path": "/x"},
        "commit": None,
        "tree": "sha256:00",
    }
    assert set(data["roles"][0]) >= {
        "role",
        "model",
        "calls",
        "input_tokens",
        "output_tokens",
        "cached_tokens",
        "seconds",
        "cost_usd",
    }
    assert data["seconds"] == 12.346
    assert data["cost_usd"] == 0.92
    assert data["error"] is None


def test_the_error_has_its_three_fields() -> None:
    report = make_report(status="limit", error=RunError("budget_spent", "spent", "resume"))
    assert report.to_json()["error"] == {
        "code": "budget_spent",
        "message": "spent",
        "hint": "resume",
    }


def test_the_noise_of_adding_floats_is_not_printed() -> None:
    row = RoleRow("main", "m", 1, 1, 1, 1, 0, 0.1 + 0.2, 0.1 + 0.2, None)
    assert row.to_json()["cost_usd"] == 0.3
    assert row.to_json()["seconds"] == 0.3


def test_nothing_ran() -> None:
    report = make_report(status="failed", roles=[])
    assert report.cost_usd == 0
