"""The plugin host: which plugins load, in which order they run, and what a bad one costs."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from openhands_strategies.errors import BuildError, ResolveError, StrategyError
from openhands_strategies.registry import hookspecs
from openhands_strategies.registry.host import Host, plugin_host
from openhands_strategies.sources.reference import NameReference, parse_reference
from openhands_strategies.strategy import Blueprint, Limits

Install = Callable[..., Path]
Warnings = list[StrategyError]
HEAD = """
from dataclasses import replace
from pathlib import Path
from openhands_strategies import BuildError, Limits, ResolveError
from openhands_strategies.registry import hookimpl
from openhands_strategies.sources.source import Located, PathSource
def located(name):
    return Located(name, PathSource(Path("/x")), Path("/x"), "strategy.py", name=name)
"""


def plugin(install: Install, name: str, body: str) -> None:
    source = inspect.cleandoc(HEAD) + "\n" + inspect.cleandoc(body) + "\n"
    install(name, source, group="openhands_strategies.plugins")


def host(site: Path, **environ: str) -> Host:
    return plugin_host(environ, path=[str(site)])


def blueprint(**fields: Any) -> Blueprint:
    return Blueprint(agent=cast("Any", object()), **fields)


def third_party(host: Host) -> set[str]:
    names = {name for name, _ in host.manager.list_name_plugin()}
    return {name for name in names if not name.startswith("builtin-")}


def test_the_built_in_resolvers_are_plugins(site: Path, tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("")
    warnings: list[StrategyError] = []
    ours = host(site)
    located = ours.resolve(parse_reference("./x.py"), tmp_path, warnings.append)
    assert located is not None
    assert located.file == tmp_path / "x.py"
    assert ours.resolve(NameReference("no-such"), tmp_path, warnings.append) is None
    with pytest.raises(ResolveError) as caught:
        ours.resolve(parse_reference(f"git+file://{tmp_path}/no@v1"), tmp_path, warnings.append)
    assert caught.value.code == "repository_missing"
    assert f"file://{tmp_path}/no" in caught.value.message
    assert (warnings, ours.warnings) == ([], ())


def test_ohs_plugins_chooses(site: Path, install: Install) -> None:
    for name in ("one", "two", "three"):
        plugin(install, f"{name}-plugin", "")
    assert third_party(host(site)) == {"one-plugin", "two-plugin", "three-plugin"}
    assert third_party(host(site, OHS_PLUGINS="")) == set()
    chosen = host(site, OHS_PLUGINS="one-plugin, three-plugin,")
    assert (third_party(chosen), chosen.warnings) == ({"one-plugin", "three-plugin"}, ())
    missing = host(site, OHS_PLUGINS="two-plugin,four")
    assert third_party(missing) == {"two-plugin"}
    (warning,) = missing.warnings
    assert (warning.code, "'four'" in warning.message) == ("plugin_unknown", True)
    assert "one-plugin" in warning.hint


def test_ohs_plugins_empty_imports_nothing(site: Path, install: Install) -> None:
    plugin(install, "imported-plugin", "")
    host(site, OHS_PLUGINS="")
    host(site, OHS_PLUGINS="other")
    assert "imported_plugin" not in sys.modules
    host(site)
    assert "imported_plugin" in sys.modules


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("1 / 0", "plugin_load", "ZeroDivisionError"),
        ("raise SystemExit(3)", "plugin_load", "SystemExit"),
        ("def (", "plugin_load", "SyntaxError"),
        ("@hookimpl\ndef resolve_reference(nonsense): ...", "plugin_load", "nonsense"),
        ("@hookimpl\ndef list_strategy(base): ...", "plugin_hook", "list_strategy"),
        ("@hookimpl(wrapper=True)\ndef list_strategies(base): yield", "plugin_hook", "wrapper"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_costs_one_warning(
    site: Path, install: Install, tmp_path: Path, body: str, code: str, words: str
) -> None:
    good = "@hookimpl\ndef list_strategies(base): return [located('mine')]"
    plugin(install, "bad-plugin", f"{good}\n{body}")
    plugin(install, "good-plugin", good)
    loaded = host(site)
    (warning,) = loaded.warnings
    assert warning.code == code
    assert "'bad-plugin' of bad-plugin 1.0" in warning.message
    assert words in warning.message
    assert third_party(loaded) == {"good-plugin"}
    warnings: list[StrategyError] = []
    levels = [[entry.name for entry in level] for level in loaded.levels(tmp_path, warnings.append)]
    # Project, user and distributions come before what plugins list.
    assert (levels, warnings) == ([[], [], [], ["mine"]], [])


def test_two_plugins_with_one_name(site: Path, install: Install) -> None:
    for name in ("aaa", "bbb"):
        group = "openhands_strategies.plugins"
        install(name, "", group=group, entry=f"same = {name}")
    loaded = host(site)
    assert third_party(loaded) == {"same"}
    (warning,) = loaded.warnings
    assert (warning.code, "another plugin" in warning.message) == ("plugin_load", True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise OSError('no network')", "OSError: no network"),
        ("return 'text'", "returned str"),
    ],
)
def test_a_failing_resolver_is_named_and_the_next_one_asked(
    site: Path, install: Install, tmp_path: Path, body: str, words: str
) -> None:
    plugin(install, "bad", f"@hookimpl(tryfirst=True)\ndef resolve_reference(reference): {body}")
    plugin(install, "good", "@hookimpl\ndef resolve_reference(reference): return located('mine')")
    warnings: list[StrategyError] = []
    found = host(site).resolve(NameReference("mine"), tmp_path, warnings.append)
    assert found is not None
    assert found.name == "mine"
    (warning,) = warnings
    assert warning.code == "plugin_failed"
    assert "'bad'" in warning.message
    assert "resolve_reference" in warning.message
    assert words in warning.message


def test_a_resolvers_own_error_is_the_answer(site: Path, install: Install, tmp_path: Path) -> None:
    plugin(
        install,
        "company",
        """
        @hookimpl(tryfirst=True)
        def resolve_reference(reference, base):
            if str(reference).startswith("company-"):
                raise ResolveError("company_closed", f"{reference} is closed", base.name)
        """,
    )
    warnings: list[StrategyError] = []
    loaded = host(site)
    with pytest.raises(ResolveError) as caught:
        loaded.resolve(NameReference("company-x"), tmp_path, warnings.append)
    assert (caught.value.code, caught.value.hint) == ("company_closed", tmp_path.name)
    assert loaded.resolve(NameReference("x"), tmp_path, warnings.append) is None
    assert warnings == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise KeyError('x')", "KeyError"),
        ("yield located('a')\n    raise KeyError('x')", "KeyError"),
        ("return 7", "TypeError"),
        ("return [located('')]", "returned Located"),
        ("return ['text']", "returned str"),
        ("raise ResolveError('index_down', 'the index is down')", "the index is down"),
        ("return [ResolveError('index_entry', 'entry x is broken')]", "entry x is broken"),
    ],
)
def test_a_failing_list_is_named_and_the_rest_listed(
    site: Path, install: Install, tmp_path: Path, body: str, words: str
) -> None:
    plugin(install, "bad", f"@hookimpl\ndef list_strategies(base):\n    {body}")
    plugin(install, "good", "@hookimpl\ndef list_strategies(): return [located('mine')]")
    warnings: list[StrategyError] = []
    levels = list(host(site).levels(tmp_path, warnings.append))
    assert [entry.name for level in levels for entry in level] == ["mine"]
    (warning,) = warnings
    assert words in warning.message
    assert warning.code.startswith("index_") or "'bad'" in warning.message


def test_blueprints_pass_through_all_plugins(site: Path, install: Install) -> None:
    plugin(
        install,
        "aaa",
        """
        @hookimpl(tryfirst=True)
        def adjust_blueprint(blueprint, name, params):
            return replace(blueprint, tags={"name": name, **params})
        """,
    )
    plugin(install, "bbb", "@hookimpl\ndef adjust_blueprint(blueprint): raise OSError('broken')")
    plugin(install, "ccc", "@hookimpl\ndef adjust_blueprint(params): return 'text'")
    plugin(install, "ddd", "@hookimpl\ndef adjust_blueprint(name): return None")
    plugin(
        install,
        "eee",
        """
        @hookimpl(trylast=True)
        def adjust_blueprint(blueprint):
            return replace(blueprint, limits=Limits(budget=len(blueprint.tags)))
        """,
    )
    warnings: list[StrategyError] = []
    given = blueprint(prompt="Do: {task}")
    adjusted = host(site).adjust(given, "fusion", {"model": "small"}, warnings.append)
    assert adjusted.tags == {"name": "fusion", "model": "small"}
    assert adjusted.limits == Limits(budget=2)
    assert (adjusted.prompt, given.tags, given.limits) == ("Do: {task}", {}, Limits())
    assert sorted(warning.message.split("'")[1] for warning in warnings) == ["bbb", "ccc"]
    assert all("adjust_blueprint" in warning.message for warning in warnings)


def test_a_plugin_may_refuse_a_run(site: Path, install: Install) -> None:
    body = "@hookimpl\ndef adjust_blueprint(name): raise BuildError('forbidden', f'{name}: no')"
    plugin(install, "rules", body)
    with pytest.raises(BuildError) as caught:
        host(site).adjust(blueprint(), "fusion", {}, Warnings().append)
    assert caught.value.message == "fusion: no"


def test_a_broken_plugin_distribution_is_one_warning(site: Path, install: Install) -> None:
    plugin(install, "good", "")
    info = site / "lost-1.0.dist-info"
    info.mkdir()
    info.joinpath("entry_points.txt").write_text("[openhands_strategies.plugins]\nlost = lost\n")
    loaded = host(site)
    assert third_party(loaded) == {"good"}
    (warning,) = loaded.warnings
    assert (warning.code, "lost" in warning.message) == ("distribution_metadata", True)


def test_two_hosts_share_nothing(site: Path, install: Install) -> None:
    plugin(install, "good", "@hookimpl\ndef list_strategies(): return [located('mine')]")
    one, other = host(site), host(site, OHS_PLUGINS="")
    assert (third_party(one), third_party(other)) == ({"good"}, set())


def test_every_hook_says_what_it_does() -> None:
    hooks = [
        function
        for _, function in inspect.getmembers(hookspecs, inspect.isfunction)
        if hasattr(function, f"{hookspecs.PROJECT}_spec")
    ]
    assert {hook.__name__ for hook in hooks} == {
        "resolve_reference",
        "list_strategies",
        "adjust_blueprint",
    }
    for hook in hooks:
        for argument in inspect.signature(hook).parameters:
            assert f"{argument}:" in (hook.__doc__ or "")
    assert len(inspect.getsource(hookspecs).splitlines()) <= 80
