"""The Canvas extension in a real browser, loaded as Canvas loads it.

Canvas itself is not here. What it gives to an extension is: a container, and requests with
the key, whose errors carry the answer as upstream's client hands it on.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from openhands_strategies.testing import Reply, Turn, by_model, call, finish, in_order, say
from server_process import KEY, Server

from .conftest import Visiting

pytestmark = [pytest.mark.browser, pytest.mark.e2e, pytest.mark.slow_start]
HOST = """
async ({ bundle, key }) => {
  document.body.replaceChildren();
  document.body.style.cssText = "background: #111; color: #eee; margin: 0";
  async function request({ method = "GET", path, body }) {
    if (!path.startsWith("/") || path.startsWith("//")) throw new Error("no root-relative path");
    const headers = { "Content-Type": "application/json", "X-Session-API-Key": key };
    const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
    const plain = (answer.headers.get("content-type") ?? "").includes("application/json");
    const content = plain ? await answer.json() : await answer.text();
    if (answer.ok) return content;
    const error = new Error(`HTTP ${answer.status}`);
    throw Object.assign(error, { name: "HttpError", status: answer.status, response: content });
  }
  const text = await (await fetch(bundle, { headers: { "X-Session-API-Key": key } })).text();
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const extension = await import(url);
  const container = document.createElement("div");
  document.body.append(container);
  extension.activate({
    apiVersion: "1",
    agentServer: { request },
    registerPage(id, mount) {
      if (id !== "strategies") throw new Error(`no page ${id}`);
      window.leave = mount({ container, path: "/strategies", navigate: () => {} });
      return window.leave;
    },
  });
}
"""


def test_a_run_inside_canvas(server: Server, visiting: Visiting, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "openhands_strategies", "canvas", "export", str(tmp_path)]
    subprocess.run(command, check=True, timeout=60)
    answer = server.post("/api/canvas-extensions/install", json={"source": str(tmp_path)})
    assert answer.status_code == 200, answer.text
    installed = "/api/canvas-extensions/installed/openhands-strategies"

    def cheap(turn: Turn) -> Reply:
        return say("looked") if turn.replies else call("terminal", command="sleep 2")

    task = call("task", subagent_type="helper", prompt="look", description="Look around")
    script = by_model({"main": in_order([task, finish("all seen")]), "cheap": cheap})
    with server.model(script, "canvas"):
        visit = visiting(key=None)
        page = visit.page
        page.goto(f"{visit.root}/health")
        page.evaluate(HOST, {"bundle": f"{installed}/bundle", "key": KEY})
        page.get_by_role("link", name="delegating", exact=True).click()
        page.get_by_label("Task", exact=False).first.fill("look around")
        page.locator('[name="workspace"]').fill("/no/such/directory")
        page.locator('[name="llm_profile"]').select_option(label="canvas-main (openai/main)")
        page.get_by_role("button", name="Start").click()
        # The problem document reaches its field here too.
        page.get_by_role("heading", name="This cannot be sent yet").wait_for()
        assert page.locator('[name="workspace"]').get_attribute("aria-invalid") == "true"
        page.locator('[name="workspace"]').fill(str(server.workspace("canvas")))
        page.get_by_role("button", name="Start").click()
        page.locator('.lane[data-state="working"]').nth(1).wait_for()
        page.get_by_role("heading", name="Answer").wait_for()
        assert page.locator(".answer .text").inner_text() == "all seen"
        page.locator(".log li").filter(has_text="Look around").first.wait_for()
        assert page.url == f"{visit.root}/health", "the address is Canvas's own"
        dark = "getComputedStyle(document.querySelector('body > div > div').shadowRoot.firstChild)"
        assert page.evaluate(f"{dark}.colorScheme") == "dark"
        page.evaluate("window.leave()")
        assert page.locator("body > div > div").count() == 0
        requests = len(visit.addresses)
        page.wait_for_timeout(2500)
        assert len(visit.addresses) == requests, "nothing is asked for after the end"
    server.client.delete(installed)
