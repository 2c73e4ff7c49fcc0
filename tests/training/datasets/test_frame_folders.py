"""Frames as pictures."""

from pathlib import Path

import pytest

from training.datasets.errors import DatasetError
from training.datasets.frame_folders import read_frame_folders


def test_frames_stand_by_number_and_videos_are_told_apart_by_their_whole_name(tmp_path: Path) -> None:
    (tmp_path / "hello").mkdir()
    for name in ("v1_frame_10", "v1_frame_2", "v1_frame_1", "v1b_frame_1"):
        (tmp_path / "hello" / f"{name}.jpg").write_bytes(b"jpeg")
    first, second = read_frame_folders(tmp_path)
    assert (first.video, first.label) == ("v1", "hello")
    assert [frame.stem for frame in first.frames] == ["v1_frame_1", "v1_frame_2", "v1_frame_10"]
    assert second.video == "v1b"


def test_what_is_no_frame_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no frame in it"):
        read_frame_folders(tmp_path)
    with pytest.raises(DatasetError, match="no such folder"):
        read_frame_folders(tmp_path / "nowhere")
    (tmp_path / "hello").mkdir()
    file = tmp_path / "hello" / "v1_frame_1.jpg"
    file.write_bytes(b"")
    with pytest.raises(DatasetError, match=r"v1_frame_1\.jpg: an empty file"):
        read_frame_folders(tmp_path)
    file.write_bytes(b"jpeg")
    file.with_name("v1_frame_01.jpg").write_bytes(b"jpeg")
    with pytest.raises(DatasetError, match="frame 1 a second time"):
        read_frame_folders(tmp_path)
    file.with_name("cover.jpg").write_bytes(b"jpeg")
    with pytest.raises(DatasetError, match=r"cover\.jpg: another name, expected <class>/<video>_frame_"):
        read_frame_folders(tmp_path)
