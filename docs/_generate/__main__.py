"""Write the generated part of the reference pages; `--check` only says whether it is current.

    .venv/bin/python docs/_generate [--check]

What stands in a page before the marker is written by hand, what follows it is generated.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cli_page
import python_pages
import rest_page

REFERENCE = Path(__file__).parents[1] / "reference"
MARKER = "<!-- generated: make docs-reference -->\n"
PAGES: dict[str, Callable[[], str]] = {
    "protocol.md": lambda: python_pages.page(
        "openhands_strategies", "openhands_strategies.strategy"
    ),
    "compose.md": lambda: python_pages.page("openhands_strategies.compose"),
    "testing.md": lambda: python_pages.page(
        "openhands_strategies.testing", "openhands_strategies.pytest_plugin"
    ),
    "hooks.md": lambda: python_pages.hooks_page("openhands_strategies.registry.hookspecs"),
    "cli.md": cli_page.page,
    "rest.md": rest_page.page,
}


def whole(name: str) -> str:
    """A page with its generated part as it should be."""
    before, marker, _ = (REFERENCE / name).read_text(encoding="utf-8").partition(MARKER)
    if not marker:
        raise SystemExit(f"{name} has no line {MARKER!r}")
    return f"{before}{MARKER}\n{PAGES[name]()}\n"


def main(arguments: list[str]) -> int:
    """Write or check every page, and say which are not current."""
    stale = []
    for name in PAGES:
        text = whole(name)
        if (REFERENCE / name).read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in arguments:
                (REFERENCE / name).write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{'not current' if '--check' in arguments else 'written'}: {name}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
