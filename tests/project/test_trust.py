"""Until git sources come, whatever can be located is trusted by the user's own act."""

from __future__ import annotations

from pathlib import Path

from openhands_strategies.project.trust import check_trust
from openhands_strategies.sources.path import locate_path
from openhands_strategies.sources.reference import PathReference
from openhands_strategies.sources.source import DistributionSource, Located
from openhands_strategies.sources.tree import hash_tree, tree_files


def test_a_typed_path_and_an_installed_distribution_are_trusted(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("")
    typed = locate_path(PathReference("./x.py"), tmp_path)
    tree = hash_tree(typed.root, tree_files(typed.root, typed.only))
    installed = Located("x", DistributionSource("x", "1", "x:X"), tmp_path, "x.py", name="x")
    check_trust(typed, tree)
    check_trust(installed, tree)
