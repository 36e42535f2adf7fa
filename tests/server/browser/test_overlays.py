"""Overlays in the form: which are offered, their parameters, and errors at their fields."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openhands_strategies.testing import Call, Reply, by_model, copy_sample, finish, in_order, say
from server_process import Server
from support import write

from .conftest import HOUSE, Visiting
from .steps import RUN, error_at, field, fill_fusion, fusion_model, save_profiles

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.e2e, pytest.mark.slow_start]
WRONG = "This cannot be sent yet"


@pytest.fixture(scope="module")
def shop(server: Server) -> Iterator[Path]:
    """A workspace, while a model answers that does fusion's task at once."""
    workspace = copy_sample(server.workspace("overlays") / "shop")
    with fusion_model(server, workspace, latency=0.05) as model:
        save_profiles(server, model)
        yield workspace


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def refused(page: Page, button: str) -> None:
    press(page, button)
    page.get_by_role("heading", name=WRONG).wait_for()


def test_an_overlay_says_what_it_is_for(visiting: Visiting) -> None:
    visit = visiting()
    page = visit.page
    page.get_by_label("Search").fill("overlay")
    assert page.locator(".card h2").all_inner_texts() == ["budget", "guardrails", "house"]
    page.get_by_role("link", name="guardrails", exact=True).click()
    page.get_by_role("heading", name="Laid on top of other strategies").wait_for()
    page.get_by_text("guard.py").first.wait_for()
    assert page.locator("form").count() == 0
    assert visit.accessible() == []
    # From there to a strategy that it can be laid on, which is no overlay itself.
    assert page.locator(".panel a").all_inner_texts()[:2] == ["fusion", "delegating"]
    page.get_by_role("link", name="fusion", exact=True).click()
    page.get_by_text("Lay on top").click()
    ticks = page.locator('[name^="with."]')
    names = ticks.evaluate_all("ticks => ticks.map(one => one.name)")
    assert names == ["with.budget", "with.guardrails", "with.house"]


def test_parameters_of_overlays(server: Server, visiting: Visiting, shop: Path) -> None:
    visit = visiting()
    page = visit.go("/strategy/fusion")
    page.locator("form").wait_for()
    fill_fusion(page, str(shop))
    field(page, "max_budget").fill("")
    page.get_by_text("Lay on top").click()
    limit = field(page, "params.budget.limit")
    assert not limit.is_visible()
    page.get_by_label("budget", exact=True).check()
    page.get_by_label("guardrails", exact=True).check()
    assert limit.is_visible()
    assert field(page, "params.budget.warn_at").input_value() == "0.8"
    assert visit.accessible() == []
    refused(page, "Start")
    assert error_at(page, "params.budget.limit") == "limit is needed."
    press(page, "limit is needed.")
    page.keyboard.type("3.5")
    # What only the server knows stands at the field of the overlay, which has no label here.
    field(page, "params.guardrails.allow").fill("no-such-rule")
    refused(page, "Preview the plan")
    assert "which is no rule" in error_at(page, "params.guardrails.allow")
    field(page, "params.guardrails.allow").fill("sudo")
    press(page, "Preview the plan")
    plan = page.get_by_role("region", name="The plan")
    plan.wait_for()
    assert "With budget, guardrails on top" in plan.inner_text()
    assert "at most $3.50 · warns at 80 % of them" in plan.inner_text()
    assert "--allow sudo" in plan.inner_text()
    assert visit.accessible() == []
    press(page, "Start")
    page.wait_for_url(RUN)
    report = server.ended(page.url.rpartition("/")[2])
    assert report["status"] == "finished"
    assert report["overlays"] == ["budget", "guardrails"]
    assert report["max_budget"] == 3.5
    given = report["params"]
    assert given["budget.limit"] == 3.5
    assert given["guardrails.allow"] == "sudo"
    assert given["fusion.sidekick_profile"] == "sidekick"


def test_a_name_that_two_have(server: Server, visiting: Visiting, shop: Path) -> None:
    page = visiting().go("/strategy/fusion")
    page.locator("form").wait_for()
    fill_fusion(page, str(shop))
    page.get_by_text("Lay on top").click()
    page.get_by_label("house", exact=True).check()
    # Each has its own value, also where one is left empty.
    for words in ("are welcome", ""):
        field(page, "params.house.sidekicks").fill(words)
        field(page, "params.sidekicks").fill("2")
        with page.expect_response("**/plan") as answer:
            press(page, "Preview the plan")
        params = answer.value.request.post_data_json["params"]
        assert params["fusion.sidekicks"] == 2
        assert params["house.sidekicks"] == (words or None)
        assert answer.value.status == 200


def test_what_the_server_refuses_stands_at_its_field(
    server: Server, visiting: Visiting, shop: Path
) -> None:
    page = visiting().go("/strategy/fusion")
    page.locator("form").wait_for()
    fill_fusion(page, str(shop))
    page.get_by_text("Lay on top").click()
    page.get_by_label("house", exact=True).check()
    # The server says params.fusion.sidekick_profile, and the form has it without the label.
    field(page, "params.sidekick_profile").fill("no-such-profile")
    refused(page, "Start")
    assert "no LLM profile 'no-such-profile'" in error_at(page, "params.sidekick_profile")
    field(page, "params.sidekick_profile").fill("sidekick")
    file = server.home / "house.py"
    file.unlink()
    try:
        assert server.post("/api/strategies/reload").status_code == 200
        refused(page, "Start")
        group = page.get_by_role("group", name="On top, in this order")
        assert "has no strategy 'house'" in group.locator("> .error").inner_text()
        press(page, "this server has no strategy 'house'")
        assert page.evaluate("document.activeElement.tagName") == "FIELDSET"
    finally:
        write(file, HOUSE)
        server.post("/api/strategies/reload")


def test_a_budget_where_nobody_knows_a_price(server: Server, visiting: Visiting) -> None:
    two = [Call("task", {"subagent_type": "helper", "prompt": "look"})]
    script = by_model({"main": in_order([Reply(calls=two), finish("done")]), "cheap": _looked})
    with server.model(script, "priced"):
        visit = visiting()
        page = visit.go("/strategy/delegating")
        page.locator("form").wait_for()
        field(page, "task").fill("look")
        field(page, "workspace").fill(str(server.workspace("priced")))
        field(page, "llm_profile").select_option(label="priced-main (openai/main)")
        field(page, "max_budget").fill("2")
        assert not field(page, "prices").is_visible()
        refused(page, "Start")
        assert "nobody knows that of openai/cheap — write MODEL=IN,OUT" in error_at(page, "prices")
        assert visit.accessible() == []
        field(page, "prices").fill("openai/cheap=1")
        refused(page, "Start")
        assert error_at(page, "prices") == "“openai/cheap=1” is no price: write MODEL=IN,OUT."
        field(page, "prices").fill("openai/cheap=1,4\nopenai/other=.5,2.25")
        press(page, "Start")
        page.wait_for_url(RUN)
        report = server.ended(page.url.rpartition("/")[2])
        assert report["status"] == "finished"
        assert report["max_budget"] == 2.0
        assert report["cost_usd"] > 0


def _looked(_turn: object) -> Reply:
    return say("looked")
