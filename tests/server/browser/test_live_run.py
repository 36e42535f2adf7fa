"""A run while three sub-agents work: on a wide and a narrow screen, in light and dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openhands_strategies.testing import Call, Reply, Turn, by_model, call, finish, in_order, say
from server_process import PRICES, Server

from .conftest import Visiting
from .steps import until

pytestmark = [pytest.mark.browser, pytest.mark.e2e, pytest.mark.slow_start]
COMMAND = "python3 -m unittest --verbose tests.test_pricing tests.test_discounts; sleep 0.5"


@pytest.fixture(scope="module")
def working(server: Server) -> Iterator[str]:
    """A run whose three helpers work until it is stopped."""
    tasks = [
        Call("task", {"subagent_type": "helper", "prompt": "go", "description": f"Look into {one}"})
        for one in ("pricing", "discounts", "the_report_of_the_last_quarter_in_one_long_word")
    ]

    def busy(turn: Turn) -> Reply:
        return say("done") if turn.replies > 290 else call("terminal", command=COMMAND)

    script = by_model({"main": in_order([Reply(calls=tasks), finish("done")]), "cheap": busy})
    with server.model(script, "live", prices=PRICES):
        run = server.start(
            "delegating",
            task="Look into three things at once.",
            workspace=str(server.workspace("live")),
            llm_profile="live-main",
            params={"steps": 300},
            prices={"openai/cheap": [1.0, 4.0]},
            max_budget=5.0,
        )
        yield run
        server.post(f"/api/conversations/{run}/interrupt")
        server.ended(run)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_working_lanes_fit_and_can_be_read(
    visiting: Visiting, working: str, scheme: str, width: int
) -> None:
    visit = visiting(width=width, scheme=scheme)
    page = visit.go(f"/run/{working}")
    lanes = page.locator('.lane[data-state="working"]').filter(has_text="helper")
    until(lambda: lanes.count() == 3)
    until(lambda: "unittest" in (lanes.first.text_content() or ""))
    stop = page.get_by_role("button", name="Stop")
    assert stop.is_enabled()
    box = stop.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    # A finger finds it.
    assert min(box["width"], box["height"]) >= 24
    assert visit.overflow() <= 0
    # Contrast is part of it.
    assert visit.accessible() == []
    assert lanes.count() == 3, "all of it was seen while they worked"
