"""Record `ohs demo` in a real terminal and draw its last screens as `docs/demo.svg`.

Run it after a change of what the demo shows: `.venv/bin/python docs/pictures/record_demo.py`.
Needs tmux.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH, HEIGHT = 110, 44
SESSION = "ohs-demo-picture"


def tmux(*arguments: str) -> str:
    """Run one tmux command on a server of its own."""
    command = ["tmux", "-L", SESSION, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def screen() -> str:
    return tmux("capture-pane", "-p", "-e", "-t", SESSION)


def main() -> None:
    """Run the demo, keep the busiest screen and the last one, and draw both."""
    ohs = Path(sys.executable).with_name("ohs")
    with tempfile.TemporaryDirectory() as folder:
        done = Path(folder) / "done"
        command = f"clear; {ohs} demo; touch {done}; sleep 60"
        size = ["-x", str(WIDTH), "-y", str(HEIGHT)]
        tmux("new-session", "-d", "-s", SESSION, *size, "sh", "-c", command)
        busiest, most = "", 0
        try:
            while not done.exists():
                now = screen()
                working = now.count("working")
                if working >= most:
                    busiest, most = now, working
                time.sleep(0.1)
            time.sleep(0.5)
            last = screen()
        finally:
            tmux("kill-server")
    console = Console(record=True, width=WIDTH, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(Text.from_ansi(busiest.rstrip()))
    console.print("\n[dim]… a few seconds later …[/dim]\n")
    console.print(Text.from_ansi(last.rstrip()))
    target = Path(__file__).parents[1] / "demo.svg"
    console.save_svg(str(target), title="ohs demo")
    print(f"{target.name}: {most} roles at work at once")


if __name__ == "__main__":
    main()
