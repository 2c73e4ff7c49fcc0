"""Recordings as a camera would deliver them."""

from pathlib import Path

import av
import numpy as np
import pytest

from training.clips import Picture, Take, cached_track, camera_pictures, read_pictures


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """One second at 20 frames a second; frame n has brightness 10 n."""
    file = tmp_path / "ramp.mkv"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("ffv1", rate=20)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "bgr0"
        for n in range(20):
            picture = np.full((64, 96, 3), 10 * n, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return file


def brightness(pictures: list[tuple[float, Picture]]) -> list[int]:
    return [round(float(picture.mean()) / 10) for _, picture in pictures]


def test_a_recording_is_read_with_its_times(video: Path) -> None:
    times, pictures = read_pictures(video)
    assert times == pytest.approx([n / 20 for n in range(20)], abs=0.002)
    assert pictures[3].shape == (64, 96, 3)
    assert pictures[3].mean() == 30


def test_a_faster_camera_sees_frames_twice(video: Path) -> None:
    seen = list(camera_pictures(video, Take(fps=40)))
    assert [time for time, _ in seen[:3]] == [0, 0.025, 0.05]
    assert brightness(seen)[:6] == [0, 0, 1, 1, 2, 2]


def test_a_camera_may_start_later_and_find_someone_standing_still(video: Path) -> None:
    seen = list(camera_pictures(video, Take(fps=20, phase=0.1, still_before=0.2, still_after=0.2)))
    assert brightness(seen)[:7] == [2, 2, 2, 2, 2, 3, 4]
    assert brightness(seen)[-4:] == [19, 19, 19, 19]


@pytest.mark.parametrize("codec", ["jpeg:80", "vp8:400"])
def test_a_codec_changes_the_pictures_a_little(video: Path, codec: str) -> None:
    raw, coded = (list(camera_pictures(video, Take(fps=20, codec=name))) for name in ("raw", codec))
    assert len(raw) == len(coded)
    differences = [
        float(np.abs(a[1].astype(int) - b[1].astype(int)).mean()) for a, b in zip(raw, coded, strict=True)
    ]
    assert max(differences) < 12


def test_a_smaller_picture_keeps_its_aspect(video: Path) -> None:
    ((_, picture), *_) = camera_pictures(video, Take(height=32))
    assert picture.shape == (32, 48, 3)


def test_an_unknown_codec_is_refused(video: Path) -> None:
    with pytest.raises(ValueError, match="codec is 'av1', expected raw"):
        camera_pictures(video, Take(codec="av1"))


def test_the_same_camera_gives_the_same_pictures_however_busy_the_machine(video: Path) -> None:
    take = Take(fps=20, codec="vp8:400")
    one, other = ([picture for _, picture in camera_pictures(video, take)] for _ in range(2))
    assert np.array_equal(one, other)


def test_landmarks_are_made_once_for_each_extractor(video: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    tracks = [cached_track(video, Take(), cache, extractor) for extractor in ("mediapipe", "tracker") * 2]
    assert len(list(cache.iterdir())) == 2
    assert all(track.frames.shape == (len(track.times), 543, 3) for track in tracks)
