"""The result of `strategy_run`: what a run did, and assertions with readable messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openhands_strategies.pytest_plugin import asserting
from openhands_strategies.pytest_plugin.seen import Delegation, HookRun, Role, ToolCall
from openhands_strategies.testing.ledger import Served

if TYPE_CHECKING:
    from openhands_strategies.errors import StrategyError
    from openhands_strategies.runtime.report import Report


@dataclass(frozen=True)
class StrategyRun:
    """One run of a strategy.

    Attributes:
        report: What `ohs run --json` prints.
        workspace: Directory that the agents worked in.
        directory: The run's own files.
        served: What the model's server answered, in order.
        roles: Roles that were started, main first.
        delegations: Calls of the task tool, in order.
    """

    report: Report
    workspace: Path
    directory: Path
    served: Sequence[Served]
    roles: Sequence[Role]
    delegations: Sequence[Delegation]

    @property
    def status(self) -> str:
        """`finished`, `failed`, `limit` or `interrupted`."""
        return self.report.status

    @property
    def answer(self) -> str:
        """The main agent's last words; empty unless it finished."""
        return self.report.answer

    @property
    def error(self) -> StrategyError | None:
        """Why it did not finish."""
        return self.report.error

    @property
    def cost_usd(self) -> float | None:
        """Dollars as the SDK counts them, None where a price is unknown."""
        return self.report.cost_usd

    @property
    def main(self) -> Role:
        """The main agent."""
        return self.role("main")

    def role(self, name: str) -> Role:
        """A role by its name; AssertionError with the names there are."""
        found = next((role for role in self.roles if role.name == name), None)
        if found is None:
            names = ", ".join(role.name for role in self.roles)
            raise AssertionError(f"no role {name!r} was started, only: {names}")
        return found

    @property
    def tool_calls(self) -> list[ToolCall]:
        """Tool calls of all roles, role by role."""
        return [call for role in self.roles for call in role.tool_calls]

    @property
    def hooks(self) -> list[HookRun]:
        """Hooks that ran, role by role."""
        return [hook for role in self.roles for hook in role.hooks]

    def assert_finished(self) -> None:
        """The main agent finished; otherwise the message says how far each role came."""
        asserting.finished(self)

    def assert_roles(self, expected: Mapping[str, str] | Sequence[str]) -> None:
        """Exactly these roles were started; of a mapping, each with just this model.

        Args:
            expected: Names, or names and models as the server knows them (`main`, not
                `openai/main`); their order does not count.
        """
        asserting.roles(self, expected)

    def assert_prompt(self, role: str, *texts: str) -> None:
        """Each text stands in the role's system prompt or in a first user message of it."""
        asserting.prompt(self, role, texts)

    def assert_tool_call(self, role: str, tool: str, **arguments: Any) -> ToolCall:
        """The role called the tool with at least these arguments; returns the first such call."""
        return asserting.tool_call(self, role, tool, arguments)

    def assert_no_tool_call(self, role: str, tool: str) -> None:
        """The role did not call the tool."""
        asserting.no_tool_call(self, role, tool)

    def assert_delegations(self, *expected: tuple[str, str]) -> None:
        """Exactly these delegations, in this order: pairs of who asked and who was asked."""
        asserting.delegations(self, expected)

    def assert_overlapping(self, *roles: str) -> None:
        """Two tasks of these roles, or of any role, worked at the same time."""
        asserting.overlapping(self, roles)

    def assert_one_after_the_other(self, *roles: str) -> None:
        """No two tasks of these roles, or of any role, worked at the same time."""
        asserting.one_after_the_other(self, roles)

    def assert_hook(
        self,
        event: str,
        *,
        role: str | None = None,
        tool: str | None = None,
        command: str = "",
        blocked: bool | None = None,
    ) -> HookRun:
        """A hook of this kind ran; returns the first.

        Args:
            event: For example `PreToolUse`.
            role: In whose conversation; any by default.
            tool: Of which tool; any by default.
            command: A part of its command line.
            blocked: Whether it refused; either by default.
        """
        return asserting.hook(self, event, role, tool, command, blocked)

    def assert_costs(self) -> None:
        """The report's calls, tokens and dollars are those of the server, role by role."""
        asserting.costs(self)
