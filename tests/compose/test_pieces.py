"""Compositions that are written wrongly: each is one named error, where it is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openhands_strategies import BuildError, Strategy
from openhands_strategies.compose import layer, part, pipeline, team
from openhands_strategies.project.home import find_home
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.runtime.loader import load
from support import write


class Mine(Strategy):
    name = "mine"


@pytest.mark.parametrize("wrong", [42, None, Mine, ["single"], part(42)])  # type: ignore[arg-type]
def test_a_part_is_a_reference_or_an_instance(wrong: Any) -> None:
    for make in (
        lambda: pipeline("single", wrong),
        lambda: pipeline("single", build=wrong),
        lambda: team(wrong, other="single"),
        lambda: team("single", other=wrong),
        lambda: layer("single", wrong),
    ):
        with pytest.raises(BuildError, match="is given as a part") as caught:
            make()
        assert caught.value.code == "parts_invalid"
    assert "mine" in pipeline(Mine(), part(Mine())).parts


def test_a_class_is_told_to_be_made() -> None:
    with pytest.raises(BuildError) as caught:
        pipeline(Mine)  # type: ignore[arg-type]
    assert caught.value.hint == "write Mine()"


@pytest.mark.parametrize("name", ["Bad Name", "bad_name", "-bad", "", 7])
def test_a_composition_has_a_kebab_case_name(name: Any) -> None:
    given = [
        lambda: pipeline("single", name=name),
        lambda: team("single", other="single", name=name),
        # A layer without a name has that of its base.
        *([lambda: layer("single", "guardrails", name=name)] if name else []),
    ]
    for make in given:
        with pytest.raises(BuildError) as caught:
            make()
        assert caught.value.code == "name_invalid"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('made = layer("single")', "parts_missing"),
        ('made = pipeline("single", 42)', "parts_invalid"),
        ('made = pipeline("single", name="Bad Name")', "name_invalid"),
    ],
)
def test_the_error_says_where_it_is_written(tmp_path: Path, line: str, code: str) -> None:
    file = write(
        tmp_path / "forms.py",
        f"from openhands_strategies.compose import layer, pipeline\n\n{line}\n",
    )
    for _ in range(2):
        with pytest.raises(BuildError) as caught:
            load(resolve(f"{file}:made"), find_home())
        assert caught.value.code == code
        message = caught.value.message
        assert message.startswith("strategy '")
        assert f"({file}:made): forms.py:3: " in message
        assert message.count("forms.py:3") == 1
