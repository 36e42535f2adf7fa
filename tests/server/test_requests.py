"""Every way a request can be wrong, over real HTTP."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from openhands_strategies.testing import finish, in_order
from server_process import Server

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]


def body(server: Server, **changes: Any) -> dict[str, Any]:
    return {"task": "do it", "workspace": str(server.workspace("bad")), **changes}


def refused(answer: httpx.Response, status: int, code: str, field: str | None = None) -> str:
    """Check a problem document and return its message."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["code"] == code, document
    assert document.get("field") == field, document
    assert document["type"]
    assert document["title"]
    assert "\n" not in document["message"]
    message: str = document["message"]
    return message


def test_the_list_names_every_strategy_and_what_is_wrong_with_it(server: Server) -> None:
    answer = server.get("/api/strategies")
    assert answer.status_code == 200
    found = {one["name"]: one for one in answer.json()["strategies"]}
    fusion = found["fusion"]
    assert fusion["error"] is None
    assert fusion["trusted"] is True
    assert fusion["tags"] == ["cost", "delegation"]
    assert found["spending"]["tags"] == [], "no index offers it"
    assert fusion["tree"].startswith("sha256:")
    assert fusion["source"]["type"] == "distribution"
    assert fusion["params_schema"]["properties"]["sidekicks"]["maximum"] == 16
    assert fusion["capabilities"]["agents"] == ["sidekick"]
    assert found["raising"]["error"] is None, "nothing was run to list it"
    broken = [one for one in found.values() if one["error"]]
    assert {one["error"]["code"] for one in broken} >= {"syntax_error", "path_missing"}, broken
    one = server.get("/api/strategies/fusion")
    assert one.status_code == 200
    assert one.json() == fusion


def test_unknown_strategy(server: Server) -> None:
    answer = server.post("/api/strategies/fusoin/start", json=body(server))
    refused(answer, 404, "strategy_unknown")
    assert "fusion" in answer.json()["hint"]
    refused(server.get("/api/strategies/fusoin"), 404, "strategy_unknown")
    refused(server.post("/api/strategies/no/plan", json=body(server)), 404, "strategy_unknown")


@pytest.mark.parametrize(
    ("params", "code", "field"),
    [
        ({"sidekicks": 99}, "param_range", "params.sidekicks"),
        ({"sidekicks": "4"}, "param_type", "params.sidekicks"),
        ({"sidekicks": 10**400}, "param_range", "params.sidekicks"),
        ({"sidekick": 1}, "param_unknown", "params.sidekick"),
        ({"allow_edits": "yes"}, "param_type", "params.allow_edits"),
    ],
)
def test_parameters_that_break_the_schema(
    server: Server, params: dict[str, Any], code: str, field: str
) -> None:
    answer = server.post("/api/strategies/fusion/start", json=body(server, params=params))
    refused(answer, 422, code, field)


def test_a_literal_secret_is_refused_and_not_repeated(server: Server) -> None:
    secret = "sk-literal-0123456789"
    answer = server.post(
        "/api/strategies/spending/start", json=body(server, params={"key": secret})
    )
    refused(answer, 422, "param_secret", "params.key")
    assert secret not in answer.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"unknown": 1}, "unknown"),
        ({"task": ""}, "task"),
        ({"task": 7}, "task"),
        ({"params": []}, "params"),
        ({"workspace": None}, "workspace"),
        ({"with": "fusion"}, "with"),
        ({"max_budget": 0}, "max_budget"),
        ({"max_budget": -1.5}, "max_budget"),
        ({"confirmation": "sometimes"}, "confirmation"),
        ({"prices": {"m": [1.0]}}, "prices.m"),
        ({"tags": {"Upper-Case": "x"}}, "tags"),
        ({"tags": {"long": "x" * 257}}, "tags"),
        ({"tags": {"number": 1}}, "tags"),
        ({"tags": {"strategy": "another"}}, "tags"),
        ({"tags": {"strategycommit": "0" * 40}}, "tags"),
    ],
)
def test_a_body_of_the_wrong_shape(server: Server, change: dict[str, Any], field: str) -> None:
    for route in ("start", "plan"):
        answer = server.post(f"/api/strategies/fusion/{route}", json=body(server, **change))
        assert answer.json()["field"].startswith(field), answer.text
        refused(answer, 422, "request_invalid", answer.json()["field"])


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"max_budget": NaN}', b"[" * 100_000]
)
def test_a_body_that_is_no_object(server: Server, data: bytes) -> None:
    answer = server.post("/api/strategies/fusion/start", content=data)
    assert answer.status_code == 422
    assert answer.json()["code"] in ("body_invalid", "request_invalid")


