"""Landmarks of videos: the product's own stage, the same bytes twice, and only what is not there yet."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("pyarrow", reason="needs the training group of packages: make .venv/training.stamp")

from shared import settings
from tests.gateway.ingest.pictures import write_video
from training.cli import commands
from training.datasets.errors import DatasetError
from training.datasets.gislr import read_parquet
from training.extract import extract, videos_in

FPS = 3.0


@pytest.mark.data
def test_a_video_becomes_landmarks_once_and_twice_the_same(tmp_path: Path, data_path: Path) -> None:
    config, lines = settings.load(), list[str]()
    hello = data_path / "videos" / "asl_hello_x2.mp4"
    assert extract([hello], tmp_path / "one", config, fps=FPS, told=lines.append) == (1, 0)
    names = ("asl_hello_x2.json", "asl_hello_x2.npy", "asl_hello_x2.parquet")
    first = {name: (tmp_path / "one" / name).read_bytes() for name in names}
    said = json.loads((tmp_path / "one" / names[0]).read_text("utf-8"))
    landmarks = np.load(tmp_path / "one" / names[1])
    assert landmarks.shape == (said["frames"], 543, 3)
    assert 15 <= said["frames"] <= 17
    assert said["aspect"] == pytest.approx(1280 / 720)
    hand = landmarks[:, 522]
    assert np.isfinite(hand[:, 0]).sum() > 5
    numbers, stored = read_parquet(tmp_path / "one" / names[2])
    assert np.array_equal(stored.astype(np.float32), landmarks, equal_nan=True)
    assert np.abs(numbers / FPS - np.array(said["times"])).max() < 1 / FPS

    assert extract([hello], tmp_path / "one", config, fps=FPS, told=lines.append) == (0, 1)
    (tmp_path / "one" / names[2]).unlink()  # killed before it was whole
    assert extract([hello], tmp_path / "one", config, fps=FPS, told=lines.append) == (1, 0)
    assert {name: (tmp_path / "one" / name).read_bytes() for name in names} == first
    assert len(lines) == 2


def test_what_is_no_video_has_no_person_or_is_not_there_is_named(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("no video\n", "utf-8")
    with pytest.raises(DatasetError, match=r"notes.mp4: .*text"):
        extract([text], tmp_path / "out", settings.load(), fps=FPS, told=print)
    nobody = write_video(tmp_path / "nobody.mp4")
    with pytest.raises(DatasetError, match=r"nobody.mp4: .*no landmark"):
        extract([nobody], tmp_path / "out", settings.load(), fps=FPS, told=print)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(nobody.read_bytes()[:600])
    with pytest.raises(DatasetError, match=r"cut.mp4"):
        extract([cut], tmp_path / "out", settings.load(), fps=FPS, told=print)
    assert not list((tmp_path / "out").glob("*"))
    with pytest.raises(DatasetError, match=r"gone.mp4: .*no such file"):
        videos_in([tmp_path / "gone.mp4"])


def test_videos_of_one_name_and_folders_of_none_are_named(tmp_path: Path) -> None:
    for folder in ("a", "b", "empty"):
        (tmp_path / folder).mkdir()
    for folder in ("a", "b"):
        (tmp_path / folder / "clip.mp4").touch()
    with pytest.raises(DatasetError, match=r"b/clip.mp4: .*a/clip.mp4 again"):
        videos_in([tmp_path])
    with pytest.raises(DatasetError, match="no video in it"):
        videos_in([tmp_path / "empty"])


def test_the_command_refuses_other_forms_and_names_the_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(commands, ["extract", "x.mp4", "--out", str(tmp_path), "--form", "csv"])
    assert result.exit_code == 2
    result = CliRunner().invoke(commands, ["extract", str(tmp_path / "x.mp4"), "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "no such file" in result.output
