"""What a load test sends: a clip, encoded once and cut into RTP payloads once, or its landmarks.

Both take seconds to minutes of a busy machine, so they are kept under build/loadtests until the clip changes.
"""

import fractions
import hashlib
import os
from pathlib import Path

import av
import msgpack
from aiortc.codecs.vpx import Vp8Encoder

from deploy.bench import camera_film
from deploy.bench.sender import RATE
from loadtests.landmark_publisher import Takes, takes_of

LONGEST_SECONDS = 10.0

KEPT = Path("build/loadtests")

VERSION = 1
"""Of what is kept: another encoder or format needs another."""


def payloads(clip: Path) -> list[list[bytes]]:
    """RTP payloads of each of the clip's frames, 1280 by 720, RATE a second, VP8. Blocking, some seconds."""
    pack, made = Vp8Encoder(), []
    for number, frame in enumerate(camera_film.film(clip, LONGEST_SECONDS).frames):
        packet = av.Packet(frame.data)
        packet.pts, packet.time_base = number, fractions.Fraction(1, RATE)
        made.append(pack.pack(packet)[0])
    return made


def kept_payloads(clip: Path, folder: Path = KEPT) -> list[list[bytes]]:
    """The same, read from the folder where they are kept. Blocking."""
    path = _path(clip, folder, "film")
    if not path.is_file():
        _keep(path, payloads(clip))
    found: list[list[bytes]] = msgpack.unpackb(path.read_bytes())
    return found


def kept_takes(clip: Path, folder: Path = KEPT) -> Takes:
    """The clip's landmarks as messages, as Holistic finds them. Blocking."""
    path = _path(clip, folder, "takes")
    if not path.is_file():
        takes = Takes.of(*takes_of(clip))
        _keep(path, [list(takes.times), list(takes.messages)])
    return Takes(*msgpack.unpackb(path.read_bytes()))


def _path(clip: Path, folder: Path, what: str) -> Path:
    digest = hashlib.sha256(clip.read_bytes()).hexdigest()[:16]
    return folder / f"{what}-{VERSION}-{digest}.msgpack"


def _keep(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(f".{os.getpid()}")
    whole.write_bytes(msgpack.packb(value))
    whole.replace(path)  # another test may be making it too
