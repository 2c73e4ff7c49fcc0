"""The ledger of kept runs, what it is compared for, and the document that is written from it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.bench import ledger
from deploy.bench.compare import direction, worse
from deploy.bench.document import BLOCK, DOCUMENT, Table, render
from deploy.bench.ledger import HISTORY, NotKeptError, Run
from deploy.bench.printed import alike, command
from deploy.cli import commands
from tests.conftest import ROOT

MACHINE = {"processor": "a processor", "cores": 2, "system": "Linux"}


def run(*rows: dict[str, Any], command: str = "signstream bench x", **more: Any) -> Run:
    said = {
        "at": "2026-01-02T03:04:05+00:00",
        "commit": "abc",
        "machine": MACHINE,
        "versions": {"python": "3.11"},
    }
    return Run(**{"bench": "x", "command": command, "rows": rows, **said, **more})


def test_a_run_that_was_kept_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "docs" / "benchmarks" / "history.jsonl"
    (tmp_path / "docs").mkdir()
    assert ledger.read(file) == []
    for at in ("1", "2"):
        ledger.keep(run({"mode": "a", "cpu_ms": 1.5, "bound_ms": None}, at=at), file)
    first, second = ledger.read(file)
    assert (first.at, second.at, list(second.rows)) == (
        "1",
        "2",
        [{"mode": "a", "cpu_ms": 1.5, "bound_ms": None}],
    )
    assert ledger.latest([first, second], "signstream bench x") == second
    assert ledger.latest([first], "signstream bench y") is None


@pytest.mark.parametrize("line", ["{", "[]", '{"bench": "x"}'])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text(run().line() + "\n" + line + "\n")
    with pytest.raises(NotKeptError, match=r"history.jsonl:2: not a line of the ledger"):
        ledger.read(file)


def test_outside_of_a_checkout_nothing_is_kept(tmp_path: Path) -> None:
    with pytest.raises(NotKeptError, match="checkout's root"):
        ledger.keep(run(), tmp_path / "docs" / "benchmarks" / "history.jsonl")


def test_what_got_worse_beyond_noise_is_said() -> None:
    before = run({"mode": "a", "cpu_ms": 10.0, "windows_per_second": 100.0, "frames_per_cpu_second": 50.0})
    now = run({"mode": "a", "cpu_ms": 12.0, "windows_per_second": 50.0, "frames_per_cpu_second": 40.0})
    other = run({"mode": "a", "cpu_ms": 99.0}, machine={**MACHINE, "cores": 4})
    changes = worse([before, other, now])
    assert [change.figure for change in changes] == ["cpu_ms", "frames_per_cpu_second"]
    assert "a: cpu_ms 10 -> 12, 20 % worse (noise 10 %)" in str(changes[0])
    assert worse([before, run({"mode": "a", "cpu_ms": 10.9})]) == []
    assert worse([before]) == []


def test_noise_is_what_earlier_runs_differed_by() -> None:
    noisy = [run({"mode": "a", "cpu_ms": value}) for value in (8.0, 10.0, 12.0)]
    assert worse([*noisy, run({"mode": "a", "cpu_ms": 13.0})]) == []
    assert len(worse([*noisy, run({"mode": "a", "cpu_ms": 15.0})])) == 1


@pytest.mark.parametrize(
    ("figure", "way"),
    [("p95_ms", -1), ("frames_per_cpu_second", 1), ("bound_ms", 0), ("signers", 0), ("ratio", 0)],
)
def test_a_name_says_which_way_is_better(figure: str, way: int) -> None:
    assert direction(figure) == way


BLOCKED = """By hand.

<!-- figures: signstream bench x | rows: all: | columns: mode=what, p95_ms=95 of 100 -->
old
<!-- end of figures -->
"""


def test_a_table_is_written_from_the_newest_run() -> None:
    newest = run(
        {"mode": "all: partial", "p95_ms": 250.0, "bound_ms": 500.0}, {"mode": "one: partial", "p95_ms": 1.0}
    )
    written = render(BLOCKED, [run({"mode": "all: partial", "p95_ms": 1.0}), newest])
    assert "| what | 95 of 100 |" in written
    assert "| partial | 250 |" in written
    assert "old" not in written
    assert "one" not in written
    assert "`signstream bench x`, 2026-01-02, commit abc; a processor, 2 cores, Python 3.11." in written
    assert render(written, [newest]) == written
    assert render(BLOCKED, []) == BLOCKED, "what was never kept keeps what stands there"


def test_a_table_without_columns_is_refused() -> None:
    with pytest.raises(NotKeptError, match="no columns"):
        Table.of("signstream bench x | rows: a")


def test_the_document_agrees_with_the_ledger() -> None:
    document = (ROOT / DOCUMENT).read_text("utf-8")
    runs = ledger.read(ROOT / HISTORY)
    assert render(document, runs) == document, "run `signstream bench report`"
    for found in BLOCK.finditer(document):
        table = Table.of(found["says"])
        kept = ledger.latest(runs, table.command)
        assert kept is None or len(found["table"].splitlines()) > 4, (
            f"{table.command}: no row of {table.prefixes}"
        )


def test_a_bench_keeps_its_run_with_the_command_that_repeats_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path)
    rows = [{"mode": "reference", "ratio": 1.0, "cpu_us_per_message": 5.0}]
    monkeypatch.setattr("deploy.bench.transport.run", lambda messages, rounds: rows)
    asked = ["bench", "transport", "--messages", "200", "--keep", "--json"]
    monkeypatch.setattr("sys.argv", ["/some/where/signstream", *asked])
    done = CliRunner().invoke(commands, asked)
    assert done.exit_code == 0, done.output
    (kept,) = ledger.read()
    assert (kept.bench, kept.command) == ("transport", "signstream bench transport --messages 200")
    assert json.loads(done.stdout)["rows"] == rows == list(kept.rows)
    assert kept.machine["cores"] >= 1
    assert CliRunner().invoke(commands, ["bench", "compare"]).exit_code == 0
    rows[0]["cpu_us_per_message"] = 9.0
    assert CliRunner().invoke(commands, asked).exit_code == 0
    compared = CliRunner().invoke(commands, ["bench", "compare"])
    assert compared.exit_code == 1
    assert "reference: cpu_us_per_message 5 -> 9, 80 % worse" in compared.stdout
    assert CliRunner().invoke(commands, ["bench", "report"]).exit_code == 2, "there is no document here"
    (tmp_path / "docs" / "benchmarks.md").write_text(
        BLOCKED.replace("bench x", "bench transport --messages 200")
    )
    assert "written anew" in CliRunner().invoke(commands, ["bench", "report"]).stdout


def test_rows_with_the_same_figures_stand_in_one_table() -> None:
    rows: list[dict[str, Any]] = [
        {"mode": "a", "x": 1},
        {"x": 2, "mode": "b"},
        {"mode": "c", "x": None, "y": 3},
    ]
    assert alike(rows) == [[{"mode": "a", "x": 1}, {"mode": "b", "x": 2}], [{"mode": "c", "y": 3}]]


def test_a_command_that_is_kept_names_no_path_of_the_machine() -> None:
    said = command(["x", "bench", "scale", "--clip", "/home/me/a film.mp4", "--keep", "--seconds", "8"])
    assert said == "signstream bench scale --clip 'a film.mp4' --seconds 8"
