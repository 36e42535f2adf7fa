"""Record the page at `/strategies` in a real browser, as `docs/pictures/web-*.png`.

Run it after a change of what the page shows:
`PYTHONPATH=tests .venv-browser/bin/python docs/pictures/record_web.py`. Needs chromium, and
`make test-browser` to have made that environment.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from openhands_strategies.testing import (
    DEMO_PRICES,
    DEMO_TASK,
    MAIN_MODEL,
    SIDEKICK_MODEL,
    ScriptedModel,
    copy_sample,
    demo_script,
)
from server_process import KEY, Server, running_server

SERVED = [
    *("fusion", "waterfall", "plan-execute", "best-of-n"),
    *("adversarial-review", "guardrails", "budget", "single"),
]
BROKEN = (
    'from openhands_strategies import Strategy\n\nclass Debate(Strategy)\n    name = "debate"\n'
)
HERE = Path(__file__).parent
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def opened(browser: Browser, server: Server, scheme: str, width: int, height: int) -> Page:
    """A page that has the key already."""
    size = {"width": width, "height": height}
    context = browser.new_context(viewport=size, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/strategies")
    page.get_by_label("Key", exact=True).fill(KEY)
    page.keyboard.press("Enter")
    page.locator(".card.broken").wait_for()
    return page


def write_form(page: Page, workspace: Path) -> None:
    page.get_by_role("link", name="fusion", exact=True).click()
    page.locator('[name="task"]').fill(DEMO_TASK)
    page.locator('[name="workspace"]').fill(str(workspace))
    page.locator('[name="llm_profile"]').select_option(label=f"main (openai/{MAIN_MODEL})")
    page.locator('[name="max_budget"]').fill("0.5")
    page.locator('[name="params.sidekick_profile"]').fill("sidekick")
    page.evaluate("document.activeElement.blur()")


def record(browser: Browser, server: Server, workspace: Path) -> None:
    """Take the four pictures, those of the lanes while three sidekicks work."""
    light = opened(browser, server, "light", 1180, 900)
    light.screenshot(path=HERE / "web-list.png")
    dark = opened(browser, server, "dark", 1180, 1080)
    write_form(dark, workspace)
    dark.screenshot(path=HERE / "web-form.png")
    write_form(light, workspace)
    phone = opened(browser, server, "dark", 390, 844)
    light.get_by_role("button", name="Start").click()
    light.wait_for_url("**#/run/*")
    phone.goto(light.url)
    # The third helper has begun, and has done a first thing.
    light.locator('.lane[data-state="working"]').nth(3).wait_for()
    light.locator(".lane:last-child .earlier li").first.wait_for()
    time.sleep(1)
    light.screenshot(path=HERE / "web-lanes.png")
    phone.screenshot(path=HERE / "web-phone.png")


def main() -> None:
    """Serve the first-party strategies and a broken one, and look at them."""
    # A short path, because it is in the pictures.
    root = Path(tempfile.gettempdir()) / "demo"
    root.mkdir()
    try:
        workspace = copy_sample(root / "shop")
        (root / "debate.py").write_text(BROKEN, encoding="utf-8")
        chromium = shutil.which("chromium")
        with (
            running_server(root, ["--extensions", *SERVED, "./debate.py"]) as server,
            ScriptedModel(
                demo_script(workspace, "python3"), prices=DEMO_PRICES, latency=1.5
            ) as model,
            sync_playwright() as playwright,
        ):
            for name, full in (("main", MAIN_MODEL), ("sidekick", SIDEKICK_MODEL)):
                server.save_profile(name, f"openai/{full}", model.base_url, DEMO_PRICES[full])
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            record(browser, server, workspace)
            browser.close()
    finally:
        shutil.rmtree(root)
    for picture in sorted(HERE.glob("web-*.png")):
        print(f"{picture.name}: {picture.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
