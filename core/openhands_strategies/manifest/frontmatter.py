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
        LoadError: `frontmatter_invalid`, or `frontmatter_format` for JSON and TOML.
    """
    lines = text.strip().splitlines()
    if lines and (lines[0] == "{" or lines[0].startswith("+++")):
        # The SDK would read these too; what a reader does not show must not be loaded.
        raise LoadError(
            "frontmatter_format", f"{file}: its header is JSON or TOML", "write the header in YAML"
        )
    if not lines or not _BOUNDARY.fullmatch(lines[0]):
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
        raise LoadError("frontmatter_invalid", f"{file}: its header is too long")
    # Imported only where a header needs it: most are plain lines.
    import yaml  # type: ignore[import-untyped,unused-ignore]

    try:
        data = yaml.load(header, Loader=yaml.BaseLoader)  # noqa: S506  # makes texts only
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise LoadError(
            "frontmatter_invalid", f"{file}: its header is no YAML: {describe(error)}"
        ) from error
    if not isinstance(data, dict):
        return {}
    return {str(key): value for key, value in data.items()}
