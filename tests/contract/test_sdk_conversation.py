"""LocalConversation: what we pass to it, read of it, and do to it from inside a run."""

from __future__ import annotations

import inspect
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from openhands_strategies.testing import Turn, call, finish, in_order, say

pytestmark = pytest.mark.contract

OURS = {
    "agent",
    "workspace",
    "persistence_dir",
    "conversation_id",
    "callbacks",
    "hook_config",
    "max_iteration_per_run",
    "visualizer",
    "delete_on_close",
    "tags",
}
NEWER = {
    "_parent_llm_call_context",
    "_mcp_config_from_parent",
    "mcp_tool_provider",
    "prompt_cache_key",
    "observability_metadata",
    "observability_tags",
}


def local_conversation() -> Any:
    from openhands.sdk.conversation.impl.local_conversation import LocalConversation

    return LocalConversation


def status(conversation: Any) -> str:
    return str(conversation.state.execution_status.value)


def go(conversation: Any, message: str | None = "go") -> Any:
    if message is not None:
        conversation.send_message(message)
    conversation.run()
    return conversation


# Construction


def test_the_constructor_knows_every_argument_that_we_pass() -> None:
    # It swallows unknown ones (`**_`): a renamed argument would be lost in silence.
    parameters = inspect.signature(local_conversation().__init__).parameters
    assert set(parameters) >= OURS
    assert any(one.kind is one.VAR_KEYWORD for one in parameters.values())


def test_what_newer_versions_hand_down_is_there_all_at_once_or_not_at_all() -> None:
    # spawn.py asks for `get_llm_call_context` and then uses all of it.
    parameters = set(inspect.signature(local_conversation().__init__).parameters)
    if hasattr(local_conversation(), "get_llm_call_context"):
        assert parameters >= NEWER
        from openhands.sdk.observability.laminar import detached_delegate_context
        from openhands.sdk.subagent.scope import inherit_mcp_config

        with detached_delegate_context() as link:
            assert isinstance(dict(link), dict)
        assert len(inspect.signature(inherit_mcp_config).parameters) == 2
    else:
        assert not parameters & (NEWER - {"observability_metadata", "observability_tags"})


def test_a_parents_handed_down_parts_can_be_read(converse: Any) -> None:
    conversation = converse(say("hi"))
    if hasattr(conversation, "get_llm_call_context"):
        conversation.get_llm_call_context()
        assert hasattr(conversation, "_mcp_tool_provider")


def test_initialising_is_separate_and_repeatable(converse: Any) -> None:
    # fleet.enter needs restored metrics before the first message is sent.
    conversation = converse(lambda turn: finish("done"))
    conversation._ensure_agent_ready()
    conversation._ensure_agent_ready()
    go(conversation)
    assert status(conversation) == "finished"


def test_the_visualizer_of_a_parent_can_make_one_for_a_child(converse: Any) -> None:
    # open_conversation gives a sub-agent its parent's kind of visualizer, or none.
    from openhands.sdk.conversation.visualizer import ConversationVisualizerBase

    class Silent(ConversationVisualizerBase):
        def __init__(self) -> None:
            super().__init__()

        def on_event(self, event: Any) -> None: ...

        def create_sub_visualizer(self, agent_id: str) -> Any:
            return Silent()

    visualizer = Silent()
    conversation = converse(lambda turn: say("hi"), visualizer=visualizer)
    assert conversation._visualizer is visualizer
    assert converse(lambda turn: say("hi"))._visualizer is None
    assert hasattr(ConversationVisualizerBase, "create_sub_visualizer")


def test_attributes_of_our_own_stay_on_the_object(converse: Any) -> None:
    # attachment.py keeps the run's fleet there; a tool is given this very object.
    conversation = converse(lambda turn: say("hi"))
    conversation.__dict__["_openhands_strategies"] = 7
    assert conversation.__dict__["_openhands_strategies"] == 7
    assert "_openhands_strategies" not in conversation.state.model_dump_json()


