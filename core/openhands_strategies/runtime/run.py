"""Run a prepared strategy in a local conversation, and resume it in a later process."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from openhands_strategies.errors import RunError, StrategyError, UsageError, describe
from openhands_strategies.runtime.attachment import Attachment, attach
from openhands_strategies.runtime.driving import (
    Ending,
    ending_of,
    has_user_message,
    run_until_done,
    send,
)
from openhands_strategies.runtime.fleet import ConfirmHandler, Fleet
from openhands_strategies.runtime.llms import redacted
from openhands_strategies.runtime.outcome import how_it_ended
from openhands_strategies.runtime.prepare import Prepared
from openhands_strategies.runtime.report import Report, Status, role_rows
from openhands_strategies.runtime.roles import MAIN, RoleView
from openhands_strategies.runtime.run_file import RunFile, plain_url, write_run
from openhands_strategies.runtime.usage import known_price

if TYPE_CHECKING:
    from filelock import BaseFileLock
    from openhands.sdk.conversation.impl.local_conversation import LocalConversation

    from openhands_strategies.project.home import Home

_DEFAULT_ITERATIONS: Final = 500


@dataclass
class Run:
    """A conversation that is open, and what belongs to it.

    Attributes:
        prepared: What runs.
        fleet: Live state of all its conversations; `fleet.stop()` ends it.
        file: What `run.json` says.
        lock: Held while the run is open, so that no second process resumes it.
    """

    prepared: Prepared
    conversation: LocalConversation
    fleet: Fleet
    file: RunFile
    home: Home
    lock: BaseFileLock

    @property
    def id(self) -> str:
        """32 hex digits; what `--resume` takes."""
        return self.file.conversation_id

    @property
    def status(self) -> str:
        return str(self.conversation.state.execution_status.value)


def new_run_file(
    prepared: Prepared,
    workspace: Path,
    *,
    profile: str | None = None,
    max_budget: float | None = None,
) -> RunFile:
    """Describe a run that is about to start."""
    llm = prepared.agent.llm
    return RunFile(
        conversation_id=uuid4().hex,
        reference=prepared.loaded.origin.reference,
        strategy=prepared.loaded.origin.model_dump(mode="json"),
        params=prepared.params,
        overlays=[one.reference for one in prepared.loaded.origin.overlays],
        workspace=str(workspace),
        model=None if profile else llm.model,
        base_url=None if profile else plain_url(llm.base_url),
        profile=profile,
        prices={model: [price.input, price.output] for model, price in prepared.prices.items()},
        confirmation=prepared.confirmation,
        max_budget=max_budget,
        created=time.time(),
        sdk=version("openhands-sdk"),
    )


def open_run(
    prepared: Prepared, file: RunFile, home: Home, *, confirm: ConfirmHandler | None = None
) -> Run:
    """Open the conversation of a new or an earlier run; nothing is sent yet.

    Args:
        prepared: What runs.
        file: Of a new run, or as read for one that is resumed.
        home: Where runs are kept.
        confirm: Asks the user; None means nobody can answer and what is asked about
            is rejected.

    Raises:
        RunError: `run_busy` when another process has it open, `resume_failed` when the
            SDK cannot open the earlier conversation.
    """
    from openhands.sdk.conversation.impl.local_conversation import LocalConversation

    lock = _locked(home, file.conversation_id)
    write_run(home, replace(file, status="running"))
    fleet = Fleet(
        budget=prepared.limits.budget,
        steps=prepared.limits.steps,
        warn_at=prepared.limits.warn_at,
        confirm=confirm,
        directory=home.runs / file.conversation_id,
    )
    try:
        conversation = LocalConversation(
            agent=prepared.agent,
            workspace=file.workspace,
            persistence_dir=home.runs,
            conversation_id=UUID(file.conversation_id),
            hook_config=prepared.hooks,
            max_iteration_per_run=prepared.limits.iterations or _DEFAULT_ITERATIONS,
            visualizer=None,
            callbacks=[fleet.observer(MAIN)],
            tags={**prepared.blueprint.tags, "strategy": prepared.loaded.name[:256]},
        )
    except ValueError as error:
        lock.release()
        raise RunError(
            "resume_failed",
            f"run {file.conversation_id} cannot be opened: {describe(error)}",
            "start a new run",
        ) from error
    attach(conversation, Attachment(fleet=fleet, key=MAIN))
    _confirm_by(conversation, prepared.confirmation)
    return Run(prepared, conversation, fleet, file, home, lock)


def _locked(home: Home, conversation_id: str) -> BaseFileLock:
    from filelock import FileLock, Timeout

    directory = home.runs / conversation_id
    directory.mkdir(parents=True, exist_ok=True)
    # One object for each run, also where two of them are opened in one process.
    lock = FileLock(directory / "run.lock", thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RunError(
            "run_busy",
            f"run {conversation_id} is open in another process",
            "wait for it, or stop it with Ctrl-C there",
        ) from error
    return lock


def _confirm_by(conversation: LocalConversation, confirmation: str) -> None:
    from openhands.sdk.security.confirmation_policy import (
        AlwaysConfirm,
        ConfirmRisky,
        NeverConfirm,
    )
    from openhands.sdk.security.llm_analyzer import LLMSecurityAnalyzer

    if confirmation == "risky":
        # The policy judges by the risk that the model states for each action.
        conversation.set_security_analyzer(LLMSecurityAnalyzer())
        conversation.set_confirmation_policy(ConfirmRisky())
    elif confirmation == "always":
        conversation.set_confirmation_policy(AlwaysConfirm())
    else:
        conversation.set_confirmation_policy(NeverConfirm())


def execute(run: Run, task: str | None) -> Report:
    """Work until the main agent finishes, fails, meets a limit or is stopped.

    Args:
        run: An open run; it is closed afterwards.
        task: The user's task; None goes on with what was interrupted.

    Raises:
        UsageError: `nothing_to_resume` when the run has finished and there is no task.
    """
    conversation, fleet, llm = run.conversation, run.fleet, run.prepared.agent.llm
    error: StrategyError | None = None
    status: Status = "failed"
    answer = ""
    if task is None and run.status == "finished":
        conversation.close()
        write_run(run.home, replace(run.file, status="finished"))
        run.lock.release()
        raise UsageError(
            "nothing_to_resume", f"run {run.id} has finished", "give --task to ask for more"
        )
    try:
        conversation._ensure_agent_ready()
        fleet.enter(
            RoleView(key=MAIN, role=MAIN, model=llm.model),
            conversation,
            budget=None,
            prices={
                one.model: known_price(one) is not None for one in run.prepared.agent.get_all_llms()
            },
        )
        if task is not None:
            first = not has_user_message(conversation)
            send(conversation, run.prepared.blueprint.first_message(task) if first else task)
        run_until_done(conversation, fleet, MAIN)
        ending = ending_of(conversation, fleet, MAIN)
        answer = ending.answer if ending.kind == "finished" else ""
        status, error = _judged(run, ending)
    except Exception as problem:  # noqa: BLE001  becomes the report's error
        error = _as_run_error(getattr(problem, "original_exception", problem), run)
    finally:
        views = _leave(run, status)
        conversation.close()
    # There is no view of an agent that could not even be made.
    seconds = next((view.seconds for view in views if view.key == MAIN), 0.0)
    write_run(run.home, replace(run.file, status=status))
    run.lock.release()
    return Report(
        status=status,
        conversation_id=run.id,
        strategy=run.file.strategy,
        params=run.prepared.params,
        answer=answer,
        roles=role_rows(views, known_price(llm)),
        seconds=seconds,
        error=error,
        warnings=(run.fleet.warning,) if run.fleet.warning else (),
    )


def _leave(run: Run, status: str) -> list[RoleView]:
    if any(view.key == MAIN and view.state == "working" for view in run.fleet.views()):
        run.fleet.leave(MAIN, status)
    return run.fleet.views()


def _judged(run: Run, ending: Ending) -> tuple[Status, StrategyError | None]:
    again = f"ohs run --resume {run.id}"
    name = run.prepared.loaded.name
    if ending.kind == "finished":
        ended = run.fleet.ended_at(MAIN)
        if ended is None:
            return "finished", None
        alias, state = ended
        return "failed", RunError(
            "phase_failed",
            f"strategy {name!r}: {alias!r} {how_it_ended(state)}",
            f"{again} --task TEXT, to go on from what was done",
        )
    if ending.kind == "stop":
        return "interrupted", RunError("interrupted", "the run was stopped", again)
    if ending.kind in ("budget", "fleet_budget"):
        spent = f"${run.fleet.spent:.4f} of ${run.fleet.budget or 0:g} are spent"
        own = run.prepared.blueprint.limits.budget
        higher = f"{again} --max-budget USD"
        if own is not None and own == run.fleet.budget:
            higher = "the limit is the strategy's own: start a new run with a higher one"
        return "limit", RunError("budget_spent", f"strategy {name!r} was stopped: {spent}", higher)
    if ending.kind == "steps":
        detail = f"all {run.fleet.steps} model calls are made"
        return "limit", RunError("limit_reached", f"strategy {name!r}: {detail}", again)
    if ending.kind == "limit":
        return "limit", RunError("limit_reached", f"strategy {name!r}: {ending.detail}", again)
    return "failed", RunError("run_failed", f"strategy {name!r}: {ending.detail}", again)


def _as_run_error(problem: BaseException, run: Run) -> StrategyError:
    """A model's or the SDK's failure in our words, without the key."""
    if isinstance(problem, StrategyError):
        return problem
    llm = run.prepared.agent.llm
    text = redacted(describe(problem), llm)
    kind = type(problem).__name__
    again = f"then ohs run --resume {run.id}"
    at = f" at {plain_url(llm.base_url)}" if plain_url(llm.base_url) else ""
    # 1.21 does not translate litellm's own.
    if kind in ("LLMAuthenticationError", "AuthenticationError"):
        return RunError(
            "model_refused_key",
            f"model {llm.model!r}{at} refused the key",
            f"check LLM_API_KEY, {again}",
        )
    if kind in ("LLMServiceUnavailableError", "LLMTimeoutError") or "Connection" in kind:
        return RunError(
            "model_unreachable",
            f"model {llm.model!r}{at} cannot be reached: {text}",
            f"check LLM_BASE_URL and the network, {again}",
        )
    return RunError("run_failed", f"strategy {run.prepared.loaded.name!r}: {text}", again)
