"""`ohs list` with 20 and 1,000 installed strategies, 20 zipped and 200 locked ones.

Peers in the same run: an interpreter that does nothing, and `pip list` over the same
packages.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

STRATEGY = """
from openhands_strategies import Strategy

class S(Strategy):
    name = "s-{number}"
    description = "Strategy number {number}"

    def build(self, context): ...
"""


def install(site: Path, number: int) -> None:
    """Lay a strategy down as an installer would."""
    package, info = site / f"strategy_{number}", site / f"strategy_{number}-1.0.dist-info"
    package.mkdir(parents=True)
    info.mkdir()
    (package / "strategy.py").write_text(STRATEGY.format(number=number))
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: strategy-{number}\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(
        f"[openhands.strategies]\ns-{number} = strategy_{number}.strategy:S\n"
    )
    files = [f"strategy_{number}/strategy.py", f"{info.name}/METADATA", f"{info.name}/RECORD"]
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def pack(site: Path, wheels: Path) -> list[str]:
    """Each distribution of a directory as a wheel of its own."""
    wheels.mkdir()
    made = []
    for info in sorted(site.glob("*.dist-info")):
        wheel = wheels / f"{info.stem}-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
            for folder in (info, site / info.stem.partition("-")[0]):
                for file in folder.iterdir():
                    archive.write(file, f"{folder.name}/{file.name}")
        made.append(str(wheel))
    return made


def lock(project: Path, home: Path, count: int) -> None:
    """Write a project with locked git strategies whose trees are in the store."""
    from openhands_strategies.sources.commits import remember_tree
    from openhands_strategies.sources.store import put_tree
    from openhands_strategies.sources.tree import tree_files

    (project / ".openhands").mkdir(parents=True)
    names, locks = [], ["version = 1\n"]
    for number in range(count):
        source = project / "sources" / str(number)
        source.mkdir(parents=True)
        (source / "strategy.py").write_text(STRATEGY.format(number=f"locked-{number}"))
        stored = put_tree(home / "store", source, tree_files(source))
        url, commit = "https://example.org/acme/strategies", f"{number:040x}"
        remember_tree(home / "store", url, commit, f"p/{number}", stored.tree)
        name = f"s-locked-{number:03}"
        names.append(f'[strategies.{name}]\nsource = "git+{url}@v1#subdirectory=p/{number}"\n')
        locks.append(
            f'\n[[strategy]]\nname = "{name}"\nurl = "{url}"\nrequested-revision = "v1"\n'
            f'commit-id = "{commit}"\nsubdirectory = "p/{number}"\ntree = "{stored.tree}"\n'
        )
    (project / ".openhands" / "strategies.toml").write_text("".join(names))
    (project / ".openhands" / "strategies.lock").write_text("".join(locks))


def seconds(command: list[str], cwd: Path, environ: dict[str, str], lines: int = 0) -> float:
    """The best of five runs; the output must have at least so many lines."""
    best = float("inf")
    for _ in range(5):
        begun = time.perf_counter()
        done = subprocess.run(
            command, cwd=cwd, env=environ, capture_output=True, text=True, check=True
        )
        best = min(best, time.perf_counter() - begun)
        if done.stdout.count("\n") < lines:
            raise SystemExit(f"{command}: {done.stdout[-300:]}{done.stderr[-300:]}")
    return best


def main() -> None:
    """Measure and print."""
    ohs = [sys.executable, "-m", "openhands_strategies", "list"]
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        empty = base / "empty"
        empty.mkdir()
        environ = {**os.environ, "OHS_HOME": str(base / "home")}
        nothing = seconds([sys.executable, "-c", "pass"], empty, environ)
        print(f"an interpreter that does nothing: {nothing:.3f} s")
        for count in (20, 1000):
            site = base / f"site{count}"
            for number in range(count):
                install(site, number)
            with_site = {**environ, "PYTHONPATH": str(site)}
            ours = seconds(ohs, empty, with_site, count)
            pip = seconds([sys.executable, "-m", "pip", "list"], empty, with_site, count)
            print(
                f"{count} installed: ohs list {ours:.3f} s, pip list {pip:.3f} s: {ours / pip:.2f}"
            )
        wheels = pack(base / "site20", base / "wheels")
        with_wheels = {**environ, "PYTHONPATH": os.pathsep.join(wheels)}
        zipped = seconds(ohs, empty, with_wheels, 20)
        pip = seconds([sys.executable, "-m", "pip", "list"], empty, with_wheels)
        print(f"20 zipped: ohs list {zipped:.3f} s, pip list {pip:.3f} s: {zipped / pip:.2f}")
        lock(base / "project", base / "home", 200)
        locked = seconds(ohs, base / "project", environ, 200)
        print(f"200 locked: ohs list {locked:.3f} s, {locked / nothing:.1f} x nothing at all")


if __name__ == "__main__":
    main()
