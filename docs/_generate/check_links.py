"""Check every link of the built site: `check_links.py build/docs`.

A link inside the site must lead to a file, and its anchor to an element of that page. A link
out of it must be a well-formed https address; it is not fetched. Scripts, styles, fonts and
pictures must be the site's own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADED = {("img", "src"), ("link", "href"), ("script", "src"), ("source", "src")}
_OF_CSS = re.compile(r"(?:url\(|@import\s)\s*[\"']?([^\"')\s]+)")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?", re.IGNORECASE)


@dataclass
class Page(HTMLParser):
    """Anchors and links of one page.

    Attributes:
        anchors: Ids of its elements.
        links: What it leads to or loads, and whether it is loaded.
    """

    anchors: set[str] = field(default_factory=set)
    links: list[tuple[str, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value)
            elif name in ("href", "src"):
                self.links.append((value, (tag, name) in _LOADED))


def findings(site: Path) -> Iterator[str]:
    """Everything that is wrong, one line each."""
    pages: dict[Path, Page] = {}
    for path in sorted(site.rglob("*.html")):
        page = pages[path.resolve()] = Page()
        page.feed(path.read_text(encoding="utf-8"))
    for path, page in pages.items():
        for link, loaded in page.links:
            if what := _wrong(link, loaded, path, site.resolve(), pages):
                yield f"{path.relative_to(site.resolve())}: {link}: {what}"
    for path in sorted(site.rglob("*.css")):
        for link in _OF_CSS.findall(path.read_text(encoding="utf-8")):
            if not link.startswith(("data:", "#")) and urlsplit(link).netloc:
                yield f"{path.relative_to(site)}: {link}: loads from elsewhere"


def _wrong(link: str, loaded: bool, path: Path, site: Path, pages: dict[Path, Page]) -> str:
    if link.startswith("data:"):
        return ""
    try:
        parts = urlsplit(link)
    except ValueError as error:
        return str(error)
    if parts.scheme or parts.netloc:
        if loaded:
            return "loads from elsewhere"
        good = parts.scheme == "https" and _HOST.fullmatch(parts.netloc)
        return "" if good else "is no https address"
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_relative_to(site) or not target.is_file():
        return "leads nowhere"
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].anchors:
        return "has no such anchor"
    return ""


def main(site: Path) -> int:
    """Print what is wrong."""
    found = [*findings(site)]
    pages = len([*site.rglob("*.html")])
    print("\n".join(found) or f"{pages} pages in {site}, every link leads somewhere")
    return 1 if found or not pages else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
