"""A scripted model, a recorder and a sample repository, for demos and for tests of strategies.

Needs the standard library only: importing it never imports the SDK.
"""

from __future__ import annotations

from openhands_strategies.testing.demo_script import (
    DEMO_LATENCY,
    DEMO_PRICES,
    DEMO_TASK,
    MAIN_MODEL,
    SIDEKICK_MODEL,
    demo_script,
)
from openhands_strategies.testing.ledger import Served, Usage
from openhands_strategies.testing.recording import Recorder, record
from openhands_strategies.testing.replay_file import ReplayError
from openhands_strategies.testing.replaying import Replay, ReplayMismatch, replay
from openhands_strategies.testing.replies import (
    Call,
    Drop,
    Fault,
    HttpError,
    Malformed,
    Reply,
    ScriptError,
    Stall,
)
from openhands_strategies.testing.sample_repository import TestRun, copy_sample, run_sample_tests
from openhands_strategies.testing.scripted_model import ScriptedModel
from openhands_strategies.testing.scripts import (
    Script,
    Step,
    by_model,
    call,
    delayed,
    failing,
    finish,
    in_order,
    play,
    say,
)
from openhands_strategies.testing.tokens import Price, count_tokens
from openhands_strategies.testing.turns import ToolResult, Turn

__all__ = [
    "DEMO_LATENCY",
    "DEMO_PRICES",
    "DEMO_TASK",
    "MAIN_MODEL",
    "SIDEKICK_MODEL",
    "Call",
    "Drop",
    "Fault",
    "HttpError",
    "Malformed",
    "Price",
    "Recorder",
    "Replay",
    "ReplayError",
    "ReplayMismatch",
    "Reply",
    "Script",
    "ScriptError",
    "ScriptedModel",
    "Served",
    "Stall",
    "Step",
    "TestRun",
    "ToolResult",
    "Turn",
    "Usage",
    "by_model",
    "call",
    "copy_sample",
    "count_tokens",
    "delayed",
    "demo_script",
    "failing",
    "finish",
    "in_order",
    "play",
    "record",
    "replay",
    "run_sample_tests",
    "say",
]
