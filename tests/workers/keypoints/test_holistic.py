"""MediaPipe Holistic behind our interface, on real pictures."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.landmarks import (
    FACE,
    LEFT_HAND,
    LEFT_SHOULDER,
    NOSE,
    POSE,
    RIGHT_HAND,
    RIGHT_SHOULDER,
    ROWS,
    require_frame,
)
from tests.conftest import ROOT
from tests.workers.keypoints.clips import read_clip
from workers.keypoints.decoder import Decoder
from workers.keypoints.holistic import Holistic


@pytest.fixture
def holistic() -> Iterator[Holistic]:
    extractor = Holistic()
    yield extractor
    extractor.close()


def pictures(path: Path, step: int) -> list[NDArray[np.uint8]]:
    clip = read_clip(path)
    decoder = Decoder(clip.session())
    decoded = [picture for frame in clip.frames for picture in decoder.decode(frame)]
    return [picture.rgb() for picture in decoded[::step]]


def found(frame: NDArray[np.float32], rows: range) -> bool:
    return not bool(np.isnan(frame[rows.start : rows.stop]).any())


def test_an_empty_picture_has_no_landmarks(holistic: Holistic) -> None:
    frame = require_frame(holistic.landmarks(np.zeros((240, 320, 3), np.uint8), 0.0))
    assert np.isnan(frame).all()


@pytest.mark.data
def test_a_signer_is_landmarked_where_she_is(data_path: Path, holistic: Holistic) -> None:
    frames = [holistic.landmarks(p, 0.0) for p in pictures(data_path / "videos" / "asl_hello_x2.mp4", 4)]
    assert all(frame.shape == (ROWS, 3) for frame in frames)
    assert all(found(frame, POSE) and found(frame, FACE) for frame in frames)
    assert sum(found(f, LEFT_HAND) or found(f, RIGHT_HAND) for f in frames) >= 5
    middle = np.stack(frames)[:, :, :2].mean(0)
    # The picture is not mirrored: her left shoulder is on the picture's right.
    assert middle[LEFT_SHOULDER, 0] > middle[NOSE, 0] > middle[RIGHT_SHOULDER, 0]
    assert middle[NOSE, 1] < middle[LEFT_SHOULDER, 1]


@pytest.mark.data
def test_a_blurred_face_is_missing_and_the_rest_is_there(data_path: Path, holistic: Holistic) -> None:
    frames = [holistic.landmarks(p, 0.0) for p in pictures(data_path / "videos" / "msl150_yo.mp4", 8)]
    assert not any(found(frame, FACE) for frame in frames)
    assert all(found(frame, POSE) for frame in frames)


@pytest.mark.data
def test_the_process_says_nothing_but_what_is_not_chatter(data_path: Path) -> None:
    script = (
        "import os, pathlib, sys, numpy as np\n"
        "from tests.workers.keypoints.test_holistic import pictures\n"
        "from workers.keypoints import holistic\n"
        "extractor = holistic.Holistic()\n"
        "with holistic.without_chatter():\n"
        "    os.write(2, b'Feedback manager requires a model with a single signature\\nheard\\n')\n"
        "for _ in range(3): extractor.landmarks(np.zeros((48, 64, 3), np.uint8), 0.0)\n"
        "for picture in pictures(pathlib.Path(sys.argv[1]), 20): extractor.landmarks(picture, 0.0)\n"
        "extractor.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(data_path / "videos" / "asl_hello_x2.mp4")],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "heard\n")
