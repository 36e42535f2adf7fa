"""From the options of `ohs plan` to a plan, in the order of checks that contracts.md fixes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.cli.fetch_progress import fetch_progress
from openhands_strategies.cli.frame import Frame
from openhands_strategies.cli.options import workspace_of
from openhands_strategies.cli.sdk import import_sdk, stdout_reserved
from openhands_strategies.cli.starting import Surroundings, resolve_all
from openhands_strategies.cli.text import say, warn
from openhands_strategies.errors import (
    LoadError,
    RunError,
    StrategyError,
    TrustError,
    UsageError,
)
from openhands_strategies.project.home import find_home
from openhands_strategies.registry.host import plugin_host

if TYPE_CHECKING:
    from openhands.sdk import LLM

    from openhands_strategies.runtime.prepare import Prepared
    from openhands_strategies.strategy import Blueprint

# By the exit code of the process that met the error.
_KINDS: Final[Mapping[int, type[StrategyError]]] = {2: UsageError, 3: LoadError, 4: TrustError}


@dataclass(frozen=True)
class PlanRequest:
    """What the user asks for; None stands for an option that is not given."""

    reference: str
    overlays: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    workspace: str | None = None
    model: str | None = None
    prompts: bool = False


def make_plan(request: PlanRequest, frame: Frame) -> dict[str, Any]:
    """Return the plan of a strategy; see `runtime.plan.plan`.

    Raises:
        StrategyError: The first thing that is wrong.
    """
    # Strategies print where they like; the plan is for stdout alone.
    with stdout_reserved():
        return _plan(request, frame)


def _plan(request: PlanRequest, frame: Frame) -> dict[str, Any]:
    def llm() -> LLM:
        from openhands_strategies.runtime.llms import placeholder_llm

        return placeholder_llm(request.model)

    prepared, workspace = made_ready(request, frame, llm)
    from openhands_strategies.runtime.plan import plan

    return plan(prepared, prompts=request.prompts, workspace=workspace)


def made_ready(request: PlanRequest, frame: Frame, llm: Callable[[], LLM]) -> tuple[Prepared, Path]:
    """Return the strategy, built and ready to start, and where agents would work.

    Args:
        request: What the user asks for.
        frame: The invocation.
        llm: Makes what stands for the main model; called when the parameters are right.

    Raises:
        StrategyError: The first thing that is wrong.
    """
    home, host = find_home(), plugin_host()
    around = Surroundings(
        warn=warn,
        progress=_nothing if frame.json else say,
        fetching=lambda: fetch_progress(frame),
        debug=frame.debug,
    )
    located, *overlays = resolve_all([request.reference, *request.overlays], home, host, around)
    if "openhands.sdk" not in sys.modules:
        around.progress("loading the SDK, this takes some seconds…")
    import_sdk(debug=frame.debug)
    from openhands_strategies.runtime.building import check_params
    from openhands_strategies.runtime.loader import load
    from openhands_strategies.runtime.prepare import Settings, prepare
    from openhands_strategies.runtime.worktrees.repository import check_workspace

    def adjust(blueprint: Blueprint, name: str, params: Mapping[str, Any]) -> Blueprint:
        return host.adjust(blueprint, name, params, warn)

    loaded = load(located, home, overlays)
    values = check_params(loaded, request.params, texts=True)
    main = llm()
    workspace = workspace_of(request.workspace)
    prepared = prepare(loaded, main, values, Settings(home=home, priced=False), adjust=adjust)
    check_workspace(prepared.scope.agents, workspace)
    return prepared, workspace


def other_plan(request: PlanRequest, reference: str, frame: Frame) -> dict[str, Any]:
    """Return the plan of another strategy, or version, under the same options.

    Two versions that both define an SDK class of one name cannot be loaded into one
    process; the second one is then planned in a process of its own.

    Raises:
        StrategyError: The first thing that is wrong.
    """
    other = replace(request, reference=reference)
    try:
        return make_plan(other, frame)
    except LoadError as error:
        if error.code != "class_name_taken":
            raise
        return _elsewhere(other, error)


def _elsewhere(request: PlanRequest, error: LoadError) -> dict[str, Any]:
    options = [
        *(f"--param={name}={value}" for name, value in request.params.items()),
        *(f"--with={one}" for one in request.overlays),
        *([f"--workspace={request.workspace}"] if request.workspace else []),
        *([f"--model={request.model}"] if request.model else []),
    ]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "openhands_strategies", "plan", "--json", "--prompts"),
            *options,
            "--",
            request.reference,
        ],
        stdout=subprocess.PIPE,
        check=False,
    )
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise error from None
    if "error" in document:
        told = document["error"]
        kind = _KINDS.get(done.returncode, RunError)
        raise kind(told["code"], told["message"], told["hint"])
    return document


def _nothing(_: str) -> None:
    """Progress is for people."""
