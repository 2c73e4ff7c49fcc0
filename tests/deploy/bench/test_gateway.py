"""`signstream bench gateway`: what it prints is what others read."""

import json

import pytest
from typer.testing import CliRunner

from deploy.bench import gateway
from deploy.cli import commands


def test_it_prints_every_mode_beside_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "COMPARED_STREAMS", 1)
    monkeypatch.setattr(gateway, "SETTLE_SECONDS", 0.3)
    monkeypatch.setattr(gateway, "MORE_TRIES", 0)
    result = CliRunner().invoke(commands, ["bench", "gateway", "--json", "--seconds", "0.5", "--most", "1"])
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed["bench"] == "gateway"
    assert printed["machine"]["cores"] >= 1
    assert printed["versions"]["aiortc"].startswith("1.16.")
    rows = {row["mode"]: row for row in printed["rows"]}
    assert {"reference", "receiver", "gateway"} <= set(rows)
    assert rows["reference"]["ratio"] == 1.0
    assert all(row["cpu_ms_per_frame"] > 0 and row["ratio"] > 0 for row in printed["rows"])
    assert rows["receiver"]["ratio"] < 0.5
