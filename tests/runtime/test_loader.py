"""Loading: once for each content, nothing left behind by what fails, and clear refusals."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.errors import LoadError, StrategyError, UsageError
from openhands_strategies.project.home import Home
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.runtime.loader import Loaded, load, load_again
from openhands_strategies.runtime.modules import looks_like_a_strategy
from support import write

LoadText = Callable[..., Loaded]


def strategy(body: str = "", name: str = "one", extra: str = "") -> str:
    """A whole file; `body` stands in the class, `extra` before it."""
    lines = [
        "from openhands_strategies import Strategy, StrategyParam",
        extra,
        "class One(Strategy):",
        f"    name = {name!r}",
        "    description = 'Does nothing'",
        *(f"    {line}" for line in body.splitlines()),
    ]
    return "\n".join(lines) + "\n"


def tree_modules() -> set[str]:
    return {name for name in sys.modules if name.startswith("ohs_tree_")}


def refused(load_text: LoadText, text: str, **where: str) -> StrategyError:
    """Load what cannot be loaded; whatever went wrong, no module of it stays."""
    before = tree_modules()
    with pytest.raises(StrategyError) as caught:
        load_text(text, **where)
    assert tree_modules() == before
    assert len(caught.value.message.splitlines()) == 1
    return caught.value


# What loads


def test_a_file_is_loaded_and_named(load_text: LoadText, tmp_path: Path) -> None:
    loaded = load_text(strategy())
    assert loaded.name == loaded.strategy.name == "one"
    assert loaded.origin.reference.endswith("one.py")
    assert loaded.origin.source == {"type": "path", "path": str(tmp_path / "one.py")}
    assert loaded.origin.tree.startswith("sha256:")
    assert loaded.origin.attribute == "One"


def test_what_is_loaded_is_the_copy_in_the_store(
    load_text: LoadText, home: Home, tmp_path: Path
) -> None:
    loaded = load_text(strategy(extra="HERE = __file__"))
    module = sys.modules[type(loaded.strategy).__module__]
    assert Path(module.HERE).is_relative_to(home.store)
    assert loaded.root.is_relative_to(home.store)
    # A later change of the user's file does not reach a run that has started.
    (tmp_path / "one.py").write_text("raise RuntimeError")
    assert load_again(loaded.origin, home).name == "one"


def test_a_load_leaves_nothing_in_the_stored_tree(load_text: LoadText, tmp_path: Path) -> None:
    write(tmp_path / "d/values.py", "VALUE = 1\n")
    writes_bytecode = sys.dont_write_bytecode
    loaded = load_text(strategy(extra="from .values import VALUE"), file="d/strategy.py")
    names = sorted(path.name for path in loaded.root.rglob("*"))
    assert names == ["strategy.py", "values.py"]
    assert sys.dont_write_bytecode is writes_bytecode


def test_the_same_file_twice_runs_once(load_text: LoadText, tmp_path: Path) -> None:
    log = tmp_path / "log"
    text = strategy(extra=f"open({str(log)!r}, 'a').write('ran;')")
    first, second = load_text(text), load_text(text)
    assert log.read_text() == "ran;"
    assert type(first.strategy) is type(second.strategy)
    assert first.strategy is not second.strategy


def test_equal_class_names_in_two_files_are_two_strategies(load_text: LoadText) -> None:
    first = load_text(strategy("mark = 1", name="first"), file="a/strategy.py")
    second = load_text(strategy("mark = 2", name="second"), file="b/strategy.py")
    again = load_text(strategy("mark = 1", name="first"), file="a/strategy.py")
    assert [one.strategy.mark for one in (first, second, again)] == [1, 2, 1]  # type: ignore[attr-defined]
    assert [one.name for one in (first, second, again)] == ["first", "second", "first"]


def test_one_of_several_is_chosen_by_name(load_text: LoadText) -> None:
    text = strategy() + "class Two(Strategy):\n    name = 'two'\n"
    assert load_text(text, attribute=":Two").name == "two"
    assert load_text(text, attribute=":One").name == "one"


def test_an_instance_is_a_strategy_too(load_text: LoadText) -> None:
    text = """
        from openhands_strategies import Strategy

        class Made(Strategy):
            name = "made"
            def __init__(self, number):
                self.number = number

        seven = Made(7)
    """
    loaded = load_text(text, attribute=":seven")
    assert loaded.name == "made"
    assert loaded.strategy.number == 7  # type: ignore[attr-defined]


def test_a_directory_is_a_package(load_text: LoadText, tmp_path: Path) -> None:
    write(tmp_path / "d/parts/__init__.py", "from .deeper import VALUE\n")
    write(tmp_path / "d/parts/deeper.py", "from ..names import NAME\nVALUE = NAME * 2\n")
    write(tmp_path / "d/names.py", "NAME = 'x'\n")
    text = strategy("value = VALUE", extra="from .parts import VALUE")
    loaded = load_text(text, file="d/strategy.py")
    assert loaded.strategy.value == "xx"  # type: ignore[attr-defined]


def test_a_directory_with_an_init_runs_it_first(load_text: LoadText, tmp_path: Path) -> None:
    write(tmp_path / "d/__init__.py", "BEGUN = True\n")
    text = strategy("begun = BEGUN", extra="from . import BEGUN")
    assert load_text(text, file="d/strategy.py").strategy.begun is True  # type: ignore[attr-defined]


def test_setup_runs_before_anybody_builds(load_text: LoadText) -> None:
    loaded = load_text(strategy("def setup(self):\n    self.ready = True"))
    assert loaded.strategy.ready is True  # type: ignore[attr-defined]


# What does not


def test_a_syntax_error_names_the_line(load_text: LoadText) -> None:
    error = refused(load_text, "class One(\n\n  oops oops\n")
    assert error.code == "syntax_error"
    assert "one.py" in error.message
    assert error.exit_code == 3


def test_a_file_without_a_strategy(load_text: LoadText) -> None:
    assert refused(load_text, "x = 1\n").code == "no_strategy"


def test_several_strategies_are_listed_not_guessed(load_text: LoadText) -> None:
    error = refused(load_text, strategy() + "class Two(Strategy):\n    name = 'two'\n")
    assert error.code == "several_strategies"
    assert "One" in error.message + error.hint
    assert "Two" in error.message + error.hint


def test_an_attribute_that_the_file_does_not_define(load_text: LoadText) -> None:
    error = refused(load_text, strategy(), attribute=":Nobody")
    assert error.code == "attribute_missing"
    assert "Nobody" in error.message


def test_an_attribute_that_is_gone_once_the_module_ran(load_text: LoadText) -> None:
    with pytest.raises(LoadError) as caught:
        load_text(strategy() + "globals().pop('One')\n")
    assert caught.value.code == "attribute_missing"


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("raise RuntimeError('broken\\nfor good')", "RuntimeError: broken for good"),
        (
            "import no_such_module_4711",
            "ModuleNotFoundError: No module named 'no_such_module_4711'",
        ),
        ("import sys; sys.exit(7)", "SystemExit: 7"),
    ],
)
def test_a_module_that_raises_is_named_with_its_line(
    load_text: LoadText, statement: str, shown: str
) -> None:
    error = refused(load_text, strategy(extra=statement))
    assert error.code == "import_failed"
    assert "one.py:2" in error.message
    assert shown in error.message
    assert error.hint


def test_the_deepest_line_of_the_tree_is_named(load_text: LoadText, tmp_path: Path) -> None:
    write(tmp_path / "d/helper.py", "def f():\n    return 1 / 0\n")
    text = strategy(extra="from .helper import f; f()")
    error = refused(load_text, text, file="d/strategy.py")
    assert "helper.py:2" in error.message
    assert "ZeroDivisionError" in error.message


def test_a_corrected_file_loads_in_the_same_process(load_text: LoadText) -> None:
    refused(load_text, strategy(extra="from .missing import x"), file="d/strategy.py")
    assert load_text(strategy(), file="d/strategy.py").name == "one"


def test_a_corrected_file_loads_although_its_critic_was_defined_before(
    load_text: LoadText, make_llm: Any
) -> None:
    from openhands.sdk import Agent
    from openhands.sdk.critic import PassCritic

    critic = (
        "from openhands.sdk.critic.base import CriticBase, CriticResult\n"
        "class CorrectedLoaderCritic(CriticBase):\n"
        "    def evaluate(self, events, git_patch=None):\n"
        "        return CriticResult(score=1.0, message='')\n"
    )
    # Not kept: an exception's traceback holds the module, and with it the class.
    code = refused(load_text, strategy(extra=critic + "raise RuntimeError('later')")).code
    assert code == "import_failed"
    # Using a critic makes newer SDKs remember all critic classes.
    agent = Agent(llm=make_llm(), tools=[], critic=PassCritic())
    Agent.model_validate(agent.model_dump(mode="json"))
    assert load_text(strategy(extra=critic)).name == "one"


def test_a_setup_that_raises(load_text: LoadText) -> None:
    with pytest.raises(LoadError) as caught:
        load_text(strategy("def setup(self):\n    raise KeyError('no\\nway')"))
    assert caught.value.code == "setup_failed"
    assert "'one'" in caught.value.message
    assert "one.py" in caught.value.message
    assert "KeyError" in caught.value.message


def test_a_setup_that_ends_the_process(load_text: LoadText) -> None:
    with pytest.raises(LoadError) as caught:
        load_text(strategy("def setup(self):\n    raise SystemExit(3)"))
    assert caught.value.code == "setup_failed"


def test_an_error_of_our_own_passes_through_setup(load_text: LoadText) -> None:
    text = strategy(
        "def setup(self):\n    raise UsageError('tool_needed', 'git is missing', 'install it')",
        extra="from openhands_strategies import UsageError",
    )
    with pytest.raises(UsageError) as caught:
        load_text(text)
    assert (caught.value.code, caught.value.hint) == ("tool_needed", "install it")


def test_a_class_that_needs_arguments(load_text: LoadText) -> None:
    with pytest.raises(LoadError) as caught:
        load_text(strategy("def __init__(self, x):\n    pass"))
    assert caught.value.code == "strategy_init_failed"
    assert caught.value.hint == "a strategy is made without arguments"


def test_an_attribute_that_is_no_strategy(load_text: LoadText) -> None:
    with pytest.raises(StrategyError) as caught:
        load_text(strategy() + "thing = dict(a=1)\n", attribute=":thing")
    assert caught.value.code in ("not_a_strategy", "no_strategy", "attribute_missing")
    assert "thing" in caught.value.message


def test_what_a_file_needs_is_asked_for_not_installed(load_text: LoadText, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    text = (
        "# /// script\n# dependencies = ['no-such-dist-4711>=2', 'pydantic']\n# ///\n"
        + strategy(extra=f"open({str(mark)!r}, 'w').close()")
    )
    error = refused(load_text, text)
    assert error.code == "dependencies_missing"
    assert "no-such-dist-4711>=2" in error.message
    assert error.hint == "pip install 'no-such-dist-4711>=2'"
    assert not mark.exists()


def test_what_a_directorys_project_needs(load_text: LoadText, tmp_path: Path) -> None:
    write(
        tmp_path / "d/pyproject.toml",
        "[project]\nname = 'x'\nversion = '1'\ndependencies = ['no-such-dist-4711']\n",
    )
    error = refused(load_text, strategy(), file="d/strategy.py")
    assert error.code == "dependencies_missing"
    assert error.hint == "pip install 'no-such-dist-4711'"


def test_what_the_sdk_has_removed_is_named_with_its_replacement(load_text: LoadText) -> None:
    error = refused(load_text, strategy(extra="from openhands.tools.delegate import DelegateTool"))
    assert error.code == "import_removed"
    assert "one.py:2" in error.message
    assert "TaskToolSet" in error.hint


# Names of SDK classes


def test_a_taken_class_name_is_found_before_the_module_runs(
    load_text: LoadText, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    text = strategy(
        extra=f"open({str(mark)!r}, 'w').close()\n"
        "from openhands.sdk.critic.base import CriticBase\n"
        "class AgentFinishedCritic(CriticBase):\n    pass\n"
    )
    error = refused(load_text, text)
    assert error.code == "class_name_taken"
    assert "AgentFinishedCritic" in error.message
    assert "one.py:4" in error.message
    assert "rename" in error.hint
    assert not mark.exists()


def test_two_strategies_with_one_critic_name(load_text: LoadText, make_llm: Any) -> None:
    critic = (
        "from openhands.sdk.critic.base import CriticBase, CriticResult\n"
        "class SharedLoaderCritic(CriticBase):\n"
        "    def evaluate(self, events, git_patch=None):\n"
        "        return CriticResult(score=1.0, message='')\n"
    )
    body = (
        "def build_agent(self, llm, params=None):\n"
        "    from openhands.sdk import Agent\n"
        "    return Agent(llm=llm, tools=[], critic=SharedLoaderCritic())\n"
    )
    first = load_text(strategy(body, name="first", extra=critic), file="a/strategy.py")
    error = refused(load_text, strategy(body, name="second", extra=critic), file="b/strategy.py")
    assert error.code == "class_name_taken"
    assert "'second'" in error.message
    # The first one's agents still work, and loading it again is no clash with itself.
    from openhands.sdk import Agent

    again = load_text(strategy(body, name="first", extra=critic), file="a/strategy.py")
    for loaded in (first, again):
        agent = loaded.strategy.build_agent(make_llm())
        restored = Agent.model_validate(agent.model_dump(mode="json"))
        assert type(restored.critic).__name__ == "SharedLoaderCritic"


# The code that a conversation started with


def test_a_tree_that_is_gone_is_not_replaced_by_another(load_text: LoadText, home: Home) -> None:
    loaded = load_text(strategy())
    stored = next((home.store / "trees").iterdir())
    stored.rename(home.path / "elsewhere")
    with pytest.raises(LoadError) as caught:
        load_again(loaded.origin, home)
    assert caught.value.code == "strategy_changed"
    assert "'one'" in caught.value.message
    (home.path / "elsewhere").rename(stored)
    assert load_again(loaded.origin, home).origin == loaded.origin


# Installed distributions


def distribution(site: Path, files: dict[str, str], name: str = "tiny-strategy") -> None:
    """What pip leaves behind: the files, METADATA, entry points and the RECORD."""
    info = f"{name.replace('-', '_')}-1.0.dist-info"
    everything = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/entry_points.txt": "[openhands.strategies]\ntiny = tiny_dist.entry:One\n",
    }
    record = "".join(f"{path},,\n" for path in (*everything, f"{info}/RECORD"))
    for path, text in {**everything, f"{info}/RECORD": record}.items():
        write(site / path, text)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        "tiny_dist/__init__.py": "",
        "tiny_dist/values.py": "VALUE = 11\n",
        "tiny_dist/entry.py": strategy(
            "value = VALUE", name="tiny", extra="from tiny_dist.values import VALUE"
        ),
    }
    site = tmp_path / "site"
    distribution(site, files)
    monkeypatch.syspath_prepend(str(site))
    for module in ("tiny_dist", "tiny_dist.entry", "tiny_dist.values"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    return site


def test_an_entry_point_is_imported_under_its_own_name(site: Path, home: Home) -> None:
    loaded = load(resolve("tiny"), home)
    assert loaded.strategy.value == 11  # type: ignore[attr-defined]
    assert type(loaded.strategy).__module__ == "tiny_dist.entry"
    assert loaded.root == site / "tiny_dist"
    assert loaded.origin.source["type"] == "distribution"
    assert loaded.origin.source["version"] == "1.0"
    # pip keeps the code; the store is for trees that nobody else keeps.
    assert not home.store.exists()
    assert load_again(loaded.origin, home).origin == loaded.origin


def test_an_entry_point_that_raises_leaves_nothing(site: Path, home: Home) -> None:
    write(site / "tiny_dist/values.py", "VALUE = 1 / 0\n")
    with pytest.raises(LoadError) as caught:
        load(resolve("tiny"), home)
    assert caught.value.code == "import_failed"
    assert "values.py:1" in caught.value.message
    assert not [name for name in sys.modules if name.partition(".")[0] == "tiny_dist"]


def test_another_installed_version_is_not_the_code_of_the_run(site: Path, home: Home) -> None:
    loaded = load(resolve("tiny"), home)
    write(site / "tiny_dist/values.py", "VALUE = 12\n")
    with pytest.raises(LoadError) as caught:
        load_again(loaded.origin, home)
    assert caught.value.code == "strategy_changed"
    assert "installed" in caught.value.message
    (site / "tiny_strategy-1.0.dist-info/entry_points.txt").unlink()
    with pytest.raises(LoadError) as caught:
        load_again(loaded.origin, home)
    assert "no longer installed" in caught.value.message


# Shape


def test_a_strategy_is_recognised_by_its_shape() -> None:
    class Foreign:
        name = "foreign"

        def build_agent(self, llm: Any, params: Any = None) -> Any: ...

    class Nameless:
        def build(self, context: Any) -> Any: ...

    assert looks_like_a_strategy(Foreign())
    assert not looks_like_a_strategy(Nameless())
    assert not looks_like_a_strategy("text")
