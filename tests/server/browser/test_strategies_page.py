"""A person's way over the page: key, list, form, plan, start, lanes, answer."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from openhands_strategies.testing import (
    DEMO_TASK,
    Reply,
    Turn,
    by_model,
    call,
    copy_sample,
    finish,
    in_order,
    say,
)
from server_process import KEY, Server

from .conftest import HOSTILE, Visiting
from .steps import (
    RUN,
    dollars,
    error_at,
    field,
    fill_fusion,
    fusion_model,
    save_profiles,
    until,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.e2e, pytest.mark.slow_start]


def test_from_the_key_to_the_answer(server: Server, visiting: Visiting) -> None:
    workspace = copy_sample(server.workspace("fusion") / "shop")
    with fusion_model(server, workspace, latency=1.0) as model:
        save_profiles(server, model)
        visit = visiting(key=None)
        page = visit.go()
        # A wrong key is asked for again; nothing of it stays.
        page.get_by_label("Key", exact=True).fill("wrong")
        page.keyboard.press("Enter")
        page.get_by_role("alert").filter(has_text="did not accept").wait_for()
        assert page.evaluate("sessionStorage.length") == 0
        assert visit.accessible() == []
        page.get_by_label("Key", exact=True).fill(KEY)
        page.keyboard.press("Enter")
        page.get_by_role("link", name="fusion", exact=True).wait_for()
        assert page.evaluate("[sessionStorage.length, localStorage.length]") == [1, 0]
        # The list, and its search.
        shown = page.locator(".card h2")
        assert shown.count() == 8
        page.get_by_label("Search").fill("sidekick parallel")
        assert shown.all_inner_texts() == ["fusion"]
        page.get_by_label("Search").fill("no such thing")
        page.get_by_text("No strategy matches.").wait_for()
        page.get_by_label("Search").fill("")
        assert visit.accessible() == []
        page.get_by_role("link", name="fusion", exact=True).click()
        # What it brings along stands there before the start.
        page.get_by_text("read_only.py").wait_for()
        page.get_by_role("button", name="Start").click()
        page.get_by_role("heading", name="This cannot be sent yet").wait_for()
        assert error_at(page, "task") == "Task is needed."
        fill_fusion(page, "shop")
        field(page, "params.sidekicks").fill("99")
        page.get_by_role("button", name="Start").click()
        assert error_at(page, "params.sidekicks") == "sidekicks is at most 16."
        assert error_at(page, "workspace").startswith("Workspace is an absolute path")
        assert visit.accessible() == []
        # The way from the summary to the field.
        page.get_by_role("button", name="sidekicks is at most 16.").click()
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type("4")
        # What only the server knows stands at the field as well.
        field(page, "workspace").fill("/no/such/directory")
        page.get_by_role("button", name="Start").click()
        page.get_by_role("heading", name="This cannot be sent yet").wait_for()
        assert "no directory on the server" in error_at(page, "workspace")
        field(page, "workspace").fill(str(workspace))
        page.get_by_role("button", name="Preview the plan").click()
        plan = page.get_by_role("region", name="The plan")
        plan.wait_for()
        assert re.search(r"sidekick.*at most 15 steps", plan.inner_text(), re.DOTALL)
        assert model.served == [], "a plan calls no model"
        assert visit.accessible() == []
        page.get_by_role("button", name="Start").click()
        page.wait_for_url(RUN)
        # Three sidekicks at once, each in its lane and saying what it does.
        lanes = page.locator(".lane").filter(has=page.get_by_role("heading", name="sidekick"))
        working = page.locator('.lane[data-state="working"]').filter(
            has=page.get_by_role("heading", name="sidekick")
        )
        until(lambda: working.count() == 3)
        until(lambda: "unittest" in (working.first.text_content() or ""))
        assert visit.accessible() == []
        costs = [dollars(page)]
        # A reload goes on where it was, with the id alone in the address.
        page.reload()
        page.locator(".lane").first.wait_for()
        ended = page.locator("#run-state").filter(has_text="finished")
        while ended.count() == 0:
            costs.append(dollars(page))
            time.sleep(0.3)
        page.get_by_role("heading", name="Answer").wait_for()
        costs.append(dollars(page))
        assert costs == sorted(costs)
        assert len(set(costs)) > 3
        assert costs[-1] == round(model.total_cost(), 4)
        assert lanes.count() == 3
        assert lanes.filter(has_text="handed back").count() == 1
        assert "pricing" in page.locator(".escalation").inner_text()
        assert "tests pass" in page.locator(".answer").inner_text()
        page.locator(".log li").filter(has_text="Now all tests.").wait_for()
        assert page.get_by_role("button", name="Stop").count() == 0
        assert visit.accessible() == []
        assert KEY not in server.log.read_text(errors="replace")
        # The run is found again from the list.
        page.get_by_role("link", name="All strategies").click()
        page.locator(".recent a").first.click()
        page.get_by_role("heading", name="Answer").wait_for()


@pytest.fixture(scope="module")
def finished(server: Server) -> str:
    """A fusion run that is over."""
    workspace = copy_sample(server.workspace("finished") / "shop")
    with fusion_model(server, workspace, latency=0.05) as model:
        save_profiles(server, model)
        run = server.start(
            "fusion",
            task=DEMO_TASK,
            workspace=str(workspace),
            llm_profile="main",
            params={"sidekick_profile": "sidekick"},
            max_budget=5.0,
        )
        assert server.ended(run)["status"] == "finished"
    return run


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_every_view_fits_and_can_be_read(
    visiting: Visiting, finished: str, scheme: str, width: int
) -> None:
    visit = visiting(width=width, scheme=scheme, reduced_motion="reduce")
    page = visit.page
    for place, waits_for in (
        ("/", ".card.broken"),
        ("/strategy/fusion", "form"),
        ("/strategy/odd", "form"),
        ("/strategy/guardrails", "#laying-title"),
        (f"/run/{finished}", ".answer"),
        ("/run/00000000-0000-0000-0000-000000000000", ".problem:not([hidden])"),
    ):
        page.evaluate("to => { location.hash = to }", place)
        page.locator(waits_for).first.wait_for()
        assert visit.overflow() <= 0, place
        # Contrast is part of it.
        assert visit.accessible() == [], place
    ground = page.evaluate("getComputedStyle(document.querySelector('.ohs')).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", ground)))
    assert (brightness > 600) == (scheme == "light")


def test_nothing_moves_for_who_wants_that(visiting: Visiting, finished: str) -> None:
    page = visiting(reduced_motion="reduce").go(f"/run/{finished}")
    page.locator(".bar").first.wait_for()
    style = "getComputedStyle(document.querySelector('.bar')).transitionDuration"
    assert page.evaluate(style) == "0s"


def test_hostile_texts_stay_texts(server: Server, visiting: Visiting) -> None:
    def cheap(turn: Turn) -> Reply:
        return say(f"looked: {HOSTILE}") if turn.replies else call("terminal", command="sleep 1")

    script = by_model(
        {
            "main": in_order(
                [
                    call("task", subagent_type="helper", prompt="go", description=HOSTILE[:60]),
                    finish(HOSTILE),
                ]
            ),
            "cheap": cheap,
        }
    )
    with server.model(script, "hostile"):
        visit = visiting()
        page = visit.page
        assert HOSTILE in page.locator(".cards").inner_text()
        assert "<img src=x>" in page.locator(".card.broken").first.inner_text()
        page.get_by_role("link", name="odd", exact=True).click()
        page.locator("form").wait_for()
        assert HOSTILE in page.locator('[name="params.mood"] + .help').inner_text()
        assert field(page, "params.mood").locator("option").all_inner_texts()[1] == HOSTILE
        page.evaluate("to => { location.hash = to }", f"/strategy/{HOSTILE}")
        page.get_by_role("alert").filter(has_text="has no strategy").wait_for()
        run = server.start(
            "delegating",
            task=HOSTILE,
            workspace=str(server.workspace("hostile")),
            llm_profile="hostile-main",
        )
        page.evaluate("to => { location.hash = to }", f"/run/{run}")
        page.get_by_role("heading", name="Answer").wait_for()
        assert page.locator(".answer .text").inner_text() == HOSTILE
        page.get_by_text("What it reported").last.click()
        assert HOSTILE in page.locator(".does .text").last.inner_text()
        assert HOSTILE[:60] in page.locator(".lane .label").last.inner_text()
        page.locator(".log li").filter(has_text=HOSTILE).first.wait_for()
        assert page.locator("#strategies img, #strategies script").count() == 0
        # And the browser would have refused it anyway.
        refused = page.evaluate(
            "() => { try { document.body.innerHTML = '<b>'; } catch (e) { return e.name; } }"
        )
        assert refused == "TypeError"
        page.wait_for_function("window.refused.length === 1")
        page.evaluate("window.refused = []")


def test_each_kind_of_parameter(server: Server, visiting: Visiting) -> None:
    with server.model(in_order([say("done")]), "odd") as model:
        page = visiting().go("/strategy/odd")
        page.locator("form").wait_for()
        field(page, "task").fill("do it")
        field(page, "workspace").fill(str(server.workspace("odd")))
        field(page, "llm_profile").select_option(label="odd-main (openai/main)")
        assert field(page, "params.brave").is_checked()
        assert field(page, "params.share").input_value() == "1"
        field(page, "params.level").select_option(label="2")
        field(page, "params.share").fill("2")
        field(page, "params.token").fill("sk-not a name")
        page.get_by_role("button", name="Start").click()
        assert error_at(page, "params.motto") == "motto is needed."
        assert error_at(page, "params.share") == "share is at most 1.5."
        assert "not the secret" in error_at(page, "params.token")
        field(page, "params.motto").fill("onward")
        field(page, "params.share").fill("1.25")
        field(page, "params.token").fill("NO_SUCH_VARIABLE")
        field(page, "params.brave").uncheck()
        page.get_by_role("button", name="Start").click()
        page.get_by_role("heading", name="This cannot be sent yet").wait_for()
        assert "must name an environment variable" in error_at(page, "params.token")
        field(page, "params.token").fill("")
        page.get_by_role("button", name="Start").click()
        page.wait_for_url(RUN)
        page.locator("#run-state").filter(has_text="finished").wait_for()
        run = page.url.rpartition("/")[2]
        given = {name: value for name, value in server.report(run)["params"].items() if value}
        assert given == {"mood": "calm", "level": 2, "share": 1.25, "motto": "onward"}
        assert server.report(run)["params"]["brave"] is False
        assert model.served


def test_stop_and_go_on(server: Server, visiting: Visiting) -> None:
    def cheap(turn: Turn) -> Reply:
        if "quick" in turn.user[0]:
            return say("done")
        return call("terminal", command="sleep 0.2")

    main = [
        call("task", subagent_type="helper", prompt="work for long"),
        call("task", subagent_type="helper", prompt="quick"),
        finish("enough"),
    ]
    with server.model(by_model({"main": in_order(main), "cheap": cheap}), "stop") as model:
        run = server.start(
            "delegating",
            task="delegate",
            workspace=str(server.workspace("stop")),
            llm_profile="stop-main",
            params={"steps": 300},
            prices={"openai/cheap": [1.0, 4.0]},
        )
        page = visiting().go(f"/run/{run}")
        page.locator('.lane[data-state="working"]').nth(1).wait_for()
        page.get_by_role("button", name="Stop").click()
        page.locator("#run-state").filter(has_text="stopped").wait_for()
        page.get_by_role("button", name="Go on").wait_for()
        calls = len(model.served)
        time.sleep(2)
        assert len(model.served) == calls
        page.get_by_role("button", name="Go on").click()
        page.locator("#run-state").filter(has_text="finished").wait_for()
        assert page.locator(".answer .text").inner_text() == "enough"
        assert dollars(page) == round(model.total_cost(), 4)


def test_the_main_agent_asks_first(server: Server, visiting: Visiting) -> None:
    asked, again, never = "touch asked", "touch again", "touch never"
    steps = [call("terminal", command=one, timeout=9) for one in (asked, again, never)]
    with server.model(in_order([*steps, finish("made it")]), "asking") as model:
        workspace = server.workspace("asking")
        run = server.start(
            "delegating",
            task="make a file",
            workspace=str(workspace),
            llm_profile="asking-main",
            confirmation="always",
        )
        visit = visiting()
        page = visit.go(f"/run/{run}")
        asks = page.get_by_role("region", name="asks for your yes")
        asks.filter(has_text=asked).filter(has_text="timeout: 9").wait_for()
        assert visit.accessible() == []
        assert not (workspace / "asked").exists()
        asks.get_by_role("button", name="Allow").click()
        # What is asked next stands there, and not what was answered already.
        asks.filter(has_text=again).filter(has_not_text=asked).wait_for()
        assert (workspace / "asked").exists()
        asks.get_by_role("button", name="Allow").click()
        asks.filter(has_text=never).wait_for()
        asks.get_by_role("button", name="Refuse").click()
        # The agent hears of it, and goes on without.
        page.locator("#run-state").filter(has_text="finished").wait_for()
        assert not (workspace / "never").exists()
        assert "The user refused." in str(model.served[-1].messages)


def test_with_the_keyboard_alone(server: Server, visiting: Visiting) -> None:
    with server.model(in_order([say("done")]), "keys"):
        page = visiting(key=None).go()
        page.locator("dialog").wait_for()
        page.keyboard.press("Escape")
        assert page.locator("dialog[open]").count() == 1, "there is nothing to go back to"
        page.keyboard.type(KEY)
        page.keyboard.press("Enter")
        page.get_by_role("link", name="odd", exact=True).wait_for()
        reach(page, "odd")
        page.keyboard.press("Enter")
        page.locator("form").wait_for()
        focused = "document.activeElement.tagName + document.activeElement.textContent"
        assert page.evaluate(focused) == "H1odd", "the focus went along"
        reach(page, "task")
        page.keyboard.type("do it")
        reach(page, "workspace")
        page.keyboard.type(str(server.workspace("keys")))
        reach(page, "llm_profile")
        page.keyboard.type("keys-main")
        reach(page, "params.motto")
        page.keyboard.type("fast")
        reach(page, "Start")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "3px", "one sees where one is"
        page.keyboard.press("Enter")
        page.wait_for_url(RUN)
        status = page.locator("[aria-live=polite]").first
        until(lambda: "finished" in (status.text_content() or ""))


def reach(page: Page, name: str) -> None:
    """Press Tab until the control with this name, or these words, has the focus."""
    seen = "(document.activeElement.name || document.activeElement.textContent || '').trim()"
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(seen) == name:
            return
    raise AssertionError(f"Tab does not lead to {name}")


def test_a_server_that_goes_away_comes_back(
    server: Server, visiting: Visiting, finished: str
) -> None:
    page = visiting().page
    page.context.set_offline(True)
    page.evaluate("to => { location.hash = to }", f"/run/{finished}")
    page.get_by_role("alert").filter(has_text="does not answer").wait_for()
    page.context.set_offline(False)
    page.get_by_role("heading", name="Answer").wait_for()
    assert page.get_by_role("alert").filter(has_text="does not answer").count() == 0