# Persistence


def test_the_directory_is_the_base_and_the_ids_hex(converse: Any, tmp_path: Path) -> None:
    # run.json, tasks.json and the sub-agents' conversations are put beside these files.
    number = uuid4()
    conversation = converse(
        lambda turn: finish("done"), persistence_dir=tmp_path / "p", conversation_id=number
    )
    go(conversation)
    expected = tmp_path / "p" / number.hex
    assert Path(conversation.state.persistence_dir) == expected
    assert (expected / "base_state.json").is_file()
    conversation.close()
    assert (expected / "base_state.json").is_file()


def test_without_a_directory_there_is_none(converse: Any) -> None:
    # The task tool then keeps its files in a temporary directory.
    assert converse(lambda turn: say("hi")).state.persistence_dir is None


def test_a_resumed_conversation_knows_what_it_had_spent_and_goes_on(
    converse: Any, tmp_path: Path
) -> None:
    # Budgets hold over processes only because initialising restores the metrics.
    script = in_order([call("think", thought="a"), finish("one"), finish("two")])
    place = {"persistence_dir": tmp_path / "p", "conversation_id": UUID(int=7)}
    first = go(converse(script, **place))
    spent = first.conversation_stats.usage_to_metrics["main"].accumulated_cost
    assert spent > 0
    model = first.served_by
    first.close()
    second = converse(model=model, **place)
    second._ensure_agent_ready()
    restored = second.conversation_stats.usage_to_metrics["main"]
    assert restored.accumulated_cost == pytest.approx(spent)
    assert len(restored.token_usages) == 2
    # The LLM counts on in the same account.
    go(second)
    assert second.conversation_stats.usage_to_metrics["main"].accumulated_cost == pytest.approx(
        model.total_cost()
    )


def test_resuming_takes_the_limits_that_are_given_now(converse: Any, tmp_path: Path) -> None:
    place = {"persistence_dir": tmp_path / "p", "conversation_id": UUID(int=7)}
    script = in_order([finish("one"), finish("two")])
    first = go(converse(script, max_iteration_per_run=3, **place))
    first.close()
    second = converse(model=first.served_by, max_iteration_per_run=5, **place)
    second._ensure_agent_ready()
    assert second.max_iteration_per_run == 5


def test_an_action_without_a_result_is_executed_again_on_resume(
    converse: Any, tmp_path: Path
) -> None:
    # A killed run's `task` call comes again: take_interrupted recognises it by its prompt.
    from openhands.sdk.conversation.state import ConversationState

    base, copy, log = tmp_path / "p", tmp_path / "copy", tmp_path / "log"
    # The files as they are in the middle of the call, which is what a killed process leaves.
    command = f"echo ran >> {log}; test -d {copy} || cp -r {base} {copy}"
    script = in_order([call("terminal", command=command), finish("done")])
    number = UUID(int=7)
    first = go(converse(script, terminal=True, persistence_dir=base, conversation_id=number))
    assert log.read_text() == "ran\n"
    second = converse(
        model=first.served_by, terminal=True, persistence_dir=copy, conversation_id=number
    )
    pending = ConversationState.get_unmatched_actions(second.state.events)
    assert [getattr(action.action, "command", None) for action in pending] == [command]
    go(second, None)
    assert log.read_text() == "ran\nran\n"
    assert status(second) == "finished"
    shutil.rmtree(copy)


# Accounts


def test_accounts_are_kept_by_usage_id_and_added_up(converse: Any) -> None:
    # delegation.py puts a sub-agent's total beside them as `task:<id>`.
    conversation = go(converse(lambda turn: finish("done")))
    stats = conversation.conversation_stats
    assert set(stats.usage_to_metrics) == {"main"}
    own = stats.usage_to_metrics["main"].accumulated_cost
    assert own == pytest.approx(conversation.served_by.total_cost())
    below = stats.usage_to_metrics["main"].deep_copy()
    stats.usage_to_metrics["task:task_00000001"] = below
    assert stats.get_combined_metrics().accumulated_cost == pytest.approx(2 * own)


