"""Start the real agent-server as a process, talk to it over HTTP, and end it by its pid."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from openhands_strategies.testing import Price, Script, ScriptedModel

KEY = "session-key-of-the-tests"
MODEL_KEY = "sk-model-key-of-the-tests-0123456789"
PRICES = {"main": Price(10.0, 40.0), "cheap": Price(1.0, 4.0)}
# Upstream's own command, with our extension.
PLAIN = [
    str(Path(sys.executable).parent / "agent-server"),
    "--import-modules",
    "openhands_strategies.server.extension",
]


@dataclass
class Server:
    """A server that is up.

    Attributes:
        home: Its working directory; conversations, profiles and logs are below.
        log: Everything it printed.
    """

    process: subprocess.Popen[bytes]
    port: int
    home: Path
    log: Path
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"X-Session-API-Key": KEY},
            timeout=120,
            trust_env=False,
        )

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.client.get(path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.client.post(path, **options)

    def workspace(self, name: str) -> Path:
        path = self.home / "workspaces" / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def save_profile(self, name: str, model: str, base_url: str, price: Price | None) -> None:
        """Save an LLM profile, with a key, through upstream's own route."""
        llm: dict[str, Any] = {
            "model": model,
            "base_url": base_url,
            "api_key": MODEL_KEY,
            "num_retries": 0,
        }
        if price is not None:
            llm["input_cost_per_token"] = price.input / 1e6
            llm["output_cost_per_token"] = price.output / 1e6
        answer = self.post(f"/api/profiles/{name}", json={"llm": llm})
        assert answer.status_code == 201, answer.text

    @contextlib.contextmanager
    def model(self, script: Script, profile: str, **options: Any) -> Iterator[ScriptedModel]:
        """A scripted model, and the profiles `PROFILE-main` and `PROFILE-cheap` for it."""
        options = {"prices": PRICES, **options}
        with ScriptedModel(script, **options) as model:
            for name in ("main", "cheap"):
                self.save_profile(
                    f"{profile}-{name}", f"openai/{name}", model.base_url, PRICES[name]
                )
            try:
                yield model
            finally:
                for name in ("main", "cheap"):
                    with contextlib.suppress(httpx.HTTPError):
                        self.client.delete(f"/api/profiles/{profile}-{name}")

    def start(self, strategy: str, **body: Any) -> str:
        """Start a strategy and return the conversation's id."""
        answer = self.post(f"/api/strategies/{strategy}/start", json=body)
        assert answer.status_code == 201, answer.text
        found: str = answer.json()["conversation_id"]
        return found

    def report(self, conversation_id: str) -> dict[str, Any]:
        answer = self.get(f"/api/strategies/runs/{conversation_id}")
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def ended(
        self, conversation_id: str, seconds: float = 90, *, before: str = "idle"
    ) -> dict[str, Any]:
        """Wait until a run no longer works and return its report.

        Args:
            conversation_id: The run.
            seconds: How long to wait.
            before: Its status before it was started again.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            report = self.report(conversation_id)
            if report["status"] not in ("running", "idle", before):
                return report
            time.sleep(0.2)
        raise AssertionError(f"still {report['status']}: {self.tail()}")

    def conversation_files(self, conversation_id: str) -> Path:
        return self.home / "workspace" / "conversations" / conversation_id.replace("-", "")

    def tail(self, count: int = 3000) -> str:
        return self.log.read_text(errors="replace")[-count:]

    def kill(self) -> None:
        """kill -9, as a crash would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def server_environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a server that keeps everything below `home`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LLM_", "OH_", "OHS_")) and not name.lower().endswith("_proxy")
    }
    (home / "user").mkdir(parents=True, exist_ok=True)
    return {
        **kept,
        "HOME": str(home / "user"),
        "OHS_HOME": str(home / "ohs"),
        "OH_PERSISTENCE_DIR": str(home / "user" / ".openhands"),
        "OH_SESSION_API_KEYS_0": KEY,
        "OH_SECRET_KEY": "secret-key-of-the-tests",
        "OH_ENABLE_VSCODE": "false",
        "OH_PRELOAD_TOOLS": "false",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "OPENHANDS_SUPPRESS_BANNER": "1",
        "LOG_LEVEL": "INFO",
        **more,
    }


@contextlib.contextmanager
def running_server(
    home: Path,
    arguments: Sequence[str],
    *,
    command: Sequence[str] | None = None,
    port: int | None = None,
    **environ: str,
) -> Iterator[Server]:
    """Start `ohs serve ARGUMENTS` (or `command`) and wait until it answers.

    Args:
        port: The one that an earlier server had; a free one by default.
    """
    home.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    begin = command or [sys.executable, "-m", "openhands_strategies", "serve"]
    log = home / "server.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*begin, *arguments, "--port", str(port)],
            cwd=home,
            env=server_environment(home, **environ),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(process, port, home, log)
    try:
        until = time.monotonic() + 90
        while True:
            assert process.poll() is None, server.tail()
            assert time.monotonic() < until, server.tail()
            with contextlib.suppress(httpx.TransportError):
                if server.get("/health").status_code == 200:
                    break
            time.sleep(0.1)
        yield server
    finally:
        server.stop()
