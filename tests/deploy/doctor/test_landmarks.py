"""What finds landmarks, as the doctor sees it."""

import pytest

from deploy.doctor import landmarks
from shared.settings import Settings
from workers.keypoints import networks
from workers.keypoints.networks import NetworkError


def test_the_tracker_is_tried_and_its_numbers_told() -> None:
    found = landmarks.look(Settings(extractor="tracker", precision="f32"))
    assert found.status == "ok"
    assert "by the tracker, in f32" in found.said


def test_holistic_is_not_loaded_to_be_told_of() -> None:
    found = landmarks.look(Settings(extractor="mediapipe"))
    assert (found.status, "Holistic" in found.said) == ("ok", True)


def test_a_network_that_is_not_there_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing(networks.Network):
        def __init__(self, *_: object) -> None:
            raise NetworkError("MediaPipe's network hand_landmark_full.tflite cannot be read")

    monkeypatch.setattr(networks, "Network", Missing)
    found = landmarks.look(Settings(extractor="tracker"))
    assert found.status == "failed"
    assert "hand_landmark_full" in found.said
    assert "SIGNSTREAM_EXTRACTOR=mediapipe" in (found.advice or "")
