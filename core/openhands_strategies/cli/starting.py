"""From a request to a prepared run, in the order of checks that contracts.md fixes.

Usage comes before (the options), then: resolve, trust and load, parameters, LLM
settings, workspace, build. Nothing is written before all of it went well but the
strategy's tree in the store.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openhands_strategies.cli.options import workspace_of
from openhands_strategies.cli.reach import check_base_url, check_reachable
from openhands_strategies.cli.sdk import import_sdk
from openhands_strategies.errors import StrategyError, UsageError
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.project.home import Home, find_home
from openhands_strategies.project.trust import check_trust
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.registry.host import Host, plugin_host
from openhands_strategies.runtime.run_file import RunFile, plain_url, read_run
from openhands_strategies.runtime.usage import Price

if TYPE_CHECKING:
    from openhands.sdk import LLM

    from openhands_strategies.runtime.loader import Loaded
    from openhands_strategies.runtime.prepare import Prepared
    from openhands_strategies.sources.git_place import Progress
    from openhands_strategies.sources.source import Located
    from openhands_strategies.strategy import Blueprint, Confirmation

_ENDPOINT = "LLM_BASE_URL"


@dataclass(frozen=True)
class Request:
    """What the user asks for; None stands for an option that is not given.

    Attributes:
        reference: The strategy; None for a resumed run.
        resume: Id of the run to go on with.
        task: The task; None only for a resumed run.
        overlays: References of what is laid over it, innermost first.
        params: Values as texts.
        price: Of the main model.
        prices: Of other models.
    """

    reference: str | None = None
    resume: str | None = None
    overlays: tuple[str, ...] = ()
    task: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    workspace: str | None = None
    model: str | None = None
    base_url: str | None = None
    profile: str | None = None
    max_budget: float | None = None
    price: Price | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)
    confirmation: Confirmation | None = None


@dataclass(frozen=True)
class Ready:
    """A run that may start now."""

    prepared: Prepared
    file: RunFile
    home: Home


@dataclass(frozen=True)
class Surroundings:
    """How the user is told what happens meanwhile.

    Attributes:
        warn: Takes what failed beside the point.
        progress: Takes a line about something that takes seconds.
        fetching: Shows how far a fetch is, while the block that it makes lasts.
        debug: Whether the SDK may log.
    """

    warn: Callable[[StrategyError], None]
    progress: Callable[[str], None]
    fetching: Callable[[], AbstractContextManager[Progress | None]] = nullcontext
    debug: bool = False


def get_ready(request: Request, around: Surroundings) -> Ready:
    """Check everything and build the strategy; the next step starts it.

    Raises:
        StrategyError: The first thing that is wrong.
    """
    home, host = find_home(), plugin_host()
    if request.resume is not None:
        return _again(request, read_run(home, request.resume), home, host, around)
    return _new(request, request.reference or "", home, host, around)


def _new(request: Request, reference: str, home: Home, host: Host, around: Surroundings) -> Ready:
    located, *overlays = resolve_all([reference, *request.overlays], home, host, around)
    _load_sdk(around)
    from openhands_strategies.runtime.building import check_params
    from openhands_strategies.runtime.loader import load
    from openhands_strategies.runtime.run import new_run_file
    from openhands_strategies.runtime.worktrees.repository import check_workspace

    loaded = load(located, home, overlays)
    values = check_params(loaded, request.params, texts=True)
    llm, prices, named_by = _llm(request)
    workspace = workspace_of(request.workspace)
    prepared = _prepare(loaded, llm, values, request, prices, home, host, around)
    check_workspace(prepared.scope.agents, workspace)
    check_reachable(llm.base_url, named_by)
    file = new_run_file(prepared, workspace, profile=request.profile, max_budget=request.max_budget)
    return Ready(prepared, file, home)


def resolve_all(
    references: Sequence[str], home: Home, host: Host, around: Surroundings
) -> list[Located]:
    """Find strategies, in order, and check what can be checked without the SDK.

    Raises:
        ResolveError: One that is not found.
        LoadError: One whose files cannot be read.
        TrustError: A git tree that the user has not agreed to run.
    """
    with around.fetching() as progress:
        fetching = Fetching(progress=progress)
        found = [resolve(one, host=host, warn=around.warn, fetching=fetching) for one in references]
    for located in found:
        # Read before the SDK is imported: what the files show costs no ten seconds.
        manifest = read_manifest(located.root, located.module, located.attribute, located.name)
        if located.tree is not None:
            check_trust(located, located.tree, manifest, home=home)
    return found


def _again(request: Request, file: RunFile, home: Home, host: Host, around: Surroundings) -> Ready:
    _check_unchanged(request, file)
    _load_sdk(around)
    from openhands_strategies.runtime.building import check_params
    from openhands_strategies.runtime.entries import Origin
    from openhands_strategies.runtime.loader import load_again
    from openhands_strategies.runtime.worktrees.repository import check_workspace

    loaded = load_again(Origin.model_validate(file.strategy), home)
    values = check_params(loaded, file.params)
    kept = {name: v for name, v in file.params.items() if not name_given(name, request.params)}
    asked = check_params(loaded, {**kept, **request.params}, texts=True)
    _check_params_unchanged(request, file, asked)
    earlier = {model: Price(*pair) for model, pair in file.prices.items()}
    other_model = request.model is not None or request.profile is not None
    request = replace(
        request,
        model=request.model if other_model else file.model,
        profile=request.profile if other_model else file.profile,
        base_url=request.base_url or (None if request.profile else file.base_url),
        max_budget=request.max_budget or file.max_budget,
        prices={**earlier, **request.prices},
        confirmation=file.confirmation,  # type: ignore[arg-type]
    )
    llm, prices, named_by = _llm(request)
    workspace = workspace_of(file.workspace)
    prepared = _prepare(loaded, llm, values, request, prices, home, host, around)
    check_workspace(prepared.scope.agents, workspace)
    check_reachable(llm.base_url, named_by)
    file = replace(
        file,
        model=None if request.profile else llm.model,
        base_url=None if request.profile else plain_url(llm.base_url),
        profile=request.profile,
        prices={model: [price.input, price.output] for model, price in prices.items()},
        max_budget=request.max_budget,
    )
    return Ready(prepared, file, home)


def _load_sdk(around: Surroundings) -> None:
    around.progress("loading the SDK, this takes some seconds…")
    import_sdk(debug=around.debug)


def _llm(request: Request) -> tuple[LLM, dict[str, Price], str]:
    """The main LLM, all prices by model name, and what names the model's server."""
    from openhands_strategies.runtime.llms import main_llm

    named_by = "--base-url" if request.base_url else _ENDPOINT
    if request.profile:
        named_by = f"the base URL of the LLM profile {request.profile!r}"
    else:
        check_base_url(request.base_url or os.environ.get(_ENDPOINT) or None, named_by)
    chosen = {
        "model": request.model,
        "base_url": request.base_url,
        "profile": request.profile,
    }
    llm = main_llm(**chosen, prices=request.prices)
    prices = dict(request.prices)
    if request.price is not None:
        # The name that the SDK made of it is the one that calls are counted under.
        prices[llm.model] = request.price
        llm = main_llm(**chosen, prices=prices)
    return llm, prices, named_by


