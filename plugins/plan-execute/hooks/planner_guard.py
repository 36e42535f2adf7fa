"""PreToolUse hook for every tool: lets only those through that look, not those that edit.

Reads the SDK's hook event as JSON on standard input; exit code 2 refuses the action, and
standard error tells the model why. Runs with any Python >= 3.8 and the standard library
only.
"""

from __future__ import annotations

import json
import sys

# Tools that change nothing in the workspace. Whoever `task` starts has this hook too.
LOOKING = frozenset(["finish", "glob", "grep", "invoke_skill", "task", "task_tracker", "think"])


def main() -> int:
    """Judge one hook event; 0 allows, 2 refuses."""
    event = json.load(sys.stdin)
    tool = event.get("tool_name")
    command = (event.get("tool_input") or {}).get("command")
    if tool in LOOKING or (tool == "file_editor" and command == "view"):
        return 0
    what = f"{command!r} edits" if tool == "file_editor" else f"{tool!r} might"
    print(
        f"The planner may not edit, and {what}. Write what should be changed into your last"
        " message instead.",
        file=sys.stderr,
    )
    return 2


if __name__ == "__main__":
    sys.exit(main())
