"""The hash that names the files which a check is about."""

from __future__ import annotations

from openhands_strategies.errors import StrategyError
from openhands_strategies.sources.distribution import distribution_files
from openhands_strategies.sources.source import Located
from openhands_strategies.sources.tree import hash_tree, tree_files


def tree_of(located: Located) -> str | None:
    """`sha256:<hex>` of a strategy's tree as it is now; None where it is no tree.

    Args:
        located: The strategy. What is wrong with its files is for the check to tell.
    """
    if located.tree is not None:
        return located.tree
    try:
        if located.import_name is not None:
            return hash_tree(located.root, distribution_files(located))
        return hash_tree(located.root, tree_files(located.root, located.only))
    except StrategyError:
        return None
