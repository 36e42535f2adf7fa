"""Names of SDK subclasses: compared under each base, over the whole process."""

from __future__ import annotations

import pytest

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest import SdkClass
from openhands_strategies.runtime.sdk_classes import check_class_names


def declared(name: str, base: str) -> SdkClass:
    return SdkClass(name, (base,), 7, "critics.py")


def test_new_names_pass() -> None:
    check_class_names([], "x")
    check_class_names([declared("NobodyHasThisCritic", "CriticBase")], "x")


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("PassCritic", "CriticBase"),
        ("FinishTool", "ToolDefinition"),
        ("FinishAction", "Schema"),
        ("LLMSummarizingCondenser", "CondenserBase"),
        ("Agent", "AgentBase"),
    ],
)
def test_a_name_of_the_sdk_is_taken(name: str, base: str) -> None:
    import openhands.sdk.critic  # noqa: F401  (only what is imported is there)

    with pytest.raises(LoadError) as caught:
        check_class_names([declared(name, base)], "strategy 'x' (./x)")
    assert caught.value.code == "class_name_taken"
    assert caught.value.message.startswith(f"strategy 'x' (./x): critics.py:7 defines {name}")
    assert "openhands" in caught.value.message
    assert "rename" in caught.value.hint


def test_a_critic_may_be_called_as_a_tool_is() -> None:
    check_class_names([declared("FinishTool", "CriticBase")], "x")
