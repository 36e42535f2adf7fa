"""What the tests of the page do again and again: fill a form, read an error, wait."""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING, Any

from openhands_strategies.testing import (
    DEMO_PRICES,
    DEMO_TASK,
    MAIN_MODEL,
    SIDEKICK_MODEL,
    ScriptedModel,
    demo_script,
)
from server_process import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

RUN = re.compile(r"#/run/[0-9a-f-]{36}$")


def until(holds: Any, seconds: float = 60) -> None:
    """Wait until a function returns something true."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def field(page: Page, name: str) -> Locator:
    """A control by what the server calls it."""
    return page.locator(f'[name="{name}"]')


def error_at(page: Page, name: str) -> str:
    """The error that stands at a control, as a screen reader finds it."""
    said = page.locator(".summary").inner_text()
    assert field(page, name).get_attribute("aria-invalid") == "true", said
    ids = str(field(page, name).get_attribute("aria-describedby")).split()
    return page.locator(f"#{ids[-1]}").inner_text()


def dollars(page: Page) -> float:
    text = page.locator(".figures dd").first.inner_text()
    return float(text.removeprefix("$"))


def fill_fusion(page: Page, workspace: str) -> None:
    field(page, "task").fill(DEMO_TASK)
    field(page, "workspace").fill(workspace)
    field(page, "llm_profile").select_option(label=f"main (openai/{MAIN_MODEL})")
    field(page, "params.sidekick_profile").fill("sidekick")
    field(page, "max_budget").fill("5")


def fusion_model(server: Server, workspace: Any, latency: float) -> ScriptedModel:
    """A scripted model for the demo's task; `save_profiles` once it runs."""
    return ScriptedModel(
        demo_script(workspace, sys.executable), prices=DEMO_PRICES, latency=latency
    )


def save_profiles(server: Server, model: ScriptedModel) -> None:
    for name, full in (("main", MAIN_MODEL), ("sidekick", SIDEKICK_MODEL)):
        server.save_profile(name, f"openai/{full}", model.base_url, DEMO_PRICES[full])