def test_the_users_price_is_charged_for_cached_tokens_too(converse: Any) -> None:
    # known_price leaves `cached` out for an LLM that has prices of its own.
    script = in_order([call("think", thought="a"), finish("done")])
    conversation = go(converse(script))
    served = conversation.served_by.served
    assert served[1].cached_tokens > 0
    metrics = conversation.conversation_stats.usage_to_metrics["main"]
    expected = sum(one.input_tokens * 10e-6 + one.output_tokens * 40e-6 for one in served)
    assert metrics.accumulated_cost == pytest.approx(expected)


# From inside a run


def test_a_pause_from_an_event_callback_ends_the_loop_and_run_goes_on(converse: Any) -> None:
    # The fleet pauses a conversation in its own thread, while it holds its state's lock.
    from openhands.sdk.event import ActionEvent

    seen: list[Any] = []

    def pause_once(event: Any) -> None:
        if isinstance(event, ActionEvent) and not seen:
            seen.append(event)
            conversation.pause()

    script = in_order([call("think", thought="a"), finish("done")])
    conversation = converse(script, callbacks=[pause_once])
    go(conversation)
    assert status(conversation) == "paused"
    assert len(conversation.served_by.served) == 1
    go(conversation, None)
    assert status(conversation) == "finished"
    assert len(conversation.served_by.served) == 2


def test_a_cost_is_in_the_account_before_the_event_of_its_answer(converse: Any) -> None:
    # Budgets are checked when the agent's event arrives.
    from openhands.sdk.event import ActionEvent

    costs: list[float] = []

    def note(event: Any) -> None:
        if isinstance(event, ActionEvent):
            metrics = conversation.conversation_stats.usage_to_metrics["main"]
            costs.append(metrics.accumulated_cost)

    conversation = converse(lambda turn: finish("done"), callbacks=[note])
    go(conversation)
    assert costs == [pytest.approx(conversation.served_by.total_cost())]


def test_a_finish_after_a_pause_counts_as_finished(converse: Any) -> None:
    # A budget that the last answer exceeds does not take the answer away.
    from openhands.sdk.event import ActionEvent

    def pause(event: Any) -> None:
        if isinstance(event, ActionEvent):
            conversation.pause()

    conversation = converse(lambda turn: finish("done"), callbacks=[pause])
    go(conversation)
    assert status(conversation) == "finished"


# Confirmation


def waiting(converse: Any, tmp_path: Path) -> Any:
    from openhands.sdk.security.confirmation_policy import AlwaysConfirm

    script = in_order([call("terminal", command="touch made"), finish("done"), finish("done")])
    conversation = converse(script, terminal=True)
    conversation.set_confirmation_policy(AlwaysConfirm())
    go(conversation)
    assert status(conversation) == "waiting_for_confirmation"
    assert not (tmp_path / "ws/made").exists()
    return conversation


def test_running_what_waits_is_a_yes(converse: Any, tmp_path: Path) -> None:
    # run_until_done asks before it runs a conversation that waits.
    conversation = waiting(converse, tmp_path)
    go(conversation, None)
    assert (tmp_path / "ws/made").exists()


def test_a_rejection_reaches_the_model_with_its_reason(converse: Any, tmp_path: Path) -> None:
    from openhands.sdk.conversation.state import ConversationState

    conversation = waiting(converse, tmp_path)
    pending = ConversationState.get_unmatched_actions(conversation.state.events)
    assert [one.tool_name for one in pending] == ["terminal"]
    conversation.reject_pending_actions("nobody can confirm")
    assert ConversationState.get_unmatched_actions(conversation.state.events) == []
    go(conversation, None)
    assert "nobody can confirm" in str(conversation.served_by.served[-1].messages[-1]["content"])
    assert not (tmp_path / "ws/made").exists()


