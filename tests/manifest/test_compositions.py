"""Compositions, overlays and parts, read from the source."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest import Manifest, read_manifest

HEAD = """
from openhands_strategies import Strategy
from openhands_strategies.compose import layer, part, pipeline, team
"""


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def manifest(text: str, attribute: str | None = None, head: str = HEAD) -> Manifest:
        (tmp_path / "one.py").write_text(head + dedent(text))
        return read_manifest(tmp_path, "one.py", attribute)

    return manifest


@pytest.mark.parametrize(
    ("call", "name", "description", "parts"),
    [
        (
            'pipeline("fusion", "./b.py", name="flow", description="Two phases")',
            "flow",
            "Two phases",
            {"fusion": "fusion", "b": "./b.py"},
        ),
        (
            'pipeline("./design.py", "./code.py:Coder", "./code.py:Coder", check_it="./d")',
            "pipeline",
            "Phases in turn: design, coder, coder-2, check-it",
            {
                "design": "./design.py",
                "coder": "./code.py:Coder",
                "coder-2": "./code.py:Coder",
                "check-it": "./d",
            },
        ),
        (
            'team("fusion", reviewer=part("github:acme/s@v1#subdirectory=x/rev", rounds=2))',
            "team",
            "fusion leads reviewer",
            {"fusion": "fusion", "reviewer": "github:acme/s@v1#subdirectory=x/rev"},
        ),
        (
            'layer("./base.py", "git+https://example.org/acme/House_Style.git@v2", limits=None)',
            "base",
            "base with house-style",
            {
                "base": "./base.py",
                "house-style": "git+https://example.org/acme/House_Style.git@v2",
            },
        ),
        (
            'layer(base=pipeline("a", name="inner"), style="./style", replaces=["skill:x"])',
            "inner",
            "inner with style",
            {"inner": "computed", "inner.a": "a", "style": "./style"},
        ),
    ],
)
def test_the_three_forms(
    read: Any, call: str, name: str, description: str, parts: dict[str, str]
) -> None:
    manifest = read(f"flow = {call}\n")
    assert (manifest.name, manifest.description) == (name, description)
    assert manifest.parts == parts
    assert list(manifest.parts) == list(parts)
    assert (manifest.attribute, manifest.kind, manifest.params) == ("flow", "instance", None)
    assert not manifest.overlay
    assert manifest.to_json()["parts"] == parts
    assert manifest.to_json()["params"] == "computed"


@pytest.mark.parametrize(
    ("head", "call"),
    [
        ("from openhands_strategies.compose import pipeline as p\n", "p"),
        ("import openhands_strategies.compose as c\n", "c.pipeline"),
        ("from openhands_strategies import compose\n", "compose.pipeline"),
        ("import openhands_strategies.compose\n", "openhands_strategies.compose.pipeline"),
        ("from openhands_strategies.compose.pipelines import pipeline\n", "pipeline"),
    ],
)
def test_however_it_is_imported(read: Any, head: str, call: str) -> None:
    manifest = read(f'FIRST = "./a.py"\nflow = {call}(FIRST, name="flow")\n', head=head)
    assert (manifest.name, manifest.parts) == ("flow", {"a": "./a.py"})


def test_classes_and_compositions_that_are_put_together_here_are_no_offers(read: Any) -> None:
    text = """
    class Coder(Strategy):
        name = "coder"

    inner = pipeline(Coder(), "./b.py", name="inner")
    outer = team(inner, reviewer=Coder())
    """
    manifest = read(text)
    assert (manifest.attribute, manifest.name) == ("outer", "team")
    assert manifest.parts == {
        "inner": "computed",
        "inner.coder": "computed",
        "inner.b": "./b.py",
        "reviewer": "computed",
    }
    assert manifest.description == "inner leads reviewer"
    assert read(text, "inner").parts == {"coder": "computed", "b": "./b.py"}
    assert read(text, "Coder").kind == "class"


def test_two_offers_are_asked_about(read: Any) -> None:
    with pytest.raises(LoadError) as caught:
        read('class A(Strategy):\n    name = "a"\nflow = pipeline("x", "y")\n')
    assert caught.value.code == "several_strategies"


@pytest.mark.parametrize(
    "call",
    ["pipeline(*PHASES)", 'pipeline("a", **MORE)', "pipeline(make())", 'team(make(), b="./b.py")'],
)
def test_what_is_computed_is_said_to_be(read: Any, call: str) -> None:
    manifest = read(f"flow = {call}\n")
    assert manifest.parts is None
    assert manifest.description is None
    assert manifest.to_json()["parts"] == "computed"


def test_a_computed_name_is_none(read: Any) -> None:
    assert read('flow = pipeline("a", name=make())\n').name is None


def test_another_librarys_pipeline_is_none(read: Any) -> None:
    with pytest.raises(LoadError) as caught:
        read('flow = pipeline("a")\n', head="from elsewhere import pipeline\n")
    assert caught.value.code == "no_strategy"


def test_parts_overlay_and_replaces_of_a_class(read: Any) -> None:
    manifest = read(
        """
        NAMED = "fusion"

        class Whole(Strategy):
            name = "whole"
            description = "One"
            overlay = True
            replaces = ["skill:style", "tool:terminal"]
            parts = {"lead": NAMED, "check": "./check.py", "made": pipeline("a")}
        """
    )
    assert manifest.parts == {
        "lead": "fusion",
        "check": "./check.py",
        "made": "computed",
        "made.a": "a",
    }
    assert manifest.overlay
    assert manifest.replaces == ("skill:style", "tool:terminal")
    assert manifest.params == ()


@pytest.mark.parametrize(
    ("lines", "parts", "overlay", "replaces"),
    [
        ("pass", {}, False, ()),
        ("parts = made()", None, False, ()),
        ("parts = {made(): 'a'}", None, False, ()),
        ("parts = {**made()}", None, False, ()),
        ("overlay = made()", {}, False, ()),
        ("replaces = made()", {}, False, None),
    ],
)
def test_class_level_values_that_are_no_literals(
    read: Any, lines: str, parts: Any, overlay: bool, replaces: Any
) -> None:
    manifest = read(f'class A(Strategy):\n    name = "a"\n    {lines}\n')
    assert (manifest.parts, manifest.overlay, manifest.replaces) == (parts, overlay, replaces)


def test_parts_of_parts_are_followed_by_name(read: Any) -> None:
    manifest = read(
        """
        from elsewhere import other

        careful = layer("fusion", "guardrails", name="careful")
        crew = team("single", reviewer=part(careful, rounds=1), name="crew")
        flow = pipeline("plan-execute", build=careful, crew=crew, more=other, name="flow")
        """,
        "flow",
    )
    assert manifest.parts == {
        "plan-execute": "plan-execute",
        "build": "computed",
        "build.fusion": "fusion",
        "build.guardrails": "guardrails",
        "crew": "computed",
        "crew.single": "single",
        "crew.reviewer": "computed",
        "crew.reviewer.fusion": "fusion",
        "crew.reviewer.guardrails": "guardrails",
        "more": "computed",
    }
    assert manifest.description == "Phases in turn: plan-execute, build, crew, more"


def test_there_is_an_end_to_parts_of_parts(read: Any) -> None:
    lines = ['p0 = pipeline("a", name="p0")']
    lines += [f"p{n} = pipeline({f'p{n - 1}, ' * 60} name='p{n}')" for n in range(1, 9)]
    manifest = read("\n".join(lines) + "\n", "p8")
    assert len(manifest.parts) == 200


def test_compositions_without_end_are_computed(read: Any) -> None:
    deep = '"./a.py"'
    for _ in range(30):
        deep = f"pipeline({deep})"
    assert read(f"flow = {deep}\n").name == "pipeline"
    assert read("flow = layer(flow, flow)\n", "flow").parts is None
    assert read(f"flow = pipeline({'x, ' * 5000})\n").parts is None
    assert read("a = layer(b, 'x')\nb = layer(a, 'y')\n", "a").name is None
