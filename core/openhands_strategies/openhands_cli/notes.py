"""The lines that are said before the OpenHands CLI starts with a strategy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from openhands_strategies.manifest.files import printable

if TYPE_CHECKING:
    from openhands_strategies.runtime.entries import Entry
    from openhands_strategies.runtime.prepare import Prepared

_RISKY_UNASKED: Final = ("risky", "--always-approve")


def start_lines(prepared: Prepared, approval: str | None) -> Iterator[str]:
    """Who works with which model, and what does not hold.

    Args:
        prepared: The strategy.
        approval: The option by which the user said which actions run unasked, if one.
    """
    origin = prepared.loaded.origin
    tree = origin.tree.removeprefix("sha256:")[:12]
    yield f"strategy {origin.name} ({printable(origin.reference, 300)}, tree {tree})"
    roles = ", ".join(
        f"{printable(one.role, 80)}: {printable(one.name, 80)}" for one in prepared.models
    )
    yield f"models: {roles}"
    yield from notes(prepared, approval)


def notes(prepared: Prepared, approval: str | None) -> Iterator[str]:
    """One line for each thing that the strategy asks for and that does not hold."""
    asks = prepared.blueprint.confirmation
    # --llm-approve is what "risky" asks for.
    if approval is not None and (asks == "always" or (asks, approval) == _RISKY_UNASKED):
        yield f"note: the strategy wants confirmation ({asks}), but you chose {approval}"
    yield from budget_notes(prepared)


def budget_notes(prepared: Prepared) -> Iterator[str]:
    """One line for each sub-agent's budget that cannot count: nobody knows its price.

    A budget of all agents is no case of it: without prices the strategy is not prepared.
    """
    unknown = {model.role: model.name for model in prepared.models if model.price is None}
    for alias, entry in _all(prepared.scope.agents):
        if entry.budget is not None and alias in unknown:
            yield (
                f"note: the budget of ${entry.budget:g} for {alias} is not enforced: nobody"
                f" knows the price of {unknown[alias]} (--price {unknown[alias]}=IN,OUT tells it)"
            )


def _all(entries: dict[str, Entry]) -> Iterator[tuple[str, Entry]]:
    for alias, entry in entries.items():
        yield alias, entry
        yield from _all(entry.agents)
