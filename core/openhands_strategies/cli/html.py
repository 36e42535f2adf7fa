"""Pages that stand alone: one file that loads nothing, whose every text is escaped.

A page is an element tree, which escapes what strangers wrote. Its policy allows the one style
sheet and the one script that it was made with, by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET

_VOID: Final = re.compile(r"></(?:meta|input)>")


def new_page(title: str, style: str, script: str = "") -> tuple[ET.Element, ET.Element]:
    """Begin a page.

    Args:
        title: Its title.
        style: Its style sheet.
        script: Runs when the page is there; empty for none.

    Returns:
        The page, for `page_text`, and its `main` element, to be filled.

    Raises:
        ValueError: Style or script hold `<`, `>` or `&`, which HTML reads there as they are.
    """
    if set("<>&") & {*style, *script}:
        raise ValueError("the style sheet or the script holds <, > or &")
    allowed = ["default-src 'none'", f"style-src {_hash(style)}"]
    if script:
        allowed.append(f"script-src {_hash(script)}")
    policy = "; ".join([*allowed, "base-uri 'none'", "form-action 'none'"])
    html = ET.Element("html", lang="en")
    head = ET.SubElement(html, "head")
    ET.SubElement(head, "meta", charset="utf-8")
    ET.SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": policy})
    ET.SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    ET.SubElement(head, "meta", name="color-scheme", content="light dark")
    add(head, "title", title)
    add(head, "style", style)
    body = ET.SubElement(html, "body")
    main = ET.SubElement(body, "main")
    if script:
        add(body, "script", script)
    return html, main


def page_text(html: ET.Element) -> str:
    """The page as HTML."""
    # XML escapes what HTML leaves alone, as `<` in attributes; HTML knows no `</meta>`.
    text = ET.tostring(html, encoding="unicode", short_empty_elements=False)
    return f"<!doctype html>\n{_VOID.sub('>', text)}\n"


def add(parent: ET.Element, tag: str, text: str = "", kind: str | None = None) -> ET.Element:
    """Add an element with a text and, if given, a class."""
    one = ET.SubElement(parent, tag, {} if kind is None else {"class": kind})
    one.text = text
    return one


def add_table(
    parent: ET.Element, columns: Sequence[str], numbers: Sequence[str] = ()
) -> ET.Element:
    """Add a table with a head and return its body.

    Args:
        parent: What it stands in; a wide one scrolls there.
        columns: Names of the columns.
        numbers: Those that hold numbers.
    """
    table = ET.SubElement(ET.SubElement(parent, "div", {"class": "wide"}), "table")
    head = ET.SubElement(ET.SubElement(table, "thead"), "tr")
    for column in columns:
        add(head, "th", column, "number" if column in numbers else None).set("scope", "col")
    return ET.SubElement(table, "tbody")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