def test_a_body_that_is_too_large(server: Server) -> None:
    text = json.dumps(body(server, task="x" * 1_100_000))
    refused(server.post("/api/strategies/fusion/start", content=text), 413, "body_too_large")


def test_workspaces(server: Server) -> None:
    start = "/api/strategies/fusion/start"
    profile = {"llm_profile": "workspaces-main"}
    with server.model(in_order([finish("done")]), "workspaces"):
        for path, code in (
            ("/etc", "workspace_outside"),
            (f"{server.home}/../..", "workspace_outside"),
            ("here", "workspace_relative"),
            (f"{server.home}/absent", "workspace_missing"),
            ("/with\0zero", "workspace_invalid"),
        ):
            answer = server.post(start, json=body(server, workspace=path, **profile))
            refused(answer, 422, code, "workspace")


def test_no_llm(server: Server) -> None:
    answer = server.post("/api/strategies/fusion/start", json=body(server))
    refused(answer, 422, "llm_missing", "llm_profile")
    for name in ("absent", "../secrets", "x" * 300):
        answer = server.post("/api/strategies/fusion/start", json=body(server, llm_profile=name))
        refused(answer, 422, "profile_missing", "llm_profile")


def test_a_profile_that_a_parameter_names(server: Server) -> None:
    with server.model(in_order([finish("done")]), "naming"):
        given = body(server, llm_profile="naming-main", params={"sidekick_profile": "absent"})
        answer = server.post("/api/strategies/fusion/start", json=given)
        refused(answer, 422, "profile_missing", "params.sidekick_profile")


def test_a_workspace_that_must_be_in_git(server: Server) -> None:
    with server.model(in_order([finish("done")]), "ungit"):
        given = body(server, llm_profile="ungit-main")
        answer = server.post("/api/strategies/best-of-n/start", json=given)
        refused(answer, 422, "workspace_not_git", "workspace")


def test_a_method_that_a_route_does_not_have(server: Server) -> None:
    answer = server.client.delete("/api/strategies/fusion")
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"
    # Upstream's own routes answer as they always did.
    assert server.client.put("/api/conversations/count").headers["content-type"] == (
        "application/json"
    )


@pytest.mark.parametrize("key", [None, "wrong", ""])
def test_a_wrong_or_missing_key(server: Server, key: str | None) -> None:
    headers = {} if key is None else {"X-Session-API-Key": key}
    base = f"http://127.0.0.1:{server.port}/api/strategies"
    with httpx.Client(headers=headers, trust_env=False) as client:
        for answer in (
            client.get(base),
            client.get(f"{base}/fusion"),
            client.get(f"{base}/runs/{'0' * 32}"),
            client.post(f"{base}/reload"),
            client.post(f"{base}/fusion/start", content=b"{"),
            client.post(f"{base}/fusion/plan", json={}),
        ):
            refused(answer, 401, "unauthorized")


def test_strategies_that_fail(server: Server) -> None:
    with server.model(in_order([finish("done")]), "failing"):
        raising = body(server, llm_profile="failing-main")
        answer = server.post("/api/strategies/raising/start", json=raising)
        message = refused(answer, 422, "build_failed")
        assert "raising" in message
        assert "the disk is on fire" in message
        assert answer.json()["hint"] == "the server's log shows where it happened"
        # The traceback: on a few columns, or as JSON where CI is set.
        log = server.log.read_text(errors="replace")
        assert "raise KeyError(" in log, log[-9000:]
        listed = server.get("/api/strategies").json()["strategies"]
        broken = next(one for one in listed if (one["error"] or {}).get("code") == "syntax_error")
        answer = server.post(f"/api/strategies/{broken['name']}/start", json=raising)
        assert answer.status_code in (404, 422)
        # Nothing of a start that failed is left behind.
        kept = [path.parent for path in (server.home / "workspace").rglob("run.json")]
        assert all((path / "meta.json").is_file() for path in kept)


