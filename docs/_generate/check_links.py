"""Serve the built site and follow every link of it: `check_links.py build/docs`.

A server of this machine serves it, on a free port of the loopback interface, and every page,
picture, script and style is fetched as a browser would. A link inside the site must be
answered, and its anchor must be an element of that page. A link out of it must be a
well-formed https address; it is not fetched. Scripts, styles, fonts and pictures must be the
site's own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit
from urllib.request import ProxyHandler, build_opener

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


@dataclass(frozen=True)
class Answer:
    """What the server sent.

    Attributes:
        url: Where it came from in the end; a directory's address gets its slash.
        found: Whether there was anything.
        kind: Its content type.
        text: Its text; empty for what is none.
    """

    url: str
    found: bool
    kind: str = ""
    text: str = ""


class _Handler(SimpleHTTPRequestHandler):
    # A site has no lists of its directories, on most hosts.
    def list_directory(self, path: Any) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base's name
        """Nobody reads it."""


@contextmanager
def serving(site: Path) -> Iterator[str]:
    """Serve a directory; yields its address, which ends with a slash."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(site))) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Site:
    """A site that is served; each address is fetched once.

    Attributes:
        base: Its address.
    """

    base: str
    answers: dict[str, Answer] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)

    def get(self, url: str) -> Answer:
        """What is at an address of the site."""
        if url not in self.answers:
            self.answers[url] = _fetch(url)
        return self.answers[url]

    def page(self, answer: Answer) -> Page:
        """Links and anchors of an answer."""
        if answer.url not in self.pages:
            page = self.pages[answer.url] = Page()
            page.feed(answer.text)
        return self.pages[answer.url]


def _fetch(url: str) -> Answer:
    # No proxy: it would not know this machine's ports.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(url, timeout=30) as response:
            kind, content = response.headers.get_content_type(), response.read()
            text = content.decode() if kind.startswith("text/") else ""
            return Answer(response.url, True, kind, text)
    except HTTPError as error:
        error.close()
        return Answer(url, False)


def findings(directory: Path) -> Iterator[str]:
    """Everything that is wrong, one line each."""
    with serving(directory) as base:
        site = Site(base)
        for path in sorted(directory.rglob("*.html")):
            yield from _of_page(site, path.relative_to(directory).as_posix())
        for path in sorted(directory.rglob("*.css")):
            yield from _of_style(site, path.relative_to(directory).as_posix())


def _of_page(site: Site, name: str) -> Iterator[str]:
    answer = site.get(site.base + quote(name))
    if not answer.found or answer.kind != "text/html":
        yield f"{name}: is not served as a page"
        return
    for link, loaded in site.page(answer).links:
        if what := _wrong(link, loaded, answer.url, site):
            yield f"{name}: {link}: {what}"


def _of_style(site: Site, name: str) -> Iterator[str]:
    answer = site.get(site.base + quote(name))
    for link in _OF_CSS.findall(answer.text):
        if link.startswith(("data:", "#")):
            continue
        if what := _wrong(link, True, answer.url, site):
            yield f"{name}: {link}: {what}"


def _wrong(link: str, loaded: bool, at: str, site: Site) -> str:
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
    target, anchor = urldefrag(urljoin(at, link))
    answer = site.get(target)
    if not answer.found:
        return "leads nowhere"
    if anchor and answer.kind == "text/html":
        return "" if unquote(anchor) in site.page(answer).anchors else "has no such anchor"
    return ""


def main(site: Path) -> int:
    """Print what is wrong."""
    found = [*findings(site)]
    pages = len([*site.rglob("*.html")])
    print(
        "\n".join(found)
        or f"{pages} pages in {site}, served and fetched: every link leads somewhere"
    )
    return 1 if found or not pages else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
