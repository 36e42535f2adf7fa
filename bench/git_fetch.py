"""Cold fetch of one subdirectory of a large repository, and warm resolving.

Generates a repository (COMMITS commits, MEGABYTES of data outside the strategy), serves it
with `git http-backend` over TLS on loopback, and measures, each into an empty place:
our fetch, a full clone, a shallow clone, pip, and the SDK's own plugin fetch.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from git_server import GitServer, make_certificates
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.sources.git_fetch import locate_git
from openhands_strategies.sources.reference import parse_reference

# The SDK must not look for prices on the network.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
COMMITS, MEGABYTES = 4000, 48
STRATEGY = b"""class Debate:
    name = "debate"
    description = "d"
    def build(self, context): ...
"""
SETUP = (
    b'from setuptools import setup\nsetup(name="debate", version="1", py_modules=["strategy"])\n'
)


def make_repository(path: Path) -> str:
    """Fill a bare repository through `git fast-import`; return the last commit."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True)
    for name in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        subprocess.run(["git", "-C", path, "config", name, "true"], check=True)
    importer = subprocess.Popen(
        ["git", "-C", path, "fast-import", "--quiet"], stdin=subprocess.PIPE
    )
    assert importer.stdin is not None
    share = MEGABYTES * 1_000_000 // COMMITS
    for number in range(COMMITS):
        files = {f"data/{number % 50}/{number}.bin": os.urandom(share)}
        if number == COMMITS - 1:
            files |= {"plugins/debate/strategy.py": STRATEGY, "plugins/debate/setup.py": SETUP}
        lines = [f"commit refs/heads/main\ncommitter a <a@example.org> {1700000000 + number} +0000"]
        lines.append("data 1\nx")
        importer.stdin.write("\n".join(lines).encode() + b"\n")
        for file, content in files.items():
            importer.stdin.write(f"M 100644 inline {file}\ndata {len(content)}\n".encode())
            importer.stdin.write(content + b"\n")
    importer.stdin.close()
    if importer.wait():
        raise SystemExit("git fast-import failed")
    head = ["git", "-C", str(path), "rev-parse", "main"]
    return subprocess.run(head, check=True, capture_output=True, text=True).stdout.strip()


def seconds(action: Callable[[], object], repeat: int = 3) -> float:
    """The best of some runs."""
    best = float("inf")
    for _ in range(repeat):
        begun = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - begun)
    return best


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        commit = make_repository(base / "srv" / "acme.git")
        certificates = make_certificates(base)
        with GitServer(base / "srv", certificates) as server:
            os.environ["GIT_SSL_CAINFO"] = str(certificates.authority)
            os.environ["OHS_HOME"] = str(base / "home")
            measure(base, f"{server.url}/acme.git", commit)


def measure(base: Path, url: str, commit: str) -> None:
    """Run all contestants."""
    reference = parse_reference(f"git+{url}@{commit}#subdirectory=plugins/debate")

    def fresh(name: str) -> Path:
        shutil.rmtree(base / name, ignore_errors=True)
        return base / name

    def ours() -> None:
        locate_git(reference, fresh("store"))

    def clone(*options: str) -> Callable[[], object]:
        command = ["git", "clone", "-q", *options, url, str(base / "clone")]
        return lambda: (fresh("clone"), subprocess.run(command, check=True))

    def pip() -> None:
        options = ["--no-deps", "--no-build-isolation", "-q", "-d", str(fresh("pip"))]
        what = f"git+{url}@{commit}#subdirectory=plugins/debate"
        subprocess.run([sys.executable, "-m", "pip", "download", *options, what], check=True)

    def sdk() -> None:
        from openhands.sdk.plugin import Plugin

        Plugin.fetch(url, cache_dir=fresh("sdk"))

    found = {"ours": seconds(ours), "full clone": seconds(clone(), 2)}
    found["clone --depth 1"] = seconds(clone("--depth", "1"), 2)
    for name, action in (("pip download", pip), ("SDK plugin fetch", sdk)):
        try:
            if action is sdk:
                import openhands.sdk.plugin  # noqa: F401  its import is not what is measured
            found[name] = seconds(action, 1)
        except (OSError, RuntimeError, ValueError, subprocess.CalledProcessError) as error:
            print(f"{name}: could not be measured: {type(error).__name__}: {str(error)[:120]}")
    print(f"cold fetch of one subdirectory ({COMMITS} commits, {MEGABYTES} MB):")
    for name, value in found.items():
        print(f"  {name:18} {value:7.3f} s  {value / found['ours']:6.1f} x")

    store = base / "home" / "store"
    locate_git(reference, store)
    (base / "debate").mkdir()
    (base / "debate" / "strategy.py").write_bytes(STRATEGY)

    def warm(text: str) -> float:
        return seconds(lambda: [resolve(text, base=base) for _ in range(20)], 5) / 20

    git, path = warm(str(reference)), warm("./debate")
    print(f"warm resolve: git {git * 1000:.2f} ms, path {path * 1000:.2f} ms: {git / path:.2f} x")


if __name__ == "__main__":
    main()
