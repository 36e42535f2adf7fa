"""Labels of parts."""

from __future__ import annotations

import pytest

from openhands_strategies import BuildError, Strategy
from openhands_strategies.compose import layer, pipeline, team
from openhands_strategies.compose.labels import free_label, given_label, label_of


class CodeReview(Strategy):
    """A strategy without a name."""


class Named(Strategy):
    name = "plan-execute"


@pytest.mark.parametrize(
    ("reference", "label"),
    [
        ("fusion", "fusion"),
        ("adversarial-review", "adversarial-review"),
        ("./waterfall.py", "waterfall"),
        ("../x/My_Strategy.py", "my-strategy"),
        ("./flow.py:CodeReview", "code-review"),
        ("./dir", "dir"),
        ("/abs/dir/", "dir"),
        ("./dir/strategy.py", "dir"),
        ("git+https://host/org/repo@v1#subdirectory=plugins/debate", "debate"),
        ("git+https://host/org/repo.git@v1", "repo"),
        ("git+ssh://git@host/org/repo", "repo"),
        ("github:acme/strategies@v2", "strategies"),
        ("github:acme/strategies@feature/x#subdirectory=a/b/", "b"),
    ],
)
def test_a_reference_has_a_telling_label(reference: str, label: str) -> None:
    assert label_of(reference) == label


def test_an_instance_is_called_by_its_name_or_its_class() -> None:
    assert label_of(Named()) == "plan-execute"
    assert label_of(CodeReview()) == "code-review"


def test_a_taken_label_is_numbered() -> None:
    assert free_label("a", {}) == "a"
    assert free_label("a", {"a": 1, "a-2": 1}) == "a-3"


def test_a_keyword_is_a_label() -> None:
    assert given_label("code_review") == "code-review"
    with pytest.raises(BuildError, match="'Größe' is no label"):
        given_label("Größe")


def test_the_parts_of_each_form() -> None:
    assert dict(pipeline("fusion", "fusion", last="./x.py").parts) == {
        "fusion": "fusion",
        "fusion-2": "fusion",
        "last": "./x.py",
    }
    assert list(team("fusion", fusion="single").parts) == ["fusion-2", "fusion"]
    layered = layer("fusion", "guardrails")
    assert (layered.name, list(layered.parts)) == ("fusion", ["fusion", "guardrails"])


@pytest.mark.parametrize("make", [pipeline, lambda: team("fusion"), lambda: layer("fusion")])
def test_a_form_without_its_parts(make: object) -> None:
    with pytest.raises(BuildError) as caught:
        make()  # type: ignore[operator]
    assert caught.value.code == "parts_missing"
