"""`ohs serve --with`: the operator's overlays on a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.testing import finish, in_order
from server_process import Server, running_server
from support import HOUSE, write

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]
pytest.importorskip("openhands.agent_server")


def test_they_are_kept_recorded_and_have_parameters(tmp_path: Path) -> None:
    house = write(tmp_path / "house.py", HOUSE.replace("house does", "house does: first"))
    arguments = ["--extensions", "single", "--with", "./house.py", "budget"]
    with (
        running_server(tmp_path, arguments) as server,
        server.model(in_order([finish("done")]), "house") as model,
    ):
        schema = server.get("/api/strategies/single").json()["params_schema"]
        assert schema["required"] == ["budget.limit"]
        assert "single.max_iterations" in schema["properties"]
        refused = server.post("/api/strategies/single/start", json=_body(server))
        assert refused.status_code == 422
        assert refused.json()["code"] == "param_required"
        assert refused.json()["field"] == "params.budget.limit"
        run = server.start("single", **_body(server, params={"budget.limit": 3.0}))
        report = server.ended(run)
        assert report["overlays"] == ["./house.py", "budget"]
        assert [one["name"] for one in report["layers"]] == ["house", "budget"]
        assert report["params"]["budget.limit"] == 3.0
        # What was there when the server read it is what runs, until it is started again.
        house.write_text(HOUSE.replace("house does", "house does: second"))
        assert server.post("/api/strategies/reload").json()["restart_needed"] == ["house"]
        again = server.start("single", **_body(server, params={"limit": 3.0}))
        assert server.ended(again)["layers"] == report["layers"]
        assert len(model.served) == 2
        for one in model.served:
            assert "Write as this house does: first." in str(one.messages[0])
        house.unlink()
        server.post("/api/strategies/reload")
        refused = server.post("/api/strategies/single/start", json=_body(server))
        assert refused.status_code == 422
        assert refused.json()["code"] == "overlay_broken"
        assert server.get("/api/strategies/single").json()["error"]["code"] == "overlay_broken"


def _body(server: Server, **more: Any) -> dict[str, Any]:
    workspace = str(server.workspace("house"))
    return {"task": "do it", "workspace": workspace, "llm_profile": "house-main", **more}
