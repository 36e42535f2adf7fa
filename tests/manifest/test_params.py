"""`params` as literals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest import Manifest, read_manifest
from openhands_strategies.params import StrategyParam

type Write = Callable[[dict[str, str | bytes]], Path]

HEAD = """from openhands_strategies import Strategy, StrategyParam
import openhands_strategies as o
DEFAULT = 8
MODELS = ("small", "large")
BASE = [StrategyParam("depth", "how deep", "integer", DEFAULT)]
ONE = StrategyParam("one")
"""


def manifest_of(write: Write, params: str, *, before: str = "") -> Manifest:
    source = f"{HEAD}{before}\nclass One(Strategy):\n    name = 'one'\n    LOCAL = 3\n"
    return read_manifest(write({"one.py": f"{source}    params = {params}\n"}), "one.py")


DEPTH = StrategyParam("depth", "how deep", "integer", 8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", ()),
        ("()", ()),
        ("[StrategyParam('a')]", (StrategyParam("a"),)),
        ("(o.StrategyParam(name='a'),)", (StrategyParam("a"),)),
        ("BASE", (DEPTH,)),
        ("[*BASE, ONE]", (DEPTH, StrategyParam("one"))),
        ("BASE + [ONE]", (DEPTH, StrategyParam("one"))),
        (
            "[StrategyParam('t', type='number', default=-0.5, minimum=-1, maximum=+1)]",
            None,
        ),
        (
            "[StrategyParam('t', type='number', default=-0.5, minimum=-1)]",
            (StrategyParam("t", type="number", default=-0.5, minimum=-1),),
        ),
        (
            "[StrategyParam('m', 'a' 'b' + 'c', default='small', choices=MODELS)]",
            (StrategyParam("m", "abc", default="small", choices=("small", "large")),),
        ),
        (
            "[StrategyParam('m', choices=['x', *MODELS], required=True)]",
            (StrategyParam("m", choices=("x", "small", "large"), required=True),),
        ),
        (
            "[StrategyParam('n', type='integer', default=LOCAL)]",
            (StrategyParam("n", type="integer", default=3),),
        ),
        (
            "[StrategyParam('key', secret=True, default='API_KEY')]",
            (StrategyParam("key", secret=True, default="API_KEY"),),
        ),
        ("[StrategyParam(f'a', f'b')]", (StrategyParam("a", "b"),)),
    ],
)
def test_literals_become_parameters(
    write: Write, text: str, expected: tuple[StrategyParam, ...] | None
) -> None:
    assert manifest_of(write, text).params == expected


@pytest.mark.parametrize(
    "text",
    [
        "make()",
        "[StrategyParam(name=NAME)]",
        "[StrategyParam(**FIELDS)]",
        "[StrategyParam(n) for n in MODELS]",
        "[StrategyParam('a', default=os.environ['X'])]",
        "[StrategyParam('a', f'{DEFAULT}')]",
        "[Other('a')]",
        "['a']",
        "BASE[0:]",
        "None",
    ],
)
def test_anything_else_is_computed(write: Write, text: str) -> None:
    assert manifest_of(write, text).params is None


@pytest.mark.parametrize(
    "before",
    ["DEFAULT = 9", "DEFAULT += 1", "for DEFAULT in (1, 2): pass", "BASE.append(ONE)"],
)
def test_a_constant_that_changes_is_computed(write: Write, before: str) -> None:
    assert manifest_of(write, "BASE", before=before).params is None


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[StrategyParam('Bad Name')]", "snake_case"),
        ("[StrategyParam('a', type='list')]", "'list'"),
        ("[StrategyParam('a', type='integer', default='x')]", "no integer"),
        ("[StrategyParam('a', kind='x')]", "takes no 'kind'"),
        ("[StrategyParam('a', name='a')]", "'name' twice"),
        ("[StrategyParam()]", "needs a name"),
        ("[StrategyParam('a', choices=5)]", "wrong type"),
        ("[StrategyParam('a', type='integer', minimum='x', maximum=2)]", "wrong type"),
        ("[StrategyParam('a'), StrategyParam('a')]", "declared twice"),
    ],
)
def test_a_wrong_declaration_names_its_line(write: Write, text: str, part: str) -> None:
    with pytest.raises(LoadError) as caught:
        manifest_of(write, text)

    assert caught.value.code == "param_declaration"
    assert part in caught.value.message
    assert caught.value.message.startswith("one.py:")


def test_constants_that_double_do_not_grow_without_bound(write: Write) -> None:
    tuples = "A0 = (1, 2)\n" + "".join(f"A{n} = (A{n - 1}, A{n - 1})\n" for n in range(1, 60))
    texts = "T0 = 'xy'\n" + "".join(f"T{n} = T{n - 1} + T{n - 1}\n" for n in range(1, 60))

    assert manifest_of(write, "[StrategyParam('a', default=A59)]", before=tuples).params is None
    assert manifest_of(write, "[StrategyParam('a', default=T28)]", before=texts).params is None


def test_constants_that_name_each_other_end(write: Write) -> None:
    assert manifest_of(write, "A", before="A = B\nB = A").params is None
    assert manifest_of(write, "params").params is None
