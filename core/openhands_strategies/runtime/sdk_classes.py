"""Names of SDK subclasses are global to the process; a duplicate breaks every agent."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from openhands_strategies.errors import LoadError

if TYPE_CHECKING:
    from openhands_strategies.manifest.model import SdkClass


def check_class_names(declared: Iterable[SdkClass], where: str) -> None:
    """Refuse a tree whose SDK subclasses have names that the process has already.

    Args:
        declared: Classes as the static reading found them.
        where: Names the strategy and its source, for the message.

    Raises:
        LoadError: `class_name_taken`; nothing of the tree has run.
    """
    for one in declared:
        for base in one.bases:
            owner = _names_below(base).get(one.name)
            if owner is not None and owner not in sys.modules:
                _collect()
                owner = _names_below(base).get(one.name)
            if owner is not None:
                raise LoadError(
                    "class_name_taken",
                    f"{where}: {one.file}:{one.line} defines {one.name}, a name that {owner} has"
                    " in this process",
                    f"rename the class, for example with the strategy's name before {one.name}",
                )


def _collect() -> None:
    """Let go of the classes of failed imports; newer SDKs keep them in a cache."""
    from openhands.sdk.utils import models

    clear = getattr(models, "clear_subclass_cache", None)
    if clear is not None:
        clear()
    gc.collect()


def _names_below(base: str) -> dict[str, str]:
    """Class names that the process has under an SDK base, with their modules.

    The SDK compares names under each base, so a tool and a critic may share one.
    """
    from openhands.sdk.utils.models import DiscriminatedUnionMixin

    known: dict[str, str] = {}
    todo: list[tuple[type, bool]] = [(DiscriminatedUnionMixin, False)]
    while todo:
        parent, below = todo.pop()
        subclasses: list[type] = parent.__subclasses__()
        for subclass in subclasses:
            if below:
                known.setdefault(subclass.__name__, subclass.__module__)
            todo.append((subclass, below or subclass.__name__ == base))
    return known
