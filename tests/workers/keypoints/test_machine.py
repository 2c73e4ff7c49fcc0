"""What the machine has left."""

import os
import time
from pathlib import Path

import pytest

from workers.keypoints import machine
from workers.keypoints.machine import Spare, idle_seconds, resident_bytes


def test_idle_cores_lie_between_none_and_all() -> None:
    spare = Spare()
    time.sleep(0.1)
    cores = spare.cores()
    assert cores is not None
    assert 0 <= cores <= 1.5 * (os.cpu_count() or 1)
    before = idle_seconds()
    assert before is not None
    assert before > 0


def test_a_containers_share_counts_where_it_is_less(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "cpu.stat").write_text("usage_usec 1000000\nuser_usec 5\n")
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    monkeypatch.setattr(machine, "idle_seconds", lambda: 8 * time.monotonic())
    spare = Spare()
    time.sleep(0.05)
    assert spare.cores() == pytest.approx(0.5, abs=0.01), "nothing used of half a core"
    (tmp_path / "cpu.max").write_text("max 100000\n")
    free = Spare()
    time.sleep(0.05)
    assert free.cores() == pytest.approx(8.0, abs=0.2)


def test_memory_is_told_in_bytes() -> None:
    resident = resident_bytes()
    assert resident is not None
    assert resident > 10 * 2**20


def test_where_the_machine_tells_nothing_nothing_is_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(machine, "PROC", tmp_path)
    assert (idle_seconds(), resident_bytes(), Spare().cores()) == (None, None, None)
