"""Run one or two tests of each feature on several SDKs, and write the table of the results.

`make sdk-matrix` makes the environments and gives the Python of each; each has the packages,
one SDK, and the test dependencies. Results of environments that have the same SDK are put
together.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "openhands-cli.md"
BEGIN, END = "<!-- sdk matrix -->\n", "<!-- end -->\n"

FEATURES = {
    "a strategy's own sub-agents, seen by nobody else": [
        "e2e/test_scoping.py::test_two_builds_in_one_process_keep_their_own_models",
        "e2e/test_scoping.py::test_a_model_sees_and_reaches_only_its_own_sub_agents",
    ],
    "RFC-style files": ["e2e/test_scoping.py::test_two_rfc_files_may_both_register_coder"],
    "limits of steps": [
        "e2e/test_limits.py::test_a_step_limit_is_told_to_the_parent_and_holds_on_resume",
        "e2e/test_limits.py::test_the_main_agents_steps_are_limited",
    ],
    "budgets of sub-agents and of all": [
        "e2e/test_limits.py::test_a_budget_of_a_sub_agent_holds_on_every_sdk",
        "e2e/test_limits.py::test_the_fleet_budget_stops_sub_agents_and_the_main_agent",
    ],
    "hooks, also for sub-agents": [
        "e2e/test_safety.py::test_a_plugins_hooks_stop_main_agent_and_sub_agents"
    ],
    "confirmation, also for sub-agents": [
        "e2e/test_safety.py::test_every_role_is_asked",
        "e2e/test_safety.py::test_risky_asks_only_about_what_the_model_calls_risky",
    ],
    "skills and MCP servers of a plugin directory": [
        "e2e/test_plugin_directories.py::test_an_mcp_server_runs",
        "e2e/test_plugin_directories.py::test_a_trigger_in_what_the_user_says_brings_the_skill",
    ],
    "worktrees of sub-agents": [
        "e2e/test_best_of_n.py::test_the_attempt_that_passes_is_applied_and_nothing_else_changes",
        "e2e/test_best_of_n.py::test_a_resumed_attempt_finds_its_changes_and_works_on",
    ],
    "saved LLM profiles": [
        "runtime/test_llms.py::test_a_profile_brings_its_own_key_and_url",
        "runtime/test_llms.py::test_a_profile_that_there_is_not_lists_those_there_are",
    ],
    "sub-agents at the same time": [
        "e2e/test_limits.py::test_parallelism_is_what_the_strategy_says"
    ],
    "compositions": [
        "e2e/test_pipelines.py::test_phases_work_in_turn_and_hand_their_results_on",
        "e2e/test_layers_and_teams.py::test_a_member_of_a_team_is_a_whole_strategy",
    ],
    "a sub-agent's task resumed in a later run": [
        "e2e/test_tasks.py::test_a_task_is_resumed_in_a_later_run_with_its_context"
    ],
    "killed, and resumed by `ohs run --resume`": [
        "e2e/test_kill_and_resume.py::test_kill_9_while_a_sub_agent_works"
    ],
    "`ohs openhands`: terminal, headless, JSON, ACP, resume": [
        "openhands_cli/test_terminal.py::test_every_action_of_every_agent_is_confirmed",
        "openhands_cli/test_headless.py::test_fusion",
        "openhands_cli/test_acp.py::test_hooks_fire_and_sub_agents_ask_the_editor",
        "openhands_cli/test_resume.py::test_kill_9_while_a_sub_agent_works",
    ],
}


def sdk_of(python: str) -> str:
    code = "from importlib.metadata import version; print(version('openhands-sdk'))"
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def run(python: str) -> dict[str, str]:
    """Test file and function to `passed`, `skipped` or `failed`."""
    ids = [f"tests/{one}" for tests in FEATURES.values() for one in tests]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        subprocess.run(
            [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *ids],
            cwd=ROOT,
            env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
            check=False,
        )
        tree = ET.parse(report)  # noqa: S314 - pytest wrote it just now
    found: dict[str, str] = {}
    for case in tree.iter("testcase"):
        name = str(case.get("name")).partition("[")[0]
        key = f"{str(case.get('classname')).removeprefix('tests.').replace('.', '/')}.py::{name}"
        kinds = {child.tag for child in case}
        state = "failed" if kinds & {"failure", "error"} else "passed"
        state = "skipped" if "skipped" in kinds else state
        # All parameters of a test must pass.
        found[key] = state if found.get(key, "passed") == "passed" else found[key]
    return found


def cell(tests: list[str], results: list[dict[str, str]]) -> str:
    """`yes`, `no`, or nothing where no environment of this SDK could run it."""
    states = [[result.get(test, "failed") for test in tests] for result in results]
    ran = [one for one in states if "skipped" not in one]
    if not ran:
        return "-"
    return "yes" if all(state == "passed" for one in ran for state in one) else "**no**"


def main() -> None:
    """Write the table into the page, between its marks."""
    results: dict[str, list[dict[str, str]]] = {}
    for python in sys.argv[1:]:
        results.setdefault(sdk_of(python), []).append(run(python))
    sdks = sorted(results, key=lambda text: [int(part) for part in text.split(".")])
    lines = [f"| | {' | '.join(f'SDK {sdk}' for sdk in sdks)} |", "|---" * (len(sdks) + 1) + "|"]
    for feature, tests in FEATURES.items():
        cells = [cell(tests, results[sdk]) for sdk in sdks]
        lines.append(f"| {feature} | {' | '.join(cells)} |")
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(before + BEGIN + "\n" + "\n".join(lines) + "\n\n" + END + after)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
