"""schemathesis against the running server: whatever it sends, no 500 comes back."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from server_process import KEY, Server

schemathesis: Any = pytest.importorskip("schemathesis")

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]

EXAMPLES = int(os.environ.get("OHS_TEST_EXAMPLES", "60"))


def test_no_route_answers_500_and_all_answer_as_described(server: Server) -> None:
    base = f"http://127.0.0.1:{server.port}"
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
    seen: set[str] = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        seen.add(operation.label)

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def holds(case: Any) -> None:
            case.call_and_validate(base_url=base, headers={"X-Session-API-Key": KEY}, checks=wanted)

        holds()
    assert len(seen) == 6
    assert server.get("/api/strategies").status_code == 200
