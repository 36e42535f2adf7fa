"""One invocation of the OpenHands CLI: which conversation gets which strategy."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openhands_strategies.errors import StrategyError
from openhands_strategies.openhands_cli.merging import with_users
from openhands_strategies.openhands_cli.notes import notes, start_lines
from openhands_strategies.openhands_cli.record import exists, read_record, write_record
from openhands_strategies.openhands_cli.refusal import StrategyRefused
from openhands_strategies.project.home import Home
from openhands_strategies.registry.host import Host
from openhands_strategies.runtime.entries import Origin
from openhands_strategies.runtime.llms import other_llm
from openhands_strategies.runtime.loader import load_again
from openhands_strategies.runtime.prepare import Prepared, Settings, prepare
from openhands_strategies.runtime.run_file import RunFile, plain_url
from openhands_strategies.runtime.usage import Price
from openhands_strategies.runtime.worktrees.repository import check_workspace

if TYPE_CHECKING:
    from openhands.sdk import LLM
    from openhands.sdk.hooks import HookConfig

    from openhands_strategies.runtime.loaded import Loaded
    from openhands_strategies.strategy import Blueprint


@dataclass(frozen=True)
class Chosen:
    """A strategy with its parameters.

    Attributes:
        loaded: The strategy.
        params: Validated parameters.
        prices: By model, as they were given when the conversation was started.
    """

    loaded: Loaded
    params: Mapping[str, Any]
    prices: Mapping[str, Price] = field(default_factory=dict)


@dataclass
class Session:
    """What the conversations of one process share.

    Attributes:
        home: Where the store is.
        host: Hook plugins, which may adjust a blueprint.
        warn: Takes what failed beside the point.
        new: What new conversations are started with; None leaves them to the CLI.
        price: Of the main model, if the user gave one.
        prices: Of other models.
        headless: Whether nobody can be asked.
        acp: Whether stdout belongs to the protocol.
        approval: The option by which the user said which actions run unasked, if one.
        resumed: Name of the conversation that is to be resumed.
        asked: Whether the CLI came here for a conversation, of any kind.
        opened: Ids of the conversations with a strategy, in order.
        failed: What the CLI ended by, if it was ours.
    """

    home: Home
    host: Host
    warn: Callable[[StrategyError], None]
    new: Chosen | None = None
    price: Price | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)
    headless: bool = False
    acp: bool = False
    approval: str | None = None
    resumed: str | None = None
    asked: bool = False
    opened: list[str] = field(default_factory=list)
    failed: StrategyError | None = None

    def open(self, make: Callable[..., Any], given: dict[str, Any]) -> Any:
        """Make a conversation in the CLI's place.

        Args:
            make: What the CLI would have called.
            given: The keyword arguments that it calls it with.

        Raises:
            StrategyRefused: The strategy cannot be loaded or built, or not work there.
            StrategyError: The same for an editor, which is sent the message.
        """
        self.asked = True
        try:
            return self._open(make, given)
        except StrategyError as error:
            if self.acp:
                raise
            raise StrategyRefused(error, self._fail) from error

    def _fail(self, error: StrategyError) -> None:
        self.failed = error

    def _open(self, make: Callable[..., Any], given: dict[str, Any]) -> Any:
        directory = Path(given["persistence_dir"]) / given["conversation_id"].hex
        record = read_record(directory)
        if record is not None:
            chosen = recorded(record, self.home)
        elif self.new is None or exists(directory):
            return make(**given)
        else:
            chosen = self.new
        # The protocol's stream is no place for what a strategy prints.
        with redirect_stdout(sys.stderr if self.acp else sys.stdout):
            prepared = self.prepare(
                chosen,
                given["agent"].llm,
                Path(given["workspace"].working_dir),
                hooks=given.get("hook_config"),
            )
        if record is None:
            # First of all: a conversation without it would be resumed without its strategy.
            workspace = given["workspace"].working_dir
            record = new_record(prepared, given["conversation_id"].hex, workspace)
            write_record(directory, record)
        return self._opened(prepared, given)

    def prepare(
        self, chosen: Chosen, llm: LLM, workspace: Path | None, *, hooks: HookConfig | None = None
    ) -> Prepared:
        """Build a strategy on the user's model and with the user's own hooks before its own.

        Args:
            chosen: The strategy.
            llm: The user's model.
            workspace: Where it will work; None before an editor has said it.
            hooks: The user's own.

        Raises:
            StrategyError: It cannot be built, or not work there.
        """

        from openhands.sdk.hooks import HookConfig

        def adjust(blueprint: Blueprint, name: str, params: Mapping[str, Any]) -> Blueprint:
            blueprint = self.host.adjust(blueprint, name, params, self.warn)
            both = [one for one in (hooks, blueprint.hooks) if one is not None]
            return replace(blueprint, hooks=HookConfig.merge(both))

        prices = {**chosen.prices, **self.prices}
        if self.price is not None:
            prices[llm.model] = self.price
        if llm.model in prices:
            llm = other_llm(llm, llm.model, prices)
        settings = Settings(home=self.home, prices=prices)
        prepared = prepare(chosen.loaded, llm, chosen.params, settings, adjust=adjust)
        if workspace is not None:
            check_workspace(prepared.scope.agents, workspace)
        return prepared

    def _opened(self, prepared: Prepared, given: dict[str, Any]) -> Any:
        from openhands_strategies.openhands_cli.conversation import StrategyConversation
        from openhands_strategies.openhands_cli.questions import (
            ask_in_terminal,
            show_lines,
            tell_in_terminal,
        )

        given = {**given, "hook_config": prepared.hooks}
        agent = with_users(prepared.agent, given.pop("agent"))
        asks = prepared.blueprint.confirmation
        conversation = StrategyConversation(
            prepared=prepared,
            agent=agent,
            headless=self.headless,
            floor=asks if self.headless and self.approval is None else None,
            notes=tuple(notes(prepared, self.approval)),
            **given,
        )
        visualizer = given.get("visualizer")
        if visualizer is not None and not self.headless:
            conversation.fleet.confirm = ask_in_terminal(conversation, visualizer)
            conversation.tell = tell_in_terminal(visualizer)
            show_lines(visualizer, start_lines(prepared, self.approval))
        self.opened.append(str(given["conversation_id"]))
        return conversation


def recorded(record: RunFile, home: Home) -> Chosen:
    """What a conversation was started with.

    Raises:
        LoadError: `strategy_changed`.
        TrustError: The consent was revoked.
    """
    return Chosen(
        loaded=load_again(Origin.model_validate(record.strategy), home),
        params=record.params,
        prices={model: Price(*pair) for model, pair in record.prices.items()},
    )


def new_record(prepared: Prepared, conversation_id: str, workspace: str) -> RunFile:
    """Describe a conversation that starts now."""
    llm = prepared.agent.llm
    origin = prepared.loaded.origin
    return RunFile(
        conversation_id=conversation_id,
        reference=origin.reference,
        strategy=origin.model_dump(mode="json"),
        params=dict(prepared.params),
        workspace=workspace,
        model=llm.model,
        base_url=plain_url(llm.base_url),
        prices={model: [price.input, price.output] for model, price in prepared.prices.items()},
        overlays=[one.reference for one in origin.overlays],
        confirmation=prepared.confirmation,
        created=time.time(),
        sdk=version("openhands-sdk"),
    )