def _prepare(
    loaded: Loaded,
    llm: LLM,
    values: Mapping[str, Any],
    request: Request,
    prices: Mapping[str, Price],
    home: Home,
    host: Host,
    around: Surroundings,
) -> Prepared:
    from openhands_strategies.runtime.prepare import Settings, prepare

    def adjust(blueprint: Blueprint, name: str, params: Mapping[str, Any]) -> Blueprint:
        return host.adjust(blueprint, name, params, around.warn)

    settings = Settings(
        home=home,
        max_budget=request.max_budget,
        prices=prices,
        confirmation=request.confirmation,
    )
    return prepare(loaded, llm, values, settings, adjust=adjust)


def _check_unchanged(request: Request, file: RunFile) -> None:
    """Refuse what contradicts the run that is resumed; a new model or key is no such thing."""
    if request.overlays and list(request.overlays) != file.overlays:
        was = f"with {' '.join(f'--with {one}' for one in file.overlays)}"
        raise _contradiction(file, "--with", f"it was started {was if file.overlays else 'bare'}")
    if request.workspace is not None:
        asked = Path(request.workspace).expanduser().resolve()
        if asked != Path(file.workspace):
            raise _contradiction(file, "--workspace", f"it works in {file.workspace}")
    if request.confirmation is not None and request.confirmation != file.confirmation:
        raise _contradiction(file, "--confirm", f"it was started with {file.confirmation}")


def _check_params_unchanged(request: Request, file: RunFile, values: Mapping[str, Any]) -> None:
    for name in values if request.params else ():
        if name_given(name, request.params) and values[name] != file.params.get(name):
            was = file.params.get(name)
            shown = "without it" if was is None else f"with {name}={was}"
            raise _contradiction(file, f"--param {name}", f"it was started {shown}")


def _contradiction(file: RunFile, option: str, why: str) -> UsageError:
    return UsageError(
        "resume_conflict",
        f"run {file.conversation_id} cannot be resumed with another {option}: {why}",
        f"leave {option} out, or start a new run",
    )


def name_given(name: str, given: Mapping[str, str]) -> bool:
    """Whether the user gave a parameter, by its name or by the bare name of a part's."""
    return any(name == one or name.endswith(f".{one}") for one in given)
