"""An index takes no strategy in whose files are wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from check_corpus import STATIC, lay_out
from openhands_strategies.cli.main import main


@pytest.mark.parametrize(
    ("mistake", "codes"),
    [
        (None, []),
        ("a hook script that is missing", ["hook_missing"]),
        ("no README", []),
    ],
)
def test_index_check_tells_errors_of_files(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], mistake: str | None, codes: list[str]
) -> None:
    lay_out(tmp_path / "reviewer", STATIC[mistake][0] if mistake else {})
    index = tmp_path / "registry.toml"
    index.write_text('version = 1\n[strategies.reviewer]\nsource = "./reviewer"\n')
    with pytest.raises(SystemExit) as ended:
        main(["index", "check", "--json", str(index)])
    findings = json.loads(capfd.readouterr().out)["findings"]
    assert [one["code"] for one in findings] == codes
    assert ended.value.code == bool(codes)
    assert all("hooks/hooks.json:4: " in one["message"] for one in findings)
