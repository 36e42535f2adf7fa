"""Answers to the template's questions: from options, from a file, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from openhands_strategies.errors import UsageError, describe

KINDS: Final = ("strategy", "overlay", "composition")
PARTS: Final = ("skills", "hooks", "agents")
LICENSES: Final = ("MIT", "Apache-2.0", "BSD-3-Clause")
_TEXTS: Final = ("kind", "description", "author", "email", "license", "repository")
_LARGEST: Final = 1 << 16


def parts_of(texts: Sequence[str]) -> list[str] | None:
    """The values of `--with`, in the order of `PARTS`; None when it was not given.

    Args:
        texts: `skills`, or several with commas between them; `none` for nothing.

    Raises:
        UsageError: `with_unknown`.
    """
    if not texts:
        return None
    given = [one.strip() for text in texts for one in text.split(",") if one.strip()]
    if given == ["none"]:
        return []
    for one in given:
        if one not in PARTS:
            raise UsageError(
                "with_unknown",
                f"--with {one!r} is nothing that can come with a strategy",
                f"choose from {', '.join(PARTS)}, or none",
            )
    return [one for one in PARTS if one in given]


def read_answers(text: str) -> dict[str, Any]:
    """The answers in a `.copier-answers.yml`, all but the name.

    Raises:
        UsageError: `answers_unreadable` or `answers_invalid`.
    """
    import yaml

    try:
        with Path(text).expanduser().open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ValueError("it is larger than 64 KB")
        document = yaml.safe_load(content.decode())
    except (OSError, ValueError, RuntimeError, RecursionError, yaml.YAMLError) as error:
        raise UsageError(
            "answers_unreadable",
            f"--answers {text}: {describe(error)}",
            "name the .copier-answers.yml of a strategy that ohs new made",
        ) from error
    if not isinstance(document, dict):
        raise _invalid(text, "it is no table of answers")
    found: dict[str, Any] = {}
    for key, value in document.items():
        if key == "name" or str(key).startswith("_"):
            continue
        if key == "parts":
            if not isinstance(value, list) or not all(one in PARTS for one in value):
                raise _invalid(text, f"parts is no list out of {', '.join(PARTS)}")
            found["parts"] = [one for one in PARTS if one in value]
        elif key not in _TEXTS:
            raise _invalid(text, f"there is no question {str(key)[:80]!r}")
        elif not isinstance(value, str):
            raise _invalid(text, f"{key} is no text")
        else:
            found[str(key)] = value
    for key, choices in (("kind", KINDS), ("license", LICENSES)):
        if key in found and found[key] not in choices:
            raise _invalid(text, f"{key} is none of {', '.join(choices)}")
    return found


def _invalid(text: str, what: str) -> UsageError:
    return UsageError(
        "answers_invalid",
        f"--answers {text}: {what}",
        "name the .copier-answers.yml of a strategy that ohs new made",
    )
