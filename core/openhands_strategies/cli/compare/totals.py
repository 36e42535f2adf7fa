"""What the runs of each strategy come to: the document of `ohs compare --json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from openhands_strategies.cli.compare.question import Contender
from openhands_strategies.cli.compare.result import Result
from openhands_strategies.cli.compare.results import Directory, missing


def document(directory: Directory, *, interrupted: bool = False) -> dict[str, Any]:
    """The whole comparison as it stands on disk.

    Args:
        directory: Where it is kept.
        interrupted: Whether the user stopped it just now.

    Returns:
        `{status, directory, task, check, workspace, model, repeat, max_budget, results}`;
        `status` is `finished` when every run was carried out, else `incomplete` or
        `interrupted`.
    """
    question = directory.question
    results = list(directory.results().values())
    left = missing(directory, results)
    status = ("interrupted" if interrupted else "incomplete") if left else "finished"
    return {
        "status": status,
        "directory": str(directory.path),
        "task": question.task,
        "check": question.check,
        "workspace": question.workspace,
        "model": question.model,
        "llm_profile": question.profile,
        "repeat": question.repeat,
        "max_budget": question.max_budget,
        "results": [
            _of_strategy(one, [result for result in results if result.strategy == one.name])
            for one in question.contenders
        ],
    }


def _of_strategy(contender: Contender, results: Sequence[Result]) -> dict[str, Any]:
    """Numbers of one strategy; all but `statuses` and `errors` are over runs carried out."""
    done = [one for one in results if one.carried_out]
    reports = [one.report or {} for one in done]
    rows = [report.get("roles") or [] for report in reports]
    checked = [one for one in done if one.success is not None]
    succeeded = sum(1 for one in checked if one.success)
    tokens = {
        kind: spread([sum(row[kind] for row in roles) for roles in rows])
        for kind in ("input_tokens", "output_tokens", "cached_tokens")
    }
    cost = spread([report.get("cost_usd") for report in reports])
    total = cost["total"]
    return {
        "name": contender.name,
        "reference": contender.reference,
        "source": dict(contender.source),
        "params": dict(contender.params),
        "carried_out": len(done),
        "finished": sum(1 for one in done if one.status == "finished"),
        "checked": len(checked),
        "succeeded": succeeded if checked else None,
        "success_rate": succeeded / len(checked) if checked else None,
        "cost_usd": cost,
        "cost_per_success_usd": round(total / succeeded, 9)
        if total is not None and succeeded
        else None,
        **tokens,
        "cached_share": _share(tokens["cached_tokens"]["total"], tokens["input_tokens"]["total"]),
        "seconds": spread([report.get("seconds") for report in reports]),
        "roles": _roles(rows),
        "statuses": dict(Counter(one.status for one in results)),
        "errors": _errors(results),
        "runs": [one.to_json() for one in results],
    }


def spread(values: Sequence[float | None]) -> dict[str, float | None]:
    """`{mean, min, max, total}`; all None when there is no value, or one is unknown."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return dict.fromkeys(("mean", "min", "max", "total"))
    total = sum(known)
    # Below a billionth there is only the noise of adding floats.
    return {
        "mean": round(total / len(known), 9),
        "min": min(known),
        "max": max(known),
        "total": round(total, 9),
    }


def _share(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else round(part / whole, 6)


def _roles(runs: Sequence[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Means over all runs of each role and model; a run that did not need it counts as 0."""
    keys = dict.fromkeys((row["role"], row["model"]) for rows in runs for row in rows)
    found = []
    for role, model in keys:
        of_role = [
            row for rows in runs for row in rows if (row["role"], row["model"]) == (role, model)
        ]

        def mean(kind: str, rows: list[dict[str, Any]] = of_role) -> float | None:
            values = [row[kind] for row in rows]
            return None if None in values else round(sum(values) / len(runs), 9)

        kinds = ("tasks", "calls", "input_tokens", "output_tokens", "cached_tokens", "cost_usd")
        found.append({"role": role, "model": model, **{kind: mean(kind) for kind in kinds}})
    return found


def _errors(results: Iterable[Result]) -> list[dict[str, Any]]:
    """`{code, message, hint, count}` of what went wrong, each once."""
    counted: Counter[tuple[tuple[str, str], ...]] = Counter(
        tuple(sorted(one.error.items())) for one in results if one.error
    )
    return [{**dict(error), "count": count} for error, count in counted.items()]
