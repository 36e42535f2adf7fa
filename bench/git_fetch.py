"""Cold fetch of one subdirectory of a large repository, and warm resolving, with their bounds.

Generates a repository (COMMITS commits that revise TEXTS text files, and ASSETS files of
MEGABYTES altogether that do not pack), serves it with `git http-backend` over TLS on
loopback, and measures, each into an empty place: our fetch, a full clone, a shallow clone,
pip, and the SDK's own plugin fetch. Loopback flatters the others, which move more bytes.

Ours is measured twice: in this process, and as a process of its own, where an interpreter
starts and GitPython is imported as well. Ends with 1 when a full clone takes less than
CLONE times as long as ours in this process, or when resolving a locked git reference takes
more than WARM times as long as resolving a path.
"""

from __future__ import annotations

import os
import random
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
COMMITS, TEXTS = 5000, 2000
ASSETS, MEGABYTES = 500, 60
ROUNDS = 3
CLONE, WARM = 10.0, 1.2
LETTERS = "abcdefghijklmnopqrstuvwxyz"
STRATEGY = b"""class Debate:
    name = "debate"
    description = "d"
    def build(self, context): ...
"""
SETUP = (
    b'from setuptools import setup\nsetup(name="debate", version="1", py_modules=["strategy"])\n'
)


def make_repository(path: Path) -> str:
    """Fill a bare repository through `git fast-import`; return the last commit.

    As repositories of that size are: text that is revised again and again and packs well,
    beside a share of data that does not. Packed as a server keeps it.
    """
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True)
    for name in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        subprocess.run(["git", "-C", path, "config", name, "true"], check=True)
    importer = subprocess.Popen(
        ["git", "-C", path, "fast-import", "--quiet"], stdin=subprocess.PIPE
    )
    assert importer.stdin is not None
    chance = random.Random(1)  # the same repository each time
    words = ["".join(chance.choices(LETTERS, k=chance.randint(3, 10))) for _ in range(3000)]

    def line() -> str:
        return " ".join(chance.choices(words, k=8))

    texts = {f"src/{n % 100}/{n}.py": [line() for _ in range(120)] for n in range(TEXTS)}
    every, share = COMMITS // ASSETS, MEGABYTES * 1_000_000 // ASSETS
    for number in range(COMMITS):
        changed = list(texts) if number == 0 else chance.sample(sorted(texts), 3)
        for name in changed:
            texts[name][chance.randrange(120)] = line()
        files = {name: "\n".join(texts[name]).encode() for name in changed}
        if number % every == 0:
            files[f"assets/{number % 50}/{number}.bin"] = chance.randbytes(share)
        if number == COMMITS - 1:
            files |= {"plugins/debate/strategy.py": STRATEGY, "plugins/debate/setup.py": SETUP}
        head = f"commit refs/heads/main\ncommitter a <a@example.org> {1700000000 + number} +0000"
        importer.stdin.write(f"{head}\ndata 1\nx\n".encode())
        for file, content in files.items():
            importer.stdin.write(f"M 100644 inline {file}\ndata {len(content)}\n".encode())
            importer.stdin.write(content + b"\n")
    importer.stdin.close()
    if importer.wait():
        raise SystemExit("git fast-import failed")
    repack = ["git", "-C", path, "repack", "-adfq", "--write-bitmap-index"]
    subprocess.run(repack, check=True)
    head = ["git", "-C", str(path), "rev-parse", "main"]
    return subprocess.run(head, check=True, capture_output=True, text=True).stdout.strip()


# What a program costs that fetches once, from its first line on.
PROGRAM = """
import sys
from pathlib import Path
from openhands_strategies.sources.git_fetch import locate_git
from openhands_strategies.sources.reference import parse_reference
locate_git(parse_reference(sys.argv[1]), Path(sys.argv[2]))
"""
OURS, PROCESS, FULL = "ours", "ours, a process", "full clone"


def packed(path: Path) -> float:
    """Megabytes of a repository's objects."""
    files = (path / "objects").rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def seconds(action: Callable[[], object], repeat: int = 3) -> float:
    """The best of some runs."""
    best = float("inf")
    for _ in range(repeat):
        begun = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - begun)
    return best


def main() -> int:
    """Measure, print, and say whether the bounds hold."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        commit = make_repository(base / "srv" / "acme.git")
        certificates = make_certificates(base)
        with GitServer(base / "srv", certificates) as server:
            os.environ["GIT_SSL_CAINFO"] = str(certificates.authority)
            os.environ["OHS_HOME"] = str(base / "home")
            url = f"{server.url}/acme.git"
            clone = measure_cold(base, url, commit)
            warm = measure_warm(base, url, commit)
    cold_held, warm_held = clone >= CLONE, warm <= WARM
    print(f"bound: full clone {clone:.1f} x ours, at least {CLONE:g}: {told(cold_held)}")
    print(f"bound: warm resolve {warm:.2f} x a path, at most {WARM:g}: {told(warm_held)}")
    return 0 if cold_held and warm_held else 1


def told(held: bool) -> str:
    return "held" if held else "NOT HELD"


def measure_cold(base: Path, url: str, commit: str) -> float:
    """Run all contestants; return how many times as long a full clone takes as ours."""
    reference = parse_reference(f"git+{url}@{commit}#subdirectory=plugins/debate")

    def fresh(name: str) -> Path:
        shutil.rmtree(base / name, ignore_errors=True)
        return base / name

    def ours() -> None:
        locate_git(reference, fresh("store"))

    def process() -> None:
        command = [sys.executable, "-c", PROGRAM, str(reference), str(fresh("store"))]
        subprocess.run(command, check=True)

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

    actions = {
        OURS: ours,
        PROCESS: process,
        FULL: clone(),
        "clone --depth 1": clone("--depth", "1"),
        "pip download": pip,
        "SDK plugin fetch": sdk,
    }
    try:
        import openhands.sdk.plugin  # noqa: F401  its import is not what is measured
    except ImportError:
        print("SDK plugin fetch: the SDK is not installed")
        del actions["SDK plugin fetch"]
    found: dict[str, float] = {}
    # In turns, so that a busy moment of the machine does not hit one of them alone.
    for _ in range(ROUNDS):
        for name, action in list(actions.items()):
            try:
                found[name] = min(found.get(name, float("inf")), seconds(action, 1))
            except (OSError, RuntimeError, ValueError, subprocess.CalledProcessError) as error:
                print(f"{name}: cannot be measured: {type(error).__name__}: {str(error)[:120]}")
                del actions[name]
    size = packed(base / "srv" / "acme.git")
    print(f"cold fetch of one subdirectory ({COMMITS} commits, {size:.0f} MB), best of {ROUNDS}:")
    for name, value in found.items():
        print(f"  {name:18} {value:7.3f} s  {value / found[OURS]:6.1f} x")
    return found[FULL] / found[OURS]


def measure_warm(base: Path, url: str, commit: str) -> float:
    """Return how many times as long a git reference in the store takes as a path."""
    reference = parse_reference(f"git+{url}@{commit}#subdirectory=plugins/debate")
    store = base / "home" / "store"
    locate_git(reference, store)
    (base / "debate").mkdir()
    (base / "debate" / "strategy.py").write_bytes(STRATEGY)

    def warm(text: str) -> float:
        return seconds(lambda: [resolve(text, base=base) for _ in range(20)], 5) / 20

    git, path = warm(str(reference)), warm("./debate")
    print(f"warm resolve: git {git * 1000:.2f} ms, path {path * 1000:.2f} ms: {git / path:.2f} x")
    return git / path


if __name__ == "__main__":
    sys.exit(main())
