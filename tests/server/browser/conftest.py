"""A real Chromium on the page of a real agent-server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import pytest

from server_process import KEY, Server, running_server
from support import DELEGATING, write

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[3]
AXE = ROOT / ".venv-browser" / "axe.min.js"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
HOSTILE = """<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>&lt;b&gt;"""
# Tells what the browser refused, before any script of the page runs.
WATCH = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.refused.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


def missing(what: str) -> NoReturn:
    """Skip with a message; where CI runs, what is missing is a failure."""
    text = f"{what} is missing: run `make test-browser`, with chromium and npm installed"
    if os.environ.get("CI") == "true":
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        missing("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose strategies say hostile things, besides good ones."""
    pytest.importorskip("openhands.agent_server")
    home = tmp_path_factory.mktemp("page")
    write(home / "delegating" / "strategy.py", DELEGATING)
    write(home / "odd.py", ODD.replace("HOSTILE", repr(HOSTILE)))
    write(home / "named.py", NAMED.replace("HOSTILE", repr(HOSTILE)))
    write(home / "house.py", HOUSE)
    references = [
        *("fusion", "budget", "guardrails"),
        *("./delegating", "./odd.py", "./named.py", "./house.py", "./<img src=x>.py"),
    ]
    with running_server(home, ["--extensions", *references]) as running:
        yield running


@dataclass
class Visit:
    """A page, and everything it did beside what one sees.

    Attributes:
        addresses: Of every request and every WebSocket.
        errors: Messages of scripts that failed.
    """

    page: Page
    root: str
    addresses: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def go(self, place: str = "/") -> Page:
        """Go to a place of the page; what follows the `#`."""
        self.page.goto(f"{self.root}/strategies#{place}")
        return self.page

    def accessible(self) -> list[str]:
        """What axe-core finds wrong: rules, with the elements."""
        if not AXE.is_file():
            missing("axe-core")
        # Through the developer tools: the page's own policy lets no other script in.
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found: dict[str, Any] = self.page.evaluate("tags => axe.run({runOnly: tags})", tags)
        return [
            f"{rule['id']}: {', '.join(str(node['target']) for node in rule['nodes'])}"
            for rule in found["violations"]
        ]

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def check(self) -> None:
        """No script failed or was refused, and nothing went elsewhere or held the key."""
        assert self.page.evaluate("window.refused") == []
        assert self.page.evaluate("window.hacked") is None
        assert self.errors == []
        host = urlsplit(self.root).netloc
        elsewhere = [one for one in self.addresses if urlsplit(one).netloc != host]
        assert not [one for one in elsewhere if not one.startswith("blob:")]
        assert not [one for one in self.addresses if KEY in one]


Visiting = Callable[..., Visit]


@pytest.fixture
def visiting(browser: Browser, server: Server) -> Iterator[Visiting]:
    """Open a page: `visiting(width=360, scheme="dark", key=None, **context)`."""
    visits: list[Visit] = []

    def visit(
        *, width: int = 1280, scheme: str = "light", key: str | None = KEY, **more: Any
    ) -> Visit:
        size = {"width": width, "height": 800}
        context = browser.new_context(viewport=size, color_scheme=scheme, **more)
        context.set_default_timeout(20_000)
        context.add_init_script(WATCH)
        made = Visit(context.new_page(), f"http://127.0.0.1:{server.port}")
        made.page.on("request", lambda request: made.addresses.append(request.url))
        made.page.on("websocket", lambda socket: made.addresses.append(socket.url))
        made.page.on("pageerror", lambda error: made.errors.append(str(error)))
        visits.append(made)
        if key is not None:
            page = made.go()
            page.get_by_label("Key", exact=True).fill(key)
            page.get_by_role("button", name="Continue").click()
            page.get_by_role("link", name="fusion", exact=True).wait_for()
        return made

    yield visit
    for one in visits:
        one.check()
        one.page.context.close()


ODD = '''
from openhands.sdk import Agent
from openhands_strategies import Strategy, StrategyParam

class Odd(Strategy):
    """One parameter of each kind, and texts that would like to be markup."""
    name = "odd"
    description = HOSTILE
    params = [
        StrategyParam(name="mood", description=HOSTILE, choices=["calm", HOSTILE], default="calm"),
        StrategyParam(name="level", type="integer", choices=[1, 2, 3]),
        StrategyParam(name="share", type="number", minimum=0.5, maximum=1.5, default=1.0),
        StrategyParam(name="brave", type="boolean", default=True),
        StrategyParam(name="maybe", type="boolean", description="May be left open"),
        StrategyParam(name="motto", required=True, description="Needed"),
        StrategyParam(name="token", secret=True, description="Access to the tracker"),
    ]

    def build_agent(self, llm, params):
        return Agent(llm=llm)
'''

NAMED = """
from openhands_strategies import Strategy

class Named(Strategy):
    name = HOSTILE
    description = HOSTILE
"""

# A parameter that fusion has too, of another type.
HOUSE = """
from openhands.sdk import Agent
from openhands_strategies import Strategy, StrategyParam

class House(Strategy):
    name = "house"
    description = "Rules of the house"
    overlay = True
    params = [StrategyParam(name="sidekicks", description="What the house says of them")]

    def build_agent(self, llm, params):
        return Agent(llm=llm)
"""
