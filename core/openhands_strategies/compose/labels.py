"""Labels of parts: short names that stand in parameters, plans and messages."""

from __future__ import annotations

import re
from typing import Final

from openhands_strategies.errors import BuildError
from openhands_strategies.labels import free_label, kebab, reference_label
from openhands_strategies.strategy import Strategy

__all__ = ["free_label", "given_label", "label_of"]

_LABEL: Final = re.compile(r"[a-z0-9][a-z0-9-]*")


def label_of(strategy: Strategy | str) -> str:
    """The label that a part gets when nobody gives it one: its name, or its reference's."""
    if isinstance(strategy, str):
        return reference_label(strategy)
    return kebab(strategy.name or type(strategy).__name__)


def given_label(keyword: str) -> str:
    """The label that a keyword argument stands for: `code_review` is `code-review`.

    Raises:
        BuildError: `label_invalid`.
    """
    label = keyword.replace("_", "-")
    if not _LABEL.fullmatch(label):
        raise BuildError(
            "label_invalid",
            f"{keyword!r} is no label for a part",
            "use lower-case letters, digits and underscores",
        )
    return label
