"""Class and tool names of the SDK that matter when reading a strategy.

Read from `DiscriminatedUnionMixin.__subclasses__()` (openhands/sdk/utils/models.py),
transitively, with every module of openhands.sdk and openhands.tools imported, on 1.21.0
and 1.58.0. A contract test compares these tables with the installed SDK.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_FAMILIES: Final = {
    "AgentBase": "ACPAgent Agent",
    "BaseWorkspace": "LocalWorkspace RemoteWorkspace",
    "CondenserBase": "LLMSummarizingCondenser NoOpCondenser PipelinableCondenserBase"
    " PipelineCondenser RollingCondenser",
    "ConfirmationPolicyBase": "AlwaysConfirm ConfirmRisky NeverConfirm",
    "CriticBase": "APIBasedCritic AgentFinishedCritic EmptyPatchCritic PassCritic",
    "Event": "ACPToolCallEvent ActionEvent AgentErrorEvent Condensation CondensationRequest"
    " CondensationSummaryEvent ConversationErrorEvent ConversationStateUpdateEvent"
    " HookExecutionEvent InterruptEvent LLMCompletionLogEvent LLMConvertibleEvent MessageEvent"
    " ObservationBaseEvent ObservationEvent PauseEvent SecurityAnalysisEvent"
    " StreamingDeltaEvent SystemPromptEvent TokenEvent UserRejectObservation",
    "Schema": "Action ApplyPatchAction ApplyPatchObservation AskOracleAction"
    " AskOracleObservation BrowserAction BrowserClickAction BrowserCloseTabAction"
    " BrowserGetContentAction BrowserGetStateAction BrowserGetStorageAction"
    " BrowserGoBackAction BrowserListTabsAction BrowserNavigateAction BrowserObservation"
    " BrowserScrollAction BrowserSetStorageAction BrowserStartRecordingAction"
    " BrowserStopRecordingAction BrowserSwitchTabAction BrowserTypeAction"
    " ClassifyAndSwitchLLMAction ClassifyAndSwitchLLMObservation ClientToolObservation"
    " ConsultTomAction ConsultTomObservation DelegateAction DelegateObservation EditAction"
    " EditObservation FileChangeObservation FileEditorAction FileEditorObservation"
    " FinishAction FinishObservation GlobAction GlobObservation GrepAction GrepObservation"
    " InvokeSkillAction InvokeSkillObservation ListDirectoryAction ListDirectoryObservation"
    " MCPToolAction MCPToolObservation Observation PlanningFileEditorAction"
    " PlanningFileEditorObservation ReadFileAction ReadFileObservation"
    " SleeptimeComputeAction SleeptimeComputeObservation StartChildConversationAction"
    " StartChildConversationObservation SwitchLLMAction SwitchLLMObservation TaskAction"
    " TaskObservation TaskTrackerAction TaskTrackerObservation TerminalAction"
    " TerminalObservation ThinkAction ThinkObservation VisionInspectAction"
    " VisionInspectObservation WorkflowAction WorkflowObservation WriteFileAction"
    " WriteFileObservation",
    "SecretSource": "LookupSecret StaticSecret",
    "SecurityAnalyzerBase": "EnsembleSecurityAnalyzer GraySwanAnalyzer LLMSecurityAnalyzer"
    " PatternSecurityAnalyzer PolicyRailSecurityAnalyzer ToolShieldLLMSecurityAnalyzer",
    "ToolDefinition": "ApplyPatchTool AskOracleTool BrowserClickTool BrowserCloseTabTool"
    " BrowserGetContentTool BrowserGetStateTool BrowserGetStorageTool BrowserGoBackTool"
    " BrowserListTabsTool BrowserNavigateTool BrowserScrollTool BrowserSetStorageTool"
    " BrowserStartRecordingTool BrowserStopRecordingTool BrowserSwitchTabTool"
    " BrowserToolSet BrowserTypeTool ClassifyAndSwitchLLMTool ClientTool DelegateTool"
    " EditTool FileEditorTool FinishTool GlobTool GrepTool InvokeSkillTool"
    " ListDirectoryTool MCPToolDefinition PlanningFileEditorTool ReadFileTool"
    " SleeptimeComputeTool StartChildConversationTool SwitchLLMTool TaskTool TaskToolSet"
    " TaskTrackerTool TerminalTool ThinkTool TomConsultTool VisionInspectTool WorkflowTool"
    " WorkflowToolSet WriteFileTool",
}

_NAMED_OTHERWISE: Final = {
    "ClassifyAndSwitchLLMTool": "route_task_to_model",
    "VisionInspectTool": "inspect_image_with_vision",
}
_NAMELESS_TOOLS: Final = frozenset({"ClientTool", "MCPToolDefinition"})


def _family_of() -> dict[str, str]:
    table = {base: base for base in _FAMILIES}
    for base, members in _FAMILIES.items():
        table.update(dict.fromkeys(members.split(), base))
    return table


FAMILY_OF: Final[Mapping[str, str]] = MappingProxyType(_family_of())
"""SDK class to the base class within whose subclasses names must differ."""


def tool_name(class_name: str) -> str:
    """The name that the SDK gives a tool class without a `name` of its own."""
    if class_name in _NAMED_OTHERWISE:
        return _NAMED_OTHERWISE[class_name]
    words = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", class_name)
    return re.sub("([a-z0-9])([A-Z])", r"\1_\2", words).lower().removesuffix("_tool")


def sdk_tool_name(class_name: str) -> str | None:
    """The tool name of one of the SDK's own tool classes; None for any other class."""
    known = FAMILY_OF.get(class_name) == "ToolDefinition" and class_name not in _NAMELESS_TOOLS
    return tool_name(class_name) if known and class_name != "ToolDefinition" else None
