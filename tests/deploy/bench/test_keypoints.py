"""`signstream bench keypoints`, on a video short enough for a test."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.conftest import ROOT


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", "bench", "keypoints", *arguments],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        check=False,
        text=True,
        timeout=110,
    )


def short_video(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=15)
        stream.width, stream.height = 160, 120
        for number in range(4):
            picture = np.full((120, 160, 3), 40 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def test_every_profile_stands_beside_the_reference(tmp_path: Path) -> None:
    short_video(tmp_path / "wall.mp4")
    done = bench("--videos", str(tmp_path), "--repeats", "1", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["bench"], set(told)) == ("keypoints", {"bench", "machine", "versions", "rows"})
    averages = {row["profile"]: row for row in told["rows"] if "profile" in row and "clip" not in row}
    clips = {row["profile"] for row in told["rows"] if row.get("clip") == "wall"}
    assert clips == set(averages) >= {"reference", "holistic", "hands+pose", "hands", "floor"}
    assert averages["reference"]["ratio"] == 1
    assert all(row["frames_per_cpu_second"] > 0 for row in averages.values())
    parts = {
        row["mode"]: row["cpu_ms_per_frame"] for row in told["rows"] if "cpu_ms_per_decoded_frame" in row
    }
    bounds = {row["mode"] for row in told["rows"] if "met" in row}
    assert "bound: times Holistic, holistic" in bounds
    assert re.search(r"met +times Holistic, holistic:", done.stderr)
    assert 0 < parts["part: decode"] < parts["part: all but inference"] < parts["part: whole"]


def test_a_folder_without_videos_is_said(tmp_path: Path) -> None:
    done = bench("--videos", str(tmp_path))
    assert done.returncode == 2
    assert "no .mp4 in" in done.stderr