def test_overlays_must_be_served_here(server: Server) -> None:
    answer = server.post("/api/strategies/fusion/start", json=body(server, **{"with": ["/x.py"]}))
    refused(answer, 422, "overlay_unknown", "with")


def test_a_tree_that_nobody_agreed_to_is_listed_and_does_not_run(server: Server) -> None:
    listed = server.get("/api/strategies/stranger").json()
    assert listed["trusted"] is False
    assert len(listed["commit"]) == 40
    assert listed["source"]["type"] == "git"
    answer = server.post("/api/strategies/stranger/start", json=body(server))
    refused(answer, 403, "not_trusted")


def test_a_budget_needs_prices(server: Server) -> None:
    with server.model(in_order([finish("done")]), "priceless"):
        answer = server.post(
            "/api/strategies/fusion/start",
            json=body(
                server,
                llm_profile="priceless-main",
                params={"sidekick_model": "openai/nobody-knows"},
                max_budget=1.0,
            ),
        )
        refused(answer, 422, "price_unknown", "prices")
        assert "--" not in answer.json()["hint"], "a request has no options"


def test_a_plan_needs_no_llm_and_starts_nothing(server: Server) -> None:
    before = server.get("/api/conversations/count").json()
    given = body(server, params={"sidekick_model": "openai/small"}, **{"with": ["house"]})
    answer = server.post("/api/strategies/fusion/plan", json=given)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["strategy"]["name"] == "fusion"
    assert [role["role"] for role in document["roles"]] == ["main", "sidekick"]
    for kind in ("tools", "subagents", "skills", "hooks", "mcp", "limits", "prompt_tokens"):
        assert all("part" in item["from"] for item in document[kind]), kind
    assert "house" in str(document["roles"])
    assert server.get("/api/conversations/count").json() == before
    refused(
        server.post("/api/strategies/fusion/plan", json=body(server, params={"sidekicks": 0})),
        422,
        "param_range",
        "params.sidekicks",
    )


def test_runs_that_are_not_there(server: Server) -> None:
    for name in ("0" * 32, "not-an-id", "..%2f..%2fetc"):
        answer = server.get(f"/api/strategies/runs/{name}")
        assert answer.status_code == 404
    refused(server.get(f"/api/strategies/runs/{'0' * 32}"), 404, "run_unknown")


def test_reload_takes_up_what_is_new_and_says_what_needs_a_restart(server: Server) -> None:
    before = server.get("/api/strategies/delegating").json()["tree"]
    path = server.home / "delegating" / "strategy.py"
    text = path.read_text()
    mended = server.home / "absent.py"
    try:
        path.write_text(text + "\n# changed\n")
        mended.write_text((server.home / "spending.py").read_text().replace("spending", "absent"))
        answer = server.post("/api/strategies/reload")
        assert answer.status_code == 200
        document = answer.json()
        assert document["restart_needed"] == ["delegating"]
        assert document["added"] == ["absent"]
        assert document["removed"] == ["./absent.py"]
        assert server.get("/api/strategies/absent").json()["error"] is None
        assert server.get("/api/strategies/delegating").json()["tree"] == before
    finally:
        path.write_text(text)
        mended.unlink(missing_ok=True)
        again = server.post("/api/strategies/reload").json()
    assert again["restart_needed"] == []
    assert again["removed"] == ["absent"]


def test_openapi_describes_every_route_with_an_example(server: Server) -> None:
    document = server.get("/openapi.json").json()
    paths = {path: one for path, one in document["paths"].items() if "/strategies" in path}
    assert len(paths) == 6
    for path, methods in paths.items():
        for method, operation in methods.items():
            assert operation["security"], path
            assert operation["description"], path
            for status, one in operation["responses"].items():
                described = next(iter(one["content"].values()))["schema"]
                named = described.get("$ref", "").rpartition("/")[2]
                schema = document["components"]["schemas"][named] if named else described
                if int(status) < 400:
                    assert schema["examples"], (path, status)
                else:
                    assert "code" in schema["properties"], (path, status)
            if method == "post" and "{name}" in path:
                content = operation["requestBody"]["content"]["application/json"]
                assert content["example"]["task"]
                assert content["schema"]["additionalProperties"] is False
                assert "with" in content["schema"]["properties"]
