"""The page: one HTML file with every strategy of an index, to be read and searched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from openhands_strategies.cli.catalogue.reading import Listed, pin_of
from openhands_strategies.cli.catalogue.results import Result
from openhands_strategies.cli.catalogue.style import SCRIPT, STYLE
from openhands_strategies.cli.html import add, add_table, new_page, page_text
from openhands_strategies.cli.text import printable
from openhands_strategies.manifest.model import COMPUTED, Capabilities, Manifest
from openhands_strategies.params import StrategyParam, allowed

_LONG: Final = 2000


def catalogue_page(listed: Sequence[Listed], title: str) -> str:
    """The page of an index.

    Args:
        listed: Its entries, in the order of the page.
        title: What the page is called.
    """
    html, main = new_page(printable(title, 200), STYLE, SCRIPT)
    add(main, "h1", printable(title, 200))
    count = f"{len(listed)} {'strategy' if len(listed) == 1 else 'strategies'}"
    what = (
        f"{count}. What each one brings was read from its files, and nothing ran for that;"
        " the last check is told where one is known."
    )
    add(main, "p", what, "note")
    _search(main)
    for one in listed:
        _strategy(main, one)
    return page_text(html)


def _search(main: ET.Element) -> None:
    # The script shows it: without the script there is nothing to search with.
    form = ET.SubElement(main, "form", {"class": "search", "role": "search", "hidden": ""})
    add(form, "label", "Search names, descriptions, tags, parameters, hooks").set("for", "search")
    ET.SubElement(form, "input", {"type": "search", "id": "search", "autocomplete": "off"})
    add(form, "p", "", "note").attrib.update({"id": "told", "role": "status"})


def _strategy(main: ET.Element, one: Listed) -> None:
    entry, manifest = one.entry, one.manifest
    article = ET.SubElement(
        main, "article", {"id": entry.name, "aria-labelledby": f"n-{entry.name}"}
    )
    header = ET.SubElement(article, "header")
    head = ET.SubElement(header, "h2", {"id": f"n-{entry.name}"})
    add(head, "a", entry.name).set("href", f"#{entry.name}")
    if manifest is not None and manifest.version:
        add(header, "span", printable(manifest.version, 40), "version")
    own = manifest.description if manifest is not None else None
    add(article, "p", printable(entry.description or own or "", _LONG))
    tags = list(
        dict.fromkeys((*(["overlay"] if manifest and manifest.overlay else []), *entry.tags))
    )
    if tags:
        ul = ET.SubElement(article, "ul", {"class": "tags", "aria-label": "Tags"})
        for tag in tags:
            add(ul, "li", printable(tag, 60))
    _facts(article, one)
    if manifest is not None:
        _params(article, manifest)
        _brings(article, manifest.capabilities)


def _facts(article: ET.Element, one: Listed) -> None:
    entry, manifest = one.entry, one.manifest
    facts = ET.SubElement(article, "dl")
    add(facts, "dt", "run it")
    what = f"ohs run {entry.name} --task …"
    if manifest is not None and manifest.overlay:
        what = f"ohs run STRATEGY --with {entry.name} --task …"
    add(add(facts, "dd"), "code", what)
    add(facts, "dt", "source")
    source = add(facts, "dd")
    add(source, "code", printable(pin_of(entry), _LONG))
    if entry.distribution and (entry.git is not None or entry.inside is not None):
        _fact(facts, "distribution", entry.distribution, code=True)
    if entry.requires:
        _fact(facts, "needs", f"openhands-strategies {entry.requires}")
    if one.licence:
        _fact(facts, "licence", one.licence.splitlines()[0])
    if entry.homepage:
        add(facts, "dt", "homepage")
        link = add(add(facts, "dd"), "a", printable(entry.homepage, _LONG))
        link.attrib.update({"href": entry.homepage, "rel": "noopener noreferrer nofollow"})
    if manifest is not None and manifest.parts is None:
        _fact(facts, "parts", COMPUTED)
    elif manifest is not None and manifest.parts:
        _fact(facts, "parts", ", ".join(f"{k} ({v})" for k, v in manifest.parts.items()))
    if one.error is not None:
        add(facts, "dt", "problem")
        add(facts, "dd", printable(f"{one.error.message} [{one.error.code}]", _LONG), "bad")
    add(facts, "dt", "last check")
    for text, good in _checks(one.results):
        add(facts, "dd", text, None if good is None else "good" if good else "bad")


def _fact(facts: ET.Element, name: str, text: str, *, code: bool = False) -> None:
    add(facts, "dt", name)
    cell = add(facts, "dd")
    if code:
        add(cell, "code", printable(text, _LONG))
    else:
        cell.text = printable(text, _LONG)


def _checks(results: Iterable[Result]) -> Iterator[tuple[str, bool | None]]:
    """The newest result, of a run if there is one, and whether it was good."""
    newest = max(results, key=lambda one: (one.ran, one.date, one.sdk or ""), default=None)
    if newest is None:
        yield "none is known", None
        return
    done = "built and run on a scripted model" if newest.ran else "files read, nothing run"
    sdk = f", with SDK {printable(newest.sdk, 40)}" if newest.sdk else ""
    count = f"{newest.findings} finding{'s' if newest.findings != 1 else ''}"
    found = count if newest.findings else "nothing found"
    yield f"{newest.date}{sdk}: {done}; {found}", not newest.findings


def _params(article: ET.Element, manifest: Manifest) -> None:
    params = manifest.params
    details = ET.SubElement(article, "details")
    if params is None:
        add(details, "summary", "Parameters: computed")
        add(details, "p", "They are known once its code runs.", "note")
        return
    if not params:
        article.remove(details)
        add(article, "p", "No parameters.", "note")
        return
    add(details, "summary", f"Parameters ({len(params)})")
    body = add_table(details, ("name", "takes", "default", "meaning"))
    for param in params:
        row = ET.SubElement(body, "tr")
        add(add(row, "th"), "code", printable(param.name, 100))
        add(row, "td", printable(allowed(param), 300))
        add(row, "td", printable(_default(param), 200))
        add(row, "td", printable(param.description, _LONG))


def _default(param: StrategyParam) -> str:
    if param.default is None:
        return "required" if param.required else "-"
    return str(param.default).lower() if isinstance(param.default, bool) else str(param.default)


def _brings(article: ET.Element, can: Capabilities) -> None:
    groups = [(name, rows) for name, rows in _groups(can) if rows]
    if not groups:
        add(article, "p", "Brings no hooks, servers, tools or skills.", "note")
        return
    details = ET.SubElement(article, "details")
    told = ", ".join(f"{len(rows)} {_noun(name, len(rows))}" for name, rows in groups)
    add(details, "summary", f"What it brings: {told}")
    for name, rows in groups:
        add(details, "h3", name)
        items = ET.SubElement(details, "ul")
        for code, text in rows:
            item = ET.SubElement(items, "li")
            add(item, "code", printable(code, _LONG)).tail = f" {printable(text, _LONG)}".rstrip()


def _noun(name: str, count: int) -> str:
    many = name if name.startswith("MCP") else name.lower()
    return many if count != 1 else many.removesuffix("s")


def _groups(can: Capabilities) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    yield (
        "Hooks",
        [(one.command, f"on {one.event} {one.matcher} ({one.file})") for one in can.hooks],
    )
    yield (
        "MCP servers",
        [(one.command or one.url or one.name, f"{one.name} ({one.file})") for one in can.mcp],
    )
    yield "Tools", [(tool, "") for tool in can.tools]
    yield "Sub-agents", [(agent, "") for agent in can.agents]
    yield "Skills", [(one.name, one.description) for one in can.skills]
    yield (
        "Commands in skills",
        [(command, f"({one.file})") for one in can.skills for command in one.commands],
    )
    yield "Requirements", [(one, "") for one in can.dependencies]
