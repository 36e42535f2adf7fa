"""The YAML header of a Markdown file: skills and agents have their names there."""

from __future__ import annotations

import re
from typing import Any, Final

from openhands_strategies.errors import LoadError, describe

_LIMIT: Final = 64_000
_BOUNDARY: Final = re.compile(r"-{3,}\s*")
# `key: plain text`, nothing in it that YAML could read as anything else.
_PLAIN: Final = re.compile(r"([A-Za-z_][\w-]*):[ \t]+([A-Za-z0-9(/][^:#\"'\[\]{}&*!|>%@`\\]*)")
_QUOTED: Final = re.compile(r"([A-Za-z_][\w-]*):[ \t]+(?:\"([^\"\\]*)\"|'([^']*)')[ \t]*")


def split_header(text: str, file: str) -> tuple[dict[str, Any], str]:
    """Split Markdown into its header and its body.

    Scalars of the header are texts, whatever YAML would make of them. A file without a
    header has an empty one.

    Raises:
        LoadError: `frontmatter_invalid`, or `frontmatter_format` for JSON, TOML and YAML's
            merge keys.
    """
    # As a file opened for text has them, and no other line ends: the SDK knows no others.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip().split("\n")
    if lines[0] in ("{", "}") or lines[0].startswith("+++"):
        # The SDK would read these too; what a reader does not show must not be loaded.
        raise LoadError(
            "frontmatter_format", f"{file}: its header is JSON or TOML", "write the header in YAML"
        )
    if not _BOUNDARY.fullmatch(lines[0]):
        return {}, text
    end = next((n for n, line in enumerate(lines[1:], 1) if _BOUNDARY.fullmatch(line)), None)
    if end is None:
        return {}, text
    header = [line for line in lines[1:end] if line.strip()]
    body = "\n".join(lines[end + 1 :])
    simple: dict[str, Any] = {}
    for line in header:
        match = _PLAIN.fullmatch(line) or _QUOTED.fullmatch(line)
        if match is None or match[1] in simple:
            return _parsed("\n".join(lines[1:end]), file), body
        simple[match[1]] = next(part for part in match.groups()[1:] if part is not None).rstrip()
    return simple, body


def _parsed(header: str, file: str) -> dict[str, Any]:
    if len(header) > _LIMIT:
        raise LoadError(
            "frontmatter_invalid",
            f"{file}: its header is too long",
            "move what is text below the second ---",
        )
    # Imported only where a header needs it: most are plain lines.
    import yaml  # type: ignore[import-untyped,unused-ignore]

    loader = yaml.BaseLoader(header)  # makes texts only
    try:
        node = loader.get_single_node()
        data = None if node is None else loader.construct_document(node)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise LoadError(
            "frontmatter_invalid",
            f"{file}: its header is no YAML: {describe(error)}",
            "write key: value between the two ---, and a value with a colon in quotes",
        ) from error
    if _merges(node):
        # The SDK would merge, and what a reader does not show must not be loaded.
        raise LoadError(
            "frontmatter_format", f"{file}: its header merges maps (<<)", "write the keys out"
        )
    if not isinstance(data, dict):
        return {}
    return {str(key): value for key, value in data.items()}


def _merges(top: Any) -> bool:
    """Whether a map below a YAML node has a merge key, plain or by its tag."""
    waiting, seen = [top], set[int]()
    while waiting:
        node = waiting.pop()
        value = getattr(node, "value", None)
        # An alias is the node itself once more.
        if not isinstance(value, list) or id(node) in seen:
            continue
        seen.add(id(node))
        for one in value:
            if not isinstance(one, tuple):
                waiting.append(one)
                continue
            key = one[0]
            if key.value == "<<" or key.tag == "tag:yaml.org,2002:merge":
                return True
            waiting += one
    return False