def test_policy_and_analyzer_can_be_read_and_handed_on(converse: Any) -> None:
    # open_conversation copies both from the parent.
    from openhands.sdk.security.confirmation_policy import ConfirmRisky, NeverConfirm
    from openhands.sdk.security.llm_analyzer import LLMSecurityAnalyzer

    conversation = converse(lambda turn: say("hi"))
    assert isinstance(conversation.state.confirmation_policy, NeverConfirm)
    conversation.set_security_analyzer(LLMSecurityAnalyzer())
    conversation.set_confirmation_policy(ConfirmRisky())
    assert isinstance(conversation.state.confirmation_policy, ConfirmRisky)
    assert isinstance(conversation.state.security_analyzer, LLMSecurityAnalyzer)
    conversation.set_security_analyzer(None)


# Endings


def test_the_iteration_limit_is_an_error_with_this_code(converse: Any) -> None:
    # ending_of tells a limit from a failure by the code of the last such event.
    def endless(turn: Turn) -> Any:
        return call("think", thought=f"step {turn.replies}")

    conversation = go(converse(endless, max_iteration_per_run=2))
    assert status(conversation) == "error"
    assert len(conversation.served_by.served) == 2
    last = [e for e in conversation.state.events if type(e).__name__ == "ConversationErrorEvent"]
    assert last[-1].code == "MaxIterationsReached"
    assert "2" in last[-1].detail


def test_the_last_words_are_those_of_the_finish_tool_or_of_a_message(converse: Any) -> None:
    from openhands.sdk.conversation.response_utils import get_agent_final_response

    finished = go(converse(lambda turn: finish("All done.")))
    said = go(converse(lambda turn: say("That is all.")))
    assert get_agent_final_response(list(finished.state.events)) == "All done."
    assert get_agent_final_response(list(said.state.events)) == "That is all."
    assert [status(one) for one in (finished, said)] == ["finished", "finished"]


def test_a_failing_model_raises_with_the_cause_inside(converse: Any, serve: Any) -> None:
    # run.py and delegation.py look at `original_exception` and at its type's name.
    refusing = serve(lambda turn: say("hi"), api_key="another-key")
    conversation = converse(model=refusing)
    conversation.send_message("go")
    with pytest.raises(RuntimeError) as caught:
        conversation.run()
    cause = getattr(caught.value, "original_exception", caught.value)
    # 1.21 passes litellm's error on as it is.
    assert type(cause).__name__ in ("LLMAuthenticationError", "AuthenticationError")


def test_a_model_that_cannot_be_reached_has_its_own_error(converse: Any, serve: Any) -> None:
    model = serve(lambda turn: say("hi"))
    conversation = converse(model=model, llm={"base_url": "http://127.0.0.1:9/v1"})
    conversation.send_message("go")
    with pytest.raises(RuntimeError) as caught:
        conversation.run()
    cause = getattr(caught.value, "original_exception", caught.value)
    name = type(cause).__name__
    assert name in ("LLMServiceUnavailableError", "LLMTimeoutError") or "Connection" in name


# Tags and messages


def test_tags_are_given_at_the_start_and_persisted(converse: Any, tmp_path: Path) -> None:
    conversation = converse(
        lambda turn: say("hi"), tags={"strategy": "fusion"}, persistence_dir=tmp_path / "p"
    )
    assert conversation.state.tags == {"strategy": "fusion"}
    with pytest.raises(ValueError, match="tag"):
        converse(lambda turn: say("hi"), tags={"Not-Allowed": "x"})


def test_a_message_may_name_its_sender(converse: Any) -> None:
    from openhands.sdk.event import MessageEvent

    conversation = converse(lambda turn: finish("done"))
    conversation.send_message("go", sender="main")
    users = [
        event
        for event in conversation.state.events
        if isinstance(event, MessageEvent) and event.source == "user"
    ]
    assert [event.sender for event in users] == ["main"]
