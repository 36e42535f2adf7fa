"""What the server's answers must look like; a stranger wrote them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from openhands_strategies.cli.remote.client import Answer
from openhands_strategies.cli.text import printable
from openhands_strategies.errors import (
    ResolveError,
    RunError,
    StrategyError,
    TrustError,
    UsageError,
)
from openhands_strategies.runtime.report import RoleRow
from openhands_strategies.runtime.roles import MAIN, RoleView
from openhands_strategies.runtime.usage import Usage

_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_KINDS: Final[dict[int, type[StrategyError]]] = {
    1: RunError,
    2: UsageError,
    3: ResolveError,
    4: TrustError,
}
# Of a server that does not say its exit code itself.
_BY_STATUS: Final = {400: 2, 403: 4, 404: 3, 409: 3, 413: 2, 422: 2}

_Count = Annotated[int, Field(ge=0)]
_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _uuid(text: str) -> str:
    return str(UUID(text))


_Id = Annotated[str, AfterValidator(_uuid)]


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore")


class SaidError(_Said):
    """An error, in a list, a report or a problem document."""

    code: str
    message: str
    hint: str = ""
    exit_code: int | None = None

    def as_error(self, status: int = 0) -> StrategyError:
        """The error with the exit code that it has everywhere.

        Args:
            status: Of HTTP, for a server that does not tell the exit code.
        """
        code = self.code if _CODE.fullmatch(self.code) else "server_refused"
        exit_code = self.exit_code or _BY_STATUS.get(status, 1)
        return _KINDS.get(exit_code, RunError)(code, self.message[:2000], self.hint[:2000])


class Layer(_Said):
    """A strategy that runs, by itself or as an overlay."""

    name: str | None = None
    source: dict[str, Any] | None = None
    commit: str | None = None
    tree: str | None = None


class Offer(Layer):
    """One strategy of the server's list."""

    name: str
    error: SaidError | None = None


class _Offers(_Said):
    strategies: list[Offer]


class _Used(_Said):
    role: str
    model: str
    calls: _Count
    input_tokens: _Count
    output_tokens: _Count
    cached_tokens: _Count
    seconds: _Amount
    cost_usd: _Amount | None
    state: str = ""
    activity: str = ""

    def usage(self) -> Usage:
        return Usage(
            model=self.model,
            calls=self.calls,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cached_tokens=self.cached_tokens,
            cost_usd=self.cost_usd or 0.0,
            priced=self.cost_usd is not None,
        )

    def view(self) -> RoleView:
        """What a screen shows, which prints some of it as it is."""
        role = printable(self.role, 200)
        return RoleView(
            key=role,
            role=role,
            model=printable(self.model, 200),
            state=printable(self.state, 40),
            activity=self.activity,
            seconds=self.seconds,
            usage=(self.usage(),),
        )


class SaidRow(_Used):
    """One role with one model, all its tasks together."""

    tasks: _Count
    at_main_price_usd: _Amount | None = None

    def row(self) -> RoleRow:
        """The row as a local run has it."""
        names = RoleRow.__dataclass_fields__
        return RoleRow(**{name: getattr(self, name) for name in names})


class SaidTask(_Used):
    """One task of a sub-agent."""

    id: str
    label: str = ""
    started: _Amount = 0.0


class SaidRun(_Said):
    """The report of a run, also while it works."""

    conversation_id: _Id
    strategy: Layer
    layers: list[Layer] = []
    params: dict[str, Any]
    workspace: str = ""
    status: str
    answer: str = ""
    roles: list[SaidRow]
    subagents: list[SaidTask] = []
    seconds: _Amount = 0.0
    max_budget: _Amount | None = None
    error: SaidError | None = None

    def views(self) -> list[RoleView]:
        """The roles as a screen shows them: the main agent, then each task."""
        main = [one for one in self.roles if one.role == MAIN]
        tasks = [
            replace(one.view(), key=printable(one.id, 80), label=one.label, started=one.started)
            for one in self.subagents
        ]
        if not main:
            return tasks
        whole = replace(
            main[0].view(),
            seconds=max(one.seconds for one in main),
            usage=tuple(one.usage() for one in main),
        )
        return [whole, *tasks]


class _Started(_Said):
    conversation_id: _Id


def offers_in(answer: Answer) -> list[Offer] | None:
    """The strategies of an answer to `GET /api/strategies`; None when it is no such list."""
    if not answer.ok:
        return None
    try:
        return _Offers.model_validate(answer.document).strategies
    except ValidationError:
        return None


def started_in(answer: Answer) -> str:
    """The id of a run that was started.

    Raises:
        StrategyError: The server refused; or `server_answer`.
    """
    try:
        return _Started.model_validate(accepted(answer, "start the run")).conversation_id
    except ValidationError as error:
        raise _unusable(error) from error


def run_in(answer: Answer) -> SaidRun:
    """The report of a run.

    Raises:
        StrategyError: The server refused; or `server_answer`.
    """
    try:
        return SaidRun.model_validate(accepted(answer, "report on the run"))
    except ValidationError as error:
        raise _unusable(error) from error


def accepted(answer: Answer, doing: str) -> Any:
    """The document of an answer that is no refusal.

    Args:
        answer: The answer.
        doing: What was asked, for the message: "start the run".

    Raises:
        StrategyError: What the server says is wrong, with its code and exit code.
        RunError: `server_refused` or `server_answer` when it says nothing of use.
    """
    if not answer.ok:
        raise refusal(answer, doing)
    if answer.flaw:
        raise RunError("server_answer", f"the server's answer cannot be used: {answer.flaw}", "")
    return answer.document


def refusal(answer: Answer, doing: str) -> StrategyError:
    """A refusal as an error of ours."""
    try:
        return SaidError.model_validate(answer.document).as_error(answer.status)
    except ValidationError:
        detail = answer.document.get("detail") if isinstance(answer.document, dict) else None
        why = detail[:500] if isinstance(detail, str) and detail else f"status {answer.status}"
        return RunError("server_refused", f"the server did not {doing}: {why}", "see its log")


def _unusable(error: ValidationError) -> RunError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])[:100]
    return RunError(
        "server_answer",
        f"the server's answer cannot be used: {where or 'it'}: {first['msg'][:200]}",
        "it may have another version of openhands-strategies",
    )
