"""A model that is real and small: an ONNX graph of one Softmax over the first row's first sample."""

import uuid

import numpy as np
import onnxruntime
import pytest

from shared.messages import Window

LABELS = ("left", "up", "near")
SAMPLES, ROWS = 4, 2


def _field(number: int, content: bytes | str | int) -> bytes:
    """One field of a protocol buffer: a number as varint, anything else length-prefixed."""
    if isinstance(content, int):
        return bytes([number << 3]) + _varint(content)
    data = content.encode() if isinstance(content, str) else content
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    head = b""
    while value > 127:
        head += bytes([value & 127 | 128])
        value >>= 7
    return head + bytes([value])


def softmax_graph() -> bytes:
    """ModelProto of y = Softmax(x), x float32 [1, 3] (field numbers of onnx.proto, IR version 8, opset 17)."""
    shape = _field(1, _field(1, 1)) + _field(1, _field(1, 3))
    kind = _field(1, _field(1, 1) + _field(2, shape))
    node = _field(1, "x") + _field(2, "y") + _field(4, "Softmax")
    graph = (
        _field(1, node)
        + _field(2, "tiny")
        + _field(11, _field(1, "x") + _field(2, kind))
        + _field(12, _field(1, "y") + _field(2, kind))
    )
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 17))


class TinyModel:
    """Says in which direction the first landmark lies."""

    def __init__(self) -> None:
        self._session = onnxruntime.InferenceSession(softmax_graph(), providers=["CPUExecutionProvider"])

    def recognize(self, window: Window) -> list[tuple[str, float]]:
        if (window.samples, window.rows) != (SAMPLES, ROWS):
            raise ValueError(f"window is {window.samples} x {window.rows}, expected {SAMPLES} x {ROWS}")
        (scores,) = self._session.run(["y"], {"x": window.array()[0, :1]})
        return sorted(zip(LABELS, map(float, scores[0]), strict=True), key=lambda pair: -pair[1])


def make_window(session: str, seq: int = 0, **fields: object) -> Window:
    """A window whose answer is "up"."""
    points = np.zeros((SAMPLES, ROWS, 3), np.float32)
    points[:, :, 1] = 3.0
    window: dict[str, object] = {
        "session": session,
        "model": "tiny",
        "seq": seq,
        "start": seq * 0.5,
        "end": seq * 0.5 + 1.6,
        "samples": SAMPLES,
        "rows": ROWS,
        "landmarks": points.tobytes(),
        "captured": 1700000000.5,
        "capture_ms": 3.0,
        "keypoints_ms": 20.0,
    }
    return Window(**{**window, **fields})  # type: ignore[arg-type]


@pytest.fixture
def session() -> str:
    """An id nobody else uses."""
    return uuid.uuid4().hex
