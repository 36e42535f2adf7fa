"""How long a shell waits for completions, with 8 and 200 strategies of a project.

Peers in the same run: an interpreter that does nothing, and `ohs --version`, which is what
starting `ohs` costs anyway.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STRATEGY = """
from openhands_strategies import Strategy, StrategyParam

class S(Strategy):
    name = "s-{number}"
    description = "Strategy number {number}"
    params = [StrategyParam(name="style", choices=["calm", "bold"])]

    def build(self, context): ...
"""
LINES = (
    "ohs ",
    "ohs run s-",
    "ohs run s-003 --param ",
    "ohs run s-003 --param style=",
    "ohs run s-003 --with ",
    "ohs run --resume ",
)


def project(place: Path, count: int) -> Path:
    """A project whose file names so many strategies."""
    names = []
    for number in range(count):
        (place / f"{number:03}").mkdir(parents=True)
        (place / f"{number:03}" / "strategy.py").write_text(STRATEGY.format(number=f"{number:03}"))
        names.append(f'[strategies.s-{number:03}]\nsource = "./{number:03}"\n')
    (place / ".openhands").mkdir()
    (place / ".openhands" / "strategies.toml").write_text("".join(names))
    return place


def seconds(command: list[str], cwd: Path, environ: dict[str, str]) -> float:
    """The best of seven runs."""
    best = float("inf")
    for _ in range(7):
        begun = time.perf_counter()
        subprocess.run(command, cwd=cwd, env=environ, stdout=subprocess.DEVNULL, check=True)
        best = min(best, time.perf_counter() - begun)
    return best


def main() -> None:
    """Measure and print."""
    ohs = [sys.executable, "-m", "openhands_strategies"]
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        environ = {**os.environ, "OHS_HOME": str(base / "home")}
        nothing = seconds([sys.executable, "-c", "pass"], base, environ)
        version = seconds([*ohs, "--version"], base, environ)
        print(f"an interpreter that does nothing {nothing:.3f} s, ohs --version {version:.3f} s")
        for count in (8, 200):
            place = project(base / str(count), count)
            for line in LINES:
                asked = {**environ, "_OHS_COMPLETE": "bash_complete", "COMP_WORDS": line}
                took = seconds(ohs, place, asked)
                print(
                    f"{count:3} strategies, {line!r:32} {took:.3f} s,"
                    f" {took / version:.1f} x ohs --version"
                )


if __name__ == "__main__":
    main()
