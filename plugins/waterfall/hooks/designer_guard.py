"""PreToolUse hook for `file_editor`: lets only `view` through.

Reads the SDK's hook event as JSON on standard input; exit code 2 refuses the action, and
standard error tells the model why. Runs with any Python >= 3.8 and the standard library
only.
"""

from __future__ import annotations

import json
import sys


def main() -> int:
    """Judge one hook event; 0 allows, 2 refuses."""
    event = json.load(sys.stdin)
    command = (event.get("tool_input") or {}).get("command")
    if command == "view":
        return 0
    print(
        f"The designer may not edit, and {command!r} edits. Write what should be changed into"
        " your last message instead.",
        file=sys.stderr,
    )
    return 2


if __name__ == "__main__":
    sys.exit(main())
