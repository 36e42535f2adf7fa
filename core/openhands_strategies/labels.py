"""Names of parts, worked out from the text of a reference; nothing is looked up."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

_OTHER: Final = re.compile(r"[^a-z0-9]+")
_ENTRY_FILES: Final = ("strategy.py", "__init__.py")


def reference_label(reference: str) -> str:
    """The label that a part gets from its reference when nobody gives it one.

    A name is its own label; of a path or URL it is the last telling piece: the directory,
    the file without `.py`, the class after `:`, or the subdirectory.
    """
    text, _, fragment = reference.partition("#")
    if fragment.startswith("subdirectory="):
        return kebab(_last(fragment.removeprefix("subdirectory=")))
    if "://" in text or text.startswith("github:"):
        # Behind an `@` in the path stands a revision; one before it is a user.
        path = text.split("://", 1)[-1].removeprefix("github:").partition("/")[2]
        return kebab(_last(path.partition("@")[0]).removesuffix(".git"))
    path, colon, attribute = text.rpartition(":")
    if colon and path.endswith(".py"):
        return kebab(attribute)
    pieces = [piece for piece in text.split("/") if piece not in ("", ".", "..")]
    if len(pieces) > 1 and pieces[-1] in _ENTRY_FILES:
        return kebab(pieces[-2])
    return kebab((pieces or [""])[-1].removesuffix(".py"))


def kebab(text: str) -> str:
    """`text` in lower-case letters, digits and single hyphens; "part" for none of them."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text)
    return _OTHER.sub("-", words.lower()).strip("-") or "part"


def free_label(wanted: str, taken: Container[str]) -> str:
    """`wanted`, or `wanted-2` and so on where it is taken."""
    label, count = wanted, 1
    while label in taken:
        count += 1
        label = f"{wanted}-{count}"
    return label


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
