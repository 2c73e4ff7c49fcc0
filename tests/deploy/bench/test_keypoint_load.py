"""`signstream bench keypoints --overload`, with a film short enough for a test."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One film in which everything moves."""
    folder = tmp_path_factory.mktemp("films")
    texture = np.random.default_rng(5).integers(0, 255, (24, 32, 3), np.uint8).repeat(10, 0).repeat(10, 1)
    with av.open(str(folder / "texture.mp4"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=15)
        stream.width, stream.height = 320, 240
        for number in range(12):
            picture = av.VideoFrame.from_ndarray(np.roll(texture, 7 * number, 1), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return folder


def rows(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "deploy.cli", "bench", "keypoints", "--videos", str(folder), "--json"]
    done = subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        check=False,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return found


def test_under_twice_the_load_every_picture_is_landmarked_or_told_as_dropped(folder: Path) -> None:
    few, many, *bounds = rows(folder, "--overload", "--cameras", "8", "--seconds", "2")
    assert (few["mode"], many["mode"]) == ("carried", "2 x carried")
    assert (few["sessions"], many["sessions"]) == (8, 16)
    assert (many["frames_sent"], many["pictures_due"]) == (16 * 60, 16 * 30)
    for row in (few, many):
        assert row["unaccounted"] == 0
        assert row["landmarked"] > 0
    assert many["dropped"] > 0
    assert [bound["measured"] for bound in bounds] == [many["age_p99_ms"], 0]
    assert many["fewest_of_a_session"] > 0, "no session starves"
    assert many["age_p50_ms"] <= many["age_p99_ms"]
