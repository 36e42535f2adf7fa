"""What is said before a run starts: who works where, for how much, unasked or not."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING

from openhands_strategies.cli.sdk import has_budgets
from openhands_strategies.cli.text import aligned, printable

if TYPE_CHECKING:
    from openhands_strategies.cli.starting import Ready
    from openhands_strategies.runtime.entries import Entry, Origin
    from openhands_strategies.runtime.prepare import Model, Prepared


def preamble(ready: Ready, *, can_ask: bool, resumed: bool) -> list[str]:
    """The lines that start a run.

    Args:
        ready: The run.
        can_ask: Whether somebody can answer questions.
        resumed: Whether it goes on with an earlier run.
    """
    prepared, file = ready.prepared, ready.file
    origin = prepared.loaded.origin
    rows = [
        ("strategy", _where(origin)),
        *(("with", _where(overlay)) for overlay in origin.overlays),
        ("run", f"{file.conversation_id}{' (resumed)' if resumed else ''}"),
        ("workspace", file.workspace),
        *(
            ("model" if number == 0 else "", _model(model))
            for number, model in enumerate(prepared.models)
        ),
        ("limits", _limits(prepared)),
        ("confirmed", _confirmed(prepared, file.workspace, can_ask)),
        *(("note", note) for note in _notes(prepared)),
    ]
    return aligned([(what, printable(text, 2000)) for what, text in rows])


def _where(origin: Origin) -> str:
    source = origin.source
    if source.get("type") == "git":
        place = f"{source.get('url')} at {str(origin.commit)[:12]}"
    else:
        place = source.get("path") or f"{source.get('name')} {source.get('version')}"
    return f"{origin.name} from {place}, tree {origin.tree.removeprefix('sha256:')[:12]}"


def _model(model: Model) -> str:
    if model.price is None:
        price = f"price unknown (--price {model.name}=IN,OUT sets it)"
    else:
        price = f"${model.price.input:g} in, ${model.price.output:g} out for a million tokens"
    return f"{model.role}: {model.name}, {price}"


def _limits(prepared: Prepared) -> str:
    limits = prepared.limits
    parts = []
    if limits.iterations is not None:
        parts.append(f"{limits.iterations} steps of the main agent")
    if limits.budget is not None:
        parts.append(f"${limits.budget:g} for the whole run")
    if limits.steps is not None:
        parts.append(f"{limits.steps} model calls for the whole run")
    for alias, entry in prepared.scope.agents.items():
        own = _limits_of(entry)
        if own:
            parts.append(f"{own} for each task of {alias}")
    return ", ".join(parts) or "none but the SDK's 500 steps"


def _limits_of(entry: Entry) -> str:
    steps = f"{entry.iterations} steps" if entry.iterations is not None else ""
    dollars = f"${entry.budget:g}" if entry.budget is not None else ""
    return " and ".join(part for part in (steps, dollars) if part)


def _confirmed(prepared: Prepared, workspace: str, can_ask: bool) -> str:
    if prepared.confirmation == "never":
        return f"nothing: agents run commands in {workspace} without asking (--confirm risky asks)"
    what = {
        "risky": "actions that the model itself calls risky, or whose risk it does not state",
        "always": "every action of every agent",
    }[prepared.confirmation]
    if can_ask:
        return what
    return f"{what}; nobody can answer here, so these are rejected"


def _notes(prepared: Prepared) -> Iterator[str]:
    unknown = {model.role: model.name for model in prepared.models if model.price is None}
    if unknown and prepared.limits.budget is not None:
        names = ", ".join(sorted(set(unknown.values())))
        yield (
            f"the budget of ${prepared.limits.budget:g} does not count what {names} costs:"
            " nobody knows the price"
        )
    for alias, entry in prepared.scope.agents.items():
        if entry.budget is not None and alias in unknown:
            yield (
                f"the budget of ${entry.budget:g} for {alias} cannot be enforced: nobody knows"
                f" the price of {unknown[alias]}"
            )
    budgets = prepared.limits.budget is not None or any(
        entry.budget is not None for entry in prepared.scope.agents.values()
    )
    if budgets and not has_budgets():
        yield (
            f"openhands-sdk {version('openhands-sdk')} has no budgets of its own: ohs counts the"
            " dollars and stops an agent after the call that reaches its bound"
        )
