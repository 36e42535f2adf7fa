"""Strategies that run on a real agent-server, against the scripted model."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import pytest

from openhands_strategies.testing import (
    DEMO_PRICES,
    DEMO_TASK,
    MAIN_MODEL,
    SIDEKICK_MODEL,
    Call,
    HttpError,
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
    say,
)
from server_process import MODEL_KEY, Server

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]


def begin(server: Server, strategy: str, name: str, **body: Any) -> str:
    """Start a strategy with the profile and in the workspace of this name."""
    return server.start(
        strategy,
        task="do it",
        workspace=str(server.workspace(name)),
        llm_profile=f"{name}-main",
        **body,
    )


def test_fusion_mends_the_sample(server: Server) -> None:
    workspace = copy_sample(server.workspace("fusion") / "shop")
    script = demo_script(workspace, sys.executable)
    with ScriptedModel(script, prices=DEMO_PRICES, latency=0.1) as model:
        price = DEMO_PRICES[MAIN_MODEL]
        server.save_profile("fusion", f"openai/{MAIN_MODEL}", model.base_url, price)
        cheap = DEMO_PRICES[SIDEKICK_MODEL]
        sidekick = f"openai/{SIDEKICK_MODEL}"
        started = server.post(
            "/api/strategies/fusion/start",
            json={
                "task": DEMO_TASK,
                "workspace": str(workspace),
                "llm_profile": "fusion",
                "params": {"sidekick_model": sidekick},
                "prices": {sidekick: [cheap.input, cheap.output]},
                "max_budget": 5.0,
                "tags": {"team": "shop"},
            },
        )
        assert started.status_code == 201
        document = started.json()
        run = document["conversation_id"]
        assert document["conversation"]["id"].replace("-", "") == run.replace("-", "")
        assert document["conversation"]["tags"]["team"] == "shop"
        assert document["conversation"]["tags"]["strategy"] == "fusion"
        seen: list[dict[str, Any]] = []
        while not seen or seen[-1]["status"] in ("running", "idle"):
            seen.append(server.report(run))
            time.sleep(0.1)
        report = seen[-1]
        assert report["status"] == "finished"
        assert report["answer"]
        assert run_sample_tests(workspace, sys.executable).passed
        # While it worked, several sidekicks were at work at once and said what they did.
        live = [
            [one for one in earlier["subagents"] if one["state"] == "working"] for earlier in seen
        ]
        assert max(map(len, live)) >= 2
        assert any(one["activity"] for now in live for one in now)
        costs = [earlier["cost_usd"] or 0.0 for earlier in seen]
        assert costs == sorted(costs)
        assert len(set(costs)) > 3
        # The account is the model server's.
        assert report["cost_usd"] == pytest.approx(model.total_cost())
        roles = {one["role"]: one for one in report["roles"]}
        assert set(roles) == {"main", "sidekick"}
        for role, name in (("main", MAIN_MODEL), ("sidekick", SIDEKICK_MODEL)):
            counted = model.by_model()[name]
            assert roles[role]["calls"] == counted.calls
            assert roles[role]["input_tokens"] == counted.input_tokens
        assert roles["main"]["state"] == "finished"
        assert roles["sidekick"]["at_main_price_usd"] > roles["sidekick"]["cost_usd"]
        assert report["strategy"]["name"] == "fusion"
        assert report["params"]["sidekick_model"] == sidekick
        assert {one["role"] for one in report["subagents"]} == {"sidekick"}
        # The sidekicks were told their own protocol, and the main one its own.
        by_name = {one.model: one for one in model.served}
        assert "sidekick" in str(by_name[SIDEKICK_MODEL].messages[0]).lower()
        assert not model.failed


def test_the_budget_binds_a_main_agent_without_sub_agents(server: Server) -> None:
    def main(turn: Turn) -> Reply:
        return call("terminal", command=f"echo {turn.replies}")

    with server.model(main, "spending") as model:
        run = begin(server, "spending", "spending", params={"dollars": 0.2})
        report = server.ended(run)
        assert report["status"] == "limit"
        assert report["error"]["code"] == "budget_spent"
        dollars = [one.cost_usd for one in model.served]
        assert sum(d or 0 for d in dollars) >= 0.2
        assert sum(d or 0 for d in dollars[:-1]) < 0.2
        assert report["cost_usd"] == pytest.approx(model.total_cost())
        assert report["roles"][0]["state"] == "limit"


def test_the_budget_binds_main_and_sub_agents_together(server: Server) -> None:
    def cheap(turn: Turn) -> Reply:
        return call("terminal", command=f"echo {turn.replies}")

    script = by_model({"main": call("task", subagent_type="helper", prompt="look"), "cheap": cheap})
    with server.model(script, "shared") as model:
        run = begin(
            server,
            "delegating",
            "shared",
            max_budget=0.15,
            params={"steps": 200},
            prices={"openai/cheap": [1.0, 4.0]},
        )
        report = server.ended(run)
        assert report["status"] == "limit"
        assert report["cost_usd"] == pytest.approx(model.total_cost())
        assert report["cost_usd"] >= 0.15
        # The main agent was not asked again after its helper had spent the rest.
        assert [one.model for one in model.served].count("main") == 1
        assert report["subagents"][0]["state"] == "limit"


def test_interrupting_the_main_agent_stops_its_helpers_and_it_can_go_on(server: Server) -> None:
    def cheap(turn: Turn) -> Reply:
        if "quick" in turn.user[0]:
            return say("done")
        return call("terminal", command="sleep 0.2")

    script = by_model(
        {
            "main": in_order(
                [
                    call("task", subagent_type="helper", prompt="work for long"),
                    call("task", subagent_type="helper", prompt="quick"),
                    finish("enough"),
                ]
            ),
            "cheap": cheap,
        }
    )
    with server.model(script, "stopped") as model:
        run = begin(server, "delegating", "stopped", params={"steps": 300})
        while sum(one.model == "cheap" for one in model.served) < 3:
            time.sleep(0.1)
        assert server.post(f"/api/conversations/{run}/interrupt").status_code == 200
        assert server.ended(run)["status"] == "paused"
        time.sleep(2)
        calls = len(model.served)
        time.sleep(2)
        assert len(model.served) == calls, "a helper goes on after the stop"
        assert server.post(f"/api/conversations/{run}/run").status_code == 200
        report = server.ended(run, before="paused")
        assert report["status"] == "finished", report
        assert [one["state"] for one in report["subagents"]] == ["interrupted", "completed"]


def test_escalation_is_visible(server: Server) -> None:
    script = by_model(
        {
            "main": in_order(
                [call("task", subagent_type="helper", prompt="too hard"), finish("did it myself")]
            ),
            "cheap": say("ESCALATE_TO_MAIN it needs judgement"),
        }
    )
    with server.model(script, "escalating"):
        run = begin(server, "delegating", "escalating")
        report = server.ended(run)
        assert report["status"] == "finished"
        assert [one["state"] for one in report["subagents"]] == ["escalated"]


def test_profiles_reach_sub_agents_decrypted_and_no_key_shows(server: Server) -> None:
    def main(turn: Turn) -> Reply:
        if turn.replies == 0:
            return Reply(calls=(Call("task", {"subagent_type": "sidekick", "prompt": "look"}),))
        return finish("done")

    script = by_model({"main": main, "cheap": say("seen")})
    with server.model(script, "locked", api_key=MODEL_KEY) as model:
        run = begin(server, "fusion", "locked", params={"sidekick_profile": "locked-cheap"})
        report = server.ended(run)
        assert report["status"] == "finished"
        assert [one["state"] for one in report["subagents"]] == ["completed"], report["subagents"]
        assert {one.model for one in model.served} == {"main", "cheap"}
        answers = json.dumps(report)
        answers += server.get("/api/strategies").text
        answers += server.get(f"/api/conversations/{run}").text
        assert MODEL_KEY not in answers
    for path in server.home.rglob("*"):
        if path.is_file():
            assert MODEL_KEY.encode() not in path.read_bytes(), path


def test_an_overlay_reaches_the_model_and_the_record(server: Server) -> None:
    with server.model(in_order([finish("done")]), "overlaid") as model:
        run = begin(server, "spending", "overlaid", **{"with": ["house"]})
        report = server.ended(run)
        assert report["status"] == "finished"
        assert report["overlays"] == ["house"]
        assert "Write as this house does." in str(model.served[0].messages[0])


def test_a_deleted_conversation_takes_its_run_along(server: Server) -> None:
    with server.model(in_order([finish("done")]), "deleted"):
        run = begin(server, "spending", "deleted")
        server.ended(run)
        report = server.report(run)
        assert report["conversation_id"] == run
        assert report["roles"][0]["at_main_price_usd"] is None
        # Without the file the agent itself tells what it was started with.
        (server.conversation_files(run) / "run.json").unlink()
        again = server.report(run)
        for key in ("conversation_id", "strategy", "params", "workspace", "roles", "cost_usd"):
            assert again[key] == report[key], key
        assert server.client.delete(f"/api/conversations/{run}").status_code == 200
        assert server.get(f"/api/strategies/runs/{run}").status_code == 404
        assert not server.conversation_files(run).exists()


def test_what_stopped_a_run_is_said(server: Server) -> None:
    def main(turn: Turn) -> Reply:
        return call("terminal", command=f"echo {turn.replies}")

    with server.model(main, "steps"):
        run = begin(server, "delegating", "steps", params={"main_steps": 2})
        report = server.ended(run)
        assert report["status"] == "limit"
        assert report["error"]["code"] == "limit_reached"
        assert report["roles"][0]["calls"] == 2
    broken = HttpError(401, "no such key")
    with server.model(in_order([Reply(fault=broken)]), "refused"):
        run = begin(server, "spending", "refused")
        report = server.ended(run)
        assert report["status"] == "error"
        assert report["error"]["code"] == "run_failed"
        assert "spending" in report["error"]["message"]
        assert MODEL_KEY not in str(report)
