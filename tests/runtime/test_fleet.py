"""The fleet: dollars added up while agents work, bounds that pause, and what is shown."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.errors import RunError
from openhands_strategies.runtime.fleet import Fleet
from openhands_strategies.runtime.history import FILE, read_views, write_views
from openhands_strategies.runtime.roles import MAIN, RoleView
from openhands_strategies.runtime.usage import Usage

PRICED = {"openai/main": True, "openai/cheap": True}


def message(text: str = "hello", source: str = "agent") -> Any:
    from openhands.sdk.event import MessageEvent
    from openhands.sdk.llm import Message, TextContent

    role: Any = "assistant" if source == "agent" else "user"
    return MessageEvent(
        source=source,  # type: ignore[arg-type]
        llm_message=Message(role=role, content=[TextContent(text=text)]),
    )


def spend(conversation: Any, dollars: float) -> None:
    """As a completed model call does."""
    conversation.agent.llm.metrics.add_cost(dollars)


@pytest.fixture
def join(make_conversation: Any) -> Any:
    """Add a real conversation to a fleet; gives the conversation."""

    def add(
        fleet: Fleet, key: str = MAIN, role: str = "", budget: float | None = None, **view: Any
    ) -> Any:
        conversation = make_conversation()
        view = {"model": "openai/main", **view}
        fleet.enter(
            RoleView(key=key, role=role or key, **view), conversation, budget=budget, prices=PRICED
        )
        return conversation

    return add


def status(conversation: Any) -> str:
    return str(conversation.state.execution_status.value)


# Dollars


def test_the_dollars_of_all_conversations_are_added_up_while_they_work(join: Any) -> None:
    fleet = Fleet()
    main, one = join(fleet), join(fleet, "task_1", "sidekick")
    spend(main, 0.5)
    spend(one, 0.25)
    assert fleet.spent == pytest.approx(0.75)
    fleet.leave("task_1", "completed")
    assert fleet.spent == pytest.approx(0.75)
    spend(main, 0.5)
    assert fleet.spent == pytest.approx(1.25)


def test_a_sub_agents_cost_in_its_parents_statistics_is_not_counted_twice(join: Any) -> None:
    fleet = Fleet()
    main, one = join(fleet), join(fleet, "task_1", "sidekick")
    spend(one, 0.25)
    combined = one.conversation_stats.get_combined_metrics()
    main.conversation_stats.usage_to_metrics["task:task_1"] = combined
    assert fleet.spent == pytest.approx(0.25)


def test_what_earlier_processes_spent_counts(join: Any, tmp_path: Path) -> None:
    write_views(tmp_path, [RoleView("task_1", "sidekick", usage=(Usage("m", cost_usd=0.75),))])
    fleet = Fleet(budget=1.0, directory=tmp_path)
    assert fleet.spent == pytest.approx(0.75)
    main = join(fleet)
    spend(main, 0.25)
    assert fleet.over_budget


def test_a_task_that_goes_on_keeps_its_time_and_its_start(join: Any, tmp_path: Path) -> None:
    before = RoleView("task_1", "sidekick", seconds=100.0, started=1000.0, state="limit")
    write_views(tmp_path, [before])
    fleet = Fleet(directory=tmp_path)
    join(fleet, "task_1", "sidekick")
    view = fleet.views()[0]
    assert view.state == "working"
    assert view.started == 1000.0
    assert view.seconds >= 100.0
    left = fleet.leave("task_1", "completed")
    assert (left.state, left.started) == ("completed", 1000.0)
    assert left.seconds < 160.0


def test_a_role_view_adds_up_its_models() -> None:
    view = RoleView("k", "r", usage=(Usage("a", cost_usd=0.5), Usage("b", cost_usd=0.25)))
    assert view.cost_usd == 0.75


# The account on disk


def test_dollars_are_on_disk_after_every_answer_of_a_model(join: Any, tmp_path: Path) -> None:
    fleet = Fleet(directory=tmp_path)
    main = join(fleet)
    for dollars in (0.5, 0.25):
        spend(main, dollars)
        fleet.observer(MAIN)(message())
        # Another process, started because this one was killed here.
        assert Fleet(directory=tmp_path).spent == pytest.approx(fleet.spent)
    assert read_views(tmp_path)[0].state == "interrupted"
    fleet.leave(MAIN, "finished")
    assert read_views(tmp_path) == fleet.views()


def test_a_conversation_that_is_opened_again_is_not_counted_twice(
    join: Any, make_conversation: Any, tmp_path: Path
) -> None:
    first = Fleet(directory=tmp_path)
    conversation = join(first)
    spend(conversation, 0.5)
    first.leave(MAIN, "limit")
    second = Fleet(directory=tmp_path)
    # Its account comes back with it, as the SDK had written it down.
    second.enter(RoleView(MAIN, MAIN), conversation, budget=None, prices=PRICED)
    assert second.spent == pytest.approx(0.5)
    spend(conversation, 0.25)
    assert second.spent == pytest.approx(0.75)
    assert second.leave(MAIN, "finished").cost_usd == pytest.approx(0.75)


def test_a_view_survives_the_file(tmp_path: Path) -> None:
    view = RoleView(
        key="task_1/task_2",
        role="tester",
        label="look, näher",
        model="openai/cheap",
        state="limit",
        seconds=1.5,
        started=1000.0,
        usage=(Usage("openai/cheap", 1, 10, 1, 2, 0.25, priced=True),),
    )
    write_views(tmp_path, [view])
    assert read_views(tmp_path) == [view]


def test_without_a_directory_nothing_is_written(join: Any, tmp_path: Path) -> None:
    fleet = Fleet()
    join(fleet)
    fleet.leave(MAIN, "finished")
    assert list(tmp_path.rglob(FILE)) == []
    assert read_views(tmp_path) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"roles": [{}]}', '{"roles": [7]}'])
def test_an_account_that_is_not_ours_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(RunError) as caught:
        Fleet(directory=tmp_path)
    assert caught.value.code == "fleet_unreadable"
    assert FILE in caught.value.message


# Bounds


@pytest.mark.parametrize(
    ("fleet_budget", "own_budget", "reason"),
    [(None, 0.5, "budget"), (0.5, None, "fleet_budget"), (0.5, 0.5, "fleet_budget")],
)
def test_a_conversation_is_paused_when_a_bound_is_reached(
    join: Any, fleet_budget: float | None, own_budget: float | None, reason: str
) -> None:
    fleet = Fleet(budget=fleet_budget)
    one = join(fleet, "task_1", "sidekick", budget=own_budget)
    observe = fleet.observer("task_1")
    spend(one, 0.4)
    observe(message())
    assert (fleet.reason("task_1"), status(one)) == (None, "idle")
    spend(one, 0.1)
    observe(message())
    assert (fleet.reason("task_1"), status(one)) == (reason, "paused")


def test_a_budget_is_for_this_run_not_for_what_was_spent_before(
    join: Any, make_conversation: Any
) -> None:
    fleet = Fleet()
    conversation = make_conversation()
    spend(conversation, 5.0)
    view = RoleView("task_1", "sidekick")
    fleet.enter(view, conversation, budget=0.5, prices=PRICED)
    spend(conversation, 0.4)
    fleet.observer("task_1")(message())
    assert fleet.reason("task_1") is None
    spend(conversation, 0.2)
    fleet.observer("task_1")(message())
    assert fleet.reason("task_1") == "budget"


def test_one_sidekick_can_spend_the_budget_of_all(join: Any) -> None:
    fleet = Fleet(budget=1.0)
    main, one = join(fleet), join(fleet, "task_1", "sidekick")
    spend(one, 1.0)
    fleet.observer(MAIN)(message())
    assert (fleet.reason(MAIN), status(main)) == ("fleet_budget", "paused")
    assert status(one) == "idle"


def test_the_users_own_words_stop_nobody(join: Any) -> None:
    fleet = Fleet(budget=0.1)
    main = join(fleet)
    spend(main, 1.0)
    fleet.observer(MAIN)(message(source="user"))
    assert status(main) == "idle"


def test_without_bounds_nothing_is_paused(join: Any) -> None:
    fleet = Fleet()
    main = join(fleet)
    spend(main, 1e6)
    fleet.observer(MAIN)(message())
    assert not fleet.over_budget
    assert (fleet.reason(MAIN), status(main)) == (None, "idle")


def test_an_event_of_a_conversation_that_has_left_is_no_mistake(join: Any) -> None:
    fleet = Fleet(budget=0.1)
    main = join(fleet)
    spend(main, 1.0)
    fleet.leave(MAIN, "finished")
    fleet.observer(MAIN)(message())
    fleet.observer("never_entered")(message())
    assert status(main) == "idle"


# Stopping


def test_a_stop_pauses_everybody_at_the_next_event(join: Any) -> None:
    fleet = Fleet()
    main, one = join(fleet), join(fleet, "task_1", "sidekick")
    stopper = threading.Thread(target=fleet.stop)
    stopper.start()
    stopper.join(10)
    assert fleet.stopping
    for key, conversation in ((MAIN, main), ("task_1", one)):
        fleet.observer(key)(message())
        assert (fleet.reason(key), status(conversation)) == ("stop", "paused")


def test_the_conversations_that_are_open(join: Any) -> None:
    fleet = Fleet()
    main, one = join(fleet), join(fleet, "task_1", "sidekick")
    assert fleet.conversations() == [main, one]
    fleet.leave("task_1", "completed")
    assert fleet.conversations() == [main]


# What is shown


def test_main_is_first_and_the_others_in_the_order_of_their_start(tmp_path: Path) -> None:
    views = [
        RoleView("task_2", "b", started=20.0),
        RoleView("task_1", "a", started=30.0),
        RoleView(MAIN, "main", started=40.0),
    ]
    write_views(tmp_path, views)
    assert [view.key for view in Fleet(directory=tmp_path).views()] == [MAIN, "task_2", "task_1"]


def test_a_view_has_tokens_by_model_while_it_works(join: Any) -> None:
    fleet = Fleet()
    one = join(fleet, "task_1", "sidekick", label="look")
    one.agent.llm.metrics.add_token_usage(
        prompt_tokens=100,
        completion_tokens=10,
        cache_read_tokens=40,
        cache_write_tokens=0,
        context_window=1000,
        response_id="r1",
    )
    spend(one, 0.25)
    view = fleet.views()[0]
    assert (view.role, view.label, view.state) == ("sidekick", "look", "working")
    assert view.usage == (Usage("openai/main", 1, 100, 10, 40, 0.25, priced=True),)


def action(**arguments: Any) -> Any:
    from openhands.sdk.event import ActionEvent
    from openhands.sdk.llm import MessageToolCall
    from openhands.tools.terminal.definition import TerminalAction

    return ActionEvent(
        thought=[],
        action=TerminalAction(**arguments),
        tool_name="terminal",
        tool_call_id="c1",
        tool_call=MessageToolCall(id="c1", name="terminal", arguments="{}", origin="completion"),
        llm_response_id="r1",
    )


def test_what_a_role_does_now_on_one_short_line(join: Any) -> None:
    fleet = Fleet()
    join(fleet)
    observe = fleet.observer(MAIN)

    def shown() -> str:
        return fleet.views()[0].activity

    observe(action(command="ls -la\nmake test"))
    assert shown() == "terminal ls -la make test"
    observe(action(command="x" * 5000))
    assert len(shown()) == 200
    observe(message())
    assert shown() == "answering"
    # What says nothing new leaves the line as it is.
    observe(message(source="user"))
    assert shown() == "answering"
    assert fleet.leave(MAIN, "finished").activity == ""


def test_many_conversations_report_at_once(join: Any) -> None:
    fleet = Fleet()
    keys = [f"task_{number}" for number in range(4)]
    conversations = [join(fleet, key, "sidekick") for key in keys]
    barrier = threading.Barrier(len(keys))

    def work(key: str, conversation: Any) -> None:
        observe = fleet.observer(key)
        barrier.wait()
        for _ in range(50):
            spend(conversation, 0.01)
            observe(message())
            fleet.views()
        fleet.leave(key, "completed")

    threads = [
        threading.Thread(target=work, args=pair) for pair in zip(keys, conversations, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [view.state for view in fleet.views()] == ["completed"] * 4
    assert fleet.spent == pytest.approx(2.0)
