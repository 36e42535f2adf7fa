"""Which class or instance is the strategy, found by shape."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest import read_manifest

type Write = Callable[[dict[str, str | bytes]], Path]

HEAD = "from openhands_strategies import Strategy, StrategyParam\n"


def refused(root: Path, *arguments: str | None, **options: str) -> LoadError:
    with pytest.raises(LoadError) as caught:
        read_manifest(root, *arguments, **options)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize(
    "source",
    [
        HEAD + "class One(Strategy):\n    name = 'one'\n",
        "from openhands.sdk.strategy import Strategy as S\nclass One(S):\n    name = 'one'\n",
        "import openhands_strategies as o\nclass One(o.Strategy):\n    name = 'one'\n",
        "class One:\n    name = 'one'\n    def build(self, context): ...\n",
        "class One:\n    name: str = 'one'\n    def build_agent(self, llm, params=None): ...\n",
        HEAD + "class _Base(Strategy):\n    pass\nclass One(_Base):\n    name = 'o' 'ne'\n",
        HEAD + "NAME = 'one'\nclass One(Strategy):\n    name = NAME\n",
        HEAD + "class Base(Strategy):\n    pass\nclass One(Base):\n    name = 'one'\n",
        HEAD + "if True:\n    class One(Strategy):\n        name = 'one'\n",
        (
            "try:\n    from openhands.sdk.strategy import Strategy\nexcept ImportError:\n"
            "    class Strategy: ...\nclass One(Strategy):\n    name = 'one'\n"
        ),
        HEAD + "Base = Strategy\nclass One(Base):\n    name = 'one'\n",
    ],
)
def test_one_strategy_is_found_by_its_shape(write: Write, source: str) -> None:
    manifest = read_manifest(write({"one.py": source}), "one.py")

    assert (manifest.name, manifest.attribute, manifest.kind) == ("one", "One", "class")
    assert manifest.params == ()


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x = 1\n",
        "class One:\n    name = 'one'\n",
        "class _One:\n    name = 'one'\n    def build(self, context): ...\n",
        (
            "from openhands.sdk.tool import ToolDefinition\n"
            "class One(ToolDefinition):\n    name = 'one'\n    def build(self): ...\n"
        ),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
            "    class One:\n        name = 'one'\n        def build(self, c): ...\n"
        ),
        "def make():\n    class One:\n        name = 'one'\n        def build(self, c): ...\n",
        "from openhands_strategies import Strategy\n",
    ],
)
def test_what_is_no_strategy_is_not_taken_for_one(write: Write, source: str) -> None:
    error = refused(write({"one.py": source}), "one.py")

    assert error.code == "no_strategy"
    assert "one.py" in error.message
    assert error.hint


def test_a_strategy_without_a_name_is_told_so(write: Write) -> None:
    error = refused(write({"one.py": HEAD + "\nclass One(Strategy):\n    pass\n"}), "one.py")

    assert error.code == "no_strategy"
    assert error.message == "one.py:3: class One has no name"
    assert error.hint == 'write name = "one" in the class'


TWO = HEAD + "class A(Strategy):\n    name = 'a'\nclass B(Strategy):\n    name = 'b'\n"


def test_several_strategies_are_listed_with_a_way_to_choose(write: Write) -> None:
    error = refused(write({"two.py": TWO}), "two.py")

    assert error.code == "several_strategies"
    assert error.message == "two.py has 2 strategies: A, B"
    assert error.hint == "name one: two.py:A"


def test_a_class_or_a_known_name_decides_between_several(write: Write) -> None:
    root = write({"two.py": TWO})

    assert read_manifest(root, "two.py", "B").name == "b"
    assert read_manifest(root, "two.py", name="b").attribute == "B"
    assert refused(root, "two.py", name="c").message.startswith("c: two.py has 2")


def test_a_missing_attribute_names_what_is_near(write: Write) -> None:
    root = write({"two.py": TWO + "class Fusion(Strategy):\n    name = 'fusion'\n"})

    near = refused(root, "two.py", "Fusoin")
    far = refused(root, "two.py", "Waterfall")

    assert (near.code, near.hint) == ("attribute_missing", "did you mean Fusion?")
    assert far.hint == "it has: A, B, Fusion"


def test_an_attribute_that_is_no_strategy_is_refused(write: Write) -> None:
    root = write({"one.py": "class Plain:\n    pass\ndef make(): ...\n"})

    assert refused(root, "one.py", "Plain").code == "no_strategy"
    assert refused(root, "one.py", "make").message == "one.py:3: make is a function"


def test_name_description_and_params_come_from_base_classes(write: Write) -> None:
    source = """
        from openhands_strategies import Strategy, StrategyParam

        class Base(Strategy):
            description = "from the base"
            params = [StrategyParam("depth", "how deep", "integer", 2)]

        class One(Base):
            name = "one"
    """
    manifest = read_manifest(write({"one.py": source}), "one.py")

    assert manifest.description == "from the base"
    assert [param.name for param in manifest.params or ()] == ["depth"]
    assert manifest.line == 8


@pytest.mark.parametrize(
    "line",
    ["name = make_name()", "name = f'{__name__}'", "name = 'a'\n    name += 'b'", "name = 'x'[0]"],
)
def test_a_computed_name_is_none_and_still_a_strategy(write: Write, line: str) -> None:
    source = HEAD + f"class One(Strategy):\n    {line}\n"

    assert read_manifest(write({"one.py": source}), "one.py").name is None


def test_what_is_assigned_from_outside_the_class_is_computed(write: Write) -> None:
    source = HEAD + (
        "class One(Strategy):\n    name = 'one'\n    description = 'd'\n"
        "    params = []\nOne.params = make()\nOne.description = 'other'\n"
    )
    manifest = read_manifest(write({"one.py": source}), "one.py")

    assert (manifest.name, manifest.description, manifest.params) == ("one", None, None)


def test_a_directory_may_define_its_class_in_a_sibling(write: Write) -> None:
    root = write(
        {
            "strategy.py": "from .impl import One as Public\n",
            "impl/__init__.py": "from ..base import Base\nfrom ..consts import NAME\n"
            "class One(Base):\n    name = NAME\n",
            "base.py": "class Base:\n    def build(self, context): ...\n",
            "consts.py": "NAME = 'one'\n",
        }
    )
    manifest = read_manifest(root, "strategy.py")

    assert (manifest.name, manifest.attribute) == ("one", "Public")
    assert manifest.file == "impl/__init__.py"


def test_a_star_import_and_the_package_s_own_name_are_followed(write: Write) -> None:
    one = "class One:\n    name = 'one'\n    def build(self, context): ...\n"
    star = write({"strategy.py": "from .impl import *\n", "impl.py": one})
    assert read_manifest(star, "strategy.py").attribute == "One"

    own = write({"__init__.py": "from openhands_strategy_one.impl import One\n"})
    assert read_manifest(own, "__init__.py", "One").name == "one"


def test_a_base_class_of_another_strategy_package_counts(write: Write) -> None:
    source = (
        "from openhands_strategy_fusion.strategy import Fusion\n"
        "class Mine(Fusion):\n    name = 'mine'\n"
    )
    manifest = read_manifest(write({"mine.py": source}), "mine.py")

    assert manifest.name == "mine"
    assert manifest.params is None
    assert manifest.description is None


def test_an_instance_counts_when_there_is_no_class(write: Write) -> None:
    source = """
        from openhands_strategies import pipeline
        from openhands_strategies.compose import team

        phases = pipeline("a", "b", name="phases", description="two phases")
        _hidden = team("x")
    """
    manifest = read_manifest(write({"p.py": source}), "p.py")

    assert (manifest.attribute, manifest.kind, manifest.line) == ("phases", "instance", 5)
    assert (manifest.name, manifest.description) == ("phases", "two phases")
    assert manifest.params is None
    assert manifest.to_json()["params"] == "computed"


def test_an_instance_beside_a_class_counts_only_by_name(write: Write) -> None:
    source = HEAD + "class One(Strategy):\n    name = 'one'\nready = One()\nother = make(One)\n"
    root = write({"one.py": source})

    assert read_manifest(root, "one.py").kind == "class"
    named = read_manifest(root, "one.py", "ready")
    assert (named.kind, named.name, named.params) == ("instance", "one", None)
    assert read_manifest(root, "one.py", "other").name is None


def test_an_attribute_from_another_distribution_is_computed(write: Write) -> None:
    manifest = read_manifest(write({"m.py": "from elsewhere import Thing\n"}), "m.py", "Thing")

    assert (manifest.kind, manifest.name, manifest.params) == ("class", None, None)


@pytest.mark.parametrize("name", ["a\\nb", "a\\x1b[31m", "x" * 101])
def test_a_name_that_cannot_be_shown_is_refused(write: Write, name: str) -> None:
    source = HEAD + f'class One(Strategy):\n    name = "{name}"\n'
    error = refused(write({"one.py": source}), "one.py")

    assert error.code == "name_invalid"
    assert error.message.isprintable()


def test_a_description_is_one_line_without_control_characters(write: Write) -> None:
    source = HEAD + (
        'class One(Strategy):\n    name = "one"\n    description = """a\n  b\x1b[31mc"""\n'
    )
    manifest = read_manifest(write({"one.py": source}), "one.py")

    assert manifest.description == "a b\\x1b[31mc"


def test_a_name_in_another_form_is_a_finding(write: Write) -> None:
    source = HEAD + 'class One(Strategy):\n    name = "My Strategy"\n'
    manifest = read_manifest(write({"one.py": source}), "one.py")

    assert [finding.code for finding in manifest.findings] == ["name_form"]
