"""Results of earlier checks, for the page: what was checked, when, and with which SDK."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from openhands_strategies.errors import UsageError, describe


@dataclass(frozen=True)
class Result:
    """One strategy's share of a check.

    Attributes:
        name: The strategy.
        date: `2026-11-21`, in UTC.
        sdk: Version of the SDK; None when there was none, or nothing ran with it.
        ran: Whether the strategy was built and run, or its files were only read.
        findings: How many there were.
        pin: The source that an index check read, as the index writes it; None for a check
            of one strategy.
        commit: Commit of the git source that was checked; None for another source.
        tree: `sha256:<hex>` of the files that were checked; None where nobody knows.
    """

    name: str
    date: str
    sdk: str | None
    ran: bool
    findings: int
    pin: str | None = None
    commit: str | None = None
    tree: str | None = None


def read_results(files: Iterable[str]) -> list[Result]:
    """Read what `ohs index check --json` and `ohs check --json` printed.

    A document without a date has its file's.

    Raises:
        UsageError: `result_invalid`.
    """
    found: list[Result] = []
    for file in files:
        path = Path(file)
        try:
            document = json.loads(path.read_bytes())
            date = str(document.get("checked") or _changed(path))[:10]
            datetime.fromisoformat(date)
            found += _results(document, date)
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            raise UsageError(
                "result_invalid",
                f"--checked {file} is no result of a check: {describe(error)}",
                "name a file with what ohs index check --json or ohs check --json printed",
            ) from error
    return found


def _results(document: Mapping[str, Any], date: str) -> Iterator[Result]:
    sdk = None if document["sdk"] is None else str(document["sdk"])
    if "strategies" in document:
        for one in document["strategies"]:
            count = int(one["findings"])
            pin, tree = str(one["source"]), one.get("tree")
            yield Result(str(one["name"]), date, sdk, False, count, pin=pin, tree=tree)
        return
    strategy = document["strategy"]
    yield Result(
        str(strategy["name"]),
        date,
        sdk,
        ran=sdk is not None,
        findings=sum(one["severity"] != "note" for one in document["findings"]),
        commit=strategy["source"].get("commit"),
        tree=strategy.get("tree"),
    )


def _changed(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()
