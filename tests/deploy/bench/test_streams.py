"""`signstream bench transport` and `recognizers`: what they print is what others read."""

import json

from typer.testing import CliRunner

from deploy.cli import commands


def test_the_transport_is_printed_beside_a_bare_loop() -> None:
    command = ["bench", "transport", "--json", "--messages", "200", "--rounds", "1"]
    result = CliRunner().invoke(commands, command)
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed["bench"] == "transport"
    rows = printed["rows"]
    assert [row["mode"] for row in rows] == ["reference", "faust"] * 2
    assert all(row["messages_per_second"] > 0 and row["ratio"] > 0 for row in rows)
    assert rows[0]["ratio"] == 1.0


def test_the_recognizers_are_printed_beside_a_bare_loop_and_with_what_they_add() -> None:
    command = ["bench", "recognizers", "--json", "--windows", "100", "--rounds", "1", "--seconds", "1"]
    result = CliRunner().invoke(commands, command)
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed["bench"] == "recognizers"
    reference, stage, latency = printed["rows"]
    assert (reference["mode"], reference["ratio"], reference["cpu_ratio"]) == ("reference", 1.0, 1.0)
    assert stage["windows_per_second"] > 0
    assert latency["added_ms_p99"] >= latency["added_ms_median"] > 0
