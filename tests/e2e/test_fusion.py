"""Fusion on the sample repository: real tools, real HTTP, a scripted model."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openhands_strategies.project.home import find_home
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.runtime.llms import main_llm
from openhands_strategies.runtime.loader import load
from openhands_strategies.runtime.prepare import Settings, prepare
from openhands_strategies.runtime.report import Report
from openhands_strategies.runtime.run import execute, new_run_file, open_run
from openhands_strategies.runtime.usage import Price
from openhands_strategies.testing import (
    DEMO_PRICES,
    DEMO_TASK,
    MAIN_MODEL,
    SIDEKICK_MODEL,
    ScriptedModel,
    copy_sample,
    demo_script,
    run_sample_tests,
)

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def demo(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Report, ScriptedModel, Path]]:
    workspace = copy_sample(tmp_path_factory.mktemp("demo") / "shop")
    prices = {f"openai/{name}": Price(p.input, p.output) for name, p in DEMO_PRICES.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OHS_HOME", str(tmp_path_factory.mktemp("home")))
        script = demo_script(workspace, sys.executable)
        with ScriptedModel(script, prices=DEMO_PRICES, latency=0.1) as model:
            home = find_home()
            llm = main_llm(model=f"openai/{MAIN_MODEL}", base_url=model.base_url, prices=prices)
            params = {"sidekick_model": f"openai/{SIDEKICK_MODEL}"}
            prepared = prepare(
                load(resolve("fusion"), home), llm, params, Settings(home=home, prices=prices)
            )
            run = open_run(prepared, new_run_file(prepared, workspace), home)
            yield execute(run, DEMO_TASK), model, workspace


def test_the_repository_is_mended(demo: tuple[Report, ScriptedModel, Path]) -> None:
    report, _, workspace = demo
    assert report.status == "finished"
    assert report.answer
    assert run_sample_tests(workspace, sys.executable).passed


def test_three_sidekicks_work_at_the_same_time(
    demo: tuple[Report, ScriptedModel, Path],
) -> None:
    _, model, _ = demo
    calls = [one for one in model.served if one.model == SIDEKICK_MODEL]
    prompts = {str(one.messages[1]["content"]) for one in calls}
    assert len(prompts) == 3
    firsts = [next(c for c in calls if str(c.messages[1]["content"]) == p) for p in prompts]
    lasts = [[c for c in calls if str(c.messages[1]["content"]) == p][-1] for p in prompts]
    spans = [(first.started, last.ended) for first, last in zip(firsts, lasts, strict=True)]
    for one, other in itertools.combinations(spans, 2):
        assert one[0] < other[1]
        assert other[0] < one[1]


def test_costs_are_what_the_server_counted(demo: tuple[Report, ScriptedModel, Path]) -> None:
    report, model, _ = demo
    assert report.cost_usd == pytest.approx(model.total_cost())
    for row in report.roles:
        name = row.model.removeprefix("openai/")
        served = [one for one in model.served if one.model == name]
        assert row.calls == len(served)
        assert row.input_tokens == sum(one.input_tokens for one in served)
        assert row.output_tokens == sum(one.output_tokens for one in served)
        assert row.cached_tokens == sum(one.cached_tokens for one in served)


def test_the_saving_is_computed_from_the_main_price(
    demo: tuple[Report, ScriptedModel, Path],
) -> None:
    report, _, _ = demo
    sidekick = next(row for row in report.roles if row.role == "sidekick")
    price = DEMO_PRICES[MAIN_MODEL]
    expected = (sidekick.input_tokens * price.input + sidekick.output_tokens * price.output) / 1e6
    assert sidekick.at_main_price_usd == pytest.approx(expected)
    assert sidekick.at_main_price_usd > sidekick.cost_usd


def test_models_receive_their_own_protocol_and_tools(
    demo: tuple[Report, ScriptedModel, Path],
) -> None:
    _, model, _ = demo
    main = next(one for one in model.served if one.model == MAIN_MODEL)
    sidekick = next(one for one in model.served if one.model == SIDEKICK_MODEL)
    system = str(main.messages[0]["content"])
    assert "Working with sidekicks" in system
    assert DEMO_TASK in str(main.messages[1]["content"])
    assert "in fusion style" in str(main.messages[1]["content"])
    assert set(main.tools) >= {"task", "terminal", "file_editor"}
    system = str(sidekick.messages[0]["content"])
    assert "You are a sidekick" in system
    assert "ESCALATE_TO_MAIN" in system
    # Trusted: not among the texts that the SDK marks as a stranger's.
    assert "UNTRUSTED" not in system.split("You are a sidekick")[0][-500:]
    assert "terminal" in sidekick.tools
    assert "task" not in sidekick.tools
    assert "file_editor" not in sidekick.tools


def test_the_escalation_reaches_the_main_model(
    demo: tuple[Report, ScriptedModel, Path],
) -> None:
    _, model, _ = demo
    last = [one for one in model.served if one.model == MAIN_MODEL][-1]
    results = [str(m["content"]) for m in last.messages if m["role"] == "tool"]
    escalated = [text for text in results if "Status: escalated" in text]
    assert len(escalated) == 1
    assert "ESCALATE_TO_MAIN:" in escalated[0]
    assert "do it yourself" in escalated[0]
