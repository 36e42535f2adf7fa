"""schemathesis against the running server: whatever it sends, no 500 comes back.

Most of what it makes up is refused at once, so most requests get the name of a strategy, the
id of a run, and what a body needs to reach a strategy's code.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import sampled_from

from openhands_strategies.testing import finish, in_order
from server_process import KEY, Server

schemathesis: Any = pytest.importorskip("schemathesis")

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]

# What of a request is made up; the rest is such that a strategy is reached.
MADE_UP = ("nothing", "the rest", "the body", "all")
EXAMPLES = int(os.environ.get("OHS_TEST_EXAMPLES", "60"))


def test_no_route_answers_500_and_all_answer_as_described(server: Server) -> None:
    base = f"http://127.0.0.1:{server.port}"
    body = {
        "task": "do it",
        "workspace": str(server.workspace("schema")),
        "llm_profile": "schema-main",
    }
    schema = schemathesis.openapi.from_url(f"{base}/openapi.json").include(
        path_regex="^/api/strategies"
    )
    checks = schemathesis.checks
    wanted = [
        checks.not_a_server_error,
        *(
            getattr(schemathesis.specs.openapi.checks, name)
            for name in (
                "status_code_conformance",
                "content_type_conformance",
                "response_schema_conformance",
            )
        ),
    ]
    seen: dict[str, set[int]] = {}

    def examine(operation: Any, places: dict[str, str]) -> None:
        answers = seen.setdefault(operation.label, set())

        @given(case=operation.as_strategy(), made_up=sampled_from(MADE_UP))
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def holds(case: Any, made_up: str) -> None:
            given_places = case.path_parameters or {}
            if made_up != "all":
                given_places.update({key: places[key] for key in given_places})
            if (
                case.method == "POST"
                and "name" in given_places
                and made_up in ("nothing", "the rest")
            ):
                own = case.body if isinstance(case.body, dict) else {}
                kept = {} if made_up == "nothing" else {**own, "params": {}, "tags": {}}
                case.body = {**kept, **body, "with": []}
            answer = case.call_and_validate(
                base_url=base, headers={"X-Session-API-Key": KEY}, checks=wanted
            )
            answers.add(answer.status_code)

        holds()

    with server.model(in_order([finish("done")]), "schema"):
        run = server.start("spending", **body)
        server.ended(run)
        for found in schema.get_all_operations():
            examine(found.ok(), {"name": "spending", "conversation_id": run})
    assert len(seen) == 6
    for label, answers in seen.items():
        assert {200, 201} & answers, f"{label} only answered {sorted(answers)}"
    assert server.get("/api/strategies").status_code == 200
