"""MediaPipe's own networks, read from its wheel and run by OpenVINO on one thread. Blocking.

They are compiled once a process: every session runs the same ones in turn, and keeps only its own regions.
Outputs that nobody reads are cut off before compiling, which halves the pose network.
"""

import dataclasses
import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import cv2
import mediapipe
import numpy as np
import openvino
from numpy.typing import NDArray

from workers.keypoints.int8 import RangesError, quantize
from workers.keypoints.regions import Region, crop_matrix

Precision = Literal["bf16", "int8", "f32"]

Output = NDArray[np.float32]
"""One output, flat. It is the network's own memory: the next run overwrites it."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A network in MediaPipe's wheel and what is read of it."""

    path: str
    """Below `mediapipe/modules`, without its suffix."""
    side: int
    """Pixels of its square input."""
    outputs: tuple[str, ...]
    """Names in the file, in the order `Network.run` gives them."""
    low: float = 0.0
    """What black becomes; white becomes 1."""


HAND = Source("hand_landmark/hand_landmark_full", 224, ("Identity", "Identity_1"))
"""Landmarks [21, 3] in crop pixels, presence."""
RECROP = Source("holistic_landmark/hand_recrop", 256, ("output_crop",))
"""Centre and edge of a hand near a wrist, [2, 2] in crop pixels."""
POSE = Source("pose_landmark/pose_landmark_full", 256, ("Identity", "Identity_1", "Identity_3"))
"""Landmarks [39, 5] in crop pixels (x, y, z, visibility, presence), presence, heatmaps [64, 64, 39]."""
POSE_DETECTION = Source("pose_detection/pose_detection", 224, ("Identity", "Identity_1"), low=-1.0)
"""Boxes and keypoints [2254, 12] around their anchors in crop pixels, scores [2254] before the sigmoid."""
FACE = Source("face_landmark/face_landmark", 192, ("conv2d_21", "conv2d_31"))
"""Landmarks [468, 3] in crop pixels, presence before the sigmoid."""


QUANTIZED = (HAND, POSE)
"""What takes the time. The others are small, or run when nobody is there, and bear rounding badly."""


class NetworkError(RuntimeError):
    """A network is not where the pinned MediaPipe has it, or not what it was."""


class Network:
    """One compiled network with its one request: for one thread at a time."""

    def __init__(self, source: Source, precision: Precision) -> None:
        """Raises NetworkError."""
        self.side = source.side
        self._request = _compiled(source, precision).create_infer_request()
        self._input = np.zeros((1, source.side, source.side, 3), np.uint8)
        self._request.set_input_tensor(openvino.Tensor(self._input, shared_memory=True))
        count = range(len(source.outputs))
        self._watcher: Callable[[NDArray[np.uint8]], object] | None = None
        self._outputs = [self._request.get_output_tensor(n).data.reshape(-1) for n in count]

    def run(self, rgb: NDArray[np.uint8], region: Region, *, pad: bool = False) -> list[Output]:
        """Of a region of a picture; outside the picture its edge goes on, or with `pad` it is black."""
        self.crop(rgb, region, pad=pad)
        self.infer()
        return self._outputs

    def crop(self, rgb: NDArray[np.uint8], region: Region, *, pad: bool = False) -> None:
        """Fills the input."""
        cv2.warpAffine(
            rgb,
            crop_matrix(region, self.side, max(rgb.shape[:2])),
            (self.side, self.side),
            dst=self._input[0],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT if pad else cv2.BORDER_REPLICATE,
        )

    def infer(self) -> None:
        """Fills the outputs."""
        if self._watcher is not None:
            self._watcher(self._input)
        self._request.infer()

    def watch(self, watcher: Callable[[NDArray[np.uint8]], object] | None) -> None:
        """Shows somebody every input before it is run, [1, side, side, 3]; the next one overwrites it."""
        self._watcher = watcher


@dataclasses.dataclass(frozen=True)
class Networks:
    """What a tracker runs."""

    precision: Precision
    hand: Network
    recrop: Network
    pose: Network
    pose_detection: Network
    face: Network


def best_precision() -> Precision:
    """bf16 where the CPU multiplies it in hardware (AVX512-BF16, AMX), else int8 where it does that (VNNI),
    else f32."""
    if "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        return "bf16"
    return "int8" if has_vnni() else "f32"


def has_vnni(cpu_info: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the CPU multiplies and adds bytes in one step. OpenVINO computes with them elsewhere too, but
    without it sums of two products may overflow."""
    try:
        flags = re.search(r"^flags\s*:(.*)$", cpu_info.read_text("utf-8", "replace"), re.MULTILINE)
    except OSError:
        return False
    return bool(flags and {"avx512_vnni", "avx_vnni"} & set(flags[1].split()))


@functools.cache
def load_networks(precision: Precision) -> Networks:
    """This process's networks; the first call compiles them, about a second. Raises NetworkError."""
    cv2.setNumThreads(1)  # A worker is one core; its neighbours have the others.
    return Networks(
        precision,
        hand=Network(HAND, precision),
        recrop=Network(RECROP, precision),
        pose=Network(POSE, precision),
        pose_detection=Network(POSE_DETECTION, precision),
        face=Network(FACE, precision),
    )


@functools.cache
def _core() -> Any:
    return openvino.Core()


def read_network(source: Source) -> openvino.Model:
    """As it is in the wheel, cut to the outputs that are read. Raises NetworkError."""
    path = Path(mediapipe.__file__).parent / "modules" / f"{source.path}.tflite"
    try:
        model = _core().read_model(path)
        kept = [model.output(name) for name in source.outputs]
    except RuntimeError as error:
        raise NetworkError(f"MediaPipe's network {path.name} cannot be read: {error}") from error
    return openvino.Model(kept, model.get_parameters(), path.stem)


def _compiled(source: Source, precision: Precision) -> Any:
    model = read_network(source)
    if precision == "int8" and source in QUANTIZED:
        try:
            quantize(model, model.get_friendly_name())
        except RangesError as error:
            raise NetworkError(str(error)) from error
    return compile_network(model, source, "bf16" if precision == "bf16" else "f32")


def compile_network(model: openvino.Model, source: Source, arithmetic: str) -> Any:
    """With pictures as they are for its input, on one thread."""
    steps = openvino.preprocess.PrePostProcessor(model)
    taken = steps.input()
    taken.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    span = 255.0 / (1.0 - source.low)
    scaled = taken.preprocess().convert_element_type(openvino.Type.f32).mean(-source.low * span)
    scaled.scale(span)
    options = {
        "INFERENCE_PRECISION_HINT": arithmetic,
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,
    }
    return _core().compile_model(steps.build(), "CPU", options)
