"""From the options of `ohs compare` to a checked question, new or that of an earlier one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import click

from openhands_strategies.cli.compare.copies import check_workspace, links_out
from openhands_strategies.cli.compare.question import (
    Contender,
    Question,
    find_contenders,
    named_references,
)
from openhands_strategies.cli.fetch_progress import fetch_progress
from openhands_strategies.cli.frame import Frame
from openhands_strategies.cli.options import budget_of, params_of, prices_of, workspace_of
from openhands_strategies.cli.reach import check_base_url, check_reachable
from openhands_strategies.cli.text import warn
from openhands_strategies.errors import StrategyError, UsageError
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.project.home import find_home
from openhands_strategies.registry.host import plugin_host

_MODEL: Final = "LLM_MODEL"
_ENDPOINT: Final = "LLM_BASE_URL"
_CHECK_SECONDS: Final = 600.0


@dataclass(frozen=True)
class Asked:
    """The options as they were given; None and empty stand for not given."""

    task: str | None
    strategies: tuple[str, ...]
    params: tuple[str, ...]
    repeat: int | None
    check: str | None
    check_timeout: float | None
    workspace: str | None
    model: str | None
    base_url: str | None
    profile: str | None
    prices: tuple[str, ...]
    max_budget: float | None


def new_question(asked: Asked, frame: Frame) -> tuple[Question, str | None]:
    """Check everything that can be checked without the SDK.

    Returns:
        The question, and the model server's URL in full.

    Raises:
        StrategyError: The first thing that is wrong, in the order of contracts.md.
    """
    if asked.task is None or not asked.strategies:
        raise click.UsageError("Give the task and --strategies, or --resume DIR.")
    task = _task(asked.task)
    prices_of(asked.prices)
    budget_of(asked.max_budget)
    params = params_of(asked.params)
    references = named_references(asked.strategies)
    base = Path.cwd()
    contenders = _find(references, params, base, frame)
    model = None if asked.profile else asked.model or os.environ.get(_MODEL) or None
    if model is None and not asked.profile:
        raise UsageError(
            "model_missing",
            "no model is set",
            "give --model or --llm-profile, or set LLM_MODEL (and LLM_API_KEY)",
        )
    url = None if asked.profile else asked.base_url or os.environ.get(_ENDPOINT) or None
    check_base_url(url, _named_by(asked))
    workspace = workspace_of(asked.workspace)
    check_workspace(workspace)
    check_reachable(url, _named_by(asked))
    _warn_of_links(workspace)
    question = Question(
        task=task,
        workspace=str(workspace),
        base=str(base),
        contenders=contenders,
        repeat=asked.repeat or 1,
        check=asked.check,
        check_timeout=asked.check_timeout or _CHECK_SECONDS,
        model=model,
        base_url=_bare(url),
        profile=asked.profile,
        prices=asked.prices,
        max_budget=asked.max_budget,
    )
    return question, url


def same_question(asked: Asked, recorded: Question) -> None:
    """Refuse options that ask something else than an earlier comparison did.

    Raises:
        UsageError: `resume_conflict`.
    """
    references = named_references(asked.strategies)
    pairs: list[tuple[str, Any, Any]] = [
        ("TASK", asked.task and _task(asked.task), recorded.task),
        ("--repeat", asked.repeat, recorded.repeat),
        ("--check", asked.check, recorded.check),
        ("--check-timeout", asked.check_timeout, recorded.check_timeout),
        ("--workspace", asked.workspace and _real(asked.workspace), recorded.workspace),
        ("--model", asked.model, recorded.model),
        ("--base-url", _bare(asked.base_url), recorded.base_url),
        ("--llm-profile", asked.profile, recorded.profile),
        ("--price", asked.prices or None, recorded.prices),
        ("--max-budget", asked.max_budget, recorded.max_budget),
        ("--param", params_of(asked.params) or None, _all_params(recorded.contenders)),
        (
            "--strategies",
            references or None,
            [
                (name and one.name, one.reference)
                for (name, _), one in zip(references, recorded.contenders, strict=False)
            ]
            if len(references) == len(recorded.contenders)
            else [],
        ),
    ]
    for option, now, before in pairs:
        if now is not None and now != before:
            raise UsageError(
                "resume_conflict",
                f"{option} is not what this comparison was started with, so its results would not"
                " compare",
                f"leave {option} out, or start a new comparison without --resume",
            )


def ask_again(asked: Asked, recorded: Question, frame: Frame) -> str | None:
    """Check that an earlier question still means the same, before its missing runs start.

    Returns:
        The model server's URL in full.

    Raises:
        StrategyError: `strategy_changed`, or what a new question could raise.
    """
    references = [(one.name, one.reference) for one in recorded.contenders]
    base = Path(recorded.base)
    now = _find(references, _all_params(recorded.contenders), base, frame)
    for before, after in zip(recorded.contenders, now, strict=True):
        if before.tree != after.tree:
            raise _changed(before)
    given = asked.base_url or os.environ.get(_ENDPOINT) or None
    # What is written down lacks a user part and a query; the full one may be given again.
    url = given if given is not None and _bare(given) == recorded.base_url else recorded.base_url
    check_base_url(url, _named_by(asked))
    check_reachable(url, _named_by(asked))
    return url


def _find(
    references: Sequence[tuple[str | None, str]],
    params: dict[str, str],
    base: Path,
    frame: Frame,
) -> tuple[Contender, ...]:
    with fetch_progress(frame) as progress:
        return find_contenders(
            references,
            params,
            base=base,
            home=find_home(),
            host=plugin_host(),
            warn=warn,
            fetching=Fetching(progress=progress),
        )


def _task(text: str) -> str:
    if not text.strip():
        raise UsageError("task_empty", "the task is empty", "say what is to be done")
    # A byte of the command line that is no UTF-8 can be sent to no model.
    return text.encode(errors="replace").decode()


def _real(workspace: str) -> str:
    return str(Path(workspace).expanduser().resolve())


def _named_by(asked: Asked) -> str:
    return "--base-url" if asked.base_url else _ENDPOINT


def _bare(url: str | None) -> str | None:
    """A base URL as it may be written down: without user part, query and fragment."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return url  # check_base_url refuses it
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _all_params(contenders: Sequence[Contender]) -> dict[str, str]:
    return {f"{one.name}.{key}": value for one in contenders for key, value in one.params.items()}


def _changed(contender: Contender) -> StrategyError:
    return UsageError(
        "strategy_changed",
        f"strategy {contender.name!r} ({contender.reference}) has other code than when this"
        " comparison started",
        "restore it, or start a new comparison without --resume",
    )


def _warn_of_links(workspace: Path) -> None:
    found = links_out(workspace)
    if found:
        more = f" and {len(found) - 1} more" if found[1:] else ""
        warn(
            UsageError(
                "links_out",
                f"{found[0]}{more} links out of the workspace: all copies share it",
                "",
            )
        )
