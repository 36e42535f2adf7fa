"""Record fusion in the OpenHands CLI's terminal interface, and draw `docs/openhands-cli.svg`.

Run it after a change of what is shown there:
`.venv-openhands-cli/bin/python docs/pictures/record_openhands.py`. Needs tmux, and
`make test-openhands-cli` to have made that environment.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from openhands.sdk import LLM
from openhands_cli.utils import get_default_cli_agent
from rich.console import Console
from rich.text import Text

from openhands_strategies.testing import (
    DEMO_PRICES,
    MAIN_MODEL,
    SIDEKICK_MODEL,
    Call,
    Reply,
    Script,
    ScriptedModel,
    Turn,
    copy_sample,
    demo_script,
)

WIDTH, HEIGHT = 118, 46
TASK = "Find out why the tests fail and mend them"
SIDEKICK = f"openai/{SIDEKICK_MODEL}"


def stating_risks(script: Script) -> Script:
    """The same answers; in the CLI a model also states the risk of what it does."""

    def answer(turn: Turn) -> Reply:
        reply = script(turn)
        return replace(reply, calls=[_with_risk(one, turn) for one in reply.calls])

    return answer


def _with_risk(call: Call, turn: Turn) -> Call:
    asked = "security_risk" in turn.tools[call.name].get("properties", {})
    return replace(call, arguments={**call.arguments, "security_risk": "LOW"}) if asked else call


class Window:
    """A tmux server of its own with one window."""

    def __init__(self, folder: Path, command: str, cwd: Path) -> None:
        self._socket = str(folder / "tmux")
        self._tmux(
            *("-f", "/dev/null", "new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT)),
            *("-c", str(cwd), "sh", "-c", command),
        )

    def _tmux(self, *arguments: str) -> str:
        plain = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LANG": "C.UTF-8"}
        command = ["tmux", "-S", self._socket, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=plain).stdout

    def read(self) -> str:
        return self._tmux("capture-pane", "-p", "-e")

    def wait_for(self, text: str) -> str:
        deadline = time.monotonic() + 90
        while text not in self._tmux("capture-pane", "-p"):
            if time.monotonic() > deadline:
                raise SystemExit(f"{text!r} did not come:\n{self.read()}")
            time.sleep(0.2)
        time.sleep(0.5)
        return self.read()

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def close(self) -> None:
        self._tmux("kill-server")


def _serving(home: Path) -> ScriptedModel:
    shop = copy_sample(home / "shop")
    script = stating_risks(demo_script(shop, "python3", latency=0.6))
    return ScriptedModel(script, prices=DEMO_PRICES)


def main() -> None:
    """Type a task, confirm as main agent and as sidekick, and draw both screens."""
    with tempfile.TemporaryDirectory(prefix="ohp") as folder, _serving(Path(folder)) as model:
        home = Path(folder)
        llm = LLM(
            model=f"openai/{MAIN_MODEL}", api_key="none", base_url=model.base_url, usage_id="agent"
        )
        settings = home / ".openhands" / "agent_settings.json"
        settings.parent.mkdir()
        agent = get_default_cli_agent(llm)
        settings.write_text(agent.model_dump_json(context={"expose_secrets": True}))
        ohs = Path(sys.executable).with_name("ohs")
        command = shlex.join(
            [
                *("env", f"HOME={home}", "LITELLM_LOCAL_MODEL_COST_MAP=True", str(ohs)),
                *("openhands", "--strategy", "fusion"),
                *("--param", f"sidekick_model={SIDEKICK}", "--price", "3,15"),
                *("--price", f"{SIDEKICK}=0.25,1"),
            ]
        )
        window = Window(home, command, home / "shop")
        try:
            window.wait_for("What do you want to build?")
            window.press("-l", TASK)
            window.press("Enter")
            main_asks = window.wait_for("Confirm 3 action(s)?")
            window.press("Enter")
            sidekick_asks = window.wait_for(": confirm 1 action(s)?")
        finally:
            window.close()
    console = Console(record=True, width=WIDTH, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(Text.from_ansi(main_asks.rstrip()))
    console.print("\n[dim]… and after Yes …[/dim]\n")
    console.print(Text.from_ansi(sidekick_asks.rstrip()))
    target = Path(__file__).parents[1] / "openhands-cli.svg"
    console.save_svg(str(target), title="ohs openhands --strategy fusion")
    print(f"{target.name}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
