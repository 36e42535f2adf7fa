"""Labels that parts get from their references."""

from __future__ import annotations

import pytest

from openhands_strategies.labels import free_label, kebab, reference_label


@pytest.mark.parametrize(
    ("reference", "label"),
    [
        ("fusion", "fusion"),
        ("./waterfall.py", "waterfall"),
        ("./tools/strategy.py", "tools"),
        ("../x/House Style/", "house-style"),
        ("./forms.py:BigReview", "big-review"),
        ("github:acme/tools@v1#subdirectory=plugins/debate", "debate"),
        ("git+https://example.org/acme/some_tools.git@v1.2", "some-tools"),
        ("git+ssh://git@example.org/acme/tools", "tools"),
        (".", "part"),
        ("", "part"),
    ],
)
def test_the_last_telling_piece(reference: str, label: str) -> None:
    assert reference_label(reference) == label


@pytest.mark.parametrize(
    ("text", "name"),
    [("MyStyle", "my-style"), (" A  b_c ", "a-b-c"), ("x2y", "x2y"), ("é", "part")],
)
def test_kebab(text: str, name: str) -> None:
    assert kebab(text) == name


def test_a_label_that_is_taken_is_counted() -> None:
    assert free_label("a", {}) == "a"
    assert free_label("a", {"a", "a-2"}) == "a-3"
